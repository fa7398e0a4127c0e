//! Reading: who is enrolled, their photos, their templates.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Enrolled, Store, StoreError, layout};
use crate::{
    face::Template,
    person::{IdNumber, RecordNumber, Taxpayer},
};

impl Store {
    /// Everybody, by record number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn people(&self) -> Result<Vec<Taxpayer>, StoreError> {
        Ok(self.enrolled()?.into_iter().map(|enrolled| enrolled.taxpayer).collect())
    }

    /// Everybody with what is known about their photos, by record number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn enrolled(&self) -> Result<Vec<Enrolled>, StoreError> {
        let mut all = Vec::new();
        self.engine.scan(layout::PEOPLE, |key, value| {
            all.push(self.unpack(key, value)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// One person.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn person(&self, record: RecordNumber) -> Result<Option<Enrolled>, StoreError> {
        let key = layout::person(record);
        self.engine.get(&key)?.map(|value| self.unpack(&key, &value)).transpose()
    }

    /// The record of an identity number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn find_by_id(&self, id_number: &IdNumber) -> Result<Option<RecordNumber>, StoreError> {
        let key = layout::index(&self.sealer.index_of(id_number.reveal()));
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let plain = self.unseal(&key, &value)?;
        layout::number(&plain).map(|record| Some(RecordNumber(record))).ok_or_else(|| self.illegible())
    }

    /// All templates that `model` made, by record number; several for people with several photos.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn templates(&self, model: &str) -> Result<Vec<(RecordNumber, Template)>, StoreError> {
        let mut all = Vec::new();
        self.engine.scan(layout::TEMPLATES, |key, value| {
            let (record, made_by) = layout::of_template(key).ok_or_else(|| self.illegible())?;
            if made_by == model {
                let plain = self.unseal(key, value)?;
                all.push((record, layout::template_from(&plain).ok_or_else(|| self.illegible())?));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// How many templates each model has made: more than one name means that a `greeter sync` after a change of model is not
    /// finished.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn template_models(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        let mut models = BTreeMap::new();
        for key in self.engine.keys(layout::TEMPLATES)? {
            let (_, model) = layout::of_template(&key).ok_or_else(|| self.illegible())?;
            *models.entry(model.to_owned()).or_default() += 1;
        }
        Ok(models)
    }

    /// A person's photos as the office delivered them, in the roster's order.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`], [`StoreError::MissingPhoto`], [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn photos(&self, record: RecordNumber) -> Result<Vec<Zeroizing<Vec<u8>>>, StoreError> {
        let enrolled = self.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
        let read = |number| {
            let key = layout::photo(record, number);
            let value = self.engine.get(&key)?.ok_or(StoreError::MissingPhoto(record))?;
            self.unseal(&key, &value)
        };
        enrolled.photos.iter().map(|photo| read(photo.number)).collect()
    }

    fn unpack(&self, key: &[u8], value: &[u8]) -> Result<Enrolled, StoreError> {
        let plain = self.unseal(key, value)?;
        // serde's own words could quote the record.
        serde_json::from_slice(&plain).map_err(|_| self.illegible())
    }

    fn unseal(&self, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let opened = self.sealer.open(key, value);
        opened.map_err(|_| self.engine.damaged("a record does not open with the store's key".into()))
    }

    pub(super) fn illegible(&self) -> StoreError {
        self.engine.damaged("a record does not read as one".into())
    }
}
