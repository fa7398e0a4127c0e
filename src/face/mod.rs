//! From a picture to templates: find faces, judge them, align them, embed them.

pub mod align;
pub mod background;
pub mod enrol;
pub mod eyes;
pub mod finder;
pub mod lighting;
pub mod manifest;
pub mod mtcnn;
pub mod networks;
pub mod picture;
pub mod quality;
pub mod recogniser;
pub mod short_range;
pub mod sweep;
pub mod whitening;
pub mod yunet;

use image::RgbImage;

pub use crate::models::ModelError;

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

/// A vector that stands for a face. Its direction says whose; its length is 1 for a visitor's view, and for an enrolment photo what
/// [`recogniser`] says. Comparison score: the dot product, about -1 to 1, higher is more alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<f32>);

impl Template {
    /// Normalises a network's output. `None` if it is no direction at all (zero or not a number).
    pub fn from_output(mut values: Vec<f32>) -> Option<Self> {
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !(length > 1e-6 && length.is_finite()) {
            return None;
        }
        values.iter_mut().for_each(|value| *value /= length);
        Some(Self(values))
    }

    /// Several views of one face as one template: the direction of the weighted sum, with the weighted mean of the lengths.
    pub fn mean<'t>(templates: impl IntoIterator<Item = (&'t Template, f32)>) -> Option<Self> {
        let mut sum: Vec<f32> = Vec::new();
        let (mut lengths, mut weights) = (0.0, 0.0);
        for (template, weight) in templates {
            sum.resize(template.0.len(), 0.0);
            sum.iter_mut().zip(&template.0).for_each(|(total, value)| *total += weight * value);
            lengths += weight * template.length();
            weights += weight;
        }
        Some(Self::from_output(sum)?.longer(lengths / weights))
    }

    /// The template as a view of a visitor would have it: of length 1.
    pub fn direction(&self) -> Self {
        Self::from_output(self.0.clone()).unwrap_or_else(|| self.clone())
    }

    /// The same direction, so many times as long.
    pub fn longer(mut self, times: f32) -> Self {
        self.0.iter_mut().for_each(|value| *value *= times);
        self
    }

    /// Its length.
    pub fn length(&self) -> f32 {
        self.0.iter().map(|value| value * value).sum::<f32>().sqrt()
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
