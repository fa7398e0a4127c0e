//! One process at a time: a lock file beside the store, which also says who holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

use super::StoreError;
use crate::disk;

/// How long a locked store is waited for before the operator is told.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Between two tries.
pub const RETRY: Duration = Duration::from_millis(50);

/// Held for as long as the store is open; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Waits for the lock, at most [`PATIENCE`].
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder; [`StoreError::Disk`].
    pub fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = disk::beside(folder, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(disk::at(&path))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Interrupted => {
                    return Err(disk::at(&path)(error).into());
                }
                Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(RETRY),
                Err(_) => return Err(StoreError::Locked { folder: folder.into(), holder: holder(&mut file) }),
            }
        }
        // Who holds it is a help for messages only: a full disk must not keep anybody from reading.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(ourselves().as_bytes()));
        Ok(Self { _file: file })
    }
}

fn ourselves() -> String {
    // The command's first word only: an argument may be a path with somebody's name in it.
    let command = std::env::args().nth(1).filter(|word| word.chars().all(|letter| letter.is_ascii_alphabetic()));
    format!("process {} (greeter {})", std::process::id(), command.unwrap_or_default()).replace(" )", ")")
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    let text = text.trim();
    if text.is_empty() { "another process".into() } else { text.into() }
}
