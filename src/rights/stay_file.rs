//! Everybody's stay on the disk: record numbers and days, with a check sum, beside the store (`F.stays`).
//!
//! A sync writes it, the robot reads it and needs nobody's record for that.

use std::{
    io::{Error, ErrorKind},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::retention::{Run, Stays};
use crate::disk::{self, DiskError};

const ENDING: &str = ".stays";

/// As it is on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    stays: Vec<Run>,
    sha256: String,
}

/// The file of a store.
pub struct StayFile {
    path: PathBuf,
}

impl StayFile {
    /// The one beside the store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self { path: disk::beside(folder, ENDING) }
    }

    /// When it was written last.
    pub fn changed_at(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.path).and_then(|found| found.modified()).ok()
    }

    /// What it says; nobody where there is none.
    ///
    /// # Errors
    /// [`DiskError`], also where it is not as it was written.
    pub fn read(&self) -> Result<Stays, DiskError> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Stays::default()),
            Err(error) => return Err(disk::at(&self.path)(error)),
        };
        let written = serde_json::from_slice::<Written>(&text).ok();
        let ours = written.filter(|written| written.sha256 == sum(&written.stays));
        let altered = "it is not as it was written, so nobody goes by it; the next `greeter sync` begins it anew";
        let altered = || disk::at(&self.path)(Error::new(ErrorKind::InvalidData, altered));
        ours.map(|written| Stays::of(&written.stays)).ok_or_else(altered)
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`DiskError`]; it is as it was then.
    pub fn write(&self, stays: &Stays) -> Result<(), DiskError> {
        let stays = stays.runs();
        let written = Written { sha256: sum(&stays), stays };
        disk::replace(&self.path, |file| {
            serde_json::to_writer(file, &written).map_err(|error| disk::at(&self.path)(error.into()))
        })
    }
}

fn sum(stays: &[Run]) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(stays).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::RecordNumber;

    #[test]
    fn what_was_written_is_read_again_and_an_altered_day_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = StayFile::beside(&folder.path().join("store"));
        assert_eq!(file.read().unwrap(), Stays::default());
        let mut stays = Stays::default();
        stays.keep((1..=5).map(RecordNumber), jiff::civil::date(2026, 11, 29));
        file.write(&stays).unwrap();
        assert_eq!(file.read().unwrap(), stays);
        let path = folder.path().join("store.stays");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("2026-11-29", "2016-11-29")).unwrap();
        let error = file.read().unwrap_err().to_string();
        assert!(error.contains("store.stays: it is not as it was written"), "{error}");
    }
}
