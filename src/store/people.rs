//! Reading: who is enrolled, their photos, their templates.

use std::collections::BTreeMap;

use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{PhotoDigest, Store, StoreError, Taxpayer, layout, photo_files::PhotoName};
use crate::{
    face::Template,
    keys::{Seal, Slot},
    person::{IdNumber, RecordNumber},
};

impl Store {
    /// Everybody with what is known about their photos, by record number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn enrolled(&self) -> Result<Vec<Taxpayer>, StoreError> {
        let keys = self.ring.all()?;
        let open = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let record = layout::record(key).ok_or_else(|| self.illegible())?;
            match keys.slot(record, &self.sealer) {
                Slot::Given(seal) => self.read(record, &self.opened(&seal, key, value)?).map(Some),
                _ => Ok(None),
            }
        };
        let people = || -> Result<Vec<_>, StoreError> {
            let mut rows = Vec::new();
            self.engine.scan(layout::PEOPLE, |key, value| {
                rows.push((key.to_vec(), value.to_vec()));
                Ok(())
            })?;
            rows.par_iter().map(open).collect()
        };
        let (opened, templates) = rayon::join(people, || self.engine.keys(layout::TEMPLATES));
        let mut all = opened?.into_iter().flatten().collect::<Vec<_>>();
        let ids = all.iter().map(|it| (it.person.id_number.clone(), it.record));
        // Set already where it was read before.
        let _ = self.ids.set(ids.collect());
        self.add_models(&mut all, &[], templates?)?;
        Ok(all)
    }

    /// One person.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn person(&self, record: RecordNumber) -> Result<Option<Taxpayer>, StoreError> {
        let key = layout::person(record);
        let Some(value) = self.engine.get(&key)?.filter(|_| self.is_here(&key).unwrap_or(true)) else {
            return Ok(None);
        };
        let mut found = [self.read(record, &self.unseal(&key, &value)?)?];
        let of = record.0.to_be_bytes();
        self.add_models(&mut found, &of, self.engine.keys(&[layout::TEMPLATES, &of].concat())?)?;
        let [person] = found;
        Ok(Some(person))
    }

    /// Says of the photos of `people` (by record number) which are lost and which models have examined them. `of`: the record number, or
    /// nothing for all; `templates`: their keys.
    fn add_models(&self, people: &mut [Taxpayer], of: &[u8], templates: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let kept = self.engine.keys(&[layout::PHOTOS, of].concat())?.into_iter().collect();
        layout::leave_out_lost(people, &kept);
        templates.iter().for_each(|key| layout::note_template(people, key));
        self.engine.scan(&[layout::REFUSALS, of].concat(), |key, value| {
            if self.is_here(key)? {
                layout::note_refusal(people, key, &self.unseal(key, value)?);
            }
            Ok(())
        })
    }

    /// The record of an identity number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn find_by_id(&self, id_number: &IdNumber) -> Result<Option<RecordNumber>, StoreError> {
        if self.ids.get().is_none() {
            self.enrolled()?;
        }
        let found = self.ids.get().and_then(|ids| ids.get(id_number)).copied();
        Ok(found.filter(|record| self.seal_of(*record).is_ok_and(|seal| seal.is_some())))
    }

    /// Notes who has an identity number from now on, and that nobody has their `former` one.
    pub(super) fn remember_id(&mut self, former: Option<&IdNumber>, taxpayer: &Taxpayer) {
        if let Some(ids) = self.ids.get_mut() {
            former.map(|former| ids.remove(former));
            ids.insert(taxpayer.person.id_number.clone(), taxpayer.record);
        }
    }

    /// All templates that `model` made, by record number; several for people with several photos.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn templates(&self, model: &str) -> Result<Vec<(RecordNumber, Template)>, StoreError> {
        let mut all = Vec::new();
        self.engine.scan(layout::TEMPLATES, |key, value| {
            let (record, _, made_by) = layout::of_model(key).ok_or_else(|| self.illegible())?;
            if made_by == model && self.is_here(key)? {
                let plain = self.unseal(key, value)?;
                all.push((record, layout::template_from(&plain).ok_or_else(|| self.illegible())?));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The templates that `model` made of a person's photos.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`], [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn templates_of(
        &self,
        record: RecordNumber,
        model: &str,
    ) -> Result<BTreeMap<PhotoDigest, Template>, StoreError> {
        let enrolled = self.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
        let mut all = BTreeMap::new();
        for photo in enrolled.photos {
            let key = layout::template(record, photo.number, model);
            if let Some(value) = self.engine.get(&key)? {
                let plain = self.unseal(&key, &value)?;
                all.insert(photo.digest, layout::template_from(&plain).ok_or_else(|| self.illegible())?);
            }
        }
        Ok(all)
    }

    /// One of a person's photos as the office delivered it.
    ///
    /// # Errors
    /// [`StoreError::MissingPhoto`], [`StoreError::PhotoNotKept`], [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn photo(&self, record: RecordNumber, number: u16) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let name = self.engine.get(&layout::photo(record, number))?;
        if name.as_ref().is_some_and(Vec::is_empty) {
            return Err(StoreError::PhotoNotKept(record));
        }
        let name = name.as_deref().and_then(PhotoName::from_bytes).ok_or(StoreError::MissingPhoto(record))?;
        let seal = self.seal_of(record)?.ok_or(StoreError::UnknownRecord(record))?;
        self.photos.read(&seal, name)?.ok_or(StoreError::MissingPhoto(record))
    }

    /// What opens what is kept of this person; `None` where nobody has the number.
    pub(super) fn seal_of(&self, record: RecordNumber) -> Result<Option<Seal>, StoreError> {
        match self.ring.slot(record, &self.sealer)? {
            Slot::Given(seal) => Ok(Some(seal)),
            Slot::Free | Slot::Erased | Slot::Damaged => Ok(None),
        }
    }

    /// Whether this is of somebody who was not erased since the store was opened.
    pub(super) fn is_here(&self, key: &[u8]) -> Result<bool, StoreError> {
        let record = layout::record(key).ok_or_else(|| self.illegible())?;
        Ok(self.seal_of(record)?.is_some())
    }

    /// Opens what lies under this key of a person.
    pub(super) fn unseal(&self, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let record = layout::record(key).ok_or_else(|| self.illegible())?;
        self.opened(&self.seal_of(record)?.ok_or(StoreError::UnknownRecord(record))?, key, value)
    }

    fn opened(&self, seal: &Seal, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let foreign = |_| self.engine.damaged("what is kept of somebody does not open with their key".into());
        seal.open(key, value).map_err(foreign)
    }

    fn read(&self, record: RecordNumber, plain: &[u8]) -> Result<Taxpayer, StoreError> {
        // serde's own words could quote the record.
        let read: Taxpayer = serde_json::from_slice(plain).map_err(|_| self.illegible())?;
        Ok(Taxpayer { record, ..read })
    }

    pub(super) fn illegible(&self) -> StoreError {
        self.engine.damaged("a record does not read as one".into())
    }
}
