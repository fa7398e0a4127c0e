//! The receipt of an erasure: what was erased, when, by whom, at whose wish, and where copies may remain.
//!
//! It has a record number and no name, and is signed with the store's key, so that the office can tell its own from a forged one.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    keys::Signer,
    person::RecordNumber,
    store::StoreError,
};

/// What no erasure here can reach.
const REMAINS: [&str; 3] = [
    "the office's own roster and photos",
    "backups of the file of people's keys that were made before",
    "blocks that a flash disk keeps although it was told to overwrite them",
];

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Whose.
    pub record: RecordNumber,
    /// When, with the offset from UTC.
    pub at: String,
    /// The user of the machine who did it, or who became that user with sudo.
    pub by: String,
    /// Who asked for it, in the office's words.
    pub asked_by: String,
    /// How many photos they had.
    pub photos: usize,
    /// Whether everything is removed, or their own key only, and the rest when the store is opened next.
    pub wholly: bool,
    /// Whether no roster brings them back.
    pub objection: bool,
    /// Where copies may remain.
    pub remains: Vec<String>,
}

/// The same, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What was erased.
    #[serde(flatten)]
    pub erased: Erased,
    signature: String,
}

impl Erased {
    /// What this program cannot reach.
    pub fn remains() -> Vec<String> {
        REMAINS.map(str::to_owned).into()
    }

    /// Signs it.
    ///
    /// # Errors
    /// As the key says; [`StoreError::KeyMissing`].
    pub fn signed(self, settings: &StoreSettings) -> Result<Receipt, StoreError> {
        let (signer, text) = signing(&self, settings)?;
        let signature = signer.sign(&[&text]);
        Ok(Receipt { erased: self, signature })
    }
}

impl Receipt {
    /// Whether it was signed with the key of the store of `settings`, and not altered since.
    ///
    /// # Errors
    /// As the key says; [`StoreError::KeyMissing`].
    pub fn is_ours(&self, settings: &StoreSettings) -> Result<bool, StoreError> {
        let (signer, text) = signing(&self.erased, settings)?;
        Ok(signer.has_signed(&self.signature, &[&text]))
    }

    /// Writes it to a new file.
    ///
    /// # Errors
    /// [`DiskError`], also where the file exists.
    pub fn write(&self, path: &Path) -> Result<(), DiskError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| disk::at(path)(error.into()))?;
        disk::create_new(path, (text + "\n").as_bytes())
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`DiskError`], also for a file that is no receipt.
    pub fn read(path: &Path) -> Result<Self, DiskError> {
        let text = std::fs::read_to_string(path).map_err(disk::at(path))?;
        serde_json::from_str(&text).map_err(|error| disk::at(path)(error.into()))
    }
}

/// For whoever is handed it.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = &self.erased;
        let what = if it.wholly {
            format!("Record, templates, {} photos and the key that opens them are erased.", it.photos)
        } else {
            format!(
                "The key that opens record, templates and {} photos is erased; they are removed when the store is opened next.",
                it.photos
            )
        };
        let back = if it.objection { " No roster brings them back." } else { "" };
        writeln!(f, "Receipt: record {}, erased {} by {}, asked for by {}.", it.record, it.at, it.by, it.asked_by)?;
        writeln!(f, "{what}{back}")?;
        writeln!(f, "Copies may remain in: {}.", it.remains.join("; "))?;
        write!(f, "Signature {}", self.signature)
    }
}

/// Who signs, and what.
fn signing(erased: &Erased, settings: &StoreSettings) -> Result<(Signer, Vec<u8>), StoreError> {
    let missing = || StoreError::KeyMissing { file: settings.key_file.clone(), folder: settings.folder.clone() };
    let signer = Signer::of(settings, "receipt")?.ok_or_else(missing)?;
    Ok((signer, serde_json::to_vec(erased).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::StoreKey;

    fn office() -> (tempfile::TempDir, StoreSettings) {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            folder: folder.path().join("store"),
            key_file: folder.path().join("store.key"),
            ..StoreSettings::default()
        };
        StoreKey::create(&settings.key_file).unwrap();
        (folder, settings)
    }

    fn erased() -> Erased {
        Erased {
            record: RecordNumber(7),
            at: "2026-11-29T09:00:00+08:00".into(),
            by: "zhang".into(),
            asked_by: "the person".into(),
            photos: 2,
            wholly: true,
            objection: true,
            remains: Erased::remains(),
        }
    }

    #[test]
    fn a_receipt_is_the_offices_own_until_a_word_of_it_is_altered() {
        let (folder, settings) = office();
        let path = folder.path().join("receipt.json");
        erased().signed(&settings).unwrap().write(&path).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        let is_ours = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Receipt::read(&path).unwrap().is_ours(&settings).unwrap()
        };
        assert!(is_ours(&whole));
        for (word, other) in
            [("zhang", "li"), ("7", "8"), ("true", "false"), ("2026-11-29", "2026-11-28"), ("roster", "")]
        {
            assert!(whole.contains(word) && !is_ours(&whole.replacen(word, other, 1)), "{word}");
        }
        let (_other, others) = office();
        std::fs::write(&path, &whole).unwrap();
        assert!(!Receipt::read(&path).unwrap().is_ours(&others).unwrap(), "another office's key");
        assert!(erased().signed(&settings).unwrap().write(&path).is_err(), "no file is overwritten");
    }

    #[test]
    fn a_receipt_says_what_was_done_and_what_may_remain() {
        let (_folder, settings) = office();
        let text = erased().signed(&settings).unwrap().to_string();
        for part in
            ["record #7", "by zhang", "asked for by the person", "2 photos", "No roster brings them back", "flash disk"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let later = Erased { wholly: false, objection: false, ..erased() }.signed(&settings).unwrap().to_string();
        assert!(later.contains("when the store is opened next") && !later.contains("No roster"));
    }
}
