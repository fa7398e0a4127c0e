//! Reads everybody out of the store's copy at once, on all cores: the robot serves when this is done.

use std::thread;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::Change;
use crate::store::{Everybody, SealedPerson, StoreError};

/// People handed from thread to thread at once.
const BATCH: usize = 512;
/// Batches that wait between two threads.
const WAITING: usize = 2;
/// More threads than this would wait for the one that reads.
const MOST_OPENERS: usize = 4;

/// Gives everybody to `each`, by record number, a batch at a time. The caller's thread reads, others open what is sealed, and one more takes
/// it in.
///
/// # Errors
/// As the store says.
pub fn everybody(store: &Everybody, model: &str, each: impl FnMut(Vec<Change>) + Send) -> Result<(), StoreError> {
    let openers = thread::available_parallelism().map_or(1, usize::from).min(MOST_OPENERS);
    thread::scope(|scope| {
        let (mut sealed, mut opened) = (Vec::new(), Vec::new());
        for _ in 0..openers {
            let (give, take) = bounded::<Vec<SealedPerson>>(WAITING);
            let (pass, receive) = bounded(WAITING);
            scope.spawn(move || open(store, &take, &pass));
            sealed.push(give);
            opened.push(receive);
        }
        let taking_in = scope.spawn(move || take_in(&opened, each));
        let walked = walk(store, model, sealed);
        // A panic there would be one of ours; the scope passes it on.
        let taken_in = taking_in.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        walked.and(taken_in)
    })
}

/// Each opener's batches come in its turn, so everybody stays in order.
fn take_in(
    opened: &[Receiver<Result<Vec<Change>, StoreError>>],
    mut each: impl FnMut(Vec<Change>),
) -> Result<(), StoreError> {
    for from in opened.iter().cycle() {
        match from.recv() {
            Ok(batch) => each(batch?),
            // The walk is over: nobody has a batch after the first who has none.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Hands out batches in turn until all are handed out or nobody takes them any more.
fn walk(store: &Everybody, model: &str, openers: Vec<Sender<Vec<SealedPerson>>>) -> Result<(), StoreError> {
    let mut turns = openers.iter().cycle();
    let mut batch = Vec::with_capacity(BATCH);
    let mut hand_out = |batch: Vec<SealedPerson>| {
        // Whoever takes no more has failed, and says so.
        turns.next().map(|opener| opener.send(batch))
    };
    store.walk(model, |sealed| {
        batch.push(sealed);
        if batch.len() == BATCH {
            hand_out(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
        }
        Ok(())
    })?;
    hand_out(batch);
    Ok(())
}

fn open(store: &Everybody, take: &Receiver<Vec<SealedPerson>>, pass: &Sender<Result<Vec<Change>, StoreError>>) {
    for batch in take {
        let opened = batch.iter().map(|sealed| one(store, sealed)).collect();
        if pass.send(opened).is_err() {
            return;
        }
    }
}

/// Opens one person.
///
/// # Errors
/// [`StoreError::CopyDamaged`].
pub fn one(store: &Everybody, sealed: &SealedPerson) -> Result<Change, StoreError> {
    let (person, templates) = store.open(sealed)?;
    Ok(Change::Put { record: sealed.record, version: sealed.version, card: person.into(), templates: Some(templates) })
}
