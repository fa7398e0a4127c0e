//! The networks of a pack, loaded together.

use super::{
    ModelError,
    finder::{self, Finder},
    manifest::{Manifest, Pack},
    recogniser::Recogniser,
    short_range::ShortRange,
};
use crate::{installation::Installation, models::runtime::Runtime};

/// Below this the short-range network sees a face only by chance.
const MIN_CONFIDENCE: f32 = 0.5;

/// A pack's networks, ready to run.
pub struct Networks {
    /// Finds faces in whole pictures.
    pub finder: Box<dyn Finder>,
    /// Looks at a face's surroundings.
    pub near: ShortRange,
    /// Makes templates.
    pub recogniser: Recogniser,
}

impl Networks {
    /// Loads a pack. Whole pictures will be searched for faces of at least `min_face_px` pixels across.
    ///
    /// # Errors
    /// When the runtime or a file is missing or damaged; the text names the file and the cure.
    pub fn load(installation: &Installation, pack: &str, min_face_px: u32) -> Result<Self, ModelError> {
        let manifest = Manifest::load(&installation.models())?;
        Self::load_pack(installation, &manifest, manifest.pack(pack)?, min_face_px)
    }

    /// The same for a pack that need not be in the manifest, its networks must.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_pack(
        installation: &Installation,
        manifest: &Manifest,
        pack: &Pack,
        min_face_px: u32,
    ) -> Result<Self, ModelError> {
        let files = (manifest.resolve(&pack.finder)?, manifest.resolve(&pack.tracker)?);
        let recogniser = manifest.resolve_recogniser(&pack.recogniser)?;
        let runtime = Runtime::load(installation)?;
        Ok(Self {
            finder: finder::load(manifest, &runtime, &files.0, min_face_px)?,
            near: ShortRange::load(&runtime, &files.1, MIN_CONFIDENCE)?,
            recogniser: Recogniser::load(&runtime, &pack.recogniser, &recogniser)?,
        })
    }
}
