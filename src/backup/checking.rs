//! Opens everything that a backup has with today's keys; changes nothing.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use super::BackupError;
use crate::{
    config::StoreSettings,
    keys::Slot,
    person::RecordNumber,
    store::{
        Everybody, PhotoDigest, StoreError, layout, nonce,
        photo_files::{PhotoFiles, PhotoName},
    },
};

/// What a backup would bring.
#[derive(Debug, Default)]
pub struct Held {
    /// Whoever can be read, with what tells their record from another version of it.
    pub people: BTreeMap<RecordNumber, u64>,
    /// All photos that are as the office delivered them.
    pub photos: usize,
    /// Photos that cannot be read: whose, and their numbers.
    pub lost: Vec<(RecordNumber, u16)>,
    /// How many people were erased since.
    pub erased: usize,
    /// Whoever has no key: today's file of keys is older than the backup, or their slot is damaged.
    pub keyless: Vec<RecordNumber>,
}

/// Opens all of the backup in `folder`, whose store is `backup`.
///
/// # Errors
/// [`BackupError`].
pub fn check(folder: &Path, backup: &StoreSettings) -> Result<Held, BackupError> {
    let everybody = match Everybody::in_copy(backup) {
        Err(StoreError::NoCopy { .. }) => return Err(BackupError::NoBackup { folder: folder.into() }),
        Err(StoreError::CopyDamaged { cause, .. }) => {
            return Err(BackupError::Damaged { folder: folder.into(), cause });
        }
        everybody => everybody?,
    };
    let damaged = |cause: String| BackupError::Damaged { folder: folder.into(), cause };
    everybody.is_genuine(&backup.folder).map_err(damaged)?;
    let illegible = || damaged("a record does not read as one".into());
    let as_damage = |error| match error {
        StoreError::CopyDamaged { cause, .. } => damaged(cause),
        error => error.into(),
    };
    let mut held = Held::default();
    let mut digests: HashMap<(RecordNumber, u16), PhotoDigest> = HashMap::new();
    for entry in everybody.entries(layout::PEOPLE) {
        let (key, value) = entry.map_err(as_damage)?;
        let record = layout::record(&key).ok_or_else(illegible)?;
        match everybody.slot(record) {
            Slot::Erased => held.erased += 1,
            Slot::Free | Slot::Damaged => held.keyless.push(record),
            Slot::Given(_) => {
                let person = everybody.record(&key, &value).map_err(as_damage)?;
                digests.extend(person.photos.iter().map(|photo| ((record, photo.number), photo.digest)));
                held.people.insert(record, nonce(&value));
            }
        }
    }
    for kind in [layout::TEMPLATES, layout::REFUSALS] {
        for entry in everybody.entries(kind) {
            let (key, value) = entry.map_err(as_damage)?;
            if layout::record(&key).is_some_and(|record| held.people.contains_key(&record)) {
                everybody.unseal(&key, &value).map_err(as_damage)?;
            }
        }
    }
    let photos = PhotoFiles::beside(&backup.folder);
    for entry in everybody.entries(layout::PHOTOS) {
        let (key, value) = entry.map_err(as_damage)?;
        // Photos need not be kept.
        if value.is_empty() {
            continue;
        }
        let (record, number) =
            layout::of_model(&key).map(|(record, number, _)| (record, number)).ok_or_else(illegible)?;
        let Slot::Given(seal) = everybody.slot(record) else { continue };
        let Some(digest) = digests.get(&(record, number)) else { continue };
        let name = PhotoName::from_bytes(&value).ok_or_else(illegible)?;
        match photos.read(&seal, name)? {
            Some(bytes) if PhotoDigest::of(&bytes) == *digest => held.photos += 1,
            _ => held.lost.push((record, number)),
        }
    }
    Ok(held)
}
