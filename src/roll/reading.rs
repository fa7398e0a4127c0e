//! Reads everybody out of the store's copy at once, on all cores: the robot serves when this is done.

use std::{mem, thread};

use crossbeam::channel::bounded;
use rayon::prelude::*;

use super::Change;
use crate::store::{Everybody, SealedPerson, StoreError};

/// People handed from thread to thread at once.
const BATCH: usize = 2048;
/// Batches that wait between two threads.
const WAITING: usize = 2;

/// Gives everybody to `each`, by record number, a batch at a time. One thread reads, all cores open what is sealed, and the caller's thread
/// takes it in.
///
/// # Errors
/// As the store says.
pub fn everybody(store: &Everybody, model: &str, mut each: impl FnMut(Vec<Change>)) -> Result<(), StoreError> {
    thread::scope(|scope| {
        let ((give, take), (pass, receive)) = (bounded::<Vec<SealedPerson>>(WAITING), bounded(WAITING));
        let walk = scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            // Whoever takes no more has failed, and says so.
            let walked = store.walk(model, |sealed| {
                batch.push(sealed);
                if batch.len() == BATCH {
                    drop(give.send(mem::replace(&mut batch, Vec::with_capacity(BATCH))));
                }
                Ok(())
            });
            drop(give.send(batch));
            walked
        });
        scope.spawn(move || {
            let open = |batch: Vec<SealedPerson>| batch.par_iter().map(|sealed| one(store, sealed)).collect();
            take.iter().map(open).try_for_each(|opened: Result<Vec<_>, _>| pass.send(opened))
        });
        let taken_in = receive.iter().try_for_each(|opened| opened.map(&mut each));
        drop(receive);
        // A panic there would be one of ours; the scope passes it on.
        walk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(taken_in)
    })
}

/// Opens one person.
///
/// # Errors
/// [`StoreError::CopyDamaged`].
pub fn one(store: &Everybody, sealed: &SealedPerson) -> Result<Change, StoreError> {
    let (person, templates) = store.open(sealed)?;
    Ok(Change::Put { record: sealed.record, version: sealed.version, card: person.into(), templates: Some(templates) })
}
