//! MediaPipe's short-range face network: a millisecond a look, six points, for faces within about two metres.
//!
//! Bazarevsky et al., "BlazeFace", 2019. The network looks at a square of 128×128 pixels; `mediapipe-to-five.toml` brings its six
//! points to the five that the recogniser's alignment wants.

use std::path::Path;

use image::RgbImage;
use serde::Deserialize;

use super::{
    Detection, FaceBox, Landmarks, ModelError, Point,
    manifest::ResolvedNetwork,
    picture::{append_planes, square},
    same_face::by_face,
};
use crate::models::runtime::{Network, Runtime};

const SIDE: u32 = 128;
const ANCHORS: usize = 896;

/// A box, six points and the confidence.
type Candidate = (FaceBox, [Point; 6], f32);

/// Finds faces in a square of a picture.
pub struct ShortRange {
    network: Network,
    to_five: PointMap,
    anchors: Vec<Point>,
    min_confidence: f32,
    tensor: Vec<f32>,
}

impl ShortRange {
    /// Loads the network and the map of its points; faces less sure than `min_confidence` are left out.
    ///
    /// # Errors
    /// When a file is missing, damaged or no such network.
    pub fn load(runtime: &Runtime, network: &ResolvedNetwork, min_confidence: f32) -> Result<Self, ModelError> {
        Ok(Self {
            network: Network::load(runtime, &network.name, network.only_file())?,
            to_five: PointMap::load(&network.folder.join("mediapipe-to-five.toml"))?,
            anchors: anchors(),
            min_confidence,
            tensor: Vec::new(),
        })
    }

    /// Looks at the whole picture at once. Small faces are missed.
    ///
    /// # Errors
    /// When the network fails.
    pub fn find(&mut self, picture: &RgbImage) -> Result<Vec<Detection>, ModelError> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        self.look(picture, Point { x: width / 2.0, y: height / 2.0 }, width.max(height), self.min_confidence)
    }

    /// Looks again at a face that was found or followed: a square twice as large as its box. Gives the face nearest to its middle.
    ///
    /// # Errors
    /// When the network fails.
    pub fn refine(&mut self, picture: &RgbImage, near: &FaceBox) -> Result<Option<Detection>, ModelError> {
        let middle = near.middle();
        let away = |face: &Detection| {
            let found = face.bounds.middle();
            (found.x - middle.x).abs().max((found.y - middle.y).abs())
        };
        let faces = self.look(picture, middle, near.width + near.height, self.min_confidence)?;
        let nearest = faces.into_iter().min_by(|a, b| away(a).total_cmp(&away(b)));
        Ok(nearest.filter(|face| away(face) < 0.6 * near.width.max(near.height)))
    }

    /// Looks at one square of the picture, for faces of which the network is so sure at least. Those whose eyes are nearer together than a
    /// twentieth of `side` are missed.
    ///
    /// # Errors
    /// When the network fails.
    pub fn look(
        &mut self,
        picture: &RgbImage,
        middle: Point,
        side: f32,
        min_confidence: f32,
    ) -> Result<Vec<Detection>, ModelError> {
        let Some(seen) = square(picture, middle, side, SIDE) else { return Ok(Vec::new()) };
        let (corner, factor) = (seen.corner, seen.side);
        self.tensor.clear();
        append_planes(&seen.rgb, [127.5; 3], [1.0 / 127.5; 3], &mut self.tensor);
        let outputs = self.network.run(&[1, 3, SIDE as usize, SIDE as usize], &self.tensor)?;
        let found = match outputs.as_slice() {
            [regressors, logits] if regressors.len() == ANCHORS * 16 && logits.len() == ANCHORS => {
                self.decode(regressors, logits, min_confidence)
            }
            _ => {
                let cause = "its outputs are not 896 anchors with 16 numbers and a score each".to_owned();
                return Err(ModelError::Inference { network: "mediapipe-face-short".into(), cause });
            }
        };
        let place = |point: Point| Point { x: point.x * factor + corner.x, y: point.y * factor + corner.y };
        Ok(found
            .into_iter()
            .map(|(share, six, confidence)| {
                let corner = place(Point { x: share.x, y: share.y });
                let bounds = FaceBox { x: corner.x, y: corner.y, ..share.scaled(factor) };
                Detection { bounds, landmarks: self.to_five.apply(&six.map(place)), confidence }
            })
            .collect())
    }

    /// Boxes, six points and confidence in shares of the square, the surest first.
    fn decode(&self, regressors: &[f32], logits: &[f32], min_confidence: f32) -> Vec<Candidate> {
        let candidates: Vec<Candidate> = logits
            .iter()
            .zip(regressors.chunks_exact(16))
            .zip(&self.anchors)
            .filter_map(|((&logit, values), anchor)| {
                let confidence = 1.0 / (1.0 + (-logit.clamp(-80.0, 80.0)).exp());
                if confidence <= min_confidence {
                    return None;
                }
                let pair = |k: usize| Point { x: values[2 * k] / SIDE as f32, y: values[2 * k + 1] / SIDE as f32 };
                let (middle, size) = (pair(0), pair(1));
                let bounds = FaceBox {
                    x: anchor.x + middle.x - size.x / 2.0,
                    y: anchor.y + middle.y - size.y / 2.0,
                    width: size.x,
                    height: size.y,
                };
                let six = std::array::from_fn(|k| {
                    let offset = pair(k + 2);
                    Point { x: anchor.x + offset.x, y: anchor.y + offset.y }
                });
                let sound = size.x > 0.0 && size.y > 0.0 && size.x.is_finite() && size.y.is_finite();
                sound.then_some((bounds, six, confidence))
            })
            .collect();
        let faces = by_face(candidates, |candidate| (candidate.0, candidate.2));
        faces.iter().filter_map(|same| Some(averaged(same, same.first()?.2))).collect()
    }
}

