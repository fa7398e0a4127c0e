//! Where in the picture people are looked at: within the operator's zone, and in none of the blank places.
//!
//! Pure. A face belongs to a place by the middle between its eyes. What is not looked at is found by nobody: it is not followed, embedded,
//! addressed or remembered, and nothing that moves there draws a look.

use super::{Detection, Point, sweep::Look};
use crate::config::{Area, CameraSettings};

/// The zone and the blank places of a camera.
#[derive(Debug, Clone)]
pub struct Watched {
    zone: Area,
    blank: Vec<Area>,
}

/// Where a face is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where people are looked at.
    Watched,
    /// Outside the zone.
    Outside,
    /// In a blank place.
    Blank,
}

impl Default for Watched {
    /// The whole picture.
    fn default() -> Self {
        Self { zone: Area::WHOLE, blank: Vec::new() }
    }
}

impl Watched {
    /// As the operator wants it.
    pub fn of(camera: &CameraSettings) -> Self {
        Self { zone: camera.zone, blank: camera.blank.clone() }
    }

    /// Where a face is in a picture of `size` (width, height).
    pub fn place_of(&self, face: &Detection, size: (u32, u32)) -> Place {
        self.place(between_the_eyes(face), size)
    }

    /// Whether a face is looked at.
    pub fn holds(&self, face: &Detection, size: (u32, u32)) -> bool {
        self.place_of(face, size) == Place::Watched
    }

    /// Where a point is.
    pub fn place(&self, point: Point, (width, height): (u32, u32)) -> Place {
        let share = (f64::from(point.x) / f64::from(width.max(1)), f64::from(point.y) / f64::from(height.max(1)));
        match self.zone.contains(share) {
            false => Place::Outside,
            true if self.blank.iter().any(|blank| blank.contains(share)) => Place::Blank,
            true => Place::Watched,
        }
    }

    /// Whether a square of the picture may show somebody who is looked at: it meets the zone, and no blank place covers what it shows of it.
    pub fn meets(&self, look: &Look, (width, height): (u32, u32)) -> bool {
        let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
        let side = f64::from(look.side);
        let square = Area {
            x: (f64::from(look.middle.x) - side / 2.0) / width,
            y: (f64::from(look.middle.y) - side / 2.0) / height,
            width: side / width,
            height: side / height,
        };
        let seen = square.common(&self.zone);
        seen.is_some_and(|seen| !self.blank.iter().any(|blank| blank.covers(&seen)))
    }
}

/// What decides where a face is.
pub fn between_the_eyes(face: &Detection) -> Point {
    let [left, right, ..] = face.landmarks;
    Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::FaceBox;

    const HALL: (u32, u32) = (1000, 500);

    /// The right half, but for a television.
    fn right_half() -> Watched {
        Watched {
            zone: Area { x: 0.5, y: 0.0, width: 0.5, height: 1.0 },
            blank: vec![Area { x: 0.8, y: 0.2, width: 0.2, height: 0.4 }],
        }
    }

    /// A large face, with the middle between its eyes there.
    fn face_at(x: f32, y: f32) -> Detection {
        let point = |dx: f32, dy: f32| Point { x: x + dx, y: y + dy };
        Detection {
            bounds: FaceBox { x: x - 100.0, y: y - 80.0, width: 200.0, height: 240.0 },
            landmarks: [point(-45.0, 5.0), point(45.0, -5.0), point(0.0, 50.0), point(-35.0, 90.0), point(35.0, 90.0)],
            confidence: 0.9,
        }
    }

    #[test]
    fn a_face_belongs_to_a_place_by_the_middle_between_its_eyes_however_far_it_reaches_out() {
        let watched = right_half();
        for (x, y, place) in [
            (498.0, 250.0, Place::Outside),
            (502.0, 250.0, Place::Watched),
            (798.0, 200.0, Place::Watched),
            (802.0, 200.0, Place::Blank),
            (900.0, 98.0, Place::Watched),
            (900.0, 102.0, Place::Blank),
            (900.0, 302.0, Place::Watched),
            // At the picture's edge, and beyond it.
            (1004.0, 400.0, Place::Watched),
            (-3.0, 250.0, Place::Outside),
        ] {
            let face = face_at(x, y);
            assert_eq!(watched.place_of(&face, HALL), place, "{x}, {y}");
            assert!(Watched::default().holds(&face, HALL), "nothing is left out by default");
        }
    }

    #[test]
    fn a_blank_place_outside_the_zone_changes_nothing_and_blank_places_may_overlap() {
        let mut watched = right_half();
        watched.blank.extend([Area { x: 0.0, y: 0.0, width: 0.4, height: 1.0 }, watched.blank[0]]);
        assert_eq!(watched.place_of(&face_at(100.0, 100.0), HALL), Place::Outside);
        assert_eq!(watched.place_of(&face_at(900.0, 200.0), HALL), Place::Blank);
        assert_eq!(watched.place_of(&face_at(600.0, 200.0), HALL), Place::Watched);
    }

    #[test]
    fn squares_wholly_outside_the_zone_or_within_a_blank_place_are_not_looked_at() {
        let watched = right_half();
        let meets = |x: f32, y: f32, side: f32| watched.meets(&Look { middle: Point { x, y }, side }, HALL);
        assert!(!meets(250.0, 250.0, 480.0), "left of the zone");
        assert!(meets(490.0, 250.0, 100.0), "it reaches into the zone");
        assert!(!meets(900.0, 200.0, 180.0), "on the television");
        assert!(meets(900.0, 200.0, 220.0), "around the television");
        assert!(
            !meets(930.0, 200.0, 200.0) && meets(930.0, 200.0, 300.0),
            "beyond the picture's edge there is nothing"
        );
        assert!(Watched::default().meets(&Look { middle: Point { x: 500.0, y: 250.0 }, side: 1000.0 }, HALL));
    }
}
