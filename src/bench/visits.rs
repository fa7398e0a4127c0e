//! Made-up visits as a camera would send them: people come nearer, stay, sway a little and are gone, as JPEG frames
//! with a sensor's noise.

use image::{RgbImage, codecs::jpeg::JpegEncoder};
use rand::Rng;

use super::{
    crowd::{Cutout, Place},
    sway::Noise,
};
use crate::face::Point;

/// Frames of a visit: an empty hall, somebody comes, stays, and is gone.
pub const EMPTY: usize = 5;
const COMES: usize = 25;
const STAYS: usize = 50;
/// All frames of a visit.
pub const FRAMES: usize = EMPTY + COMES + STAYS + EMPTY;

/// One visit.
pub struct Visit {
    /// JPEG.
    pub frames: Vec<Vec<u8>>,
}

impl Visit {
    /// The visit of `people`, side by side, before a wall.
    pub fn of(people: &[&Cutout], wall: &RgbImage, random: &mut impl Rng) -> Self {
        let (width, height) = (wall.width() as f32, wall.height() as f32);
        let share = width / people.len().max(1) as f32;
        // Near enough to talk, and so that heads do not cover each other.
        let near = (height / 8.0).min(share / 4.0);
        let phases: Vec<f32> = people.iter().map(|_| random.random_range(0.0..6.0)).collect();
        let noise = Noise::new(wall.dimensions(), random.random());
        let frames = (0..FRAMES).map(|number| {
            let mut frame = wall.clone();
            if (EMPTY..EMPTY + COMES + STAYS).contains(&number) {
                let step = (number - EMPTY) as f32;
                let come = (step / COMES as f32).min(1.0);
                let nearness = 0.35 + 0.65 * come * come * (3.0 - 2.0 * come);
                for (at, (person, phase)) in people.iter().zip(&phases).enumerate() {
                    let sway = near * 0.25 * (step / 9.0 + phase).sin();
                    let eyes =
                        Point { x: share * (at as f32 + 0.5) + sway, y: height * (0.3 + 0.1 * nearness) + 0.3 * sway };
                    person.paste(&mut frame, Place { eyes, eye_distance: near * nearness });
                }
            }
            noise.add(&mut frame, number);
            jpeg(&frame)
        });
        Self { frames: frames.collect() }
    }
}

/// As a webcam compresses.
fn jpeg(frame: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail; an empty frame would be counted as damaged.
    drop(JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(frame));
    bytes
}
