//! The small file beside the store that says how new it is, readable without its lock.
//!
//! It also keeps what must outlive a store that is rebuilt from an older snapshot: the next free record number, so that none is given
//! twice, and who was removed since that snapshot, so that nobody comes back. It holds numbers only.

use std::{collections::BTreeSet, io::Write, path::Path};

use serde::{Deserialize, Serialize};

use super::{StoreError, disk};
use crate::person::RecordNumber;

const ENDING: &str = ".generation";

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Counts the acknowledged commits.
    pub generation: u64,
    /// No record has this number or a higher one.
    pub next_record: u64,
    /// Records removed since the snapshot was written.
    pub removed: BTreeSet<RecordNumber>,
    /// What is where in the snapshot.
    #[serde(default)]
    pub sections: Option<Sections>,
}

/// Where in a snapshot people and templates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections {
    /// Which snapshot.
    pub generation: u64,
    /// The people.
    pub people: Section,
    /// The templates.
    pub templates: Section,
}

/// Entries one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Section {
    /// Bytes before the first one.
    pub at: u64,
    /// How many there are.
    pub count: u64,
}

impl Section {
    /// Counts one more, which begins at `at`.
    pub fn add(&mut self, at: u64) {
        if self.count == 0 {
            self.at = at;
        }
        self.count += 1;
    }
}

impl Ledger {
    /// Reads it; the default where there is none, or none that can be read: it only ever adds caution.
    pub fn read(folder: &Path) -> Self {
        let path = disk::beside(folder, ENDING);
        let Ok(text) = std::fs::read(&path) else { return Self::default() };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(file = %path.display(), %error, "cannot read the store's generation file; it is written anew");
            Self::default()
        })
    }

    /// Writes it, atomically.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let path = disk::beside(folder, ENDING);
        let text = serde_json::to_vec(self).map_err(|error| disk::at(&path)(error.into()))?;
        disk::replace(&path, |writer| writer.write_all(&text).map_err(disk::at(&path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_an_unreadable_one_is_like_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        assert_eq!(Ledger::read(&store), Ledger::default());
        let ledger = Ledger { generation: 3, next_record: 9, removed: [RecordNumber(4)].into(), sections: None };
        ledger.write(&store).unwrap();
        assert_eq!(Ledger::read(&store), ledger);
        std::fs::write(folder.path().join("store.generation"), "{").unwrap();
        assert_eq!(Ledger::read(&store), Ledger::default());
    }
}
