//! Follows faces from frame to frame: the same face keeps its number for as long as it is in sight.
//!
//! Pure. It goes by place and size alone, so it goes on only where nobody can have changed places: who was out of sight for longer than
//! [`GAP`] comes back under a new number, and nothing that was known of the former one holds for them. That the person in a place is still
//! the same is checked by the evidence (`gallery::decision`), which asks for a [`Tracker::split`] when it is not.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::face::{Detection, FaceBox};

/// A face's number for as long as it is followed. Numbers are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "visitor {}", self.0)
    }
}

/// Frames in which a face must be found before it counts: a single one may be a pattern on a coat.
const HITS_TO_COUNT: u32 = 2;

/// A face that was not found for longer may be another one when it is found again: people follow each other closely. Finding misses a
/// face that is there for a frame or two, seldom for more.
pub const GAP: Duration = Duration::from_millis(150);
/// No frame for so long is a gap, too.
const LONGEST_FRAME: Duration = Duration::from_millis(500);

struct Track {
    id: TrackId,
    bounds: FaceBox,
    since: Instant,
    seen_at: Instant,
    /// Whether the last frame showed it.
    in_sight: bool,
    hits: u32,
}

impl Track {
    /// Whether a face in this place may still be this one. At a slow camera's pace two frames in turn may be further apart than [`GAP`].
    fn goes_on(&self, now: Instant) -> bool {
        let lost_for = now.saturating_duration_since(self.seen_at);
        lost_for <= if self.in_sight { LONGEST_FRAME } else { GAP }
    }
}

/// A face of this frame that is being followed.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its number.
    pub track: TrackId,
    /// When it was found for the first time.
    pub since: Instant,
    /// Where it is now.
    pub face: Detection,
}

/// What a frame changed.
#[derive(Debug, Default)]
pub struct Update {
    /// The faces of this frame that count.
    pub faces: Vec<Followed>,
    /// Faces that are gone for good.
    pub gone: Vec<TrackId>,
}

/// Follows faces.
pub struct Tracker {
    tracks: Vec<Track>,
    next: u64,
    gone_after: Duration,
}

impl Tracker {
    /// A face that is not found for `gone_after` has left.
    pub fn new(gone_after: Duration) -> Self {
        Self { tracks: Vec::new(), next: 1, gone_after }
    }

    /// Where to look for the faces that were there a moment ago, and for those that went out of sight lately: they may come back.
    pub fn followed(&self) -> Vec<FaceBox> {
        self.tracks.iter().map(|track| track.bounds).collect()
    }

