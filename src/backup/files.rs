//! Copies of files that are never written again once they have their name.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::disk::{self, DiskError};

/// All files of a folder of folders, by their path in it; none where there is no such folder.
///
/// # Errors
/// [`DiskError`].
pub fn names(folder: &Path) -> Result<BTreeSet<PathBuf>, DiskError> {
    let mut names = BTreeSet::new();
    for inner in list(folder)? {
        names.extend(list(&folder.join(&inner))?.into_iter().map(|name| inner.join(name)));
    }
    Ok(names)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(disk::at(folder))?,
    };
    Ok(entries.into_iter().map(|entry| entry.file_name().into()).collect())
}

/// Brings all files of `from` to `to` that are not there yet, and says how many those are; they last when this returns.
///
/// On one file system they are second names of the same files. Whatever was cut before is done anew. A file that goes meanwhile is passed over.
///
/// # Errors
/// [`DiskError`].
pub fn bring(from: &Path, to: &Path) -> Result<usize, DiskError> {
    let staged = disk::beside(to, ".new");
    discard(&staged)?;
    disk::make_folder(to)?;
    let there = names(to)?;
    let mut brought = Vec::new();
    for name in names(from)?.into_iter().filter(|name| !there.contains(name)) {
        let copy = staged.join(&name);
        disk::make_parent(&copy)?;
        let source = from.join(&name);
        match std::fs::hard_link(&source, &copy).or_else(|_| std::fs::copy(&source, &copy).map(drop)) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            written => written.map_err(disk::at(&copy))?,
        }
        brought.push(name);
    }
    disk::sync_file_system(to)?;
    for name in &brought {
        let place = to.join(name);
        disk::make_parent(&place)?;
        std::fs::rename(staged.join(name), &place).map_err(disk::at(&place))?;
    }
    disk::sync_file_system(to)?;
    discard(&staged)?;
    Ok(brought.len())
}

/// Puts a copy of `from` in the place of `to`, or removes `to` where there is no `from`.
///
/// # Errors
/// [`DiskError`]; `to` is as it was then.
pub fn replace(from: &Path, to: &Path) -> Result<(), DiskError> {
    match std::fs::File::open(from) {
        Ok(mut file) => disk::replace(to, |writer| {
            std::io::copy(&mut file, writer).and_then(|_| writer.flush()).map_err(disk::at(to))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => remove(to),
        Err(error) => Err(disk::at(from)(error)),
    }
}

/// Removes a file, if it is there.
///
/// # Errors
/// [`DiskError`].
pub fn remove(path: &Path) -> Result<(), DiskError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk::at(path)(error)),
        _ => Ok(()),
    }
}

/// Removes a folder, if it is there.
///
/// # Errors
/// [`DiskError`].
pub fn discard(folder: &Path) -> Result<(), DiskError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk::at(folder)(error)),
        _ => Ok(()),
    }
}
