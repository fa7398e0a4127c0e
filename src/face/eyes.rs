//! Finds the faces of a moving picture: the surroundings of known faces in every frame, and a few squares of it for newcomers.
//!
//! The short-range network takes a millisecond a look, so it does the finding and the following: known faces are looked at in every frame,
//! and those squares of a [`Sweep`] in which something has changed; the others once a second, as a robot waits most of the day. The pack's finder, which takes longer, says whether a newcomer of whom the first look is not
//! sure is a face at all, on a small picture of it. All points come from the short-range network where it sees the face, so that probes
//! are aligned as enrolment photos were.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{
    Detection, FaceBox, ModelError,
    background::Background,
    finder::Finder,
    networks::Networks,
    picture::{resize, square},
    sweep::{Amount, Look, Sweep, looks},
    watched::{Place, Watched},
};
use crate::config::FaceSettings;

/// What a look at a square must have of a newcomer to be worth a second look at them alone: small faces give little.
const GLIMPSE: f32 = 0.3;
/// The second look must be so sure before the finder is asked.
const SURE: f32 = 0.7;
/// A box that overlaps less than this with the one before has moved.
const SAME_PLACE: f32 = 0.8;
/// Second looks at newcomers after each look at a square, while nobody is there and while somebody is: walls of detail give many
/// glimpses, and a frame in which somebody waits must not take long.
const SECOND_LOOKS: (usize, usize) = (4, 2);
/// The finder is asked about a newcomer on a picture of so many pixels a side, half of them face.
const ASKED_AT: u32 = 96;

/// How many squares are looked at for newcomers in a frame, at most.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// While nobody is followed.
    pub idle: usize,
    /// While somebody is.
    pub busy: usize,
    /// Whether the pack's finder is asked about newcomers of whom the first network is not sure.
    pub confirms: bool,
    /// Whether the finder searches whole frames also while somebody is followed.
    pub searches_when_busy: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { idle: 6, busy: 1, confirms: true, searches_when_busy: false }
    }
}

/// Looks at frames.
pub struct Eyes {
    pace: Pace,
    watched: Watched,
    background: Background,
    sweep: Sweep,
    min_eye_distance: f32,
    find_every: Duration,
    find_height: u32,
    searched_at: Option<Instant>,
}

impl Eyes {
    /// Looks as the settings say, everywhere in the picture.
    pub fn new(settings: &FaceSettings) -> Self {
        Self {
            pace: Pace::default(),
            watched: Watched::default(),
            background: Background::default(),
            sweep: Sweep::default(),
            min_eye_distance: settings.min_eye_distance_px,
            find_every: Duration::from_millis(settings.find_every_ms),
            find_height: settings.find_height_px,
            searched_at: None,
        }
    }

    /// Looks at another pace than the usual one: for measuring what each part is worth.
    pub fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Looks only where people are to be looked at. A face elsewhere is not found.
    pub fn watching(self, watched: Watched) -> Self {
        Self { sweep: Sweep::of(watched.clone()), watched, ..self }
    }

    /// The narrowest face, in pixels of the searched copy, that `settings` ask for when frames are `frame_height` high, and not wider than the
    /// faces of which the finder is asked. A face is about two and a half times as wide as its eyes are apart.
    pub fn min_face_px(settings: &FaceSettings, frame_height: u32) -> u32 {
        let factor = (settings.find_height_px as f32 / frame_height.max(1) as f32).min(1.0);
        (settings.min_eye_distance_px * 2.5 * factor).clamp(20.0, ASKED_AT as f32 / 3.0) as u32
    }

    /// The faces of a frame captured at `now`; `followed` are the boxes of faces that were there a moment ago.
    ///
    /// # Errors
    /// When a network fails.
    pub fn look(
        &mut self,
        networks: &mut Networks,
        frame: &RgbImage,
        now: Instant,
        followed: &[FaceBox],
    ) -> Result<Vec<Detection>, ModelError> {
        let (mut faces, size) = (Vec::<Detection>::new(), frame.dimensions());
        for bounds in followed {
            let mut found = networks.near.refine(frame, bounds)?;
            // A face that has moved a good way was looked at off its middle: the points get better with a second look.
            if let Some(moved) = found.as_ref().filter(|face| face.bounds.overlap(bounds) < SAME_PLACE) {
                found = networks.near.refine(frame, &moved.bounds)?.or(found);
            }
            let counts = |face: &Detection| self.watched.holds(face, size) && is_new(&faces, &face.bounds);
            faces.extend(found.filter(counts));
        }
        let idle = faces.is_empty();
        let changed = if idle { self.pace.idle } else { self.pace.busy };
        let mut changes = self.background.changes(frame, now);
        changes.keep(|point| self.watched.place(point, size) == Place::Watched);
        let amount = Amount { changed, whole_first: idle };
        let looks = self.sweep.next(size, self.min_eye_distance, (now, &changes), amount);
        self.newcomers(networks, frame, (&looks, idle), &mut faces)?;
        // Nobody waits for a decision in a frame without faces.
        let may_search = self.pace.searches_when_busy || (faces.is_empty() && followed.is_empty());
        if may_search && self.is_time_to_search(now) {
            self.searched_at = Some(now);
            for face in self.search(networks, frame)? {
                let refined = networks.near.refine(frame, &face.bounds)?.unwrap_or(face);
                if self.watched.holds(&refined, size) && is_new(&faces, &refined.bounds) {
                    faces.push(refined);
                }
            }
        }
        Ok(faces)
    }