/// Anchors of one face, averaged by score as MediaPipe does.
fn averaged(same: &[Candidate], confidence: f32) -> Candidate {
    let total: f32 = same.iter().map(|one| one.2).sum();
    let mean = |value: &dyn Fn(&Candidate) -> f32| same.iter().map(|one| one.2 * value(one)).sum::<f32>() / total;
    let bounds = FaceBox {
        x: mean(&|one| one.0.x),
        y: mean(&|one| one.0.y),
        width: mean(&|one| one.0.width),
        height: mean(&|one| one.0.height),
    };
    let six = std::array::from_fn(|k| Point { x: mean(&|one| one.1[k].x), y: mean(&|one| one.1[k].y) });
    (bounds, six, confidence)
}

/// The centres of the anchors in shares of the square: a 16×16 grid with two each, then 8×8 with six each.
fn anchors() -> Vec<Point> {
    let grid = |cells: usize, copies: usize| {
        (0..cells * cells).flat_map(move |cell| {
            let share = |at: usize| (at as f32 + 0.5) / cells as f32;
            std::iter::repeat_n(Point { x: share(cell % cells), y: share(cell / cells) }, copies)
        })
    };
    grid(16, 2).chain(grid(8, 6)).collect()
}

/// The linear map from MediaPipe's six points to ArcFace's five, in the frame of the two eyes.
struct PointMap {
    rows: Vec<[f32; 10]>,
}

impl PointMap {
    fn load(path: &Path) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct File {
            rows: Vec<[f32; 10]>,
        }
        let fault = |cause: String| ModelError::Manifest { path: path.to_owned(), cause };
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        if file.rows.len() != 13 {
            return Err(fault(format!("the map has {} rows, not 13", file.rows.len())));
        }
        Ok(Self { rows: file.rows })
    }

    fn apply(&self, six: &[Point; 6]) -> Landmarks {
        let [left, right, ..] = *six;
        let origin = Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 };
        let axis = Point { x: right.x - left.x, y: right.y - left.y };
        let square = (axis.x * axis.x + axis.y * axis.y).max(1e-6);
        let mut five = [0.0_f32; 10];
        let mut add = |row: usize, value: f32| {
            five.iter_mut().zip(&self.rows[row]).for_each(|(sum, weight)| *sum += value * weight);
        };
        for (k, point) in six.iter().enumerate() {
            let (x, y) = (point.x - origin.x, point.y - origin.y);
            add(2 * k, (x * axis.x + y * axis.y) / square);
            add(2 * k + 1, (y * axis.x - x * axis.y) / square);
        }
        add(12, 1.0);
        std::array::from_fn(|k| {
            let (u, v) = (five[2 * k], five[2 * k + 1]);
            Point { x: origin.x + u * axis.x - v * axis.y, y: origin.y + u * axis.y + v * axis.x }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_896_anchors_and_the_first_and_last_sit_in_the_corners() {
        let anchors = anchors();
        assert_eq!(anchors.len(), ANCHORS);
        assert_eq!(anchors[0], Point { x: 0.5 / 16.0, y: 0.5 / 16.0 });
        assert_eq!(anchors[2], Point { x: 1.5 / 16.0, y: 0.5 / 16.0 });
        assert_eq!(anchors[ANCHORS - 1], Point { x: 7.5 / 8.0, y: 7.5 / 8.0 });
    }

    #[test]
    fn the_map_of_points_turns_and_grows_with_the_face() {
        let map = PointMap::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/mediapipe-to-five.toml")).unwrap();
        let six = [(30.0, 40.0), (70.0, 42.0), (50.0, 60.0), (50.0, 80.0), (10.0, 50.0), (90.0, 52.0)]
            .map(|(x, y)| Point { x, y });
        // A quarter turn, three times as large.
        let moved = |p: Point| Point { x: -3.0 * p.y + 400.0, y: 3.0 * p.x + 7.0 };
        for (direct, turned) in map.apply(&six).map(moved).iter().zip(map.apply(&six.map(moved))) {
            assert!((direct.x - turned.x).abs() < 0.01 && (direct.y - turned.y).abs() < 0.01);
        }
        let [left, right, nose, ..] = map.apply(&six);
        assert!(left.x < nose.x && nose.x < right.x && nose.y > left.y);
    }
}
