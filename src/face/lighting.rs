//! How light a frame is, and the nearest face in it: what the operator is told about the light, and what a camera may expose for.
//!
//! Pure. A few hundred points are looked at, so that it costs nothing beside everything else that is done with a frame.

use image::RgbImage;
use serde::Serialize;

use super::{Detection, FaceBox, Point, picture::luminance};

/// Points across and down.
const GRID: (u32, u32) = (48, 27);
/// Points across and down a face.
const FACE_GRID: u32 = 12;
/// The share of a face's box that is skin rather than hair and what is behind it.
const SKIN: f32 = 0.6;

/// Luminance (ITU-R BT.601), 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lighting {
    /// Mean over the nearest face; `None` if there is none.
    pub face: Option<f32>,
    /// Mean over the frame but for that face.
    pub around: f32,
}

/// What is wrong with the light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LightProblem {
    /// There is too little.
    Dark,
    /// It comes from behind the visitors.
    AgainstTheLight,
}

impl Lighting {
    /// Of a frame and the faces that were found in it. A frame without pixels is dark.
    pub fn of<'f>(frame: &RgbImage, faces: impl IntoIterator<Item = &'f Detection>) -> Self {
        let nearest =
            faces.into_iter().max_by(|a, b| a.eye_distance().total_cmp(&b.eye_distance())).map(|it| it.bounds);
        let is_face = |point: &Point| nearest.is_some_and(|bounds| bounds.contains(*point));
        let points = (0..GRID.0 * GRID.1).map(|at| {
            let share = |at: u32, of: u32| (at as f32 + 0.5) / of as f32;
            Point {
                x: share(at % GRID.0, GRID.0) * frame.width() as f32,
                y: share(at / GRID.0, GRID.1) * frame.height() as f32,
            }
        });
        let around = mean(points.filter(|point| !is_face(point)).filter_map(|point| luminance_at(frame, point)));
        Self { face: nearest.and_then(|bounds| face(frame, &bounds)), around: around.unwrap_or(0.0) }
    }
}

fn face(frame: &RgbImage, bounds: &FaceBox) -> Option<f32> {
    let middle = bounds.middle();
    let places = (0..FACE_GRID * FACE_GRID).map(|at| {
        let share = |at: u32| ((at as f32 + 0.5) / FACE_GRID as f32 - 0.5) * SKIN;
        Point {
            x: middle.x + share(at % FACE_GRID) * bounds.width,
            y: middle.y + share(at / FACE_GRID) * bounds.height,
        }
    });
    mean(places.filter_map(|point| luminance_at(frame, point)))
}

pub(super) fn luminance_at(frame: &RgbImage, point: Point) -> Option<f32> {
    if point.x < 0.0 || point.y < 0.0 {
        return None;
    }
    Some(luminance(frame.get_pixel_checked(point.x as u32, point.y as u32)?.0))
}

fn mean(values: impl Iterator<Item = f32>) -> Option<f32> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::face::Point;

    #[test]
    fn a_dark_face_before_a_window_is_dark_and_what_is_behind_it_bright() {
        let bounds = FaceBox { x: 200.0, y: 100.0, width: 100.0, height: 120.0 };
        let frame = RgbImage::from_fn(640, 360, |x, y| {
            Rgb([if bounds.contains(Point { x: x as f32, y: y as f32 }) { 40 } else { 220 }; 3])
        });
        let landmarks = [(230.0, 140.0), (270.0, 140.0), (250.0, 160.0), (235.0, 190.0), (265.0, 190.0)];
        let face = Detection { bounds, landmarks: landmarks.map(|(x, y)| Point { x, y }), confidence: 0.9 };
        let lighting = Lighting::of(&frame, [&face]);
        assert!((lighting.face.unwrap() - 40.0).abs() < 0.1 && (lighting.around - 220.0).abs() < 0.1, "{lighting:?}");
        let outside = Detection { bounds: FaceBox { x: -500.0, ..bounds }, ..face };
        assert_eq!(Lighting::of(&frame, [&outside]).face, None);
        assert_eq!(Lighting::of(&RgbImage::new(0, 0), []), Lighting { face: None, around: 0.0 });
    }
}
