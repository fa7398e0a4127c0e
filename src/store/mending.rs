//! What a cut left half done is finished when the store is opened, and what belongs to nobody is removed.
//!
//! | found | so |
//! |---|---|
//! | rows of somebody whose key is erased | the rest of their erasure is done |
//! | rows of somebody who never had a key | the keys are older than the store: nothing is touched |
//! | rows of somebody whose key cannot be read | they are lost, which is told; a sync brings them back |
//! | a key without a person | it was given and the person never came: it is erased |
//! | a person without an index entry, or an entry without its person | the entry is written, or removed |
//! | a photo without its file | it is as if it had never been delivered; a sync brings it back |
//! | a file that no person names | it is removed |

use std::collections::{BTreeMap, BTreeSet, HashSet};

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

impl Store {
    /// Puts right what can be seen without opening anybody's record.
    pub(super) fn mend(&mut self) -> Result<Mended, StoreError> {
        let (mut mended, mut batch, mut obsolete) = (Mended::default(), Batch::new(), Vec::new());
        let here = self.mend_people(&mut mended, &mut batch, &mut obsolete)?;
        self.mend_index(&here, &mut mended, &mut batch)?;
        self.mend_photos(&here, &mut mended, &mut batch, &mut obsolete)?;
        let keyless = (1..self.ring.next_record().0).map(RecordNumber).filter(|record| !here.contains(record));
        let mut unused = Vec::new();
        for record in keyless {
            if !matches!(self.ring.slot(record, &self.sealer)?, Slot::Erased) {
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
        self.forget_photos(&obsolete);
        Ok(mended)
    }

    /// Everybody who can be read; who cannot goes.
    fn mend_people(
        &self,
        mended: &mut Mended,
        batch: &mut Batch,
        obsolete: &mut Vec<PhotoName>,
    ) -> Result<BTreeSet<RecordNumber>, StoreError> {
        let mut here = BTreeSet::new();
        for key in self.engine.keys(layout::PEOPLE)? {
            let record = layout::record(&key).ok_or_else(|| self.illegible())?;
            match self.ring.slot(record, &self.sealer)? {
                Slot::Given(_) => {
                    here.insert(record);
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
        for kind in [layout::TEMPLATES, layout::REFUSALS, layout::PHOTOS] {
            for key in self.engine.keys(kind)? {
                if layout::record(&key).is_none_or(|record| !here.contains(&record)) {
                    batch.push((key, None));
                }
            }
        }
        Ok(here)
    }

    fn mend_index(
        &self,
        here: &BTreeSet<RecordNumber>,
        mended: &mut Mended,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let mut indexed = BTreeMap::new();
        self.engine.scan(layout::INDEX, |key, value| {
            let opened = self.sealer.own.open(key, value).ok();
            let record = opened.and_then(|plain| layout::number(&plain)).map(RecordNumber);
            match record.filter(|record| here.contains(record)) {
                Some(record) => drop(indexed.insert(record, key.to_vec())),
                None => batch.push((key.to_vec(), None)),
            }
            Ok(())
        })?;
        mended.index = batch.iter().filter(|(key, _)| key.starts_with(layout::INDEX)).count();
        for record in here.iter().filter(|record| !indexed.contains_key(record)) {
            let Some(Enrolled { taxpayer, .. }) = self.person(*record)? else { continue };
            let key = layout::index(&self.sealer.index_of(taxpayer.id_number.reveal()));
            write(batch, &self.sealer.own, key, &record.0.to_be_bytes());
            mended.index += 1;
        }
        Ok(())
    }

    fn mend_photos(
        &self,
        here: &BTreeSet<RecordNumber>,
        mended: &mut Mended,
        batch: &mut Batch,
        obsolete: &mut Vec<PhotoName>,
    ) -> Result<(), StoreError> {
        let files = self.photos.names()?;
        let mut named = HashSet::new();
        self.engine.scan(layout::PHOTOS, |key, value| {
            let name = PhotoName::from_bytes(value).filter(|name| files.contains(name));
            match name.filter(|_| layout::record(key).is_some_and(|record| here.contains(&record))) {
                Some(name) => drop(named.insert(name)),
                None => {
                    mended.photos += usize::from(name.is_none());
                    batch.push((key.to_vec(), None));
                }
            }
            Ok(())
        })?;
        obsolete.extend(files.difference(&named));
        Ok(())
    }
}
