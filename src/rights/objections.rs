//! Who objected: whoever was erased at their own wish is not brought back by tomorrow's roster.
//!
//! A file beside the store (`F.objections`) has a keyed hash of each identity number, a line each. Without the store's key it says nothing
//! but how many there are.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    keys::{KeyError, Signer},
    person::IdNumber,
    store::{StoreError, StoreLock},
};

const ENDING: &str = ".objections";

/// The list of a store.
pub struct Objections {
    path: PathBuf,
    signer: Signer,
    hashes: BTreeSet<String>,
}

impl Objections {
    /// Of the store of `settings`; `None` where there is no key yet, and so nobody who could have objected.
    ///
    /// # Errors
    /// As the key says; [`DiskError`].
    pub fn of(settings: &StoreSettings) -> Result<Option<Self>, KeyError> {
        let path = disk::beside(&settings.folder, ENDING);
        let Some(signer) = Signer::of(settings, "objection")? else { return Ok(None) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(disk::at(&path)(error).into()),
        };
        Ok(Some(Self { path, signer, hashes: text.lines().map(str::to_owned).collect() }))
    }

    /// Whether the person with this identity number objected.
    pub fn has(&self, id_number: &IdNumber) -> bool {
        self.signer.signatures(&[id_number.reveal().as_bytes()]).any(|hash| self.hashes.contains(&hash))
    }

    /// How many did.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// They object from now on; it lasts when this returns.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn add(&mut self, id_number: &IdNumber) -> Result<(), DiskError> {
        self.hashes.insert(self.hash(id_number));
        self.write()
    }

    /// They object no longer. Says whether they did.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn withdraw(&mut self, id_number: &IdNumber) -> Result<bool, DiskError> {
        let before = self.hashes.len();
        for hash in self.signer.signatures(&[id_number.reveal().as_bytes()]) {
            self.hashes.remove(&hash);
        }
        self.write()?;
        Ok(self.hashes.len() < before)
    }

    /// Two who change the list do so one after the other: hold this while it is read, changed and written.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Disk`].
    pub fn lock(settings: &StoreSettings) -> Result<StoreLock, StoreError> {
        StoreLock::acquire(&disk::beside(&settings.folder, ENDING))
    }

    fn hash(&self, id_number: &IdNumber) -> String {
        self.signer.sign(&[id_number.reveal().as_bytes()])
    }

    fn write(&self) -> Result<(), DiskError> {
        disk::replace(&self.path, |file| {
            self.hashes.iter().try_for_each(|hash| writeln!(file, "{hash}")).map_err(disk::at(&self.path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::StoreKey;

    #[test]
    fn who_objected_is_known_by_their_number_and_the_file_does_not_say_who_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            folder: folder.path().join("store"),
            key_file: folder.path().join("store.key"),
            ..StoreSettings::default()
        };
        assert!(Objections::of(&settings).unwrap().is_none());
        StoreKey::create(&settings.key_file).unwrap();
        let [chen, li] = ["11010519491231002X", "110199197001010011"].map(IdNumber::new);
        let list = || Objections::of(&settings).unwrap().unwrap();
        assert!(!list().has(&chen));
        list().add(&chen).unwrap();
        list().add(&li).unwrap();
        list().add(&chen).unwrap();
        assert_eq!((list().has(&chen), list().has(&li), list().count()), (true, true, 2));
        let text = std::fs::read_to_string(folder.path().join("store.objections")).unwrap();
        assert!(!text.contains("1949") && text.lines().all(|line| line.len() == 64));
        assert!(list().withdraw(&chen).unwrap() && !list().withdraw(&chen).unwrap());
        assert_eq!((list().has(&chen), list().has(&li)), (false, true));
    }
}
