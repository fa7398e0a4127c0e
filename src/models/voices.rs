//! `[voices]` of `models/models.toml`: which files a neural voice is made of.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    ModelError,
    file::{FileEntry, verify},
};

/// A neural voice: a network that makes a spectrogram of phones, and one that makes sound of the spectrogram.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceEntry {
    /// The language it speaks, such as `zh-CN`.
    pub language: String,
    /// Phones to a mel spectrogram and the phones' durations.
    pub acoustic_model: FileEntry,
    /// A mel spectrogram to samples.
    pub vocoder: FileEntry,
    /// The acoustic model's symbols, one a line; a symbol's number is that of its line, from 0.
    pub symbols: FileEntry,
    /// Samples a second.
    pub sample_rate: u32,
    /// Samples that one frame of the spectrogram becomes.
    pub samples_per_frame: usize,
    /// Under which it may be used.
    pub licence: String,
    /// Where it comes from.
    pub origin: String,
    /// On whose voice it was trained.
    pub trained_on: String,
}

impl VoiceEntry {
    /// Its three files.
    pub fn files(&self) -> [&FileEntry; 3] {
        [&self.acoustic_model, &self.vocoder, &self.symbols]
    }

    /// Checks each of its files in `folder`.
    ///
    /// # Errors
    /// [`ModelError::Missing`] or [`ModelError::Damaged`].
    pub fn verify(&self, name: &str, folder: &Path) -> Result<(), ModelError> {
        self.files().into_iter().try_for_each(|file| verify(name, &folder.join(&file.name), &file.sha256))
    }
}

/// A voice whose files are there and are the right ones.
#[derive(Debug, Clone)]
pub struct VoiceFiles {
    /// Its name in `models.toml`.
    pub name: String,
    /// Its description.
    pub entry: VoiceEntry,
    folder: PathBuf,
}

impl VoiceFiles {
    /// The first voice in `folder`'s `models.toml` that speaks a language, its files verified.
    ///
    /// # Errors
    /// When `models.toml` cannot be read or has no such voice, or a file is missing or damaged.
    pub fn for_language(folder: &Path, language: &str) -> Result<Self, ModelError> {
        /// What else is in the file is `face::manifest`'s.
        #[derive(Deserialize)]
        struct Voices {
            #[serde(default)]
            voices: BTreeMap<String, VoiceEntry>,
        }
        let path = folder.join("models.toml");
        let fault = |cause: String| ModelError::Manifest { path: path.clone(), cause };
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let known: Voices = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        let found = known.voices.into_iter().find(|(_, entry)| entry.language == language);
        let (name, entry) = found.ok_or_else(|| fault(format!("there is no neural voice for {language}")))?;
        entry.verify(&name, folder)?;
        Ok(Self { name, entry, folder: folder.to_owned() })
    }

    /// Where one of its files is.
    pub fn path(&self, file: &FileEntry) -> PathBuf {
        self.folder.join(&file.name)
    }
}
