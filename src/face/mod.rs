//! From a picture to templates: find faces, judge them, align them, embed them.

pub mod align;
pub mod background;
pub mod enrol;
pub mod enrollers;
pub mod eyes;
pub mod finder;
pub mod light_watch;
pub mod lighting;
pub mod manifest;
pub mod mtcnn;
pub mod networks;
pub mod picture;
pub mod quality;
pub mod recogniser;
mod same_face;
pub mod short_range;
pub mod stir;
pub mod sweep;
pub mod template;
pub mod watched;
pub mod whitening;
pub mod yunet;

use image::RgbImage;

pub use crate::models::ModelError;
pub use template::Template;

/// A point in pixels of the picture it was found in; the centre of the first pixel is (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A face's box in pixels of the picture it was found in; may reach over the picture's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl FaceBox {
    /// The box's middle.
    pub fn middle(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Whether a point lies in it.
    pub fn contains(&self, point: Point) -> bool {
        (self.x..self.x + self.width).contains(&point.x) && (self.y..self.y + self.height).contains(&point.y)
    }

    /// Intersection over union, 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let side = |a: f32, a_length: f32, b: f32, b_length: f32| (a + a_length).min(b + b_length) - a.max(b);
        let width = side(self.x, self.width, other.x, other.width).max(0.0);
        let height = side(self.y, self.height, other.y, other.height).max(0.0);
        let common = width * height;
        let all = self.width * self.height + other.width * other.height - common;
        if all > 0.0 { common / all } else { 0.0 }
    }

    /// The box in a picture `factor` times as large.
    pub fn scaled(&self, factor: f32) -> Self {
        Self { x: self.x * factor, y: self.y * factor, width: self.width * factor, height: self.height * factor }
    }
}

/// Left eye, right eye, nose tip, left and right mouth corner, as seen in the picture (the picture's left first).
pub type Landmarks = [Point; 5];

/// A face that a detector found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Where.
    pub bounds: FaceBox,
    /// Its five points.
    pub landmarks: Landmarks,
    /// How sure the detector is, 0 to 1.
    pub confidence: f32,
}

impl Detection {
    /// Pixels between the eyes: the measure of how near a face is.
    pub fn eye_distance(&self) -> f32 {
        let [left, right, ..] = self.landmarks;
        (right.x - left.x).hypot(right.y - left.y)
    }
}

/// Why an enrolment photo cannot be used; the words complete the sentence "photo X …".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PhotoFault {
    /// No face was found.
    #[error("shows no face; it needs exactly one, at least 60 pixels between the eyes")]
    NoFace,
    /// More than one face.
    #[error("shows {0} faces, need exactly one; crop the photo")]
    SeveralFaces(usize),
    /// A face that would make a poor template.
    #[error("shows a face that is {0}; take another photo")]
    Poor(String),
}

/// Makes a template of an enrolment photo: what `sync` needs of this module, so that its own tests need no network.
pub trait Enroller {
    /// Finds the one face, judges it and embeds it.
    ///
    /// # Errors
    /// The outer one when the networks fail; the inner one when the photo is at fault.
    fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError>;

    /// The recogniser's name in `models.toml`, stored with each template.
    fn model(&self) -> &str;
}
