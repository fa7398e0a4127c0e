//! Looks at every stored photo that a recogniser has not seen, in batches.
//!
//! The store is open only while a batch is read or kept: so `greeter run` and `greeter sync` go on meanwhile. What is missing is found
//! in the store each time, so whoever was added, changed or erased in between is seen, and a killed run goes on where it was.

use indicatif::ProgressBar;
use zeroize::Zeroizing;

use super::coverage::{Coverage, waiting};
use crate::{
    camera::photo::read_photo_bytes,
    config::StoreSettings,
    face::{Enroller, ModelError, enrollers::Enrollers},
    person::RecordNumber,
    store::{Examined, PhotoDigest, Store, StoreError, Taxpayer},
};

/// A killed run loses the work on at most so many photos.
const BATCH_PHOTOS: usize = 256;
/// Photos held in memory at once.
const BATCH_BYTES: usize = 32 << 20;

/// Everybody's photos were looked at.
pub struct Reindexed {
    /// Still open, so that nobody can be added before the caller has done what it wants.
    pub store: Store,
    /// What was made of them.
    pub coverage: Coverage,
    /// Photos that this run looked at.
    pub looked_at: usize,
}

/// Why not every photo was looked at.
#[derive(Debug, thiserror::Error)]
pub enum ReindexError {
    /// The store, before anything was done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The networks, before anything was done.
    #[error(transparent)]
    Face(#[from] ModelError),
    /// In the middle.
    #[error("{cause}. What {kept} photos gave is in the store for good; the same command again does the rest")]
    Interrupted {
        /// Photos whose outcome would survive a power cut.
        kept: usize,
        /// What happened.
        cause: Box<ReindexError>,
    },
}

/// Has `model` look at every stored photo that it has not seen. `make_enroller` is called when the first photo needs one.
///
/// # Errors
/// [`ReindexError`]; what was done before is kept.
pub fn reindex(
    settings: &StoreSettings,
    model: &str,
    make_enroller: impl FnMut() -> Result<Box<dyn Enroller + Send>, ModelError>,
    bar: &ProgressBar,
) -> Result<Reindexed, ReindexError> {
    let mut store = Store::open(settings)?.store;
    let mut enrollers = Enrollers::new(make_enroller);
    let mut kept = 0;
    loop {
        let enrolled = store.enrolled().map_err(|error| interrupted(kept, error))?;
        let coverage = Coverage::of(&enrolled, model);
        bar.set_length((kept + coverage.waiting) as u64);
        bar.set_position(kept as u64);
        if coverage.is_complete() {
            return Ok(Reindexed { store, coverage, looked_at: kept });
        }
        let batch = read_batch(&store, &enrolled, model).map_err(|error| interrupted(kept, error))?;
        drop((store, enrolled));
        let looks = enrollers.look_at(&batch, |enroller, waiting| {
            bar.inc(1);
            examine(waiting, enroller)
        });
        let looks = looks.map_err(|error| interrupted(kept, error))?;
        // As far as the networks ran, and why they stopped.
        let (mut examined, mut failure) = (Vec::with_capacity(looks.len()), None);
        for look in looks {
            match look {
                Ok(one) => examined.push(one),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        store = Store::open_when_free(settings).map_err(|error| interrupted(kept, error))?.store;
        kept += store.keep_examined(model, examined).map_err(|error| interrupted(kept, error))?;
        tracing::debug!(kept, model, "kept a batch");
        if let Some(failure) = failure {
            return Err(interrupted(kept, failure));
        }
    }
}

/// A photo that is to be looked at.
struct Waiting {
    record: RecordNumber,
    number: u16,
    digest: PhotoDigest,
    bytes: Zeroizing<Vec<u8>>,
}

fn read_batch(store: &Store, enrolled: &[Taxpayer], model: &str) -> Result<Vec<Waiting>, StoreError> {
    let (mut batch, mut size) = (Vec::new(), 0);
    for (record, photo) in waiting(enrolled, model).take(BATCH_PHOTOS) {
        let bytes = store.photo(record, photo.number)?;
        size += bytes.len();
        batch.push(Waiting { record, number: photo.number, digest: photo.digest, bytes });
        if size >= BATCH_BYTES {
            break;
        }
    }
    Ok(batch)
}

fn examine(waiting: &Waiting, enroller: &mut dyn Enroller) -> Result<Examined, ModelError> {
    let outcome = match read_photo_bytes(&waiting.bytes) {
        Err(fault) => Err(fault.to_string()),
        Ok(picture) => enroller.enrol(&picture)?.map_err(|fault| fault.to_string()),
    };
    Ok(Examined { record: waiting.record, number: waiting.number, digest: waiting.digest, outcome })
}

fn interrupted(kept: usize, cause: impl Into<ReindexError>) -> ReindexError {
    match kept {
        0 => cause.into(),
        kept => ReindexError::Interrupted { kept, cause: Box::new(cause.into()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_run_says_what_is_kept_and_what_to_do() {
        let cause = || ModelError::Inference { network: "net".into(), cause: "no memory".into() };
        assert_eq!(
            interrupted(256, cause()).to_string(),
            "network net failed: no memory. What 256 photos gave is in the store for good; the same command again does the rest"
        );
        assert_eq!(interrupted(0, cause()).to_string(), "network net failed: no memory");
    }
}
