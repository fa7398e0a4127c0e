//! Keys that the store had before it was given another one, sealed with that one (`K.former`).
//!
//! Receipts, the access log and objections were signed with them. Nothing else opens with them any more. Entries that do not open are passed over:
//! while a rekey is cut there are those of both keys.

use std::{
    io::{ErrorKind, Write},
    path::Path,
};

use super::{Sealer, StoreKey, ring::SEALED, store_key::KEY_BYTES};
use crate::disk::{self, DiskError};

const ENDING: &str = ".former";
const PLACE: &[u8] = b"greeter former key 1";

/// The former keys that open with `key`, the latest first.
///
/// # Errors
/// [`DiskError`].
pub fn read(key_file: &Path, key: &StoreKey) -> Result<Vec<StoreKey>, DiskError> {
    let sealer = Sealer::new(key);
    let opened = |sealed: &[u8]| sealer.own.open(PLACE, sealed).ok()?.first_chunk::<KEY_BYTES>().copied();
    let bytes = sealed(key_file)?;
    Ok(bytes.chunks(SEALED).filter_map(opened).map(|bytes| StoreKey::kept(bytes, key_file)).collect())
}

/// Keeps `old`, and whatever was kept with it, for whoever has `new`; those who still have `old` find theirs, too.
///
/// # Errors
/// [`DiskError`].
pub fn keep(key_file: &Path, old: &StoreKey, new: &StoreKey) -> Result<(), DiskError> {
    let path = disk::beside(key_file, ENDING);
    let (sealer, kept) = (Sealer::new(new), read(key_file, old)?);
    let before = Sealer::new(old);
    disk::replace(&path, |file| {
        let for_new = std::iter::once(old).chain(&kept).map(|key| sealer.own.seal(PLACE, key.bytes()));
        let for_old = kept.iter().map(|key| before.own.seal(PLACE, key.bytes()));
        for_new.chain(for_old).try_for_each(|sealed| file.write_all(&sealed)).map_err(disk::at(&path))
    })
}

fn sealed(key_file: &Path) -> Result<Vec<u8>, DiskError> {
    let path = disk::beside(key_file, ENDING);
    match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        bytes => bytes.map_err(disk::at(&path)),
    }
}
