//! A second store of records and photos, without the keys, and the way back from it.
//!
//! | file | what it is for |
//! |---|---|
//! | `making` | writing a backup, or bringing one up to date |
//! | `checking` | opening everything that a backup has with today's keys |
//! | `restoring` | what a restore would bring and take, and doing it |
//! | `compacting` | a store that gives back the room of what was replaced |
//! | `files` | copies of files that are there whole or not at all |
//!
//! A backup is laid out as what lies beside a store named `store`: `store.snapshot`, `store.photos`, `store.objections`, `store.stays`, `store.hold`. People's keys
//! stay where they are, so who was erased since cannot be read in any backup.

mod checking;
mod compacting;
mod files;
mod making;
mod restoring;

use std::path::{Path, PathBuf};

pub use compacting::{Sizes, compact};
pub use making::{Made, back_up};
pub use restoring::{Found, restore};

use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    hold,
    keys::KeyError,
    store::StoreError,
};

/// What lies beside the store and is neither a record nor a photo.
const BESIDE: [&str; 3] = [".objections", ".stays", hold::ENDING];

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder is in use for something else.
    #[error("the folder {} holds other files and no backup. Nothing was changed; name a folder of its own", folder.display())]
    NotABackup {
        /// The folder.
        folder: PathBuf,
    },
    /// There is nothing to restore.
    #[error("there is no backup in {}. Nothing was changed; name the folder that was given to `greeter store backup --to`", folder.display())]
    NoBackup {
        /// The folder.
        folder: PathBuf,
    },
    /// The backup's records are not as they were written.
    #[error("the backup in {} is damaged ({cause}). Nothing was changed; take another one", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Somebody changed the store after it was looked at.
    #[error("the store was changed meanwhile by another command. Nothing else was done; run the same command again")]
    ChangedMeanwhile,
    /// A file that cannot be read or written while a backup is made.
    #[error(
        "the backup could not be written: {cause}. A backup that was there before is as it was; free some space or name another disk, and run the same command again"
    )]
    Unwritten {
        /// Which, and why.
        cause: DiskError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A file that cannot be read or written while a backup is restored.
    #[error("{0}. The same command again does the rest")]
    Disk(#[from] DiskError),
}

/// A backup's folder as a store's, with the keys of this machine.
fn as_store(backup: &Path, settings: &StoreSettings) -> StoreSettings {
    StoreSettings { folder: backup.join("store"), ..settings.clone() }
}

/// Whether nobody has put anything there yet.
fn is_free(folder: &Path) -> Result<bool, DiskError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(disk::at(folder)(error)),
    }
}
