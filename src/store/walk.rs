//! Everybody in one pass: who is there, whether they have changed, and, only for those who are wanted, what is in their records.
//!
//! It reads the copy beside the store when that is up to date: that needs neither sled nor the store's lock, so it takes a third of the
//! time and no memory to speak of, and staff can sync meanwhile. Otherwise it reads the store.

use super::{
    Enrolled, Store, StoreError, StoreKey,
    copy::Copy,
    layout,
    ledger::Ledger,
    seal::{NotOurs, Sealer},
};
use crate::{
    config::StoreSettings,
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

/// Everybody, to be read from end to end.
pub enum Everybody {
    /// From the store itself, which is locked meanwhile.
    InStore(Box<Store>),
    /// From the copy beside it.
    InCopy(Box<Copied>),
}

/// The copy and what opens it.
pub struct Copied {
    copy: Copy,
    sealer: Sealer,
}

impl Everybody {
    /// Everybody from the copy beside the store, if it has all that was ever acknowledged; `None` if not.
    pub fn in_copy(settings: &StoreSettings) -> Option<Self> {
        let copy = Copy::open(&settings.folder, &Ledger::read(&settings.folder))?;
        let key = StoreKey::of(settings).ok().flatten()?;
        Some(Self::InCopy(Box::new(Copied { copy, sealer: Sealer::new(&key) })))
    }

    /// Everybody from the store.
    ///
    /// # Errors
    /// As [`Store::open_unchecked`].
    pub fn in_store(settings: &StoreSettings) -> Result<Self, StoreError> {
        Ok(Self::InStore(Box::new(Store::open_unchecked(settings)?.store)))
    }

    /// Everybody from the copy, or from the store where there is no copy that is up to date.
    ///
    /// # Errors
    /// As [`Everybody::in_store`].
    pub fn now(settings: &StoreSettings) -> Result<Self, StoreError> {
        Self::in_copy(settings).map_or_else(|| Self::in_store(settings), Ok)
    }

    /// Whether somebody has this record number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Io`].
    pub fn has(&self, record: RecordNumber) -> Result<bool, StoreError> {
        let wanted = layout::person(record);
        match self {
            Self::InStore(store) => Ok(store.engine.get(&wanted)?.is_some()),
            Self::InCopy(it) => {
                let found = it.copy.people().find_map(|entry| match entry {
                    Ok((key, _)) => (key == wanted).then_some(Ok(())),
                    Err(error) => Some(Err(error)),
                });
                found.transpose().map(|found| found.is_some())
            }
        }
    }

    /// Gives everybody to `each`, by record number, with their templates by `model`, sealed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`], or what `each` says, at which it stops.
    pub fn walk(
        &self,
        model: &str,
        each: impl FnMut(SealedPerson) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::InStore(store) => {
                let (people, templates) =
                    (store.engine.entries(layout::PEOPLE), store.engine.entries(layout::TEMPLATES));
                together(people, templates, model, || store.illegible(), each)
            }
            Self::InCopy(it) => {
                let illegible = || it.copy.damaged("a record does not read as one");
                together(it.copy.people(), it.copy.templates(), model, illegible, each)
            }
        }
    }

    /// Whether anybody has a template by `model`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Io`].
    pub fn knows(&self, model: &str) -> Result<bool, StoreError> {
        let by = |key: &[u8]| layout::of_model(key).is_some_and(|(_, _, made_by)| made_by == model);
        let found = match self {
            Self::InStore(store) => store.engine.entries(layout::TEMPLATES).find_map(|entry| match entry {
                Ok((key, _)) => by(key.as_ref()).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            }),
            Self::InCopy(it) => it.copy.templates().find_map(|entry| match entry {
                Ok((key, _)) => by(key.as_ref()).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            }),
        };
        found.transpose().map(|found| found.is_some())
    }

    /// Opens a person's record and templates.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn open(&self, sealed: &SealedPerson) -> Result<(Taxpayer, Vec<Template>), StoreError> {
        let (sealer, damaged): (_, &dyn Fn(&'static str) -> StoreError) = match self {
            Self::InStore(store) => (&store.sealer, &|cause| store.engine.damaged(cause.into())),
            Self::InCopy(it) => (&it.sealer, &|cause| it.copy.damaged(cause)),
        };
        let unsealed = |_: NotOurs| damaged("a record does not open with the store's key");
        let illegible = || damaged("a record does not read as one");
        let plain = sealer.open(&layout::person(sealed.record), &sealed.person).map_err(unsealed)?;
        // serde's own words could quote the record.
        let enrolled: Enrolled = serde_json::from_slice(&plain).map_err(|_| illegible())?;
        let templates = sealed.templates.iter().map(|(key, value)| {
            let plain = sealer.open(key, value).map_err(unsealed)?;
            layout::template_from(&plain).ok_or_else(illegible)
        });
        Ok((enrolled.taxpayer, templates.collect::<Result<_, _>>()?))
    }
}

/// Brings people and templates together, both by record number.
fn together<P: AsRef<[u8]>, Q: AsRef<[u8]>, T: AsRef<[u8]>, U: AsRef<[u8]>>(
    people: impl Iterator<Item = Result<(P, Q), StoreError>>,
    templates: impl Iterator<Item = Result<(T, U), StoreError>>,
    model: &str,
    illegible: impl Fn() -> StoreError,
    mut each: impl FnMut(SealedPerson) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut templates = templates.peekable();
    for entry in people {
        let (key, value) = entry?;
        let record = key.as_ref().get(1..).and_then(layout::number).map(RecordNumber).ok_or_else(&illegible)?;
        let version = Version { person: nonce(value.as_ref()), templates: 0 };
        let mut sealed = SealedPerson { record, version, person: value.as_ref().to_vec(), templates: Vec::new() };
        // Templates of nobody, before this person's, are passed over.
        let upto = |entry: &Result<(T, U), StoreError>| match entry {
            Ok((key, _)) => layout::of_model(key.as_ref()).is_none_or(|(owner, ..)| owner <= record),
            Err(_) => true,
        };
        while let Some(entry) = templates.next_if(upto) {
            let (key, value) = entry?;
            let (owner, _, made_by) = layout::of_model(key.as_ref()).ok_or_else(&illegible)?;
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

/// A sealed record begins with its nonce.
fn nonce(sealed: &[u8]) -> u64 {
    sealed.first_chunk::<8>().map_or(0, |start| u64::from_le_bytes(*start))
}
