//! Writing: a person goes in, changes or goes out whole, and is acknowledged only when it would survive a power cut.
//!
//! What a row names is on the disk before the row: first people's keys and the photos' files, then the rows. Who is erased loses their key
//! first, and is unreadable from then on, whatever becomes of the rest.

use std::{collections::BTreeMap, io::ErrorKind, path::Path};

use zeroize::Zeroizing;

use super::{
    PhotoDigest, RefusedPhoto, Store, StoreError, StoredPhoto, Taxpayer,
    engine::Batch,
    layout::{self, META_AHEAD, META_GENERATION, META_OUTDATED},
    photo_files::PhotoName,
    snapshot, upgrade,
};
use crate::{
    disk::{self, DiskError},
    face::Template,
    hold::HoldFile,
    keys::{Seal, Slot},
    person::{Person, RecordNumber},
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
    /// That of a new person comes from [`Store::new_record`].
    pub record: RecordNumber,
    /// What the office says of them.
    pub person: Person,
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
    /// Erases record, photos and templates. The record number is never given again.
    Remove(RecordNumber),
}

/// Somebody who is put in: their key, who they were before, and the names of their new photos' files, which are written already.
struct Putting {
    enrolment: Enrolment,
    seal: Seal,
    before: Option<Taxpayer>,
    files: BTreeMap<PhotoDigest, Vec<u8>>,
}

impl Store {
    /// A record number that nobody ever had.
    pub fn new_record(&mut self) -> RecordNumber {
        let record = self.next_record;
        self.next_record.0 += 1;
        record
    }

