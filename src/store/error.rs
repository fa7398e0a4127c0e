//! What can go wrong with the store, in words for the operator.

use std::path::PathBuf;

use crate::{disk::DiskError, hold::HoldError, keys::KeyError, person::RecordNumber};

/// Why the store cannot be used, or a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is there but its key is not.
    #[error(
        "the key file {} is missing, and without it nobody in the store in {} can be read. Restore the key from its backup",
        file.display(), folder.display()
    )]
    KeyMissing {
        /// Where the key should be.
        file: PathBuf,
        /// The store.
        folder: PathBuf,
    },
    /// The store is there but people's own keys are not.
    #[error(
        "the file of people's keys {} is missing, and without it nobody in the store in {} can be read. Restore it from its backup",
        file.display(), folder.display()
    )]
    KeysMissing {
        /// Where the keys should be.
        file: PathBuf,
        /// The store.
        folder: PathBuf,
    },
    /// People's own keys are those of an earlier day.
    #[error(
        "the file of people's keys {} is older than the store in {}, so whoever was enrolled since could not be read. Nothing was changed. Put the newest one back",
        file.display(), folder.display()
    )]
    KeysOlder {
        /// The older keys.
        file: PathBuf,
        /// The store.
        folder: PathBuf,
    },
    /// There is nothing from which people can be read without the store's lock.
    #[error("there is no copy beside the store in {} yet: nobody is known. Preload people with `greeter sync`", folder.display())]
    NoCopy {
        /// The store.
        folder: PathBuf,
    },
    /// The copy is damaged; the store may be well.
    #[error("the copy beside the store, {}, is damaged ({cause}). Run `greeter store repair`, which writes it anew", file.display())]
    CopyDamaged {
        /// The copy.
        file: PathBuf,
        /// What was found.
        cause: String,
    },
    /// A key, but of another store.
    #[error(
        "the key in {} does not open the store in {}. Set `store.key_file` to the key this store was made with, or restore that key from its backup",
        file.display(), folder.display()
    )]
    WrongKey {
        /// The key file or credential.
        file: PathBuf,
        /// The store.
        folder: PathBuf,
    },
    /// Another process has it open.
    #[error(
        "the store in {} is in use by {holder}. Usually a `greeter sync` is still running: wait until it has finished and try again",
        folder.display()
    )]
    Locked {
        /// The store.
        folder: PathBuf,
        /// As much as is known about the other process.
        holder: String,
    },
    /// The store was written by a later version.
    #[error(
        "the store in {} was written by a newer greeter (schema {found}; this one knows up to {known}). Run the newer greeter again, or restore a backup from before the upgrade",
        folder.display()
    )]
    NewerSchema {
        /// The store.
        folder: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The folder holds something else.
    #[error("the folder {} holds other files and no store. Set `store.folder` to a folder of its own", folder.display())]
    NotAStore {
        /// The folder.
        folder: PathBuf,
    },
    /// Damage found while the store was in use.
    #[error(
        "the store in {} is damaged ({cause}). Run the same command again, and the store is rebuilt from its snapshot",
        folder.display()
    )]
    Damaged {
        /// The store.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Damage found while it was to be taken over.
    #[error(
        "the store in {} is an older greeter's and damaged ({cause}). Run `people list` with the older greeter, which rebuilds it; then run this one again",
        folder.display()
    )]
    OlderDamaged {
        /// The store.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Damage that cannot be repaired from here.
    #[error(
        "the store in {} is damaged ({cause}) and cannot be rebuilt: {snapshot}. Restore {} from a backup; or move it and its snapshot away (`mv {0} {0}.old; mv {0}.snapshot {0}.snapshot.old`) and run `greeter sync` again to preload everybody anew",
        folder.display(), folder.display()
    )]
    Unrecoverable {
        /// The store.
        folder: PathBuf,
        /// What was found.
        cause: String,
        /// Why the snapshot does not help.
        snapshot: String,
    },
    /// No room.
    #[error(
        "the disk that holds {} is full: {free_mb} MB are free, {needed_mb} MB are needed. Free some space and run the same command again",
        folder.display()
    )]
    DiskFull {
        /// The store.
        folder: PathBuf,
        /// Free megabytes.
        free_mb: u64,
        /// Needed megabytes.
        needed_mb: u64,
    },
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A key that cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Who was on hold stays so.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// A write failed earlier; what the disk holds since then is not known.
    #[error(
        "writing to the store in {} failed ({cause}), so nothing after it is acknowledged. Check the disk, then run the same command again",
        folder.display()
    )]
    Stopped {
        /// The store.
        folder: PathBuf,
        /// The first failure.
        cause: String,
    },
    /// Nobody has this number.
    #[error("there is no record {0}. `greeter people list` shows all")]
    UnknownRecord(RecordNumber),
    /// Two people with one identity number.
    #[error("the identity number of record {record} already belongs to record {holder}; each person is one record")]
    DuplicateId {
        /// The one that was to be written.
        record: RecordNumber,
        /// The one that has it.
        holder: RecordNumber,
    },
    /// A photo was said to be stored and is not.
    #[error("a photo of record {0} that should be in the store is not. Run `greeter sync` again")]
    MissingPhoto(RecordNumber),
    /// A photo was not to be kept.
    #[error(
        "the photos of record {0} were not kept (`store.keep_photos = false`), so only the office has them. Run `greeter sync` with the roster and its photos"
    )]
    PhotoNotKept(RecordNumber),
}

