//! What the robot's eyes see of a stranger who stands before the camera: the vision stage of an installation in which nobody is enrolled.

#![allow(dead_code, reason = "each test uses a part of it")]

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
    pipeline::vision::{Sighting, Vision},
    roll::{CurrentRoll, Roll},
};
use image::RgbImage;

/// A webcam's pace.
pub const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// The vision stage of an installation in which nobody is enrolled, and what the camera shows of a stranger.
pub struct Empty {
    pub vision: Vision,
    pub config: Config,
    rgb: Arc<RgbImage>,
    pub now: Instant,
    seq: u64,
}

impl Empty {
    /// As it is configured by default.
    pub fn new() -> Self {
        Self::configured(Config::default())
    }

    /// As an operator configured it.
    pub fn configured(config: Config) -> Self {
        let installation = Installation::at(Path::new(env!("CARGO_MANIFEST_DIR")));
        let smallest = Eyes::min_face_px(&config.face, config.camera.height);
        let networks = Networks::load(&installation, &config.face.pack, smallest).unwrap();
        let manifest = Manifest::load(&installation.models()).unwrap();
        let thresholds = &manifest.thresholds[networks.recogniser.name()];
        let demands = |people| Demands::new(&config.decision, thresholds.min_score(people).unwrap_or(1.0), None);
        let roll = CurrentRoll::new(Roll::empty(demands(0)));
        Self { vision: Vision::new(networks, roll, &config), config, rgb: Arc::default(), now: Instant::now(), seq: 0 }
    }

    /// Looks at the next frame in which somebody stands there.
    pub fn sees(&mut self, somebody: &Standing) -> Sighting {
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
pub fn portrait(share: f32) -> Standing {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/enrol/barack-obama.jpg");
    Standing::of([&photo::read_photo(&photo).unwrap()], share, 0)
}
