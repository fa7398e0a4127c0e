//! What each stage of seeing costs, a frame: decoding, finding, following, aligning, embedding, and all of it as in the pipeline; and
//! what a robot costs before which nobody stands.
//!
//! Visits go through [`Vision`] as they do in `greeter run`. On one core a frame is decoded and then looked at; on two the next frame
//! is decoded meanwhile, as the capture thread does.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use image::RgbImage;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::{figures::Origin, visits::Visit};
use crate::{
    bench::spread::Spread,
    camera::{Frame, decode_mjpg},
    face::{ModelError, align, eyes::Eyes, networks::Networks},
    pipeline::vision::Vision,
};

/// A webcam's pace.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// Between two visits everybody is forgotten.
const PAUSE: Duration = Duration::from_secs(5);
/// Each visit gives so many measurements of finding and of embedding.
pub const REPEATS: usize = 4;

/// All figures of a run.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Visits of each kind.
    pub visits: usize,
    /// One a stage.
    pub rows: Vec<Row>,
}

/// One stage.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Of the frames.
    pub width: u32,
    /// Of the frames.
    pub height: u32,
    /// In each frame of a visit but the first and last few.
    pub faces: usize,
    /// That could be used.
    pub cores: usize,
    /// `greeter`, `opencv`, or `opencv-half`, which looks at a copy of half the size.
    pub engine: String,
    /// `decode`, `find` (a whole frame, all squares), `track` (a frame with everybody followed, without decoding and embedding),
    /// `align` (one face), `embed` (all faces of a frame), `frame` (all of it, the mean over a visit); `idle` (an empty hall).
    pub stage: &'static str,
    /// What it costs.
    #[serde(flatten)]
    pub cost: Cost,
}

/// What a stage costs.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// One frame, or one face of it.
    Once {
        /// Median.
        p50_ms: f64,
        /// 95 of 100 are no slower.
        p95_ms: f64,
        /// That the median allows.
        frames_per_s: f64,
    },
    /// All the time.
    Lasting {
        /// Of one core.
        cpu_share: f64,
    },
}

/// Measurements of each stage, milliseconds.
#[derive(Debug, Default)]
pub struct Stages {
    /// A frame.
    pub decode: Vec<f64>,
    /// A whole frame.
    pub find: Vec<f64>,
    /// A frame with all faces followed.
    pub track: Vec<f64>,
    /// A face.
    pub align: Vec<f64>,
    /// All faces of a frame.
    pub embed: Vec<f64>,
    /// The mean over a visit, one a visit.
    pub frame: Vec<f64>,
    /// Frames of visits, and those among them in which as many faces were found as there were.
    pub complete: (usize, usize),
}

impl Stages {
    /// The table's rows; stages that were not measured have none.
    pub fn rows(self, (width, height): (u32, u32), faces: usize, cores: usize, engine: &str) -> Vec<Row> {
        let stages = [
            ("decode", self.decode),
            ("find", self.find),
            ("track", self.track),
            ("align", self.align),
            ("embed", self.embed),
            ("frame", self.frame),
        ];
        let row = |(stage, series): (&'static str, Vec<f64>)| {
            let Spread { p50: p50_ms, p95: p95_ms, .. } = Spread::of(series)?;
            let frames_per_s = 1000.0 / p50_ms.max(1e-6);
            let engine = engine.to_owned();
            Some(Row { width, height, faces, cores, engine, stage, cost: Cost::Once { p50_ms, p95_ms, frames_per_s } })
        };
        stages.into_iter().filter_map(row).collect()
    }
}

/// The program's own vision, measured visit by visit.
pub struct Greeter {
    vision: Vision,
    eyes: Eyes,
    networks: Networks,
    now: Instant,
    seq: u64,
    /// What was measured so far.
    pub stages: Stages,
}

