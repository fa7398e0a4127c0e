//! Gives back the room that sled keeps for records that were replaced or erased: the store is built anew from its copy, which is whole.

use super::{BackupError, files::discard};
use crate::{
    config::StoreSettings,
    disk,
    store::{Store, StoreLock, aside},
};

/// Of the records, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Before.
    pub before: u64,
    /// Afterwards.
    pub after: u64,
}

/// Builds the store of `settings` anew. A cut leaves the old store, or the copy from which whoever opens it next builds the new one; the old one is
/// set aside then, as damaged ones are.
///
/// # Errors
/// [`BackupError`].
pub fn compact(settings: &StoreSettings) -> Result<Sizes, BackupError> {
    let folder = &settings.folder;
    let mut store = Store::open(settings)?.store;
    store.renew_copy()?;
    let generation = Store::generation(settings);
    drop(store);
    let lock = StoreLock::acquire(folder)?;
    if Store::generation(settings) != generation {
        return Err(BackupError::ChangedMeanwhile);
    }
    let before = disk::size_of(folder);
    let old = aside(folder);
    std::fs::rename(folder, &old).map_err(disk::at(&old))?;
    disk::sync_parent(folder)?;
    drop(lock);
    drop(Store::open_when_free(settings)?);
    discard(&old)?;
    Ok(Sizes { before, after: disk::size_of(folder) })
}
