//! Everybody in one pass: who is there, whether they have changed, and, only for those who are wanted, what is in their records.
//!
//! It reads the copy beside the store: that needs neither sled nor the store's lock nor room on the disk, and staff can sync meanwhile.
//! A copy that is older than the store is as good for whoever is in both, and who was erased since cannot be read in it. Its bytes are not
//! authenticated as a whole; each record is, by its seal.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    Store, StoreError, Taxpayer, layout,
    snapshot::{self, End},
};
use crate::{
    config::StoreSettings,
    disk,
    face::Template,
    keys::{KeyRing, Keys, Sealer, Slot},
    person::{Person, RecordNumber},
};

/// Read at once.
const BUFFER: usize = 1 << 20;

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

/// A person as they lie in the copy, with the templates of one model.
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
pub struct Everybody {
    file: File,
    path: PathBuf,
    /// Of the store when the copy was written.
    pub generation: u64,
    end: End,
    keys: Keys,
    sealer: Sealer,
}

impl Everybody {
    /// Everybody as the copy beside the store has them, however old it is, but for who was erased since.
    ///
    /// # Errors
    /// [`StoreError::NoCopy`]; [`StoreError::KeyMissing`] and what else keeps the key from being read; [`StoreError::Disk`].
    pub fn in_copy(settings: &StoreSettings) -> Result<Self, StoreError> {
        let path = snapshot::path(&settings.folder);
        let absent = || StoreError::NoCopy { folder: settings.folder.clone() };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(absent()),
            Err(error) => return Err(disk::at(&path)(error).into()),
        };
        let generation = snapshot::generation_in(&file).ok_or_else(absent)?;
        let missing = || StoreError::KeyMissing { file: settings.key_file.clone(), folder: settings.folder.clone() };
        let sealers = Sealer::all(settings)?;
        let file_of_key = sealers.first().map(|_| settings.key_file.clone()).ok_or_else(missing)?;
        let ours = sealers.iter().any(|sealer| snapshot::opens_with(&file, sealer));
        let end_by = |sealer: &Sealer| End::of(&file, sealer).filter(|end| end.generation == generation);
        let found = sealers.into_iter().find_map(|sealer| end_by(&sealer).map(|end| (end, sealer)));
        let Some((end, sealer)) = found else {
            return Err(if ours {
                StoreError::CopyDamaged { file: path, cause: "its head or its end has changed".into() }
            } else {
                StoreError::WrongKey { file: file_of_key, folder: settings.folder.clone() }
            });
        };
        let keys_missing = || StoreError::KeysMissing {
            file: KeyRing::paths(&settings.key_file)[0].clone(),
            folder: settings.folder.clone(),
        };
        let keys = Keys::read(&settings.key_file)?.ok_or_else(keys_missing)?;
        Ok(Self { file, path, generation, end, keys, sealer })
    }

    /// The same, written anew from the store.
    ///
    /// # Errors
    /// Why the store cannot be opened, or the copy not be written.
    pub fn renewed(settings: &StoreSettings) -> Result<Self, StoreError> {
        let mut store = Store::open(settings)?.store;
        store.make_newer()?;
        store.write_snapshot()?;
        drop(store);
        Self::in_copy(settings)
    }

    /// The same, after the copy was brought up to date where that is needed and nobody has the store open.
    ///
    /// # Errors
    /// As [`Self::in_copy`], or why a store without a copy cannot be opened.
    pub fn now(settings: &StoreSettings) -> Result<Self, StoreError> {
        let copy = Self::in_copy(settings);
        if copy.as_ref().is_ok_and(Self::is_current) || !Store::is_there(&settings.folder)? {
            return copy;
        }
        let renewed = match &copy {
            Ok(_) | Err(StoreError::NoCopy { .. }) => Store::open(settings)
                .and_then(|mut opened| opened.store.write_snapshot())
                .and_then(|()| Self::in_copy(settings)),
            Err(_) => Self::renewed(settings),
        };
        // An older copy is better than none.
        if renewed.is_ok() || copy.is_err() { renewed } else { copy }
    }

    /// Whether everything that was acknowledged is in it.
    pub fn is_current(&self) -> bool {
        self.generation >= self.keys.counted()
    }

    /// Whether changes are missing that were acknowledged once: an older store was put back. `greeter sync` brings them back.
    pub fn is_outdated(&self) -> bool {
        self.end.outdated
    }

    /// Whether somebody has this record number, also where the copy does not know them yet.
    pub fn has(&self, record: RecordNumber) -> bool {
        matches!(self.slot(record), Slot::Given(_))
    }

    /// Gives everybody to `each`, by record number, with their templates by `model`, sealed.
    ///
    /// # Errors
    /// [`StoreError::CopyDamaged`], [`StoreError::Disk`], or what `each` says, at which it stops.
    pub fn walk(
        &self,
        model: &str,
        mut each: impl FnMut(SealedPerson) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut templates = self.entries(layout::TEMPLATES).peekable();
        for entry in self.entries(layout::PEOPLE) {
            let (key, person) = entry?;
            let record = layout::record(&key).ok_or_else(|| self.illegible())?;
            let version = Version { person: nonce(&person), templates: 0 };
            let mut sealed = SealedPerson { record, version, person, templates: Vec::new() };
            // Templates of nobody, before this person's, are passed over.
            let upto = |entry: &Result<(Vec<u8>, Vec<u8>), StoreError>| match entry {
                Ok((key, _)) => layout::record(key).is_none_or(|owner| owner <= record),
                Err(_) => true,
            };
            while let Some(entry) = templates.next_if(upto) {
                let (key, value) = entry?;
                let (owner, _, made_by) = layout::of_model(&key).ok_or_else(|| self.illegible())?;
                if owner == record && made_by == model {
                    let version = &mut sealed.version.templates;
                    *version = version.rotate_left(1).wrapping_add(nonce(&value));
                    sealed.templates.push((key, value));
                }
            }
            if !self.keys.is_erased(record) {
                each(sealed)?;
            }
        }
        Ok(())
    }

    /// Whether anybody has a template by `model`.
    ///
    /// # Errors
    /// [`StoreError::CopyDamaged`] or [`StoreError::Disk`].
    pub fn knows(&self, model: &str) -> Result<bool, StoreError> {
        for entry in self.entries(layout::TEMPLATES) {
            if layout::of_model(&entry?.0).is_some_and(|(_, _, made_by)| made_by == model) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens a person's record and templates.
    ///
    /// # Errors
    /// [`StoreError::CopyDamaged`].
    pub fn open(&self, sealed: &SealedPerson) -> Result<(Person, Vec<Template>), StoreError> {
        let taxpayer = self.record(&layout::person(sealed.record), &sealed.person)?;
        let templates = sealed
            .templates
            .iter()
            .map(|(key, value)| layout::template_from(&self.unseal(key, value)?).ok_or_else(|| self.illegible()));
        Ok((taxpayer.person, templates.collect::<Result<_, _>>()?))
    }

    /// Everybody with what is known about their photos, by record number.
    ///
    /// # Errors
    /// [`StoreError::CopyDamaged`] or [`StoreError::Disk`].
    pub fn enrolled(&self) -> Result<Vec<Taxpayer>, StoreError> {
        let here = |key: &[u8]| layout::record(key).is_some_and(|record| !self.keys.is_erased(record));
        let mut all = Vec::new();
        for entry in self.entries(layout::PEOPLE) {
            let (key, value) = entry?;
            if here(&key) {
                all.push(self.record(&key, &value)?);
            }
        }
        let photos = self.entries(layout::PHOTOS).map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?;
        layout::leave_out_lost(&mut all, &photos);
        for entry in self.entries(layout::TEMPLATES) {
            layout::note_template(&mut all, &entry?.0);
        }
        for entry in self.entries(layout::REFUSALS) {
            let (key, value) = entry?;
            if here(&key) {
                layout::note_refusal(&mut all, &key, &self.unseal(&key, &value)?);
            }
        }
        Ok(all)
    }

    pub(crate) fn record(&self, key: &[u8], value: &[u8]) -> Result<Taxpayer, StoreError> {
        // serde's own words could quote the record.
        let read: Taxpayer = serde_json::from_slice(&self.unseal(key, value)?).map_err(|_| self.illegible())?;
        Ok(Taxpayer { record: layout::record(key).ok_or_else(|| self.illegible())?, ..read })
    }

    /// Opens what lies under this key of a person.
    pub(crate) fn unseal(&self, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let slot = layout::record(key).map(|record| self.slot(record));
        let opened = match slot {
            Some(Slot::Given(seal)) => seal.open(key, value).ok(),
            _ => None,
        };
        opened.ok_or_else(|| self.damaged("a record does not open with its owner's key"))
    }

    pub(crate) fn slot(&self, record: RecordNumber) -> Slot {
        self.keys.slot(record, &self.sealer)
    }

    /// Reads the copy beside `folder` to its end; says what is wrong where it is not as it was written.
    pub(crate) fn is_genuine(&self, folder: &Path) -> Result<(), String> {
        snapshot::check(folder, &self.sealer).map_err(|unusable| unusable.to_string())
    }

    fn damaged(&self, cause: &str) -> StoreError {
        StoreError::CopyDamaged { file: self.path.clone(), cause: cause.into() }
    }

    fn illegible(&self) -> StoreError {
        self.damaged("a record does not read as one")
    }

    pub(crate) fn entries(
        &self,
        kind: &'static [u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + '_ {
        let [at, count] = self.end.section(kind);
        let mut reader = BufReader::with_capacity(BUFFER, Onwards { file: &self.file, at });
        let mut before = Vec::new();
        (0..count).map(move |_| {
            let entry = self.entry(&mut reader, kind)?;
            // A key that has changed might be somebody's who was erased.
            if entry.0 <= before {
                return Err(self.damaged("its entries are not in order"));
            }
            before.clone_from(&entry.0);
            Ok(entry)
        })
    }

    fn entry(&self, reader: &mut impl Read, prefix: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let entry = snapshot::entry(reader).map_err(|error| match snapshot::flaw(&error) {
            Some(flaw) => self.damaged(flaw),
            None => disk::at(&self.path)(error).into(),
        })?;
        // Else somebody would be left out without a word.
        let here = entry.filter(|(key, _)| key.starts_with(prefix));
        here.ok_or_else(|| self.damaged("an entry is not where it should be"))
    }
}

/// A sealed record begins with its nonce.
pub(crate) fn nonce(sealed: &[u8]) -> u64 {
    sealed.first_chunk::<8>().map_or(0, |start| u64::from_le_bytes(*start))
}

/// A file from one place on, whoever else reads it.
struct Onwards<'f> {
    file: &'f File,
    at: u64,
}

impl Read for Onwards<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