    /// Takes the faces of a frame. Each goes to the track that it fits best; what fits none begins a new one.
    pub fn update(&mut self, now: Instant, faces: Vec<Detection>) -> Update {
        let mut update = Update::default();
        let gone_after = self.gone_after;
        self.tracks.retain(|track| {
            let here = now.duration_since(track.seen_at) < gone_after;
            if !here && track.hits >= HITS_TO_COUNT {
                update.gone.push(track.id);
            }
            here
        });
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (at, face) in faces.iter().enumerate() {
            let going_on = self.tracks.iter().enumerate().filter(|(_, known)| known.goes_on(now));
            let fits = going_on.map(|(track, known)| (fit(&known.bounds, &face.bounds), track, at));
            pairs.extend(fits.filter(|(fit, ..)| *fit > 0.0));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut track_of: Vec<Option<usize>> = vec![None; faces.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, track, face) in pairs {
            if !taken[track] && track_of[face].is_none() {
                taken[track] = true;
                track_of[face] = Some(track);
            }
        }
        self.tracks.iter_mut().for_each(|track| track.in_sight = false);
        for (face, track) in faces.into_iter().zip(track_of) {
            let at = track.unwrap_or_else(|| self.begin(now, face.bounds));
            let track = &mut self.tracks[at];
            (track.bounds, track.seen_at, track.in_sight) = (face.bounds, now, true);
            track.hits += 1;
            if track.hits >= HITS_TO_COUNT {
                update.faces.push(Followed { track: track.id, since: track.since, face });
            }
        }
        update
    }

    /// Another person stands where `track` was: gives the place a new number. The old one is gone.
    pub fn split(&mut self, track: TrackId) -> TrackId {
        let id = self.number();
        if let Some(known) = self.tracks.iter_mut().find(|known| known.id == track) {
            known.id = id;
        }
        id
    }

    fn begin(&mut self, now: Instant, bounds: FaceBox) -> usize {
        let id = self.number();
        self.tracks.push(Track { id, bounds, since: now, seen_at: now, in_sight: true, hits: 0 });
        self.tracks.len() - 1
    }

    fn number(&mut self) -> TrackId {
        self.next += 1;
        TrackId(self.next - 1)
    }
}

/// How well a face continues a track, 0 for not at all: overlap, or else nearness of boxes of about one size.
fn fit(known: &FaceBox, found: &FaceBox) -> f32 {
    let overlap = known.overlap(found);
    if overlap > 0.1 {
        return 1.0 + overlap;
    }
    let ratio = known.width / found.width.max(1e-3);
    let (a, b) = (known.middle(), found.middle());
    let away = (a.x - b.x).hypot(a.y - b.y) / known.width.max(found.width).max(1e-3);
    if (0.6..1.7).contains(&ratio) && away < 1.2 { 1.2 - away } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Point;

    fn face(x: f32) -> Detection {
        let bounds = FaceBox { x, y: 100.0, width: 80.0, height: 80.0 };
        Detection { bounds, landmarks: [Point { x, y: 100.0 }; 5], confidence: 0.9 }
    }

    struct Film {
        tracker: Tracker,
        now: Instant,
    }

    impl Film {
        fn starts() -> Self {
            Self { tracker: Tracker::new(Duration::from_millis(1500)), now: Instant::now() }
        }

        fn after(&mut self, ms: u64, faces: &[f32]) -> Update {
            self.now += Duration::from_millis(ms);
            self.tracker.update(self.now, faces.iter().map(|&x| face(x)).collect())
        }

        fn numbers(&mut self, ms: u64, faces: &[f32]) -> Vec<u64> {
            self.after(ms, faces).faces.iter().map(|followed| followed.track.0).collect()
        }
    }

    #[test]
    fn a_face_counts_from_its_second_frame_on_and_keeps_its_number() {
        let mut film = Film::starts();
        assert!(film.numbers(0, &[100.0]).is_empty());
        for step in 1..10_u8 {
            assert_eq!(film.numbers(33, &[100.0 + 10.0 * f32::from(step)]), [1]);
        }
    }

    #[test]
    fn a_face_that_is_missed_in_two_frames_keeps_its_number() {
        let mut film = Film::starts();
        film.numbers(0, &[100.0]);
        film.numbers(33, &[100.0]);
        film.numbers(33, &[]);
        film.numbers(33, &[]);
        assert_eq!(film.numbers(33, &[103.0]), [1]);
    }

    #[test]
    fn whoever_comes_to_the_place_of_somebody_who_went_out_of_sight_is_somebody_else() {
        for away in [200, 500, 1_200] {
            let mut film = Film::starts();
            film.numbers(0, &[100.0]);
            film.numbers(33, &[100.0]);
            film.numbers(100, &[]);
            film.numbers(away - 100, &[100.0]);
            assert_eq!(film.numbers(33, &[100.0]), [2], "after {away} ms");
            assert_eq!(film.after(1_500 - away, &[100.0]).gone, [TrackId(1)], "the former one has left");
        }
    }

    #[test]
    fn at_five_frames_a_second_a_face_keeps_its_number_and_after_a_pause_without_frames_it_does_not() {
        let mut film = Film::starts();
        film.numbers(0, &[100.0]);
        assert_eq!(film.numbers(200, &[100.0]), [1]);
        assert_eq!(film.numbers(200, &[110.0]), [1]);
        film.numbers(600, &[110.0]);
        assert_eq!(film.numbers(33, &[110.0]), [2]);
    }

    #[test]
    fn two_people_side_by_side_are_not_mixed_up() {
        let mut film = Film::starts();
        film.numbers(0, &[100.0, 220.0]);
        assert_eq!(film.numbers(33, &[104.0, 216.0]), [1, 2]);
        // The detector may list them in any order.
        assert_eq!(film.numbers(33, &[212.0, 108.0]), [2, 1]);
    }

    #[test]
    fn a_flicker_of_one_frame_is_nobody_and_nobody_left() {
        let mut film = Film::starts();
        assert!(film.numbers(0, &[100.0]).is_empty());
        let update = film.after(2000, &[]);
        assert!(update.faces.is_empty() && update.gone.is_empty());
    }

    #[test]
    fn when_another_person_takes_the_place_the_number_changes() {
        let mut film = Film::starts();
        film.numbers(0, &[100.0]);
        film.numbers(33, &[100.0]);
        let next = film.tracker.split(TrackId(1));
        assert_eq!(film.numbers(33, &[100.0]), [next.0]);
    }
}
