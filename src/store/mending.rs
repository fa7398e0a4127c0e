//! What a cut left half done is finished when the store is opened, and what belongs to nobody is removed.
//!
//! | found | so |
//! |---|---|
//! | rows of somebody whose key is erased | the rest of their erasure is done |
//! | rows of somebody who never had a key | the keys are older than the store: nothing is touched |
//! | rows of somebody whose key cannot be read | they are lost, which is told; a sync brings them back |
//! | a key without a person | it was given and the person never came: it is erased, unless the store is older than the keys |
//! | a photo without its file | it is as if it had never been delivered; a sync brings it back |
//! | a file that no person names | it is removed, unless the store is older than the keys |

use std::collections::{BTreeSet, HashSet};

use rayon::prelude::*;

use super::{Store, StoreError, engine::Batch, layout, photo_files::PhotoName};
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
}

impl Store {
    /// Puts right what can be seen without opening anybody's record.
    pub(super) fn mend(&mut self, outdated: bool) -> Result<Mended, StoreError> {
        let (mut mended, mut batch, mut obsolete) = (Mended::default(), Batch::new(), Vec::new());
        let (here, erased) = self.mend_people(&mut mended, &mut batch, &mut obsolete)?;
        batch.extend(self.engine.keys(layout::FORMER_INDEX)?.into_iter().map(|key| (key, None)));
        let unnamed = self.mend_photos(&here, &mut mended, &mut batch)?;
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
            self.apply(batch)?;
            self.acknowledge(0)?;
        }
        if mended.photos > 0 {
            tracing::warn!("{} photos are lost with their files. Run `greeter sync` again", mended.photos);
        }
        self.forget_photos(&obsolete);
        self.forget_holds(&erased);
        Ok(mended)
    }

    /// Everybody who can be read; who cannot goes, and who is erased is given, too.
    fn mend_people(
        &self,
        mended: &mut Mended,
        batch: &mut Batch,
        obsolete: &mut Vec<PhotoName>,
    ) -> Result<(BTreeSet<RecordNumber>, Vec<RecordNumber>), StoreError> {
        let (people, keys) = (self.engine.keys(layout::PEOPLE)?, self.ring.all()?);
        let people = people.iter().map(|key| layout::record(key).ok_or_else(|| self.illegible()));
        let people = people.collect::<Result<Vec<_>, _>>()?;
        let slots: Vec<_> = people.par_iter().map(|record| keys.slot(*record, &self.sealer)).collect();
        let (mut here, mut erased) = (Vec::with_capacity(people.len()), Vec::new());
        for (record, slot) in people.into_iter().zip(slots) {
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
                Slot::Erased => erased.push(record),
            }
            batch.extend(self.removing(record, obsolete)?);
        }
        mended.erased = erased.len();
        Ok((here.into_iter().collect(), erased))
    }

    /// Gives the files that nobody names.
    fn mend_photos(
        &self,
        here: &BTreeSet<RecordNumber>,
        mended: &mut Mended,
        batch: &mut Batch,
    ) -> Result<Vec<PhotoName>, StoreError> {
        let files = self.photos.names()?;
        let mut named = HashSet::new();
        self.engine.scan(layout::PHOTOS, |key, value| {
            let name = PhotoName::from_bytes(value).filter(|name| files.contains(name));
            // Where photos are not kept there is nothing to mend.
            match name.filter(|_| layout::record(key).is_some_and(|record| here.contains(&record))) {
                _ if value.is_empty() => {}
                Some(name) => drop(named.insert(name)),
                None => {
                    mended.photos += usize::from(name.is_none());
                    batch.push((key.to_vec(), None));
                }
            }
            Ok(())
        })?;
        Ok(files.difference(&named).copied().collect())
    }
}
