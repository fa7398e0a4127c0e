//! Reads everybody out of the store's copy at once: the robot serves when this is done.

use rayon::prelude::*;

use super::Change;
use crate::store::{Everybody, SealedPerson, StoreError};

/// People who are opened on all cores at once.
const BATCH: usize = 4096;

/// Gives everybody to `each`, by record number, a batch at a time.
///
/// # Errors
/// As the store says.
pub fn everybody(store: &Everybody, model: &str, mut each: impl FnMut(Vec<Change>)) -> Result<(), StoreError> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut open = |batch: &mut Vec<SealedPerson>| {
        let opened = batch.par_iter().map(|sealed| one(store, sealed)).collect::<Result<_, _>>()?;
        batch.clear();
        each(opened);
        Ok(())
    };
    store.walk(model, |sealed| {
        batch.push(sealed);
        if batch.len() < BATCH { Ok(()) } else { open(&mut batch) }
    })?;
    open(&mut batch)
}

/// Opens one person.
///
/// # Errors
/// [`StoreError::CopyDamaged`].
pub fn one(store: &Everybody, sealed: &SealedPerson) -> Result<Change, StoreError> {
    let (person, templates) = store.open(sealed)?;
    Ok(Change::Put { record: sealed.record, version: sealed.version, card: person.into(), templates: Some(templates) })
}
