//! Writing: a person goes in, changes or goes out whole, and is acknowledged only when it would survive a power cut.

use std::{io::ErrorKind, path::Path};

use zeroize::Zeroizing;

use super::{
    Enrolled, HoldFile, PhotoDigest, RefusedPhoto, Store, StoreError, StoredPhoto, disk,
    engine::Batch,
    layout::{self, META_GENERATION, META_NEXT_RECORD},
    snapshot,
};
use crate::{
    face::Template,
    person::{RecordNumber, Taxpayer},
};

/// Room that a commit needs beside its own bytes: sled's log grows by segments and is tidied by copying.
const SPARE_BYTES: u64 = 12 << 20;

/// A photo of a person who is put into the store.
#[derive(Debug, Clone, PartialEq)]
pub enum EnrolledPhoto {
    /// It is stored already and stays with its templates.
    Kept(PhotoDigest),
    /// It is new, or another model has made its template.
    Embedded {
        /// The file's bytes.
        bytes: Vec<u8>,
        /// Which model made the template.
        model: String,
        /// The template.
        template: Template,
    },
}

/// A person with everything the store will have of them afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolment {
    /// The person; the record number of a new one comes from [`Store::new_record`].
    pub taxpayer: Taxpayer,
    /// All usable photos, in the roster's order; stored ones that are not among them are erased.
    pub photos: Vec<EnrolledPhoto>,
    /// Photos that could not be used.
    pub refused: Vec<RefusedPhoto>,
}

/// One person's change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds the person or takes the place of what was there.
    Put(Box<Enrolment>),
    /// Erases record, photos, templates and index entry. The record number is never given again.
    Remove(RecordNumber),
}

impl Store {
    /// A record number that nobody ever had.
    pub fn new_record(&mut self) -> RecordNumber {
        let record = RecordNumber(self.ledger.next_record);
        self.ledger.next_record += 1;
        record
    }

