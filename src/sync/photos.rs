//! Opens the photo files that a roster names, and only those that lie in the photo folder.
//!
//! A roster is somebody else's file: a name that leads outside, directly or through a symbolic link, must not have the program read
//! (and keep) other files of the machine. So each part of a path is opened by itself, without following links.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::SyncError;
use crate::camera::photo::MAX_FILE_MB;

/// Why a photo file is not read; the words complete the sentence "photo X …".
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// An absolute path, or one with `..`.
    #[error("leads out of the photo folder; only files in the folder itself are read")]
    Outside,
    /// A link in the path.
    #[error("is a symbolic link, or lies behind one; put the file itself into the photo folder")]
    Link,
    /// No such file.
    #[error("is missing from the photo folder")]
    Missing,
    /// A folder, a pipe or a device.
    #[error("is not a file")]
    NotAFile,
    /// More bytes than a photo has.
    #[error("has {0} MB, more than the {MAX_FILE_MB} MB allowed; save it smaller")]
    TooBig(u64),
    /// The system does not give it out.
    #[error("cannot be read ({0})")]
    Unreadable(std::io::Error),
}

/// The folder with the office's photos.
pub struct PhotoFolder {
    folder: File,
}

impl PhotoFolder {
    /// Opens it.
    ///
    /// # Errors
    /// [`SyncError::PhotoFolder`].
    pub fn open(path: &Path) -> Result<Self, SyncError> {
        let failed = |cause| SyncError::PhotoFolder { path: PathBuf::from(path), cause };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        Ok(Self { folder: folder.into() })
    }

    /// The bytes of the file with this name. Backslashes separate folders too, as in rosters from Windows.
    ///
    /// # Errors
    /// [`FileFault`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, FileFault> {
        let name = name.replace('\\', "/");
        let drive = name.as_bytes().get(1) == Some(&b':');
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if name.starts_with('/') || drive || parts.contains(&"..") {
            return Err(FileFault::Outside);
        }
        let (file_name, folders) = parts.split_last().ok_or(FileFault::NotAFile)?;
        let mut inner = None;
        for part in folders {
            inner = Some(open_in(inner.as_ref().unwrap_or(&self.folder), part, OFlags::DIRECTORY)?);
        }
        // Without NONBLOCK, opening a pipe would wait for its other end.
        let file = open_in(inner.as_ref().unwrap_or(&self.folder), file_name, OFlags::NONBLOCK)?;
        let found = file.metadata().map_err(FileFault::Unreadable)?;
        let most = MAX_FILE_MB * 1_000_000;
        if !found.is_file() {
            return Err(FileFault::NotAFile);
        }
        if found.len() > most {
            return Err(FileFault::TooBig(found.len().div_ceil(1_000_000)));
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(FileFault::Unreadable)?;
        Ok(bytes)
    }
}

fn open_in(folder: &File, part: &str, more: OFlags) -> Result<File, FileFault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    match rustix::fs::openat(folder, part, flags, Mode::empty()) {
        Ok(opened) => Ok(opened.into()),
        Err(Errno::LOOP) => Err(FileFault::Link),
        // Asked for a folder, the system says so of links as well.
        Err(Errno::NOTDIR) if is_link(folder, part) => Err(FileFault::Link),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Err(FileFault::Missing),
        Err(error) => Err(FileFault::Unreadable(error.into())),
    }
}

fn is_link(folder: &File, part: &str) -> bool {
    let found = rustix::fs::statat(folder, part, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
    found.is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode).is_symlink())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, PhotoFolder) {
        let outer = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(outer.path().join("photos/2026")).unwrap();
        std::fs::write(outer.path().join("photos/2026/陈伟.jpg"), "photo").unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        let photos = PhotoFolder::open(&outer.path().join("photos")).unwrap();
        (outer, photos)
    }

    fn fault(photos: &PhotoFolder, name: &str) -> String {
        photos.read(name).unwrap_err().to_string()
    }

    #[test]
    fn a_photo_in_a_folder_below_is_read_however_its_path_is_written() {
        let (_outer, photos) = folder();
        for name in ["2026/陈伟.jpg", "./2026//陈伟.jpg", "2026\\陈伟.jpg"] {
            assert_eq!(photos.read(name).unwrap(), b"photo", "{name}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_photo_folder() {
        let (outer, photos) = folder();
        let absolute = outer.path().join("secret").display().to_string();
        for name in ["../secret", "2026/../../secret", "..\\secret", "C:\\secret.jpg", &absolute] {
            assert!(fault(&photos, name).starts_with("leads out of the photo folder"), "{name}");
        }
    }

    #[test]
    fn links_are_refused_wherever_they_lead() {
        let (outer, photos) = folder();
        symlink(outer.path().join("secret"), outer.path().join("photos/out.jpg")).unwrap();
        symlink("2026/陈伟.jpg", outer.path().join("photos/in.jpg")).unwrap();
        symlink("..", outer.path().join("photos/up")).unwrap();
        for name in ["out.jpg", "in.jpg", "up/secret"] {
            assert!(fault(&photos, name).starts_with("is a symbolic link"), "{name}: {}", fault(&photos, name));
        }
    }

    #[test]
    fn what_is_no_file_is_said_without_waiting_for_it() {
        let (outer, photos) = folder();
        let pipe = outer.path().join("photos/pipe.jpg");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(fault(&photos, "pipe.jpg"), "is not a file");
        assert_eq!(fault(&photos, "2026"), "is not a file");
        assert_eq!(fault(&photos, "none.jpg"), "is missing from the photo folder");
        assert_eq!(fault(&photos, "2026/陈伟.jpg/x"), "is missing from the photo folder");
    }
}
