//! Who is on hold: recognised and counted, and never named, because somebody was called by their name.
//!
//! A small file beside the store, `F.hold`, which is read and written without the store's lock: staff put somebody on hold while a sync
//! runs. It holds record numbers only. Where it cannot be read nobody is named: better no name than one that staff have stopped.

mod following;

use std::{
    collections::BTreeSet,
    fmt,
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    disk::{self, DiskError},
    person::RecordNumber,
};

pub use following::Holding;

/// Behind the name of the store's folder.
pub const ENDING: &str = ".hold";
/// Staff hold a few people; what is larger is something else.
const MOST_BYTES: u64 = 1 << 20;

/// Why who is on hold cannot be known, or was not changed.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Then nobody may be named.
    #[error(
        "who is on hold cannot be read from {} ({cause}), so nobody is named. Remove the file, run `greeter people hold N` again for everybody who was on hold, and people are named again",
        file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Who must not be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnHold {
    /// These people.
    These(BTreeSet<RecordNumber>),
    /// Everybody: who is on hold cannot be read.
    Everybody,
}

impl Default for OnHold {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl OnHold {
    /// Whether this person must not be named.
    pub fn contains(&self, record: RecordNumber) -> bool {
        match self {
            Self::These(records) => records.contains(&record),
            Self::Everybody => true,
        }
    }

    /// These people, and those who were on hold `before`.
    pub fn added_to(self, before: &Self) -> Self {
        match (self, before) {
            (Self::These(now), Self::These(before)) => Self::These(&now | before),
            (now, _) => now,
        }
    }
}

/// For the operator.
impl fmt::Display for OnHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::These(records) if records.is_empty() => f.write_str("nobody is on hold"),
            Self::These(records) => {
                let records: Vec<String> = records.iter().map(ToString::to_string).collect();
                write!(f, "on hold, never named: {}", records.join(", "))
            }
            Self::Everybody => f.write_str("nobody is named, because it cannot be read who is on hold"),
        }
    }
}

/// The file beside a store.
#[derive(Debug, Clone)]
pub struct HoldFile {
    path: PathBuf,
}

/// As it is on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    on_hold: BTreeSet<RecordNumber>,
    /// Of the numbers: one that has changed would be another person's. Older files have none.
    #[serde(default)]
    digest: Option<String>,
}

impl Written {
    fn of(on_hold: BTreeSet<RecordNumber>) -> Self {
        let digest = Some(digest(&on_hold));
        Self { on_hold, digest }
    }
}

fn digest(on_hold: &BTreeSet<RecordNumber>) -> String {
    let bytes: Vec<u8> = on_hold.iter().flat_map(|record| record.0.to_be_bytes()).collect();
    hex::encode(Sha256::digest(bytes))
}

