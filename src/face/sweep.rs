//! Where to look for newcomers: squares of several sizes that cover the frame, so that a network which sees only faces that are large in
//! its square finds the small ones too, one square after the other.
//!
//! Pure.

use super::Point;

/// The short-range network finds nine of ten faces whose eyes are at least so far apart, as a share of the square's side, and nearly
/// all from 0.06 on (400 news photos, shrunk).
const SEEN_FROM: f32 = 0.0513;
/// From one size of square to the next at most so much smaller.
const STEP: f32 = 1.85;
/// Squares overlap by this share of the next larger square's side: the width of the largest face that the larger one may miss.
const OVERLAP: f32 = 0.1;

/// A square of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Its middle.
    pub middle: Point,
    /// Its side in pixels.
    pub side: f32,
}

/// The squares of one size of frame, the whole frame first, and which is next.
#[derive(Debug, Default)]
pub struct Sweep {
    size: (u32, u32),
    looks: Vec<Look>,
    next: usize,
}

impl Sweep {
    /// The next `count` looks at a frame of `size` (width, height) that together find faces from `min_eye_distance` pixels on. With
    /// `whole` the first of them is always the whole frame.
    pub fn next(&mut self, size: (u32, u32), min_eye_distance: f32, count: usize, whole: bool) -> Vec<Look> {
        if self.size != size {
            *self = Self { size, looks: looks(size, min_eye_distance), next: 0 };
        }
        let mut chosen: Vec<Look> = Vec::new();
        if whole {
            chosen.extend(self.looks.first().copied().filter(|_| count > 0));
        }
        for _ in 0..self.looks.len() {
            if chosen.len() >= count {
                break;
            }
            let look = self.looks[self.next];
            self.next = (self.next + 1) % self.looks.len();
            if !chosen.contains(&look) {
                chosen.push(look);
            }
        }
        chosen
    }
}

/// All squares for a frame of `size` (width, height), from the largest to the smallest.
pub fn looks((width, height): (u32, u32), min_eye_distance: f32) -> Vec<Look> {
    let (width, height) = (width as f32, height as f32);
    let (long, short) = (width.max(height), width.min(height));
    if short < 1.0 {
        return Vec::new();
    }
    let smallest = (min_eye_distance.max(4.0) / SEEN_FROM).min(long);
    let steps = ((long / smallest).ln() / STEP.ln() - 0.05).ceil().max(0.0);
    let mut looks = vec![Look { middle: Point { x: width / 2.0, y: height / 2.0 }, side: long }];
    let mut larger = long;
    for step in 1..=steps as usize {
        let mut side = long * (smallest / long).powf(step as f32 / steps);
        if (side / short - 1.0).abs() < 0.15 {
            side = short;
        }
        let (columns, rows) = (middles(width, side, OVERLAP * larger), middles(height, side, OVERLAP * larger));
        looks.extend(rows.iter().flat_map(|&y| columns.iter().map(move |&x| Look { middle: Point { x, y }, side })));
        larger = side;
    }
    looks
}

/// Where squares of `side` are put to cover `length` with about `overlap` between them.
fn middles(length: f32, side: f32, overlap: f32) -> Vec<f32> {
    let count = ((length - overlap) / (side - overlap).max(1.0) - 0.1).ceil();
    if length <= side || count <= 1.0 {
        return vec![length / 2.0];
    }
    (0..count as usize).map(|at| side / 2.0 + (length - side) * at as f32 / (count - 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_of_any_size_from_the_gate_on_lies_wholly_in_a_square_in_which_it_is_large() {
        for size in [(640, 480), (1280, 720), (1920, 1080), (720, 1280)] {
            let looks = looks(size, 20.0);
            assert!(looks.len() < 40, "{size:?}: {} looks", looks.len());
            for eyes in [20.0, 22.0, 30.0, 45.0, 70.0, 90.0] {
                // The face itself, without hair and chin.
                let half = eyes * 1.1;
                let (mut x, mut missed, mut all) = (half, 0, 0);
                while x < size.0 as f32 - half {
                    let mut y = half;
                    while y < size.1 as f32 - half {
                        let seen = looks.iter().any(|look| {
                            let room = look.side / 2.0 - half;
                            eyes >= 0.05 * look.side
                                && (x - look.middle.x).abs() <= room
                                && (y - look.middle.y).abs() <= room
                        });
                        (missed, all) = (missed + u32::from(!seen), all + 1);
                        y += 9.0;
                    }
                    x += 9.0;
                }
                assert!(missed * 20 <= all, "{size:?}, {eyes}: {missed} of {all} places");
            }
        }
    }

    #[test]
    fn the_whole_frame_is_looked_at_first_and_every_square_has_its_turn() {
        let mut sweep = Sweep::default();
        let all = looks((1280, 720), 20.0);
        assert_eq!(all[0], Look { middle: Point { x: 640.0, y: 360.0 }, side: 1280.0 });
        let mut seen = Vec::new();
        for _ in 0..4 {
            let now = sweep.next((1280, 720), 20.0, 4, true);
            assert_eq!((now.len(), now[0]), (4, all[0]));
            seen.extend(now);
        }
        assert!(all.iter().all(|look| seen.contains(look)));
        let mut seen: Vec<Look> = (0..all.len()).flat_map(|_| sweep.next((1280, 720), 20.0, 1, false)).collect();
        seen.dedup();
        assert_eq!(seen.len(), all.len());
    }

    #[test]
    fn small_and_empty_frames_have_few_looks_or_none() {
        assert!(looks((0, 480), 20.0).is_empty());
        assert_eq!(looks((320, 240), 20.0).len(), 1);
        assert!(Sweep::default().next((0, 0), 20.0, 4, true).is_empty());
    }
}
