//! Where pictures hang: a face that did not move there does not become a visitor when it is covered for a while, or when the lights were out.
//!
//! Pure, and in memory only. It holds places, no faces.

use std::time::Instant;

use super::motion;
use crate::face::{Detection, Point};

/// A face within so many eye distances of a picture's place, and of its size to within so much, is the picture.
const PLACE: f32 = 0.25;
const SIZE: f32 = 0.15;
/// More places than a wall has.
const MOST: usize = 16;

/// The places.
#[derive(Debug, Default)]
pub struct Pictures(Vec<(Point, f32, Instant)>);

impl Pictures {
    /// Whether a picture is known to hang where this face is.
    pub fn is_one(&self, face: &Detection) -> bool {
        self.find(face).is_some()
    }

    /// A face that does not move.
    pub fn note(&mut self, now: Instant, face: &Detection) {
        if let Some(at) = self.find(face) {
            self.0[at].2 = now;
            return;
        }
        if self.0.len() >= MOST {
            let oldest = (0..self.0.len()).min_by_key(|at| self.0[*at].2);
            oldest.map(|at| self.0.swap_remove(at));
        }
        self.0.push((motion::eyes(face), face.eye_distance(), now));
    }

    fn find(&self, face: &Detection) -> Option<usize> {
        let (eyes, size) = (motion::eyes(face), face.eye_distance());
        self.0.iter().position(|(place, known, _)| {
            (eyes.x - place.x).hypot(eyes.y - place.y) < PLACE * known && (size - known).abs() < SIZE * known
        })
    }
}
