//! A webcam as the rest of the program sees it: frames, or an error that says what happened, and frames again by themselves.
//!
//! The device is owned by a thread (`capture`) that this one gives up when it stays silent or fails; a new one is started after
//! a pause that grows (`reopening`), and looks for the camera anew, so that it may come back under another number.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    Camera, CameraError, Frame, Taken,
    capture::{Capture, Counts},
    reopening::Reopening,
};
use crate::config::CameraSettings;

/// Longest that one call waits, so that the caller can end in between.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// A driver that does not even open a camera after so long counts as silent.
const OPENING: Duration = Duration::from_secs(8);
/// The first frame may take longer than the ones after it: sensors settle, and some cameras start slowly.
const FIRST_FRAME: Duration = Duration::from_secs(3);
/// How often a given-up thread is woken.
const INTERRUPT_EVERY: Duration = Duration::from_millis(20);
/// A given-up thread that has not ended after so long hangs in the driver; a new one is started beside it.
const HANGS_AFTER: Duration = Duration::from_secs(5);
/// Threads that may hang in the driver at a time. With more, only waiting helps.
const MAX_HANGING: usize = 3;
/// Closing takes so long at most.
const CLOSING: Duration = Duration::from_millis(300);

/// A webcam. It is opened when the first frame is asked for.
pub struct Webcam {
    settings: CameraSettings,
    running: Option<Running>,
    given_up: Vec<(Capture, Instant)>,
    reopening: Reopening,
    counts: Arc<Counts>,
    replaced: u64,
    reopened: u64,
    description: Option<String>,
}

struct Running {
    capture: Capture,
    gave_frames: bool,
    /// How long frames were waited for in vain. Time in which nobody asked, or the whole program stood still, does not count.
    waited: Duration,
}

/// What happened to a webcam's frames besides being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebcamCounts {
    /// Could not be decoded.
    pub damaged: u64,
    /// Had waited in the driver for too long.
    pub stale: u64,
    /// Were replaced by a newer one before anybody took them.
    pub replaced: u64,
    /// Times that the camera was opened again.
    pub reopened: u64,
}

impl Webcam {
    /// A webcam that is opened, and found again after each loss, by `settings.device`.
    pub fn new(settings: CameraSettings) -> Self {
        Self {
            settings,
            running: None,
            given_up: Vec::new(),
            reopening: Reopening::default(),
            counts: Arc::default(),
            replaced: 0,
            reopened: 0,
            description: None,
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> WebcamCounts {
        WebcamCounts {
            damaged: self.counts.damaged.load(Ordering::Relaxed),
            stale: self.counts.stale.load(Ordering::Relaxed),
            replaced: self.replaced + self.running.as_ref().map_or(0, |running| running.capture.slot.replaced()),
            reopened: self.reopened,
        }
    }

    /// Waits for the next attempt and makes it when its time has come.
    fn start(&mut self, asked: Instant) -> Result<(), CameraError> {
        while !self.may_start() {
            if asked.elapsed() >= LONGEST_WAIT {
                return Err(CameraError::NotYet);
            }
            thread::sleep(INTERRUPT_EVERY);
        }
        match Capture::start(self.settings.clone(), Arc::clone(&self.counts)) {
            Ok(capture) => {
                self.running = Some(Running { capture, gave_frames: false, waited: Duration::ZERO });
                Ok(())
            }
            Err(error) => Err(self.reopening.failed(error, Instant::now())),
        }
    }

    /// A device can be opened only after the thread that had it has closed it.
    fn may_start(&mut self) -> bool {
        self.wake_given_up();
        let hanging = self.given_up.len();
        let all_hang = self.given_up.iter().all(|(_, since)| since.elapsed() > HANGS_AFTER);
        self.reopening.left(Instant::now()).is_zero() && (hanging == 0 || (all_hang && hanging < MAX_HANGING))
    }

    fn wake_given_up(&mut self) {
        self.given_up.retain(|(capture, _)| !capture.has_ended());
        for (capture, _) in &self.given_up {
            capture.interrupt();
        }
    }

    fn give_up(&mut self) {
        if let Some(running) = self.running.take() {
            running.capture.interrupt();
            self.replaced += running.capture.slot.replaced();
            self.given_up.push((running.capture, Instant::now()));
        }
    }

    fn failed(&mut self, error: CameraError) -> CameraError {
        self.give_up();
        self.reopening.failed(error, Instant::now())
    }
}

impl Running {
    /// How much longer the camera may stay silent.
    fn patience(&self, silent_after: Duration) -> Duration {
        let limit = match (self.gave_frames, self.capture.description()) {
            (true, _) => silent_after,
            (false, Some(_)) => FIRST_FRAME.max(silent_after * 2),
            (false, None) => OPENING,
        };
        limit.saturating_sub(self.waited)
    }
}

impl Camera for Webcam {
    fn next_frame(&mut self) -> Result<Frame, CameraError> {
        let asked = Instant::now();
        if self.running.is_none() {
            self.start(asked)?;
        }
        let Some(running) = &mut self.running else { return Err(CameraError::NotYet) };
        let left = LONGEST_WAIT.saturating_sub(asked.elapsed());
        let wait = running.patience(self.settings.silent_after()).min(left);
        match running.capture.slot.take(wait) {
            Taken::Frame(frame) => {
                if !running.gave_frames {
                    running.gave_frames = true;
                    let description = running.capture.description().map(str::to_owned);
                    self.reopened += u64::from(self.description.is_some());
                    self.description = description;
                    self.reopening.frame_came();
                }
                running.waited = Duration::ZERO;
                Ok(frame)
            }
            Taken::Closed => {
                let error = running.capture.ending();
                Err(self.failed(error))
            }
            Taken::Nothing => {
                running.waited += wait;
                if !running.patience(self.settings.silent_after()).is_zero() {
                    return Err(CameraError::NotYet);
                }
                let device = running.capture.description().unwrap_or(&self.settings.device).to_owned();
                let seconds = running.waited.as_secs_f32();
                Err(self.failed(CameraError::Silent { device, seconds }))
            }
        }
    }

    fn expose_for(&mut self, face: f32) {
        if let Some(running) = &self.running {
            running.capture.face_light.put(face);
        }
    }

    fn describe(&self) -> String {
        self.description.clone().unwrap_or_else(|| format!("camera `{}`, not open yet", self.settings.device))
    }
}

impl Drop for Webcam {
    fn drop(&mut self) {
        self.give_up();
        let since = Instant::now();
        while !self.given_up.is_empty() && since.elapsed() < CLOSING {
            self.wake_given_up();
            thread::sleep(Duration::from_millis(5));
        }
    }
}
