//! How a face moves: whether it lives, and whether its owner walks across or has come to stay.
//!
//! Pure. Lengths are in distances between the eyes, so that they mean the same near and far: one is about 63 mm.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::face::{Detection, Point};

/// Speed is the way made in so long.
const WINDOW: Duration = Duration::from_millis(250);
/// Who moves across faster, in eye distances a second, walks by: 0.43 m/s, a third of how fast people walk who go somewhere.
const WALKS: f32 = 6.8;
/// Who moves across faster than this has not stopped yet.
const STROLLS: f32 = 2.5;
/// Who comes nearer at this rate, in shares of their size a second, and moves across no faster than that, walks up.
const COMES: f32 = 0.15;
const COMES_ACROSS: f32 = 8.0;
/// A face whose picture changes by so much more than the camera's noise is one that moves. Posters reach 1.4 (4,000 frames with eyes 24 to 70
/// pixels apart), people who stand and sway exceed 1.8 within a quarter of a second.
const STIRS: f32 = 1.8;

/// What was seen of a face's way.
#[derive(Debug, Clone, Default)]
pub struct Motion {
    way: VecDeque<Step>,
    lives: bool,
    strolled_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    at: Instant,
    eyes: Point,
    eye_distance: f32,
}

/// The middle between the eyes.
pub fn eyes(face: &Detection) -> Point {
    let [left, right, ..] = face.landmarks;
    Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 }
}

impl Motion {
    /// Takes a frame's look at the face. `stir`: by how many times the camera's noise its picture has changed in the last moment.
    pub fn note(&mut self, now: Instant, face: &Detection, stir: f32) {
        self.way.push_back(Step { at: now, eyes: eyes(face), eye_distance: face.eye_distance().max(1.0) });
        while self.way.len() > 2 && now.duration_since(self.way[1].at) >= WINDOW {
            self.way.pop_front();
        }
        self.lives |= stir >= STIRS;
        if self.pace().is_some_and(|(across, _)| across > STROLLS) {
            self.strolled_at = Some(now);
        }
    }

    /// When they last moved as somebody who has not stopped yet.
    pub fn strolled_at(&self) -> Option<Instant> {
        self.strolled_at
    }

    /// Whether it has moved since it was first seen; a poster never does.
    pub fn lives(&self) -> bool {
        self.lives
    }

    /// It must be seen to move again.
    pub fn doubt(&mut self) {
        self.lives = false;
    }

    /// Whether its owner walks across without coming nearer.
    pub fn walks_by(&self) -> bool {
        self.pace().is_some_and(|(across, nearer)| across > WALKS && !(nearer > COMES && across < COMES_ACROSS))
    }

    /// How fast they move across, in eye distances a second, and come nearer, in shares of their size a second.
    fn pace(&self) -> Option<(f32, f32)> {
        let (first, last) = (self.way.front()?, self.way.back()?);
        let seconds = last.at.duration_since(first.at).as_secs_f32();
        let size = last.eye_distance.min(first.eye_distance);
        let across = (last.eyes.x - first.eyes.x).hypot(last.eyes.y - first.eyes.y) / size / seconds;
        let nearer = (last.eye_distance - first.eye_distance) / first.eye_distance / seconds;
        (seconds > 0.0).then_some((across, nearer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::FaceBox;

    fn face(x: f32, eye_distance: f32) -> Detection {
        let bounds = FaceBox { x, y: 100.0, width: 2.4 * eye_distance, height: 2.4 * eye_distance };
        let point = |x| Point { x, y: 100.0 };
        let landmarks = [point(x), point(x + eye_distance), point(x), point(x), point(x)];
        Detection { bounds, landmarks, confidence: 0.9 }
    }

    /// Whether somebody is walking by after a second, their eyes so many pixels apart and moving so many pixels a second.
    fn walks_by(eye_distance: f32, pixels_a_second: f32, growth: f32) -> bool {
        let (mut motion, start) = (Motion::default(), Instant::now());
        for frame in 0..30_u8 {
            let seconds = f32::from(frame) / 30.0;
            let size = eye_distance * (1.0 + growth * seconds);
            motion.note(start + Duration::from_secs_f32(seconds), &face(pixels_a_second * seconds, size), 0.0);
        }
        motion.walks_by()
    }

    #[test]
    fn walking_across_the_hall_is_told_from_standing_and_from_walking_up() {
        assert!(walks_by(60.0, 470.0, 0.0) && walks_by(26.0, 470.0, 0.0) && walks_by(60.0, 1_170.0, 0.1));
        assert!(!walks_by(60.0, 8.0, 0.0), "standing");
        assert!(!walks_by(30.0, 150.0, 0.3), "walking up from the side");
        assert!(walks_by(30.0, 400.0, 0.3), "walking by from afar");
    }

    #[test]
    fn who_has_stopped_walks_by_no_longer() {
        let (mut motion, start) = (Motion::default(), Instant::now());
        for frame in 0..60_u16 {
            let x = 900.0 * f32::from(frame.min(30)) / 30.0;
            motion.note(start + Duration::from_millis(u64::from(frame) * 33), &face(x, 60.0), 0.0);
            assert_eq!(motion.walks_by(), (1..35).contains(&frame), "frame {frame}");
        }
    }

    #[test]
    fn who_strolls_has_not_stopped_also_while_they_come_nearer_and_who_sways_has() {
        let strolled = |pixels_a_second: f32, growth: f32| {
            let (mut motion, start) = (Motion::default(), Instant::now());
            for frame in 0..30_u8 {
                let seconds = f32::from(frame) / 30.0;
                let seen = face(pixels_a_second * seconds, 60.0 * (1.0 + growth * seconds));
                motion.note(start + Duration::from_secs_f32(seconds), &seen, 0.0);
            }
            motion.strolled_at() == Some(start + Duration::from_secs_f32(29.0 / 30.0))
        };
        assert!(strolled(200.0, 0.0) && strolled(240.0, 0.3) && !strolled(10.0, 0.0));
    }

    #[test]
    fn a_face_lives_once_it_has_stirred() {
        let mut motion = Motion::default();
        motion.note(Instant::now(), &face(0.0, 60.0), 1.4);
        assert!(!motion.lives());
        motion.note(Instant::now(), &face(0.0, 60.0), 2.5);
        motion.note(Instant::now(), &face(0.0, 60.0), 1.0);
        assert!(motion.lives());
    }
}