    /// Looks at every square of the frame at once: all faces that can be found.
    ///
    /// # Errors
    /// When a network fails.
    pub fn find_all(&self, networks: &mut Networks, frame: &RgbImage) -> Result<Vec<Detection>, ModelError> {
        let (mut faces, size) = (Vec::new(), frame.dimensions());
        let mut looks = looks(size, self.min_eye_distance);
        looks.retain(|look| self.watched.meets(look, size));
        self.newcomers(networks, frame, (&looks, true), &mut faces)?;
        Ok(faces)
    }

    /// Looks at squares and adds newcomers; `idle`: nobody is there yet.
    fn newcomers(
        &self,
        networks: &mut Networks,
        frame: &RgbImage,
        (looks, idle): (&[Look], bool),
        faces: &mut Vec<Detection>,
    ) -> Result<(), ModelError> {
        let second_looks = if idle { SECOND_LOOKS.0 } else { SECOND_LOOKS.1 };
        for look in looks {
            let mut glimpses = networks.near.look(frame, look.middle, look.side, GLIMPSE)?;
            // Before the second looks, which are few: a television has many faces.
            glimpses
                .retain(|glimpse| self.watched.holds(glimpse, frame.dimensions()) && is_new(faces, &glimpse.bounds));
            for glimpse in glimpses.iter().take(second_looks) {
                let Some(face) = networks.near.refine(frame, &glimpse.bounds)? else { continue };
                let watched = self.watched.holds(&face, frame.dimensions());
                let counts = watched && face.confidence >= SURE && is_new(faces, &face.bounds);
                if counts && self.confirms(networks.finder.as_mut(), frame, &face)? {
                    faces.push(face);
                }
            }
        }
        Ok(())
    }

    /// Whether the finder sees the face, too.
    fn confirms(&self, finder: &mut dyn Finder, frame: &RgbImage, face: &Detection) -> Result<bool, ModelError> {
        if !self.pace.confirms {
            return Ok(true);
        }
        let bounds = &face.bounds;
        let Some(seen) = square(frame, bounds.middle(), bounds.width + bounds.height, ASKED_AT) else {
            return Ok(false);
        };
        let factor = ASKED_AT as f32 / seen.side;
        let wanted = FaceBox { x: bounds.x - seen.corner.x, y: bounds.y - seen.corner.y, ..*bounds }.scaled(factor);
        Ok(finder.find(&seen.rgb)?.iter().any(|found| found.bounds.is_of_one_face_with(&wanted)))
    }

    fn is_time_to_search(&self, now: Instant) -> bool {
        !self.find_every.is_zero() && self.searched_at.is_none_or(|at| now.duration_since(at) >= self.find_every)
    }

    /// Searches the whole frame with the pack's finder on a smaller copy.
    fn search(&self, networks: &mut Networks, frame: &RgbImage) -> Result<Vec<Detection>, ModelError> {
        let factor = (self.find_height as f32 / frame.height().max(1) as f32).min(1.0);
        let width = ((frame.width() as f32 * factor).round() as u32).max(1);
        let height = ((frame.height() as f32 * factor).round() as u32).max(1);
        let Some(small) = resize(frame, width, height) else { return Ok(Vec::new()) };
        let back = |mut face: Detection| {
            face.bounds = face.bounds.scaled(1.0 / factor);
            face.landmarks.iter_mut().for_each(|point| {
                point.x /= factor;
                point.y /= factor;
            });
            face
        };
        Ok(networks.finder.find(&small)?.into_iter().map(back).collect())
    }
}

/// Whether a box is of none of the faces: it overlaps none and lies in none.
fn is_new(faces: &[Detection], bounds: &FaceBox) -> bool {
    let middle = bounds.middle();
    faces.iter().all(|known| !known.bounds.is_of_one_face_with(bounds) && !known.bounds.contains(middle))
}
