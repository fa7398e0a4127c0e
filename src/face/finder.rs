//! What finds faces anywhere in a picture: the part of a pack that may be MTCNN or YuNet, and the pipeline cannot tell which.

use image::RgbImage;

use super::{
    Detection, ModelError,
    manifest::{Manifest, ResolvedNetwork},
    mtcnn::Mtcnn,
    yunet::Yunet,
};
use crate::models::runtime::Runtime;

/// Finds faces anywhere in a picture.
pub trait Finder: Send {
    /// The faces of a picture that the finder is sure of, the surest first, in pixels of the picture.
    ///
    /// # Errors
    /// When a network fails.
    fn find(&mut self, picture: &RgbImage) -> Result<Vec<Detection>, ModelError>;
}

/// Loads the finder that `network` describes. Faces narrower than `min_face_px` in the pictures it will be given need not be found.
///
/// # Errors
/// When a file is no such network, or the program has no finder of its name.
pub fn load(
    manifest: &Manifest,
    runtime: &Runtime,
    network: &ResolvedNetwork,
    min_face_px: u32,
) -> Result<Box<dyn Finder>, ModelError> {
    match network.name.as_str() {
        "mtcnn" => Ok(Box::new(Mtcnn::load(runtime, network, min_face_px)?)),
        "yunet" => Ok(Box::new(Yunet::load(runtime, network)?)),
        other => Err(ModelError::Manifest {
            path: manifest.folder().join("models.toml"),
            cause: format!("the program has no finder {other}; it has mtcnn and yunet"),
        }),
    }
}