impl Greeter {
    /// `vision` is the pipeline's; `eyes` and `networks` are another set, for measuring stages alone.
    pub fn new(vision: Vision, eyes: Eyes, networks: Networks) -> Self {
        Self { vision, eyes, networks, now: Instant::now(), seq: 0, stages: Stages::default() }
    }

    /// Lets `faces` people visit, on `cores` cores, and says how many views were embedded in each frame.
    ///
    /// # Errors
    /// When a frame or a network fails.
    pub fn visit(&mut self, visit: &Visit, faces: usize, cores: usize) -> Result<Vec<usize>, VisionError> {
        self.now += PAUSE;
        self.vision.without_frames(self.now);
        let mut embedded = Vec::new();
        let began = Instant::now();
        if cores == 1 {
            for jpeg in &visit.frames {
                let (rgb, took) = decoded(jpeg)?;
                self.stages.decode.push(took);
                embedded.push(self.frame(rgb, faces)?);
            }
        } else {
            std::thread::scope(|scope| -> Result<(), VisionError> {
                // One frame waits, as in the pipeline.
                let (sender, frames) = mpsc::sync_channel(1);
                scope.spawn(move || visit.frames.iter().map(|jpeg| decoded(jpeg)).all(|it| sender.send(it).is_ok()));
                for frame in frames {
                    let (rgb, took) = frame?;
                    self.stages.decode.push(took);
                    embedded.push(self.frame(rgb, faces)?);
                }
                Ok(())
            })?;
        }
        self.stages.frame.push(milliseconds(began) / visit.frames.len().max(1) as f64);
        Ok(embedded)
    }

    /// One frame through the pipeline's vision.
    fn frame(&mut self, rgb: RgbImage, faces: usize) -> Result<usize, VisionError> {
        self.now += FRAME;
        self.seq += 1;
        let sighting = self.vision.on_frame(&Frame { rgb: Arc::new(rgb), captured_at: self.now, seq: self.seq })?;
        let times = sighting.times;
        self.stages.complete.0 += 1;
        if sighting.in_sight.len() == faces {
            self.stages.complete.1 += 1;
            self.stages.track.push((times.find + times.align + times.search).as_secs_f64() * 1000.0);
        }
        Ok(sighting.embedded)
    }

    /// Measures finding, aligning and embedding alone, on frames spread over the visit.
    ///
    /// # Errors
    /// When a frame or a network fails.
    pub fn alone(&mut self, visit: &Visit, faces: usize) -> Result<(), VisionError> {
        for number in 0..REPEATS {
            let at = visit.frames.len() * (2 * number + 1) / (2 * REPEATS);
            let (frame, _) = decoded(&visit.frames[at])?;
            let began = Instant::now();
            let found = self.eyes.find_all(&mut self.networks, &frame)?;
            self.stages.find.push(milliseconds(began));
            let mut upright = Vec::new();
            for face in &found {
                let began = Instant::now();
                upright.extend(align::align(&frame, &face.landmarks));
                self.stages.align.push(milliseconds(began));
            }
            if upright.len() == faces {
                let began = Instant::now();
                self.networks.recogniser.embed_views(&upright)?;
                self.stages.embed.push(milliseconds(began));
            }
        }
        Ok(())
    }
}

fn decoded(jpeg: &[u8]) -> Result<(RgbImage, f64), VisionError> {
    let began = Instant::now();
    let rgb = decode_mjpg(jpeg).map_err(VisionError::Frame)?;
    Ok((rgb, milliseconds(began)))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// What this process uses of a core while it is left alone for so long.
pub fn cpu_share(over: Duration) -> f64 {
    let used = || {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
    };
    let (began, before) = (Instant::now(), used());
    std::thread::sleep(over);
    (used() - before) / began.elapsed().as_secs_f64()
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// A made-up frame.
    #[error("a made-up frame could not be decoded: {0}")]
    Frame(String),
    /// The networks.
    #[error(transparent)]
    Face(#[from] ModelError),
}