    /// Makes the changes and returns when they would survive a power cut; each person's change is whole or not there at all.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] before anything was written; [`StoreError::UnknownRecord`], [`StoreError::DuplicateId`] and
    /// [`StoreError::MissingPhoto`] for a change that makes no sense (those before it may have been made);
    /// [`StoreError::Stopped`] and others when writing fails: no change of this call is acknowledged then.
    pub fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let needed = self.check_room(changes.iter().map(size).sum())?;
        let removed: Vec<_> = changes.iter().filter_map(removed).collect();
        if !removed.is_empty() {
            // Written first: nobody may come back from a snapshot, whenever the power fails.
            self.ledger.removed.extend(&removed);
            self.write_ledger()?;
        }
        for change in changes {
            let batch = match change {
                Change::Put(enrolment) => self.putting(*enrolment)?,
                Change::Remove(record) => self.removing(record)?,
            };
            self.engine.apply(batch).map_err(|error| self.as_full(error, needed))?;
        }
        self.acknowledge(needed)?;
        self.forget_holds(&removed);
        Ok(())
    }

    /// Whoever is erased is on hold no longer. Nobody is given their number again, so a file that cannot be written harms nobody.
    fn forget_holds(&self, removed: &[RecordNumber]) {
        if removed.is_empty() {
            return;
        }
        if let Err(error) = HoldFile::beside(&self.folder).release(removed) {
            tracing::warn!("who was erased may still be among those on hold: {error}");
        }
    }

    /// Makes all that was applied last, and the store newer than it was.
    pub(super) fn acknowledge(&mut self, needed: u64) -> Result<(), StoreError> {
        self.ledger.generation += 1;
        self.engine.apply(vec![
            (META_GENERATION.to_vec(), Some(self.ledger.generation.to_be_bytes().to_vec())),
            (META_NEXT_RECORD.to_vec(), Some(self.ledger.next_record.to_be_bytes().to_vec())),
        ])?;
        self.engine.make_durable().map_err(|error| self.as_full(error, needed))?;
        self.write_ledger()
    }

    /// Brings the snapshot beside the store up to date; does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Damaged`], [`StoreError::Io`]; the former snapshot stays in force then.
    pub fn write_snapshot(&mut self) -> Result<(), StoreError> {
        let known = self.ledger.sections.is_some_and(|sections| sections.generation == self.ledger.generation);
        let current = snapshot::generation(&self.folder) == Some(self.ledger.generation);
        if known && current && self.ledger.removed.is_empty() {
            return Ok(());
        }
        let sections = snapshot::write(&self.folder, &self.engine, &self.sealer, self.ledger.generation)
            .map_err(|error| self.as_full(error, 0))?;
        self.ledger.sections = Some(sections);
        self.ledger.removed.clear();
        self.write_ledger()
    }

    fn write_ledger(&self) -> Result<(), StoreError> {
        self.ledger.write(&self.folder).inspect_err(|error| self.engine.stop(error))
    }

    /// The batch that erases a person.
    pub(super) fn removing(&self, record: RecordNumber) -> Result<Batch, StoreError> {
        let enrolled = self.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
        let index = layout::index(&self.sealer.index_of(enrolled.taxpayer.id_number.reveal()));
        let mut batch = vec![(layout::person(record), None), (index, None)];
        for prefix in [layout::PHOTOS, layout::TEMPLATES, layout::REFUSALS] {
            let keys = self.engine.keys(&[prefix, &record.0.to_be_bytes()].concat())?;
            batch.extend(keys.into_iter().map(|key| (key, None)));
        }
        Ok(batch)
    }

    /// The batch that writes a person and erases what is theirs no longer.
    fn putting(&self, enrolment: Enrolment) -> Result<Batch, StoreError> {
        let Enrolment { taxpayer, photos, refused } = enrolment;
        let record = taxpayer.record;
        if let Some(holder) = self.find_by_id(&taxpayer.id_number)?.filter(|holder| *holder != record) {
            return Err(StoreError::DuplicateId { record, holder });
        }
        let before = self.person(record)?;
        let mut batch = if before.is_some() { self.removing(record)? } else { Batch::new() };
        let known = before.map(|enrolled| enrolled.photos).unwrap_or_default();
        let mut next_number = known.iter().map(|photo| photo.number + 1).max().unwrap_or(0);

        let mut stored = Vec::with_capacity(photos.len());
        for photo in photos {
            let kept = match photo {
                EnrolledPhoto::Kept(digest) => {
                    let kept = known.iter().find(|known| known.digest == digest).cloned();
                    let kept = kept.ok_or(StoreError::MissingPhoto(record))?;
                    // The batch erases all that was there; what stays is taken out of it again.
                    batch.retain(|(key, _)| !layout::belongs_to_photo(key, record, kept.number));
                    kept
                }
                EnrolledPhoto::Embedded { bytes, model, template } => {
                    let digest = PhotoDigest::of(&bytes);
                    let before = known.iter().find(|known| known.digest == digest).cloned();
                    let mut photo = before.unwrap_or_else(|| {
                        next_number += 1;
                        StoredPhoto { number: next_number - 1, digest, ..StoredPhoto::default() }
                    });
                    // What other models made of the same photo stays.
                    batch.retain(|(key, _)| !layout::belongs_to_photo(key, record, photo.number));
                    if photo.refused_by.remove(&model).is_some() {
                        batch.push((layout::refusal(record, photo.number, &model), None));
                    }
                    let bytes = Zeroizing::new(bytes);
                    self.write(&mut batch, layout::photo(record, photo.number), &bytes);
                    let values = Zeroizing::new(layout::template_bytes(&template));
                    self.write(&mut batch, layout::template(record, photo.number, &model), &values);
                    photo.models.insert(model);
                    photo
                }
            };
            stored.push(kept);
        }

        let index = layout::index(&self.sealer.index_of(taxpayer.id_number.reveal()));
        self.write(&mut batch, index, &record.0.to_be_bytes());
        let enrolled = Enrolled { taxpayer, photos: stored, refused };
        let row = serde_json::to_vec(&enrolled).map_err(|error| disk::at(&self.folder)(error.into()))?;
        self.write(&mut batch, layout::person(record), &Zeroizing::new(row));
        Ok(batch)
    }

    pub(super) fn write(&self, batch: &mut Batch, key: Vec<u8>, plain: &[u8]) {
        let sealed = self.sealer.seal(&key, plain);
        batch.retain(|(other, _)| *other != key);
        batch.push((key, Some(sealed)));
    }

    /// A disk that fills up in the middle of a write may damage sled's files, so there must be room before.
    /// Returns how many bytes that is.
    pub(super) fn check_room(&self, bytes: usize) -> Result<u64, StoreError> {
        let needed = 2 * bytes as u64 + SPARE_BYTES;
        let free = disk::free_bytes(&self.folder)?;
        if free < needed { Err(full(&self.folder, needed, free)) } else { Ok(needed) }
    }

    pub(super) fn as_full(&self, error: StoreError, needed: u64) -> StoreError {
        match error {
            StoreError::Io { cause, .. } if cause.kind() == ErrorKind::StorageFull => {
                full(&self.folder, needed.max(disk::size_of(&self.folder)), disk::free_bytes(&self.folder).unwrap_or(0))
            }
            error => error,
        }
    }
}

fn full(folder: &Path, needed: u64, free: u64) -> StoreError {
    StoreError::DiskFull { folder: folder.into(), needed_mb: needed.div_ceil(1 << 20), free_mb: free >> 20 }
}

fn removed(change: &Change) -> Option<RecordNumber> {
    match change {
        Change::Put(_) => None,
        Change::Remove(record) => Some(*record),
    }
}

fn size(change: &Change) -> usize {
    let Change::Put(enrolment) = change else { return 0 };
    let photos = enrolment.photos.iter().map(|photo| match photo {
        EnrolledPhoto::Kept(_) => 0,
        EnrolledPhoto::Embedded { bytes, template, .. } => bytes.len() + 4 * template.0.len(),
    });
    photos.sum::<usize>() + 2048
}
