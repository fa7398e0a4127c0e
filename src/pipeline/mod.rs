//! The threads and the channels between them: the only place that knows both ends.
//!
//! [`STAGES`] is the list of them, and `greeter pipeline` prints it. Every channel is bounded and says what happens when it is full.

mod capture;
pub mod health;
pub mod host;
mod stage;
pub mod vision;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{Receiver, Sender, bounded, never},
    select,
};

pub use capture::{CameraNotice, Captured};
use health::{Frames, Health};
use host::{Host, Means, Told};
use vision::{Sighting, Vision};

use crate::{
    camera::{Camera, FaceLight, LatestFrame, Taken},
    config::Config,
    visit::turn::Heard,
};

/// One thread of the program and what it passes on.
pub struct Stage {
    /// The thread's name.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What it gives.
    pub gives: &'static str,
    /// How much of it may wait.
    pub capacity: usize,
    /// What happens when so much waits.
    pub when_full: &'static str,
}

/// All stages, in the order in which a visit passes them.
pub const STAGES: [Stage; 4] = [
    Stage {
        name: "capture",
        takes: "the camera",
        gives: "frames",
        capacity: 1,
        when_full: "the newer frame replaces the older one: a greeting about a stale frame is worse than a dropped one",
    },
    Stage {
        name: "vision",
        takes: "frames, what was heard",
        gives: "sightings",
        capacity: 64,
        when_full: "the vision stage waits; newer frames replace the one that waits for it",
    },
    Stage {
        name: "host",
        takes: "sightings, camera notices, speech events",
        gives: "events and words to show, what was heard",
        capacity: 1024,
        when_full: "an event is dropped: visitors do not wait for whoever watches",
    },
    Stage {
        name: "speech",
        takes: "utterances",
        gives: "speech events",
        capacity: 8,
        when_full: "the oldest of the least important utterances that wait is dropped: its visitor has waited too long",
    },
];

/// How long a stage waits for its input before it gives a sign of life.
const PULSE: Duration = Duration::from_millis(100);
/// What ending may take, so that Ctrl-C is answered within a second.
const ENDS_WITHIN: Duration = Duration::from_millis(900);

/// The running program. Dropping it ends all stages.
pub struct Pipeline {
    told: Receiver<Told>,
    health: Health,
    slot: LatestFrame,
    captured: Arc<Captured>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Pipeline {
    /// Starts all stages.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(camera: Box<dyn Camera>, vision: Vision, means: Means, config: &Config) -> std::io::Result<Self> {
        let [capture, vision_stage, host_stage, _] = &STAGES;
        let (notices, notice) = bounded(16);
        let (sightings, sighting) = bounded(vision_stage.capacity);
        let (tell, told) = bounded(host_stage.capacity);
        // Speech watches itself: it replaces what hangs.
        let health = Health::new([capture.name, vision_stage.name, host_stage.name]);
        let face_light = FaceLight::default();
        let (slot, captured, stop) =
            (LatestFrame::new(), Arc::new(Captured::default()), Arc::new(AtomicBool::new(false)));
        // What became of a few greetings; the hall takes it with every frame.
        let (hear, heard) = bounded(64);
        let host = Host::new(means, config, tell.clone(), hear);
        let supervisor = stage::Supervisor { tell, stop: stop.clone() };
        let gone_after = Duration::from_millis(config.visit.gone_after_ms);
        let threads = vec![
            supervisor.start(capture.name, {
                let (slot, captured, health, stop) = (slot.clone(), captured.clone(), health.clone(), stop.clone());
                let face_light = face_light.clone();
                let mut camera = camera;
                move || {
                    let beat = || health.beat("capture");
                    capture::run(camera.as_mut(), &slot, &face_light, &notices, &captured, &stop, &beat);
                    // A recording that is over hangs nowhere.
                    while !stop.load(Ordering::Relaxed) {
                        beat();
                        std::thread::sleep(PULSE);
                    }
                }
            })?,
            supervisor.start(vision_stage.name, {
                let (slot, health, stop) = (slot.clone(), health.clone(), stop.clone());
                let mut vision = vision;
                let mut failed = false;
                move || {
                    // What was half done when it failed is not gone on with.
                    if std::mem::replace(&mut failed, true) {
                        vision.recover();
                    }
                    watch(&mut vision, (&slot, &face_light), (&sightings, &heard), &health, &stop, gone_after);
                }
            })?,
            supervisor.start(host_stage.name, {
                let (health, stop) = (health.clone(), stop.clone());
                let mut host = host;
                move || receive(&mut host, &sighting, &notice, &health, &stop)
            })?,
        ];
        Ok(Self { told, health, slot, captured, stop, threads })
    }

    /// What happens.
    pub fn told(&self) -> &Receiver<Told> {
        &self.told
    }

    /// How the stages feel.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// How many frames went which way.
    pub fn frames(&self) -> Frames {
        Frames {
            captured: self.captured.count(),
            processed: self.health.frames_processed(),
            dropped: self.slot.replaced(),
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.slot.close();
        let until = Instant::now() + ENDS_WITHIN;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // A stage that ended by a panic has told so already.
                drop(thread.join());
            }
        }
    }
}

/// The vision stage's loop.
fn watch(
    vision: &mut Vision,
    (slot, face_light): (&LatestFrame, &FaceLight),
    (sightings, heard): (&Sender<Sighting>, &Receiver<Heard>),
    health: &Health,
    stop: &AtomicBool,
    gone_after: Duration,
) {
    let mut failed_at: Option<Instant> = None;
    let mut framed_at = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        health.beat("vision");
        let seen = match slot.take(PULSE) {
            Taken::Frame(frame) => {
                framed_at = frame.captured_at;
                heard.try_iter().for_each(|heard| vision.hear(frame.captured_at, heard));
                let seen = vision.on_frame(&frame);
                health.processed(seen.as_ref().map(|seen| seen.times).unwrap_or_default());
                seen
            }
            // Without frames nobody is seen, so everybody has left after a while.
            Taken::Nothing if framed_at.elapsed() > gone_after => Ok(vision.without_frames(Instant::now())),
            Taken::Nothing => continue,
            Taken::Closed => return,
        };
        match seen {
            Ok(sighting) => {
                if let Some(face) = sighting.lighting.and_then(|lighting| lighting.face) {
                    face_light.put(face);
                }
                if sightings.send(sighting).is_err() {
                    return;
                }
            }
            Err(error) => {
                if failed_at.is_none_or(|at| at.elapsed() > Duration::from_secs(10)) {
                    tracing::error!("a frame was passed over: {error}");
                    failed_at = Some(Instant::now());
                }
            }
        }
    }
}

/// The host stage's loop.
fn receive(
    host: &mut Host,
    sightings: &Receiver<Sighting>,
    notices: &Receiver<CameraNotice>,
    health: &Health,
    stop: &AtomicBool,
) {
    let speech = host.speech_events().clone();
    let mut notices = notices.clone();
    while !stop.load(Ordering::Relaxed) {
        health.beat("host");
        select! {
            recv(sightings) -> sighting => match sighting {
                Ok(sighting) => host.on_sighting(sighting),
                Err(_) => return,
            },
            recv(notices) -> notice => match notice {
                Ok(notice) => host.on_camera(notice),
                Err(_) => notices = never(),
            },
            recv(speech) -> event => match event {
                Ok(event) => host.on_speech(event),
                Err(_) => return,
            },
            default(PULSE) => {}
        }
    }
}
