//! Photos as the office delivered them: each is a sealed file of its own under a random name, in one of 256 folders beside the store.
//!
//! A file is written once and removed; its bytes are never changed. Names say nothing, and lengths only how many blocks of 4 kB a photo
//! takes, as the disk shows anyway.

use std::{
    collections::HashSet,
    fmt,
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chacha20poly1305::aead::{OsRng, rand_core::RngCore};
use zeroize::Zeroizing;

use super::StoreError;
use crate::{
    disk::{self, DiskError},
    keys::{NotOurs, Seal},
};

const ENDING: &str = ".photos";
/// Behind a photo's length and bytes come zeros, up to a multiple of so much with nonce and tag.
const BLOCK: usize = 4096;
const SEAL_BYTES: usize = 24 + 16;
const NAME_BYTES: usize = 16;

/// A photo's file, by its random name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhotoName([u8; NAME_BYTES]);

impl PhotoName {
    /// As it is kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// From what was kept.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn from_file(name: &str) -> Option<Self> {
        Self::from_bytes(&hex::decode(name).ok()?)
    }
}

impl fmt::Display for PhotoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The folder of a store's photos.
#[derive(Debug, Clone)]
pub struct PhotoFiles(PathBuf);

/// Where the photos of the store in `folder` are.
pub fn beside(folder: &Path) -> PathBuf {
    disk::beside(folder, ENDING)
}

impl PhotoFiles {
    /// Those of the store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self(beside(folder))
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Writes a photo into a new file. It lasts after [`disk::sync_file_system`].
    ///
    /// # Errors
    /// [`StoreError::Disk`]; no file is left then.
    pub fn write(&self, seal: &Seal, photo: &[u8]) -> Result<PhotoName, StoreError> {
        let mut name = PhotoName([0; NAME_BYTES]);
        OsRng.fill_bytes(&mut name.0);
        let path = self.path(name);
        disk::make_parent(&path)?;
        let length = (photo.len() as u64).to_le_bytes();
        let used = length.len() + photo.len() + SEAL_BYTES;
        let padding = vec![0; used.next_multiple_of(BLOCK) - used];
        let plain = Zeroizing::new([length.as_slice(), photo, &padding].concat());
        let sealed = seal.seal(&name.0, &plain);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(&sealed)).map_err(|error| {
            let _ = std::fs::remove_file(&path);
            disk::at(&path)(error)
        })?;
        Ok(name)
    }

    /// A photo's bytes; `None` where its file is not there, or not what was written.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn read(&self, seal: &Seal, name: PhotoName) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path(name);
        let sealed = match std::fs::read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk::at(&path)(error).into()),
        };
        Ok(seal.open(&name.0, &sealed).and_then(|plain| unpadded(&plain).ok_or(NotOurs)).ok())
    }

    /// Removes a photo's file, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn remove(&self, name: PhotoName) -> Result<(), StoreError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(disk::at(&path)(error).into()),
            _ => Ok(()),
        }
    }

    /// All files that are there.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn names(&self) -> Result<HashSet<PhotoName>, StoreError> {
        let mut names = HashSet::new();
        for folder in list(&self.0)? {
            let found = list(&self.0.join(folder))?;
            names.extend(found.iter().filter_map(|name| PhotoName::from_file(name)));
        }
        Ok(names)
    }

    fn path(&self, name: PhotoName) -> PathBuf {
        let name = name.to_string();
        self.0.join(&name[..2]).join(name)
    }
}

fn unpadded(plain: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (length, rest) = plain.split_first_chunk::<8>()?;
    let photo = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some(Zeroizing::new(photo.to_vec()))
}

/// The names in a folder; none where there is no such folder.
fn list(folder: &Path) -> Result<Vec<String>, DiskError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => return Ok(Vec::new()),
        Err(error) => return Err(disk::at(folder)(error)),
    };
    let name =
        |entry: std::io::Result<std::fs::DirEntry>| entry.map(|it| it.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<Result<_, _>>().map_err(disk::at(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photos() -> (tempfile::TempDir, PhotoFiles) {
        let folder = tempfile::tempdir().unwrap();
        let photos = PhotoFiles::beside(&folder.path().join("store"));
        (folder, photos)
    }

    #[test]
    fn a_photo_is_read_as_it_was_delivered_and_only_with_its_owners_key() {
        let (_folder, photos) = photos();
        let (ours, other) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        for length in [0, 1, BLOCK - SEAL_BYTES - 8, BLOCK, 1_200_000] {
            let photo: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let name = photos.write(&ours, &photo).unwrap();
            assert_eq!(photos.read(&ours, name).unwrap().unwrap().as_slice(), photo);
            assert!(photos.read(&other, name).unwrap().is_none());
            assert_eq!(photos.path(name).metadata().unwrap().len() % BLOCK as u64, 0, "only blocks are seen");
        }
        assert_eq!(photos.names().unwrap().len(), 5);
    }

    #[test]
    fn a_photo_that_is_gone_changed_or_another_ones_is_no_photo() {
        let (_folder, photos) = photos();
        let seal = Seal::new(&[1; 32]);
        let [one, other] = [b"one", b"two"].map(|photo| photos.write(&seal, photo).unwrap());
        std::fs::copy(photos.path(one), photos.path(other)).unwrap();
        assert!(photos.read(&seal, other).unwrap().is_none(), "a file under another name");
        std::fs::write(photos.path(one), b"short").unwrap();
        assert!(photos.read(&seal, one).unwrap().is_none());
        photos.remove(one).unwrap();
        photos.remove(one).unwrap();
        assert!(photos.read(&seal, one).unwrap().is_none());
        assert_eq!(photos.names().unwrap(), [other].into());
    }
}
