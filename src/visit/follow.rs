//! Which face of a frame is which of those that were there a moment ago, by place and size alone.
//!
//! Pure. It answers only where nobody can have changed places: not over a gap, not over a jump, and where two became one it says so.

use std::time::Duration;

use crate::face::FaceBox;

/// A face that was not found for longer may be another one when it is found again: people follow each other closely. Finding misses a
/// face that is there for a frame or two, seldom for more.
pub const GAP: Duration = Duration::from_millis(150);
/// No frame at all for so long is a gap, too. At five frames a second two in turn are 200 ms apart, and one may be lost.
pub const NO_FRAME: Duration = Duration::from_millis(500);
/// How far, in widths of the face, one may be from where it was, at once and for each second since: nobody runs through the picture faster.
const JUMP: f32 = 0.3;
const JUMP_A_SECOND: f32 = 12.0;
/// Where a face covers the places of two, it may be either's.
const COVERS: f32 = 0.3;

/// Where somebody was found last.
#[derive(Debug, Clone, Copy)]
pub struct Trail {
    /// There.
    pub bounds: FaceBox,
    /// So long ago.
    pub ago: Duration,
    /// Whether the last frame showed them.
    pub in_sight: bool,
}

impl Trail {
    /// Whether a face in this place may still be theirs.
    fn goes_on(&self) -> bool {
        self.ago <= if self.in_sight { NO_FRAME } else { GAP }
    }

    /// How well a face goes on with it; `None` for not at all.
    fn fit(&self, found: &FaceBox) -> Option<f32> {
        let overlap = self.bounds.overlap(found);
        if overlap > 0.1 {
            return Some(1.0 + overlap);
        }
        let ratio = self.bounds.width / found.width.max(1e-3);
        let (a, b) = (self.bounds.middle(), found.middle());
        let away = (a.x - b.x).hypot(a.y - b.y) / self.bounds.width.max(found.width).max(1e-3);
        let reach = JUMP + JUMP_A_SECOND * self.ago.as_secs_f32();
        ((0.6..1.7).contains(&ratio) && away < reach.min(1.2)).then_some(1.0 - away.min(1.0))
    }
}

/// Whose a face is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's who was there.
    New,
    /// That of the trail with this index.
    Same(usize),
    /// That of the trail with this index, or of another one who was there too and is not found any more: one covers the other.
    Either(usize),
}

/// Says whose each of the `found` faces is. Each trail goes on with one face at most, the one that fits best.
pub fn follow(trails: &[Trail], found: &[FaceBox]) -> Vec<Whose> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (trail, known) in trails.iter().enumerate().filter(|(_, known)| known.goes_on()) {
        pairs.extend(found.iter().enumerate().filter_map(|(face, bounds)| Some((known.fit(bounds)?, trail, face))));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut whose = vec![Whose::New; found.len()];
    let mut taken = vec![false; trails.len()];
    for (_, trail, face) in pairs {
        if !taken[trail] && whose[face] == Whose::New {
            (taken[trail], whose[face]) = (true, Whose::Same(trail));
        }
    }
    let lost = || trails.iter().zip(&taken).filter(|(trail, taken)| !**taken && trail.goes_on());
    for (whose, bounds) in whose.iter_mut().zip(found) {
        if let Whose::Same(trail) = *whose
            && lost().any(|(lost, _)| lost.bounds.overlap(bounds) > COVERS)
        {
            *whose = Whose::Either(trail);
        }
    }
    whose
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(x: f32) -> FaceBox {
        FaceBox { x, y: 100.0, width: 80.0, height: 80.0 }
    }

    fn seen(x: f32, ms: u64) -> Trail {
        Trail { bounds: place(x), ago: Duration::from_millis(ms), in_sight: true }
    }

    fn lost(x: f32, ms: u64) -> Trail {
        Trail { in_sight: false, ..seen(x, ms) }
    }

    #[test]
    fn a_face_that_was_missed_in_two_frames_goes_on_and_after_a_longer_loss_it_is_somebody_new() {
        assert_eq!(follow(&[lost(100.0, 100)], &[place(103.0)]), [Whose::Same(0)]);
        for ms in [160, 300, 1_200] {
            assert_eq!(follow(&[lost(100.0, ms)], &[place(100.0)]), [Whose::New], "after {ms} ms");
        }
    }

    #[test]
    fn at_five_frames_a_second_faces_go_on_and_after_a_pause_without_frames_they_do_not() {
        assert_eq!(follow(&[seen(100.0, 200)], &[place(110.0)]), [Whose::Same(0)]);
        assert_eq!(follow(&[seen(100.0, 600)], &[place(100.0)]), [Whose::New]);
    }

    #[test]
    fn nobody_jumps() {
        assert_eq!(follow(&[seen(100.0, 33)], &[place(150.0)]), [Whose::Same(0)]);
        assert_eq!(follow(&[seen(100.0, 33)], &[place(185.0)]), [Whose::New]);
    }

    #[test]
    fn two_people_side_by_side_are_not_mixed_up() {
        let trails = [seen(104.0, 33), seen(216.0, 33)];
        assert_eq!(follow(&trails, &[place(212.0), place(108.0)]), [Whose::Same(1), Whose::Same(0)]);
    }

    #[test]
    fn where_one_covers_the_other_it_is_not_certain_whose_the_face_is() {
        let trails = [seen(100.0, 33), seen(130.0, 33)];
        assert_eq!(follow(&trails, &[place(118.0)]), [Whose::Either(1)]);
        assert_eq!(follow(&trails, &[place(100.0), place(130.0)]), [Whose::Same(0), Whose::Same(1)]);
    }
}
