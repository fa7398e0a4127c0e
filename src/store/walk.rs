//! Everybody in one pass: who is there, whether they have changed, and, only for those who are wanted, what is in their records.

use zeroize::Zeroizing;

use super::{Enrolled, Store, StoreError, layout};
use crate::{
    face::Template,
    person::{RecordNumber, Taxpayer},
};

/// How a person stands in the store: differs from any other version as soon as anything of them was written again.
///
/// It is taken from the random nonces of their sealed records, so that nothing needs to be opened for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Of the record.
    pub person: u64,
    /// Of the templates of one model.
    pub templates: u64,
}

impl Version {
    /// Of somebody who is not from a store.
    pub const UNKNOWN: Self = Self { person: 0, templates: 0 };
}

/// A person as they lie in the store, with the templates of one model.
#[derive(Debug)]
pub struct SealedPerson {
    /// Who.
    pub record: RecordNumber,
    /// Which version.
    pub version: Version,
    person: Vec<u8>,
    templates: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Store {
    /// Gives everybody to `each`, by record number, with their templates by `model`, sealed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`], or what `each` says, at which it stops.
    pub fn walk(
        &self,
        model: &str,
        mut each: impl FnMut(SealedPerson) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut templates = self.engine.entries(layout::TEMPLATES).peekable();
        for entry in self.engine.entries(layout::PEOPLE) {
            let (key, value) = entry?;
            let record = key.as_ref().get(1..).and_then(layout::number).map(RecordNumber);
            let record = record.ok_or_else(|| self.illegible())?;
            let version = Version { person: nonce(value.as_ref()), templates: 0 };
            let mut sealed = SealedPerson { record, version, person: value.as_ref().to_vec(), templates: Vec::new() };
            // Templates of nobody, before this person's, are passed over.
            let upto = |entry: &Result<_, StoreError>| match entry {
                Ok((key, _)) => owner(key).is_none_or(|owner| owner <= record),
                Err(_) => true,
            };
            while let Some(entry) = templates.next_if(upto) {
                let (key, value) = entry?;
                let (owner, _, made_by) = layout::of_model(key.as_ref()).ok_or_else(|| self.illegible())?;
                if owner == record && made_by == model {
                    let version = &mut sealed.version.templates;
                    *version = version.rotate_left(1).wrapping_add(nonce(value.as_ref()));
                    sealed.templates.push((key.as_ref().to_vec(), value.as_ref().to_vec()));
                }
            }
            each(sealed)?;
        }
        Ok(())
    }

    /// Opens a person's record and templates.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn unpack_sealed(&self, sealed: &SealedPerson) -> Result<(Taxpayer, Vec<Template>), StoreError> {
        let enrolled: Enrolled = self.unpack(&layout::person(sealed.record), &sealed.person)?;
        let templates = sealed.templates.iter().map(|(key, value)| {
            let plain: Zeroizing<Vec<u8>> = self.unseal(key, value)?;
            layout::template_from(&plain).ok_or_else(|| self.illegible())
        });
        Ok((enrolled.taxpayer, templates.collect::<Result<_, _>>()?))
    }
}

fn owner(key: &impl AsRef<[u8]>) -> Option<RecordNumber> {
    layout::of_model(key.as_ref()).map(|(owner, ..)| owner)
}

/// A sealed record begins with its nonce.
fn nonce(sealed: &[u8]) -> u64 {
    sealed.first_chunk::<8>().map_or(0, |start| u64::from_le_bytes(*start))
}
