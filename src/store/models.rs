//! Templates of another model beside those that serve, made of the stored photos.
//!
//! They do not make the store newer (see [`Store::generation`]): who serves with another model's templates need not read again. Losing them
//! costs only the time to make them anew.

use super::{
    PhotoDigest, Store, StoreError,
    commit::write,
    engine::Batch,
    layout::{self, TEMPLATES},
};
use crate::{face::Template, person::RecordNumber};

/// Keys erased at once.
const ERASED_AT_ONCE: usize = 10_000;

/// What a model made of a stored photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Whose photo.
    pub record: RecordNumber,
    /// Its number among theirs.
    pub number: u16,
    /// Of the bytes that were looked at.
    pub digest: PhotoDigest,
    /// The template, or why the model cannot use the photo: what completes the sentence "photo X …".
    pub outcome: Result<Template, String>,
}

impl Store {
    /// Keeps what `model` made of photos, beside what other models made of them, and returns when it would survive a power cut.
    /// Whoever was erased since, or has this photo no longer, gets nothing. Returns how many were kept.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] before anything was written; [`StoreError::Stopped`] and others when writing fails: nothing of this call
    /// is kept then.
    pub fn keep_examined(&mut self, model: &str, examined: Vec<Examined>) -> Result<usize, StoreError> {
        let size = |one: &Examined| 256 + one.outcome.as_ref().map_or(0, |template| 4 * template.0.len());
        let needed = self.check_room(examined.iter().map(size).sum())?;
        let (mut batch, mut kept) = (Batch::new(), 0);
        for Examined { record, number, digest, outcome } in examined {
            let (Some(person), Some(seal)) = (self.person(record)?, self.seal_of(record)?) else { continue };
            let theirs = person.photos.iter().find(|photo| (photo.number, photo.digest) == (number, digest));
            if theirs.is_none_or(|photo| photo.models.contains(model)) {
                continue;
            }
            let (template, refusal) = (layout::template(record, number, model), layout::refusal(record, number, model));
            match outcome {
                Ok(made) => {
                    write(&mut batch, &seal, template, &zeroize::Zeroizing::new(layout::template_bytes(&made)));
                    batch.push((refusal, None));
                }
                Err(reason) => write(&mut batch, &seal, refusal, reason.as_bytes()),
            }
            kept += 1;
        }
        if !batch.is_empty() {
            self.apply(batch).map_err(|error| self.as_full(error, needed))?;
            self.engine.make_durable().map_err(|error| self.as_full(error, needed))?;
        }
        Ok(kept)
    }

    /// Erases what other models than `model` made of photos, if there is anything, and makes the store newer, so that whoever serves reads
    /// it again. Returns how many templates were erased.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] and others when writing fails: some may be erased then.
    pub fn erase_other_models(&mut self, model: &str) -> Result<usize, StoreError> {
        let mut others = self.engine.keys(TEMPLATES)?;
        others.extend(self.engine.keys(layout::REFUSALS)?);
        others.retain(|key| layout::of_model(key).is_some_and(|(_, _, made_by)| made_by != model));
        if others.is_empty() {
            return Ok(0);
        }
        let needed = self.check_room(0)?;
        for keys in others.chunks(ERASED_AT_ONCE) {
            let batch = keys.iter().map(|key| (key.clone(), None)).collect();
            self.apply(batch).map_err(|error| self.as_full(error, needed))?;
        }
        self.acknowledge(needed)?;
        Ok(others.iter().filter(|key| key.starts_with(TEMPLATES)).count())
    }

    /// Makes the store newer although nobody changed, so that the next snapshot has the templates that were made beside the others'.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] and others when writing fails.
    pub fn make_newer(&mut self) -> Result<(), StoreError> {
        let needed = self.check_room(0)?;
        self.acknowledge(needed)
    }
}
