//! MTCNN through rust-faces: finds faces anywhere in a picture, small ones too, with their five points.
//!
//! Zhang et al., IEEE Signal Processing Letters 23(10), 2016. The only file that knows rust-faces, and through it the adapter of
//! `crates/ort`; its habits (panics on odd boxes, wants contiguous arrays) stop here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::RgbImage;
use ndarray::ArrayView3;
use rust_faces::{FaceDetector, MtCnn, MtCnnParams};

use super::{Detection, FaceBox, ModelError, Point, finder::Finder, manifest::ResolvedNetwork};
use crate::models::runtime::Runtime;

/// A box counts as a face from this confidence on.
const SURE: f32 = 0.9;
/// Nothing smaller can be given to its pyramid.
const SMALLEST_SIDE: u32 = 24;

/// A detector for whole pictures.
pub struct Mtcnn {
    detector: MtCnn,
    name: String,
}

impl Mtcnn {
    /// Loads its three networks. Faces narrower than `min_face_px` in the pictures it will be given are not looked for: time grows
    /// as that shrinks.
    ///
    /// # Errors
    /// When a file is missing, damaged or no such network.
    pub fn load(runtime: &Runtime, network: &ResolvedNetwork, min_face_px: u32) -> Result<Self, ModelError> {
        let failure = |cause: String| ModelError::Inference { network: network.name.clone(), cause };
        let [proposal, refine, output] = network.files.as_slice() else {
            return Err(failure(format!("models.toml names {} files for it, not three", network.files.len())));
        };
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let params = MtCnnParams { min_face_size: min_face_px.max(12) as usize, ..MtCnnParams::default() };
        let detector =
            MtCnn::from_file(runtime.adapter().clone(), &text(proposal), &text(refine), &text(output), params)
                .map_err(|error| failure(error.to_string()))?;
        Ok(Self { detector, name: network.name.clone() })
    }
}

impl Finder for Mtcnn {
    fn find(&mut self, picture: &RgbImage) -> Result<Vec<Detection>, ModelError> {
        let (width, height) = picture.dimensions();
        if width.min(height) < SMALLEST_SIDE {
            return Ok(Vec::new());
        }
        let failure = |cause: String| ModelError::Inference { network: self.name.clone(), cause };
        let pixels = ArrayView3::from_shape((height as usize, width as usize, 3), picture.as_raw())
            .map_err(|error| failure(error.to_string()))?;
        // rust-faces reads pixels of boxes that it has let grow over the picture's edge; such a picture has no usable face.
        let found = catch_unwind(AssertUnwindSafe(|| self.detector.detect(pixels.into_dyn())))
            .unwrap_or_else(|_| Ok(Vec::new()))
            .map_err(|error| failure(error.to_string()))?;
        let mut faces: Vec<Detection> = found.into_iter().filter_map(|face| detection(&face)).collect();
        faces.retain(|face| face.confidence >= SURE);
        faces.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        Ok(faces)
    }
}

fn detection(face: &rust_faces::Face) -> Option<Detection> {
    let points = face.landmarks.as_ref()?;
    let bounds = FaceBox { x: face.rect.x, y: face.rect.y, width: face.rect.width, height: face.rect.height };
    let point = |at: usize| points.get(at).map(|&(x, y)| Point { x, y });
    let landmarks = [point(0)?, point(1)?, point(2)?, point(3)?, point(4)?];
    Some(Detection { bounds, landmarks, confidence: face.confidence })
}
