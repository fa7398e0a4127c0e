//! What a cut left half done is finished when the store is opened, and what belongs to nobody is removed.
//!
//! | found | so |
//! |---|---|
//! | rows of somebody whose key is erased | the rest of their erasure is done |
//! | rows of somebody who never had a key | the keys are older than the store: nothing is touched |
//! | rows of somebody whose key cannot be read | they are lost, which is told; a sync brings them back |
//! | a key without a person | it was given and the person never came: it is erased, unless the store is older than the keys |
//! | a person without an index entry, or an entry without its person | the entry is written, or removed |
//! | a photo without its file | it is as if it had never been delivered; a sync brings it back |
//! | a file that no person names | it is removed, unless the store is older than the keys |

use std::collections::{BTreeSet, HashSet};

use rayon::prelude::*;

use super::{Enrolled, Store, StoreError, commit::write, engine::Batch, layout, photo_files::PhotoName};
use crate::{keys::Slot, person::RecordNumber};

/// What was put right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// How many erasures were finished.
    pub erased: usize,
    /// Who is lost with their key.
    pub lost: Vec<RecordNumber>,
    /// How many photos are lost with their files.
    pub photos: usize,
    /// How many index entries were written anew or removed.
    pub index: usize,
}

/// What one pass through the tree has found.
#[derive(Default)]
struct Found {
    /// By record number.
    people: Vec<RecordNumber>,
    /// Index entries, sealed.
    index: Vec<(Vec<u8>, Vec<u8>)>,
    /// Photos' keys, whose, and their files.
    photos: Vec<(Vec<u8>, Option<RecordNumber>, Option<PhotoName>)>,
    /// Keys of templates and refusals that belong to nobody.
    orphans: Vec<Vec<u8>>,
}

impl Store {
    /// Puts right what can be seen without opening anybody's record.
    pub(super) fn mend(&mut self, outdated: bool) -> Result<Mended, StoreError> {
        let (mut mended, mut batch, mut obsolete) = (Mended::default(), Batch::new(), Vec::new());
        let found = self.find()?;
        let here = self.mend_people(&found.people, &mut mended, &mut batch, &mut obsolete)?;
        batch.extend(found.orphans.into_iter().map(|key| (key, None)));
        self.mend_index(found.index, &here, &mut mended, &mut batch)?;
        let unnamed = self.mend_photos(found.photos, &here, &mut mended, &mut batch)?;
        // Whoever is missing in an older store may be in the newer one, which may still come back.
        if !outdated {
            obsolete.extend(unnamed);
        }
        let keyless = (1..self.ring.next_record().0).map(RecordNumber).filter(|record| !here.contains(record));
        let mut unused = Vec::new();
        for record in keyless {
            if !outdated && !matches!(self.ring.slot(record, &self.sealer)?, Slot::Erased) {
                unused.push(record);
            }
        }
        self.ring.erase(unused)?;
        self.next_record = self.ring.next_record().max(RecordNumber(here.last().map_or(1, |last| last.0 + 1)));
        if !batch.is_empty() {
            tracing::info!(?mended, "what was left half done in the store has been put right");
            self.engine.apply(batch)?;
            self.acknowledge(0)?;
        }
        if mended.photos > 0 {
            tracing::warn!("{} photos are lost with their files. Run `greeter sync` again", mended.photos);
        }
        self.forget_photos(&obsolete);
        Ok(mended)
    }

    fn find(&self) -> Result<Found, StoreError> {
        let mut found = Found::default();
        self.engine.scan(b"", |key, value| {
            let record = layout::record(key);
            match key.get(..1).unwrap_or_default() {
                layout::PEOPLE => found.people.push(record.ok_or_else(|| self.illegible())?),
                layout::INDEX => found.index.push((key.to_vec(), value.to_vec())),
                // Where photos are not kept there is nothing to mend.
                layout::PHOTOS if value.is_empty() => {}
                layout::PHOTOS => found.photos.push((key.to_vec(), record, PhotoName::from_bytes(value))),
                // They come after the people: keys are in order.
                layout::TEMPLATES | layout::REFUSALS
                    if record.is_none_or(|record| found.people.binary_search(&record).is_err()) =>
                {
                    found.orphans.push(key.to_vec());
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Everybody who can be read; who cannot goes.
    fn mend_people(
        &self,
        people: &[RecordNumber],
        mended: &mut Mended,
        batch: &mut Batch,
        obsolete: &mut Vec<PhotoName>,
    ) -> Result<BTreeSet<RecordNumber>, StoreError> {
        let keys = self.ring.all()?;
        let slots: Vec<_> = people.par_iter().map(|record| keys.slot(*record, &self.sealer)).collect();
        let mut here = Vec::with_capacity(people.len());
        for (record, slot) in people.iter().copied().zip(slots) {
            match slot {
                Slot::Given(_) => {
                    here.push(record);
                    continue;
                }
                Slot::Damaged => {
                    tracing::error!(
                        "the key of record {record} cannot be read: what was kept of them is lost. Run `greeter sync` again"
                    );
                    mended.lost.push(record);
                }
                // A key is on the disk before its person's row, so these keys are those of an earlier day.
                Slot::Free => {
                    return Err(StoreError::KeysOlder { file: self.ring.path().into(), folder: self.folder.clone() });
                }
                Slot::Erased => mended.erased += 1,
            }
            batch.extend(self.removing_rows(record, obsolete)?);
        }
        Ok(here.into_iter().collect())
    }

    fn mend_index(
        &self,
        index: Vec<(Vec<u8>, Vec<u8>)>,
        here: &BTreeSet<RecordNumber>,
        mended: &mut Mended,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let of = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let opened = self.sealer.own.open(key, value).ok();
            opened.and_then(|plain| layout::number(&plain)).map(RecordNumber).filter(|record| here.contains(record))
        };
        let owners: Vec<_> = index.par_iter().map(of).collect();
        let indexed: HashSet<RecordNumber> = owners.iter().flatten().copied().collect();
        let ownerless = index.into_iter().zip(&owners).filter(|(_, owner)| owner.is_none());
        batch.extend(ownerless.map(|((key, _), _)| (key, None)));
        mended.index = batch.iter().filter(|(key, _)| key.starts_with(layout::INDEX)).count();
        for record in here.iter().filter(|record| !indexed.contains(record)) {
            let Some(Enrolled { taxpayer, .. }) = self.person(*record)? else { continue };
            let key = layout::index(&self.sealer.index_of(taxpayer.id_number.reveal()));
            write(batch, &self.sealer.own, key, &record.0.to_be_bytes());
            mended.index += 1;
        }
        Ok(())
    }

    /// Gives the files that nobody names.
    fn mend_photos(
        &self,
        photos: Vec<(Vec<u8>, Option<RecordNumber>, Option<PhotoName>)>,
        here: &BTreeSet<RecordNumber>,
        mended: &mut Mended,
        batch: &mut Batch,
    ) -> Result<Vec<PhotoName>, StoreError> {
        let files = self.photos.names()?;
        let mut named = HashSet::new();
        for (key, owner, name) in photos {
            let name = name.filter(|name| files.contains(name));
            match name.filter(|_| owner.is_some_and(|record| here.contains(&record))) {
                Some(name) => drop(named.insert(name)),
                None => {
                    mended.photos += usize::from(name.is_none());
                    batch.push((key, None));
                }
            }
        }
        Ok(files.difference(&named).copied().collect())
    }
}
