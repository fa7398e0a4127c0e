//! Who objected: whoever was erased at their own wish is not brought back by tomorrow's roster.
//!
//! A file beside the store (`F.objections`) has a keyed hash of each identity number, a line each, and last how often somebody objected, with
//! a signature of all. Without the store's key it says nothing but these numbers. `K.objections` has the last number, too: a list that is gone,
//! or older than that, is noticed.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
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
    /// Beside the key.
    counter: PathBuf,
    signer: Signer,
    hashes: BTreeSet<String>,
    /// How often somebody objected, whoever withdrew it.
    added: u64,
}

impl Objections {
    /// Of the store of `settings`; `None` where there is no key yet, and so nobody who could have objected.
    ///
    /// # Errors
    /// As the key says; [`DiskError`].
    pub fn of(settings: &StoreSettings) -> Result<Option<Self>, KeyError> {
        let (path, counter) = (disk::beside(&settings.folder, ENDING), disk::beside(&settings.key_file, ENDING));
        let Some(signer) = Signer::of(settings, "objection")? else { return Ok(None) };
        let (text, counted) = (read(&path)?, read(&counter)?);
        let mut list = Self { path, counter, signer, hashes: BTreeSet::new(), added: 0 };
        let changed = |file: &PathBuf| {
            disk::at(file)(std::io::Error::new(ErrorKind::InvalidData, "who objected is not as it was written"))
        };
        if let Some(text) = text {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let last = lines.pop().unwrap_or_default();
            list.hashes = lines.into_iter().collect();
            let (added, signature) = last.split_once(' ').unwrap_or_default();
            list.added = added.parse().unwrap_or(0);
            if !list.signer.has_signed(signature, &list.signed(added)) {
                return Err(changed(&list.path).into());
            }
        }
        let counted = counted.map_or(Some(0), |counted| counted.trim_end().parse().ok());
        if list.added < counted.ok_or_else(|| changed(&list.counter))? {
            return Err(changed(&list.path).into());
        }
        Ok(Some(list))
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
        self.added += 1;
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

    fn last_line(&self) -> String {
        let added = self.added.to_string();
        format!("{added} {}", self.signer.sign(&self.signed(&added)))
    }

    fn signed<'a>(&'a self, added: &'a str) -> Vec<&'a [u8]> {
        self.hashes.iter().map(String::as_bytes).chain([added.as_bytes()]).collect()
    }

    /// The list first: a cut leaves one that is newer than its number.
    fn write(&self) -> Result<(), DiskError> {
        let lines = self.hashes.iter().cloned().chain([self.last_line()]).collect::<Vec<_>>().join("\n");
        for (path, text) in [(&self.path, lines), (&self.counter, self.added.to_string())] {
            disk::replace(path, |file| writeln!(file, "{text}").map_err(disk::at(path)))?;
        }
        Ok(())
    }
}

/// A file's text; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, DiskError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk::at(path)(error)),
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
        assert!(!text.contains("1949") && text.lines().count() == 3);
        assert!(list().withdraw(&chen).unwrap() && !list().withdraw(&chen).unwrap());
        assert_eq!((list().has(&chen), list().has(&li)), (false, true));
    }

    #[test]
    fn a_list_that_was_altered_cut_off_removed_or_put_back_from_an_earlier_day_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings { folder: folder.path().join("store"), key_file: folder.path().join("store.key") };
        StoreKey::create(&settings.key_file).unwrap();
        let [chen, li] = ["11010519491231002X", "110199197001010011"].map(IdNumber::new);
        let (list, path) = (|| Objections::of(&settings), folder.path().join("store.objections"));
        list().unwrap().unwrap().add(&chen).unwrap();
        let earlier = std::fs::read(&path).unwrap();
        list().unwrap().unwrap().add(&li).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut altered = whole.clone();
        altered[10] ^= 1;
        for spoilt in [altered, Vec::new(), whole[..whole.len() / 2].to_vec(), whole[65..].to_vec(), earlier] {
            std::fs::write(&path, spoilt).unwrap();
            let told = list().err().unwrap().to_string();
            assert!(told.contains("store.objections") && told.contains("from a backup"), "{told}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(list().is_err());
        std::fs::write(&path, whole).unwrap();
        assert!(list().unwrap().unwrap().has(&chen));
    }
}