impl HoldFile {
    /// The one beside the store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self { path: disk::beside(folder, ENDING) }
    }

    /// Who is on hold; nobody where there is no file.
    ///
    /// # Errors
    /// [`HoldError::Unreadable`]: then nobody may be named.
    pub fn read(&self) -> Result<BTreeSet<RecordNumber>, HoldError> {
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(cause) => return Err(self.unreadable(disk::words(&cause))),
        };
        let written: Written = serde_json::from_slice(&bytes).map_err(|cause| self.unreadable(cause.to_string()))?;
        if written.digest.is_some_and(|written_digest| written_digest != digest(&written.on_hold)) {
            return Err(self.unreadable("it has changed".into()));
        }
        Ok(written.on_hold)
    }

    /// Puts somebody on hold; `false` where they were already.
    ///
    /// # Errors
    /// [`HoldError::Unreadable`], [`HoldError::Disk`]; nothing is changed then.
    pub fn hold(&self, record: RecordNumber) -> Result<bool, HoldError> {
        self.change(|on_hold| on_hold.insert(record))
    }

    /// Takes people off hold; `false` where none of them was on it.
    ///
    /// # Errors
    /// As [`HoldFile::hold`].
    pub fn release(&self, records: &[RecordNumber]) -> Result<bool, HoldError> {
        self.change(|on_hold| records.iter().fold(false, |changed, record| on_hold.remove(record) | changed))
    }

    /// Changes the file, which survives a power cut when this returns; one process at a time does.
    fn change(&self, change: impl FnOnce(&mut BTreeSet<RecordNumber>) -> bool) -> Result<bool, HoldError> {
        disk::make_parent(&self.path)?;
        let lock = disk::beside(&self.path, ".lock");
        let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock);
        // Freed when it is closed. Nobody has it for longer than a small file takes to write.
        let locked = open.and_then(|file| file.lock().map(|()| file)).map_err(disk::at(&lock))?;
        let mut on_hold = self.read()?;
        let changed = change(&mut on_hold);
        if changed {
            let text = serde_json::to_vec(&Written::of(on_hold)).map_err(|error| disk::at(&self.path)(error.into()))?;
            disk::replace(&self.path, |writer| writer.write_all(&text).map_err(disk::at(&self.path)))?;
        }
        drop(locked);
        Ok(changed)
    }

    fn bytes(&self) -> std::io::Result<Vec<u8>> {
        if std::fs::metadata(&self.path)?.len() > MOST_BYTES {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "it is too long"));
        }
        std::fs::read(&self.path)
    }

    fn unreadable(&self, cause: String) -> HoldError {
        HoldError::Unreadable { file: self.path.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file() -> (tempfile::TempDir, HoldFile) {
        let folder = tempfile::tempdir().unwrap();
        let hold = HoldFile::beside(&folder.path().join("data/store"));
        (folder, hold)
    }

    #[test]
    fn who_was_put_on_hold_is_on_it_until_released() {
        let (_folder, hold) = file();
        assert_eq!(hold.read().unwrap(), BTreeSet::new(), "at first there is no file");
        assert!(hold.hold(RecordNumber(7)).unwrap() && hold.hold(RecordNumber(9)).unwrap());
        assert!(!hold.hold(RecordNumber(7)).unwrap(), "they are on hold already");
        assert_eq!(hold.read().unwrap(), [RecordNumber(7), RecordNumber(9)].into());
        assert!(hold.release(&[RecordNumber(7), RecordNumber(8)]).unwrap());
        assert!(!hold.release(&[RecordNumber(7)]).unwrap());
        assert_eq!(hold.read().unwrap(), [RecordNumber(9)].into());
    }

    #[test]
    fn others_on_the_machine_cannot_read_it_and_it_holds_numbers_only() {
        let (folder, hold) = file();
        hold.hold(RecordNumber(7)).unwrap();
        assert_eq!(std::fs::metadata(&hold.path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&hold.path).unwrap();
        assert!(text.starts_with(r#"{"on_hold":[7],"digest":""#), "{text}");
        let left = std::fs::read_dir(folder.path().join("data")).unwrap().count();
        assert_eq!(left, 2, "the file and its lock, nothing half-written");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_with_its_cure_and_is_never_written_over() {
        let (_folder, hold) = file();
        hold.hold(RecordNumber(7)).unwrap();
        for text in [
            "",
            "{\"on_hold\":[7",
            "{\"on_hold\":[\"Obama\"]}",
            "{}",
            "{\"held\":[7]}",
            "{\"on_hold\":[7],\"digest\":\"8\"}",
        ] {
            std::fs::write(&hold.path, text).unwrap();
            let said = hold.read().unwrap_err().to_string();
            assert!(said.contains("nobody is named") && said.contains("greeter people hold"), "{said}");
            assert!(hold.hold(RecordNumber(8)).is_err() && hold.release(&[RecordNumber(7)]).is_err());
            assert_eq!(std::fs::read_to_string(&hold.path).unwrap(), text);
        }
        std::fs::write(&hold.path, vec![b' '; MOST_BYTES as usize + 1]).unwrap();
        assert!(hold.read().unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn staff_at_several_desks_do_not_undo_each_others_holds() {
        let (_folder, hold) = file();
        std::thread::scope(|scope| {
            for desk in 0..8 {
                let hold = hold.clone();
                scope.spawn(move || (0..10).for_each(|at| assert!(hold.hold(RecordNumber(desk * 10 + at)).unwrap())));
            }
        });
        assert_eq!(hold.read().unwrap().len(), 80);
    }

    #[test]
    fn where_it_cannot_be_known_who_is_on_hold_everybody_is() {
        assert!(OnHold::Everybody.contains(RecordNumber(1)));
        let these = OnHold::These([RecordNumber(7)].into());
        assert!(these.contains(RecordNumber(7)) && !these.contains(RecordNumber(8)));
        assert!(!OnHold::default().contains(RecordNumber(7)));
        assert_eq!(
            OnHold::These([RecordNumber(9)].into()).added_to(&these).to_string(),
            "on hold, never named: #7, #9"
        );
    }
}
