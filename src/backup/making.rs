//! Writes a backup. It has its name, or is newer than before, only when all of it is on the disk.

use std::path::Path;

use super::{
    BESIDE, BackupError, as_store,
    files::{bring, discard, names, remove, replace},
    is_free,
};
use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    store::{Store, photos_folder, snapshot_file},
};

/// A backup that is on the disk for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// All photos in it.
    pub photos: usize,
    /// Those that it had not had before.
    pub new: usize,
}

/// Backs the store of `settings` up to the folder `to`: a new one, an empty one, or one that has a backup, which is brought up to date.
///
/// Photos are copied with the store closed; others wait only while what has changed meanwhile is copied.
///
/// # Errors
/// [`BackupError`]; what is in `to` is as it was then.
pub fn back_up(settings: &StoreSettings, to: &Path) -> Result<Made, BackupError> {
    if !Store::is_there(&settings.folder)? {
        return Err(BackupError::Store(crate::store::StoreError::NoCopy { folder: settings.folder.clone() }));
    }
    if !is_free(to).map_err(unwritten)? {
        if !snapshot_file(&as_store(to, settings).folder).exists() {
            return Err(BackupError::NotABackup { folder: to.into() });
        }
        return write(settings, to);
    }
    let unfinished = disk::beside(to, ".unfinished");
    let made = discard(&unfinished).map_err(unwritten).and_then(|()| write(settings, &unfinished)).and_then(|made| {
        std::fs::rename(&unfinished, to)
            .map_err(disk::at(to))
            .and_then(|()| disk::sync_parent(to))
            .map_err(unwritten)?;
        Ok(made)
    });
    if made.is_err() {
        // Only what was just written; what cannot be removed is removed by the next backup.
        let _ = discard(&unfinished);
    }
    made
}

fn write(settings: &StoreSettings, to: &Path) -> Result<Made, BackupError> {
    let backup = as_store(to, settings).folder;
    let (from, photos) = (photos_folder(&settings.folder), photos_folder(&backup));
    disk::make_folder(to).map_err(unwritten)?;
    let mut new = bring(&from, &photos).map_err(unwritten)?;
    let mut store = Store::open_when_free(settings)?.store;
    store.renew_copy()?;
    new += bring(&from, &photos).map_err(unwritten)?;
    let rest = || {
        replace(&snapshot_file(&settings.folder), &snapshot_file(&backup))?;
        for ending in BESIDE {
            replace(&disk::beside(&settings.folder, ending), &disk::beside(&backup, ending))?;
        }
        // Whose records are gone, their photos are of no use any more.
        let (named, there) = (names(&from)?, names(&photos)?);
        there.difference(&named).try_for_each(|name| remove(&photos.join(name)))?;
        disk::sync_file_system(to)?;
        Ok(named.len())
    };
    Ok(Made { photos: rest().map_err(unwritten)?, new })
}

fn unwritten(cause: DiskError) -> BackupError {
    BackupError::Unwritten { cause }
}
