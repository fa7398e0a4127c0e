//! The first moments of a visit: from when on somebody counts as being there, and how closely they are looked at.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use greeter::{
    bench::staged_camera::{FRAMES_A_PICTURE, Standing},
    camera::{Frame, photo},
    config::Config,
    face::{eyes::Eyes, manifest::Manifest, networks::Networks},
    gallery::decision::Demands,
    installation::Installation,
    pipeline::{
        roll::{CurrentRoll, Roll},
        vision::{Sighting, Vision},
    },
    visit::{
        hall::{Answer, VisitEvent},
        turn::Kind,
    },
};
use image::RgbImage;

/// A webcam's pace.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// The vision stage of an installation in which nobody is enrolled, and what the camera shows of a stranger.
struct Empty {
    vision: Vision,
    config: Config,
    rgb: Arc<RgbImage>,
    now: Instant,
    seq: u64,
}

impl Empty {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (installation, config) = (Installation::at(root), Config::default());
        let smallest = Eyes::min_face_px(&config.face, config.camera.height);
        let networks = Networks::load(&installation, &config.face.pack, smallest).unwrap();
        let manifest = Manifest::load(&installation.models()).unwrap();
        let thresholds = &manifest.thresholds[networks.recogniser.name()];
        let demands = |people| Demands::new(&config.decision, thresholds.min_score(people).unwrap_or(1.0), None);
        let roll = CurrentRoll::new(Roll::new(Vec::new(), Vec::new(), demands));
        Self { vision: Vision::new(networks, roll, &config), config, rgb: Arc::default(), now: Instant::now(), seq: 0 }
    }

    fn sees(&mut self, somebody: &Standing) -> Sighting {
        if self.seq.is_multiple_of(FRAMES_A_PICTURE.into()) {
            let jpeg = somebody.picture(self.seq as usize / FRAMES_A_PICTURE as usize);
            self.rgb = Arc::new(photo::read_photo_bytes(&jpeg).unwrap());
        }
        self.now += FRAME;
        self.seq += 1;
        self.vision.on_frame(&Frame { rgb: self.rgb.clone(), captured_at: self.now, seq: self.seq }).unwrap()
    }
}

/// Somebody whose portrait is so high, as a share of the frame.
fn portrait(share: f32) -> Standing {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/enrol/barack-obama.jpg");
    Standing::of([&photo::read_photo(&photo).unwrap()], share, 0)
}

#[test]
fn somebody_who_was_seen_coming_is_not_addressed_before_they_have_stood_there() {
    let mut robot = Empty::new();
    let (far, near) = (portrait(0.27), portrait(0.3));
    let (mut came_at, mut from_afar, mut face_at) = (None, 0, None);
    for step in 0..120 {
        let sighting = robot.sees(if step < 60 { &far } else { &near });
        match sighting.in_sight.is_empty() {
            // The light on a face is told of every face that is found.
            true => from_afar += usize::from(sighting.lighting.is_some_and(|light| light.face.is_some())),
            false => drop(came_at.get_or_insert(robot.now)),
        }
        let answered = |answer: &Answer| matches!(answer, Answer::Say(say) if say.kind == Kind::Greeting);
        for answer in &sighting.answers {
            if let Answer::Event(VisitEvent::Decided(_, _, times)) = answer {
                face_at = face_at.or(Some(times.face_at));
            }
        }
        if sighting.answers.iter().any(answered) {
            break;
        }
    }
    let came_at = came_at.expect("they were near in the end");
    assert!(from_afar > 30, "this test saw them from afar in {from_afar} frames only");
    assert!(face_at.expect("it was decided who they are") >= came_at, "the time in which they were far away counted");
    let stood = robot.now - came_at;
    assert!(stood >= Duration::from_millis(robot.config.visit.attention_ms), "addressed after {stood:?}");
    assert!(stood < Duration::from_secs(2), "not addressed");
}

#[test]
fn who_is_not_named_when_the_time_is_up_is_looked_at_in_every_frame_for_a_moment_and_then_as_before() {
    let mut robot = Empty::new();
    let near = portrait(0.5);
    let decides_at = Duration::from_millis(robot.config.decision.decide_within_ms);
    let mut found_at = None;
    let (mut last_chance, mut afterwards) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let sighting = robot.sees(&near);
        // The frame before the first one that counts showed them, too.
        let Some(since) = sighting.in_sight.first().map(|_| *found_at.get_or_insert(robot.now - FRAME)) else {
            continue;
        };
        let watched = robot.now - since;
        if watched > decides_at + FRAME && watched < decides_at + Duration::from_millis(150) {
            last_chance.push(sighting.embedded);
        } else if watched > decides_at + Duration::from_millis(250) {
            afterwards.push(sighting.embedded);
        }
    }
    assert!(last_chance.len() >= 2 && last_chance.iter().all(|embedded| *embedded == 1), "{last_chance:?}");
    let share = afterwards.iter().sum::<usize>() as f32 / afterwards.len() as f32;
    assert!(share > 0.4 && share < 0.6, "{afterwards:?}");
}