    /// Makes the changes and returns when they would survive a power cut; each person's change is whole or not there at all. Who is removed
    /// is removed first.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] before anything was written; [`StoreError::UnknownRecord`], [`StoreError::DuplicateId`] and
    /// [`StoreError::MissingPhoto`] for a change that makes no sense (those before it may have been made);
    /// [`StoreError::Stopped`] and others when writing fails: no change of this call is acknowledged then.
    pub fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let (mut puts, mut removed) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Put(enrolment) => puts.push(*enrolment),
                Change::Remove(record) => removed.push(record),
            }
        }
        // An erasure needs no room: it overwrites a slot, and gives room back.
        let needed = if puts.is_empty() { 0 } else { self.check_room(puts.iter().map(size).sum())? };
        let mut obsolete = self.erase(&removed)?;
        let puts = puts.into_iter().map(|enrolment| self.prepare(enrolment)).collect::<Result<Vec<_>, _>>()?;
        if !puts.is_empty() {
            self.ring.make_durable()?;
            disk::sync_file_system(self.photos.folder()).map_err(|error| self.as_full(error, needed))?;
        }
        for put in puts {
            let batch = self.putting(put, &mut obsolete)?;
            self.apply(batch).map_err(|error| self.as_full(error, needed))?;
        }
        self.acknowledge(needed)?;
        if !removed.is_empty() {
            upgrade::give_up(&self.folder)?;
        }
        self.forget_photos(&obsolete);
        self.forget_holds(&removed);
        Ok(())
    }

    /// Erases people, and gives the photos whose files are still there.
    fn erase(&mut self, records: &[RecordNumber]) -> Result<Vec<PhotoName>, StoreError> {
        let mut obsolete = Vec::new();
        let mut batches = Vec::with_capacity(records.len());
        for record in records {
            self.person(*record)?.ok_or(StoreError::UnknownRecord(*record))?;
            batches.push(self.removing(*record, &mut obsolete)?);
        }
        // From here on nobody can read them; the rest is done again at the next start if it is cut.
        self.ring.erase(records.iter().copied()).inspect_err(|error| self.engine.stop(error))?;
        batches.into_iter().try_for_each(|batch| self.apply(batch))?;
        Ok(obsolete)
    }

    /// Gives a new person their key, and writes the files of new photos.
    fn prepare(&mut self, enrolment: Enrolment) -> Result<Putting, StoreError> {
        let record = enrolment.record;
        let before = self.person(record)?;
        let seal = match self.ring.slot(record, &self.sealer)? {
            Slot::Given(seal) => seal,
            Slot::Free => self.ring.give(record, &self.sealer)?,
            Slot::Erased | Slot::Damaged => return Err(StoreError::UnknownRecord(record)),
        };
        let known = |digest| before.iter().flat_map(|it| &it.photos).any(|photo| photo.digest == digest);
        let mut files = BTreeMap::new();
        for photo in &enrolment.photos {
            let EnrolledPhoto::Embedded { bytes, .. } = photo else { continue };
            let digest = PhotoDigest::of(bytes);
            if !known(digest) && !files.contains_key(&digest) {
                let write = || self.photos.write(&seal, bytes).map_err(|error| self.as_full(error, 0));
                let name = if self.keep_photos { write()?.bytes().to_vec() } else { Vec::new() };
                files.insert(digest, name);
            }
        }
        Ok(Putting { enrolment, seal, before, files })
    }

    /// Gives up the photos, where they are not to be kept; their templates stay.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] and others when writing fails.
    pub fn give_up_photos(&mut self) -> Result<(), StoreError> {
        if self.keep_photos {
            return Ok(());
        }
        let (mut batch, mut obsolete) = (Batch::new(), Vec::new());
        self.engine.scan(layout::PHOTOS, |key, name| {
            batch.extend((!name.is_empty()).then(|| (key.to_vec(), Some(Vec::new()))));
            obsolete.extend(PhotoName::from_bytes(name));
            Ok(())
        })?;
        if batch.is_empty() {
            return Ok(());
        }
        self.apply(batch)?;
        self.acknowledge(0)?;
        self.forget_photos(&obsolete);
        Ok(())
    }

    /// Removes files that no row names any more. One that stays is removed at the next start.
    pub(super) fn forget_photos(&self, obsolete: &[PhotoName]) {
        for name in obsolete {
            if let Err(error) = self.photos.remove(*name) {
                tracing::warn!("a photo that nobody has any more could not be removed: {error}");
            }
        }
    }

    /// Whoever is erased is on hold no longer. Nobody is given their number again, so a file that cannot be written harms nobody.
    pub(super) fn forget_holds(&self, removed: &[RecordNumber]) {
        if removed.is_empty() {
            return;
        }
        if let Err(error) = HoldFile::beside(&self.folder).release(removed) {
            tracing::warn!("who was erased may still be among those on hold: {error}");
        }
    }

    /// Makes all that was applied last, and the store newer than it was.
    pub(super) fn acknowledge(&mut self, needed: u64) -> Result<(), StoreError> {
        self.generation += 1;
        self.apply(vec![(META_GENERATION.to_vec(), Some(self.generation.to_be_bytes().to_vec()))])?;
        self.engine.make_durable().map_err(|error| self.as_full(error, needed))?;
        let counted = self.ring.count(self.generation).and_then(|()| self.ring.make_durable());
        Ok(counted.inspect_err(|error| self.engine.stop(error))?)
    }

    /// Notes that nothing is missing any more: everybody of the roster is in.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        if self.engine.get(META_OUTDATED)?.is_none() {
            return Ok(());
        }
        self.apply(vec![(META_OUTDATED.to_vec(), None)])?;
        self.make_newer()
    }

    /// Brings the snapshot beside the store up to date; does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Damaged`], [`StoreError::Disk`]; the former snapshot stays in force then.
    pub fn write_snapshot(&mut self) -> Result<(), StoreError> {
        if snapshot::generation(&self.folder) == Some(self.generation) {
            return Ok(());
        }
        snapshot::write(self).map_err(|error| self.as_full(error, 0))?;
        // Lost with a power cut it costs the next copy more work.
        self.engine.apply(vec![(META_AHEAD.to_vec(), None)])?;
        self.since_copy = Some(BTreeMap::new());
        Ok(())
    }

    /// Makes all of `batch`'s changes or none, and notes them for the copy. They last after [`Self::acknowledge`].
    pub(super) fn apply(&mut self, mut batch: Batch) -> Result<(), StoreError> {
        if let Some(changes) = &mut self.since_copy {
            if changes.is_empty() {
                batch.push((META_AHEAD.to_vec(), Some(Vec::new())));
            }
            changes.extend(batch.iter().cloned());
        }
        self.engine.apply(batch)
    }

    /// The batch that erases a person; the names of their photos' files go to `photos`.
    pub(super) fn removing(&self, record: RecordNumber, photos: &mut Vec<PhotoName>) -> Result<Batch, StoreError> {
        let mut batch = vec![(layout::person(record), None)];
        self.engine.scan(&[layout::PHOTOS, &record.0.to_be_bytes()].concat(), |_, name| {
            photos.extend(PhotoName::from_bytes(name));
            Ok(())
        })?;
        for prefix in [layout::PHOTOS, layout::TEMPLATES, layout::REFUSALS] {
            let keys = self.engine.keys(&[prefix, &record.0.to_be_bytes()].concat())?;
            batch.extend(keys.into_iter().map(|key| (key, None)));
        }
        Ok(batch)
    }

    /// The batch that writes a person and erases what is theirs no longer; what becomes of their former photos' files goes to `obsolete`.
    fn putting(&mut self, put: Putting, obsolete: &mut Vec<PhotoName>) -> Result<Batch, StoreError> {
        let Putting { enrolment: Enrolment { record, person, photos, refused }, seal, before, files } = put;
        if let Some(holder) = self.find_by_id(&person.id_number)?.filter(|holder| *holder != record) {
            return Err(StoreError::DuplicateId { record, holder });
        }
        let mut former = Vec::new();
        let mut batch = if before.is_some() { self.removing(record, &mut former)? } else { Batch::new() };
        let (known, former) = before.map(|it| (it.photos, Some(it.person.id_number))).unwrap_or_default();
        let mut next_number = known.iter().map(|photo| photo.number + 1).max().unwrap_or(0);

        let mut stored: Vec<StoredPhoto> = Vec::with_capacity(photos.len());
        for photo in photos {
            let digest = match &photo {
                EnrolledPhoto::Kept(digest) => *digest,
                EnrolledPhoto::Embedded { bytes, .. } => PhotoDigest::of(bytes),
            };
            if stored.iter().any(|photo| photo.digest == digest) {
                continue; // The same photo under two names.
            }
            let before = known.iter().find(|known| known.digest == digest).cloned();
            let mut kept = match (before, files.get(&digest)) {
                (Some(before), _) => before,
                (None, Some(name)) => {
                    next_number += 1;
                    let new = StoredPhoto { number: next_number - 1, digest, ..StoredPhoto::default() };
                    batch.push((layout::photo(record, new.number), Some(name.clone())));
                    new
                }
                (None, None) => return Err(StoreError::MissingPhoto(record)),
            };
            // The batch erases all that was there; what stays is taken out of it again, also what other models made of the photo.
            let theirs = |key: &[u8]| layout::belongs_to_photo(key, record, kept.number);
            batch.retain(|(key, value)| value.is_some() || !theirs(key));
            if let EnrolledPhoto::Embedded { bytes, model, template } = photo {
                drop(Zeroizing::new(bytes));
                if kept.refused_by.remove(&model).is_some() {
                    batch.push((layout::refusal(record, kept.number, &model), None));
                }
                let values = Zeroizing::new(layout::template_bytes(&template));
                write(&mut batch, &seal, layout::template(record, kept.number, &model), &values);
                kept.models.insert(model);
            }
            stored.push(kept);
        }
        for (key, _) in batch.iter().filter(|(key, value)| key.starts_with(layout::PHOTOS) && value.is_none()) {
            let name = self.engine.get(key)?;
            obsolete.extend(name.as_deref().and_then(PhotoName::from_bytes));
        }

        let taxpayer = Taxpayer { record, person, photos: stored, refused };
        self.remember_id(former.as_ref(), &taxpayer);
        let row = serde_json::to_vec(&taxpayer).map_err(|error| disk::at(&self.folder)(error.into()))?;
        write(&mut batch, &seal, layout::person(record), &Zeroizing::new(row));
        Ok(batch)
    }

    /// A disk that fills up in the middle of a write may damage sled's files, so there must be room before.
    /// Returns how many bytes that is.
    pub(super) fn check_room(&self, bytes: usize) -> Result<u64, StoreError> {
        let needed = 2 * bytes as u64 + SPARE_BYTES;
        let free = disk::free_bytes(&self.folder)?;
        if free < needed { Err(full(&self.folder, needed, free)) } else { Ok(needed) }
    }

    pub(super) fn as_full(&self, error: impl Into<StoreError>, needed: u64) -> StoreError {
        match error.into() {
            StoreError::Disk(DiskError { cause, .. }) if cause.kind() == ErrorKind::StorageFull => {
                full(&self.folder, needed.max(disk::size_of(&self.folder)), disk::free_bytes(&self.folder).unwrap_or(0))
            }
            error => error,
        }
    }
}

/// Puts a sealed value into a batch, in the place of whatever it says of that key.
pub(super) fn write(batch: &mut Batch, seal: &Seal, key: Vec<u8>, plain: &[u8]) {
    let sealed = seal.seal(&key, plain);
    batch.retain(|(other, _)| *other != key);
    batch.push((key, Some(sealed)));
}

fn full(folder: &Path, needed: u64, free: u64) -> StoreError {
    StoreError::DiskFull { folder: folder.into(), needed_mb: needed.div_ceil(1 << 20), free_mb: free >> 20 }
}

fn size(enrolment: &Enrolment) -> usize {
    let photos = enrolment.photos.iter().map(|photo| match photo {
        EnrolledPhoto::Kept(_) => 0,
        EnrolledPhoto::Embedded { bytes, template, .. } => bytes.len() + 4 * template.0.len(),
    });
    photos.sum::<usize>() + 2048
}
