//! Files that are on the disk whole or not at all, and the names of what lies beside the store.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags};

/// A file or folder that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}. {}", path.display(), words(cause), cure(cause))]
pub struct DiskError {
    /// Which file or folder.
    pub path: PathBuf,
    /// The system's words.
    pub cause: std::io::Error,
}

/// The system's words without its number for programmers.
pub fn words(cause: &std::io::Error) -> String {
    let words = cause.to_string();
    words.split_once(" (os error").map_or(words.as_str(), |(words, _)| words).to_owned()
}

fn cure(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Free some space and run the same command again",
        ErrorKind::PermissionDenied => "Run the same command again as the user whom it belongs to",
        ErrorKind::NotFound => "Put it back, or check its name, and run the same command again",
        ErrorKind::AlreadyExists => "Choose another name, or move it away, and run the same command again",
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            "It is damaged or something else. Restore it from a backup"
        }
        _ => "Check the disk, then run the same command again",
    }
}

/// `folder` with `ending` behind its name: `data/store` and `.lock` give `data/store.lock`.
pub fn beside(folder: &Path, ending: &str) -> PathBuf {
    // Without a slash at its end, behind which the name would be another.
    let mut name = folder.components().collect::<PathBuf>().into_os_string();
    name.push(ending);
    name.into()
}

/// The folder that `path` lies in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Turns an I/O error into one that names `path`.
pub fn at(path: &Path) -> impl Fn(std::io::Error) -> DiskError {
    move |cause| DiskError { path: path.into(), cause }
}

/// Makes the folder that `path` will lie in, closed to others.
///
/// # Errors
/// [`DiskError`].
pub fn make_parent(path: &Path) -> Result<(), DiskError> {
    make_folder(parent(path))
}

/// Makes a folder and those above it, closed to others.
///
/// # Errors
/// [`DiskError`].
pub fn make_folder(folder: &Path) -> Result<(), DiskError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

/// Makes the names in `path`'s folder last.
///
/// # Errors
/// [`DiskError`].
pub fn sync_parent(path: &Path) -> Result<(), DiskError> {
    let folder = parent(path);
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(at(folder))
}

/// Makes everything last that the file system of `folder` was given so far.
///
/// # Errors
/// [`DiskError`].
pub fn sync_file_system(folder: &Path) -> Result<(), DiskError> {
    let opened = File::open(folder).map_err(at(folder))?;
    rustix::fs::syncfs(opened).map_err(|error| at(folder)(error.into()))
}

/// A new file, readable by its owner only, which is there whole or not at all; it lasts when this returns.
///
/// # Errors
/// [`DiskError`], also when the file exists.
pub fn create_new(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let unfinished = beside(path, ".unfinished");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        Ok(rustix::fs::renameat_with(CWD, &unfinished, CWD, path, RenameFlags::NOREPLACE)?)
    });
    if written.is_err() {
        // Only the half-written new file; a failure to remove it changes nothing.
        let _ = std::fs::remove_file(&unfinished);
    }
    written.map_err(at(path))?;
    sync_parent(path)
}

/// Puts what `write` writes in the place of `path`: afterwards the file is the old or the new one, whole, whatever happens.
///
/// # Errors
/// [`DiskError`], or what `write` says; `path` is unchanged then.
pub fn replace<E: From<DiskError>>(
    path: &Path,
    write: impl FnOnce(&mut std::io::BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let unfinished = beside(path, ".unfinished");
    let result = (|| {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(at(&unfinished))?;
        let mut writer = std::io::BufWriter::with_capacity(1 << 20, file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|error| at(&unfinished)(error.into_error()))?;
        file.sync_all().map_err(at(&unfinished))?;
        std::fs::rename(&unfinished, path).map_err(at(path))?;
        Ok(sync_parent(path)?)
    })();
    if result.is_err() {
        // Only the half-written new file; a failure to remove it changes nothing.
        let _ = std::fs::remove_file(&unfinished);
    }
    result
}

/// Free bytes for this user on the file system of `folder`.
///
/// # Errors
/// [`DiskError`].
pub fn free_bytes(folder: &Path) -> Result<u64, DiskError> {
    let found = rustix::fs::statvfs(folder).map_err(|error| at(folder)(error.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Bytes of all files under `folder`, as far as they can be counted.
pub fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => size_of(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_writing_fails_keeps_its_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.snapshot");
        replace(&path, |writer| writer.write_all(b"old").map_err(at(Path::new("x")))).unwrap();
        let failed = replace(&path, |writer| {
            let _ = writer.write_all(b"half of the new");
            Err(at(Path::new("x"))(std::io::ErrorKind::TimedOut.into()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written stays behind");
    }

    #[test]
    fn what_lies_beside_the_store_is_named_after_it() {
        assert_eq!(beside(Path::new("data/store"), ".lock"), Path::new("data/store.lock"));
        assert_eq!(parent(Path::new("store")), Path::new("."));
    }
}
