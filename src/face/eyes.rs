//! Finds the faces of a moving picture: whole frames now and then, the surroundings of known faces in between.
//!
//! MTCNN finds small and far faces but takes long; the short-range network takes a millisecond a look. So every frame is looked at
//! cheaply, and MTCNN searches when its turn has come. All points come from the short-range network where it sees the face, so that
//! probes are aligned as enrolment photos were.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{Detection, FaceBox, FaceError, networks::Networks, picture::resize};
use crate::config::FaceSettings;

/// A finder's box counts as a face from this confidence on.
const SURE: f32 = 0.9;
/// A cheap look at the whole frame must be so sure before it starts to follow a face.
const SURE_AT_A_GLANCE: f32 = 0.7;
/// Boxes that overlap more than this are one face.
const SAME_FACE: f32 = 0.3;
/// A box that overlaps less than this with the one before has moved.
const SAME_PLACE: f32 = 0.8;

/// Looks at frames.
pub struct Eyes {
    find_every: Duration,
    find_height: u32,
    searched_at: Option<Instant>,
}

impl Eyes {
    /// Looks as the settings say.
    pub fn new(settings: &FaceSettings) -> Self {
        Self {
            find_every: Duration::from_millis(settings.find_every_ms),
            find_height: settings.find_height_px,
            searched_at: None,
        }
    }

    /// The narrowest face, in pixels of the searched copy, that `settings` ask for when frames are `frame_height` high. A face is
    /// about two and a half times as wide as its eyes are apart.
    pub fn min_face_px(settings: &FaceSettings, frame_height: u32) -> u32 {
        let factor = (settings.find_height_px as f32 / frame_height.max(1) as f32).min(1.0);
        (settings.min_eye_distance_px * 2.5 * factor).max(20.0) as u32
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
    ) -> Result<Vec<Detection>, FaceError> {
        let mut faces: Vec<Detection> = Vec::new();
        for bounds in followed {
            let mut found = networks.near.refine(frame, bounds)?;
            // A face that has moved a good way was looked at off its middle: the points get better with a second look.
            if let Some(moved) = found.as_ref().filter(|face| face.bounds.overlap(bounds) < SAME_PLACE) {
                found = networks.near.refine(frame, &moved.bounds)?.or(found);
            }
            found.into_iter().for_each(|face| add(&mut faces, face));
        }
        if faces.is_empty() {
            let glanced = networks.near.find(frame)?;
            for face in glanced.into_iter().filter(|face| face.confidence >= SURE_AT_A_GLANCE) {
                if let Some(face) = networks.near.refine(frame, &face.bounds)? {
                    add(&mut faces, face);
                }
            }
        }
        if self.searched_at.is_none_or(|at| now.duration_since(at) >= self.find_every) {
            self.searched_at = Some(now);
            for face in self.search(networks, frame)? {
                if faces.iter().all(|known| known.bounds.overlap(&face.bounds) < SAME_FACE) {
                    let refined = networks.near.refine(frame, &face.bounds)?;
                    add(&mut faces, refined.unwrap_or(face));
                }
            }
        }
        Ok(faces)
    }

    /// Searches the whole frame on a smaller copy.
    fn search(&self, networks: &Networks, frame: &RgbImage) -> Result<Vec<Detection>, FaceError> {
        let factor = (self.find_height as f32 / frame.height().max(1) as f32).min(1.0);
        let width = ((frame.width() as f32 * factor).round() as u32).max(1);
        let height = ((frame.height() as f32 * factor).round() as u32).max(1);
        let Some(small) = resize(frame, width, height) else { return Ok(Vec::new()) };
        let found = networks.finder.find(&small)?;
        let back = |mut face: Detection| {
            face.bounds = face.bounds.scaled(1.0 / factor);
            face.landmarks.iter_mut().for_each(|point| {
                point.x /= factor;
                point.y /= factor;
            });
            face
        };
        Ok(found.into_iter().filter(|face| face.confidence >= SURE).map(back).collect())
    }
}

/// Adds a face unless it is there already.
fn add(faces: &mut Vec<Detection>, face: Detection) {
    if faces.iter().all(|known| known.bounds.overlap(&face.bounds) < SAME_FACE) {
        faces.push(face);
    }
}