impl StoreError {
    /// Whether people's keys can be changed all the same: the store is in use, or its disk is full.
    pub fn leaves_only_keys(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::DiskFull { .. } => true,
            Self::Disk(DiskError { cause, .. }) | Self::Keys(KeyError::Disk(DiskError { cause, .. })) => {
                cause.kind() == std::io::ErrorKind::StorageFull
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_it_means_and_what_to_do() {
        let (folder, file) = (PathBuf::from("data/store"), PathBuf::from("data/store.key"));
        let cause = || "no page 7".to_owned();
        let texts = [
            StoreError::KeyMissing { file: file.clone(), folder: folder.clone() },
            KeyError::Exposed { file: file.clone(), mode: 0o644 }.into(),
            KeyError::Length { file: file.clone(), found: 5 }.into(),
            StoreError::WrongKey { file, folder: folder.clone() },
            StoreError::Locked { folder: folder.clone(), holder: "process 7 (greeter sync)".into() },
            StoreError::NewerSchema { folder: folder.clone(), found: 2, known: 1 },
            StoreError::NotAStore { folder: folder.clone() },
            StoreError::Damaged { folder: folder.clone(), cause: cause() },
            StoreError::Unrecoverable {
                folder: folder.clone(),
                cause: cause(),
                snapshot: "there is no snapshot beside it".into(),
            },
            StoreError::DiskFull { folder: folder.clone(), needed_mb: 77, free_mb: 3 },
            DiskError { path: folder.clone(), cause: std::io::ErrorKind::TimedOut.into() }.into(),
            StoreError::Stopped { folder, cause: "timed out".into() },
            HoldError::Unreadable { file: PathBuf::from("data/store.hold"), cause: cause() }.into(),
            StoreError::UnknownRecord(RecordNumber(7)),
            StoreError::DuplicateId { record: RecordNumber(8), holder: RecordNumber(7) },
            StoreError::MissingPhoto(RecordNumber(7)),
            StoreError::PhotoNotKept(RecordNumber(7)),
            StoreError::KeysMissing { file: "data/store.key.people".into(), folder: "data/store".into() },
            StoreError::KeysOlder { file: "data/store.key.people".into(), folder: "data/store".into() },
            StoreError::NoCopy { folder: "data/store".into() },
            StoreError::CopyDamaged { file: "data/store.snapshot".into(), cause: "it is cut off".into() },
            StoreError::OlderDamaged { folder: "data/store".into(), cause: "page 7".into() },
        ]
        .map(|error| error.to_string());
        assert_eq!(texts.join("\n") + "\n", include_str!("../../tests/golden/store-errors.txt"));
    }
}
