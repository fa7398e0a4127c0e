//! How well faces are found: in made-up halls with faces of known size and place, and in empty ones.

use std::time::{Duration, Instant};

use image::RgbImage;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::crowd::{Cutout, Place, places, wall};
use crate::{
    config::{Config, DecisionSettings},
    face::{ModelError, Point, eyes::Eyes, networks::Networks},
    gallery::decision::Demands,
    roll::Roll,
    visit::{
        hall::{FoundFace, Hall as Visits},
        rules::Rules,
    },
};

/// A webcam's pace.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// The frames after which it is asked who has been found.
pub const WITHIN: [usize; 4] = [2, 5, 15, 30];
/// Pixels between the eyes.
pub const SIZES: [f32; 7] = [20.0, 24.0, 32.0, 48.0, 70.0, 100.0, 150.0];
/// The frames' size.
const SIZE: (u32, u32) = (1280, 720);

/// Frames before people appear, at most: so that they come at any moment of whatever takes turns.
const BEFORE: usize = 15;

/// How well one way of looking finds faces.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// In a few words.
    pub way: String,
    /// By size.
    pub sizes: Vec<OfSize>,
    /// Empty frames that were shown.
    pub empty_frames: usize,
    /// Faces that are none and began to count, a thousand empty frames.
    pub false_faces_per_1000: f64,
    /// Empty frames in which a face that is none was followed, a thousand.
    pub false_frames_per_1000: f64,
    /// Milliseconds a frame without faces, median and the slowest 5 %.
    pub empty_ms: (f64, f64),
    /// Milliseconds a frame with faces, median and the slowest 5 %.
    pub busy_ms: (f64, f64),
}

/// Faces of one size.
#[derive(Debug, Clone, Serialize)]
pub struct OfSize {
    /// Pixels between the eyes.
    pub eye_distance_px: f32,
    /// Faces shown.
    pub faces: usize,
    /// The share of them that counted after so many frames ([`WITHIN`]).
    pub found: [f64; WITHIN.len()],
    /// Faces that counted and were none, in all scenes.
    pub false_faces: usize,
}

/// Shows `scenes` halls of each size and ten times as many empty ones to what `eyes` makes. The same seed shows the same halls.
///
/// # Errors
/// When a network fails.
pub fn measure(
    networks: &mut Networks,
    (way, eyes): (&str, &dyn Fn() -> Eyes),
    photos: &[RgbImage],
    cutouts: &[Cutout],
    (scenes, seed): (usize, u64),
    progress: &dyn Fn(),
) -> Result<Finding, ModelError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut empty_ms, mut busy_ms) = (Vec::new(), Vec::new());
    let mut sizes = Vec::new();
    for size in SIZES {
        let mut of_size = OfSize { eye_distance_px: size, faces: 0, found: [0.0; WITHIN.len()], false_faces: 0 };
        for _ in 0..scenes {
            let count = random.random_range(1..=4);
            let mut hall = Hall::with(photos, cutouts, places(count, size, SIZE, &mut random), &mut random);
            hall.empty_for = random.random_range(0..BEFORE);
            let seen = hall.watch(networks, eyes(), WITHIN[WITHIN.len() - 1], &mut busy_ms)?;
            of_size.faces += hall.people.len();
            of_size.false_faces += seen.false_faces;
            for (found, within) in of_size.found.iter_mut().zip(WITHIN) {
                *found += seen.found_at.iter().flatten().filter(|&&at| at < within).count() as f64;
            }
            progress();
        }
        of_size.found.iter_mut().for_each(|found| *found /= of_size.faces.max(1) as f64);
        sizes.push(of_size);
    }
    let (mut false_faces, mut false_frames) = (0, 0);
    let empties = scenes * 10;
    for _ in 0..empties {
        let mut hall = Hall::with(photos, cutouts, Vec::new(), &mut random);
        let seen = hall.watch(networks, eyes(), WITHIN[2], &mut empty_ms)?;
        false_faces += seen.false_faces;
        false_frames += seen.false_frames;
        progress();
    }
    let empty_frames = empties * WITHIN[2];
    let per_1000 = |count: usize| 1000.0 * count as f64 / empty_frames as f64;
    Ok(Finding {
        way: way.to_owned(),
        sizes,
        empty_frames,
        false_faces_per_1000: per_1000(false_faces),
        false_frames_per_1000: per_1000(false_frames),
        empty_ms: spread(empty_ms),
        busy_ms: spread(busy_ms),
    })
}

fn spread(series: Vec<f64>) -> (f64, f64) {
    crate::bench::spread::Spread::of(series).map_or((0.0, 0.0), |spread| (spread.p50, spread.p95))
}

/// People who walk slowly before a wall.
struct Hall<'c> {
    wall: RgbImage,
    people: Vec<(&'c Cutout, Place, Point)>,
    /// Frames until they appear.
    empty_for: usize,
}

#[derive(Default)]
struct Seen {
    /// The frame in which each person counted first.
    found_at: Vec<Option<usize>>,
    false_faces: usize,
    false_frames: usize,
}

impl<'c> Hall<'c> {
    fn with(photos: &[RgbImage], cutouts: &'c [Cutout], places: Vec<Place>, random: &mut impl Rng) -> Self {
        let wall = wall(photos, SIZE, random);
        let mut walks = || {
            let step = Point { x: random.random_range(-1.5..1.5), y: random.random_range(-0.7..0.7) };
            (random.random_range(0..cutouts.len()), step)
        };
        let people = places.into_iter().map(|place| {
            let (who, step) = walks();
            (&cutouts[who], place, step)
        });
        Self { wall, people: people.collect(), empty_for: 0 }
    }

    /// Shows `frames` frames with the people, as the vision stage sees them.
    fn watch(
        &mut self,
        networks: &mut Networks,
        mut eyes: Eyes,
        frames: usize,
        times: &mut Vec<f64>,
    ) -> Result<Seen, ModelError> {
        let mut visits = Visits::new(Rules::new(&Config::default()));
        let nobody = Roll::empty(Demands::new(&DecisionSettings::default(), 1.0, None));
        let mut seen = Seen { found_at: vec![None; self.people.len()], ..Seen::default() };
        let mut now = Instant::now();
        let mut known_false = Vec::new();
        for number in 0..self.empty_for + frames {
            let mut frame = self.wall.clone();
            let at = number.checked_sub(self.empty_for);
            for (cutout, place, step) in self.people.iter_mut().filter(|_| at.is_some()) {
                place.eyes = Point { x: place.eyes.x + step.x, y: place.eyes.y + step.y };
                cutout.paste(&mut frame, *place);
            }
            let began = Instant::now();
            let faces = eyes.look(networks, &frame, now, &visits.followed())?;
            if at.is_some() {
                times.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            let faces: Vec<FoundFace> = faces.into_iter().map(|face| FoundFace { face, stir: 0.0 }).collect();
            visits.on_frame(now, &faces, &nobody);
            let mut any_false = false;
            for (visitor, face) in visits.faces() {
                match self.people.iter().position(|(_, place, _)| place.is_of(face)) {
                    Some(person) => seen.found_at[person] = seen.found_at[person].or(at),
                    None => {
                        any_false = true;
                        if !known_false.contains(&visitor) {
                            known_false.push(visitor);
                        }
                    }
                }
            }
            seen.false_frames += usize::from(any_false);
            now += FRAME;
        }
        seen.false_faces = known_false.len();
        Ok(seen)
    }
}
