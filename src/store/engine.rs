//! sled 0.34.7, and the only file that knows it.
//!
//! What is known about it and dealt with here: `flush()` alone does not survive a power cut, so it is followed by `syncfs`; a failed
//! write may be forgotten by the next one, so the first failure is latched and nothing is acknowledged afterwards; it may panic on
//! damage, so it opens on a thread of its own and every call is guarded; a kill can leave `snap.*.generating`, after which it
//! would not open.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    StoreError,
    lock::{PATIENCE, RETRY},
    quiet::quietly,
};
use crate::disk;

/// Memory for pages of a store that is written; everything that is needed while visitors come is in the gallery.
const CACHE_BYTES: u64 = 64 << 20;

/// A write that takes longer has failed; the slowest disk takes seconds for what is written at once.
const WRITE_TIMEOUT: Duration = Duration::from_secs(120);

/// Keys to write (`Some`) or remove (`None`), all of them or none.
pub type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Why sled could not be opened.
#[derive(Debug)]
pub enum OpenFailure {
    /// The files are damaged.
    Damaged(String),
    /// Something else, which a rebuild would not cure.
    Other(StoreError),
}

/// An open tree.
pub struct Engine {
    /// Until it is closed.
    db: Option<sled::Db>,
    /// Opened before the first write, so that `syncfs` reports every write that failed since.
    handle: Arc<File>,
    folder: PathBuf,
    first_failure: Mutex<Option<String>>,
}

impl Engine {
    /// Opens the tree in `folder`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`OpenFailure`].
    pub fn open(folder: &Path) -> Result<Self, OpenFailure> {
        let other = |cause| OpenFailure::Other(disk::at(folder)(cause).into());
        remove_unfinished(folder).map_err(other)?;
        let began = Instant::now();
        let db = loop {
            let path = folder.to_owned();
            let opening = std::thread::Builder::new().name("store-open".into()).spawn(move || {
                quietly(|| sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None).open())
            });
            match opening.map_err(other)?.join() {
                Ok(Ok(Ok(db))) => break db,
                Ok(Ok(Err(error))) => {
                    let failure = explain_open(error, folder);
                    let locked = matches!(&failure, OpenFailure::Other(StoreError::Locked { .. }));
                    if !locked || began.elapsed() > PATIENCE {
                        return Err(failure);
                    }
                    // sled frees its lock a moment after it is closed.
                    std::thread::sleep(RETRY);
                }
                Ok(Err(panic)) => return Err(OpenFailure::Damaged(panic)),
                Err(_) => return Err(OpenFailure::Damaged("sled gave up".into())),
            }
        };
        let handle = Arc::new(File::open(folder).map_err(other)?);
        Ok(Self { db: Some(db), handle, folder: folder.into(), first_failure: Mutex::new(None) })
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.guarded(|| self.db()?.get(key).map(|value| value.map(|value| value.to_vec())))
    }

    /// Calls `each` with every key that begins with `prefix`, and its value, in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`], or what `each` says, at which it stops.
    pub fn scan(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for entry in self.entries(prefix) {
            let (key, value) = entry?;
            each(key.as_ref(), value.as_ref())?;
        }
        Ok(())
    }

    /// Every key that begins with `prefix`, and its value, in the order of the keys; [`StoreError::Damaged`] or [`StoreError::Disk`] where they
    /// cannot be read.
    pub fn entries(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(impl AsRef<[u8]>, impl AsRef<[u8]>), StoreError>> + '_ {
        let scan = self.db.as_ref().map(|db| db.scan_prefix(prefix));
        let mut entries = scan.into_iter().flatten();
        std::iter::from_fn(move || self.guarded(|| entries.next().transpose()).transpose())
    }

    /// All keys that begin with `prefix`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Disk`].
    pub fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.guarded(|| self.db()?.scan_prefix(prefix).keys().map(|key| key.map(|key| key.to_vec())).collect())
    }

    /// Makes all of `batch`'s changes or none. They last only after [`Self::make_durable`].
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after any failure to write.
    pub fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let mut changes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        self.write(move |db, _| db.apply_batch(changes))
    }

    /// Returns when everything applied so far would survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after any failure to write.
    pub fn make_durable(&self) -> Result<(), StoreError> {
        self.write(|db, handle| {
            db.flush()?;
            Ok(rustix::fs::syncfs(handle).map_err(std::io::Error::from)?)
        })
    }

    /// Stops all further writing, because of a failure that makes acknowledging wrong.
    pub fn stop(&self, cause: &dyn std::fmt::Display) {
        let mut failure = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| {
            // Closing would write what could not be written, and wait for it for ever: sled stays open until the process ends.
            std::mem::forget(self.db.clone());
            cause.to_string()
        });
    }

    /// Writes on a thread of its own, because sled may wait for ever for a write that failed on one of its threads.
    fn write(
        &self,
        write: impl FnOnce(&sled::Db, &File) -> sled::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        if let Some(cause) = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(StoreError::Stopped { folder: self.folder.clone(), cause });
        }
        let (done, outcome) = crossbeam::channel::bounded(1);
        let (db, handle) = (self.db.clone().ok_or_else(closed), self.handle.clone());
        let writing = std::thread::Builder::new().name("store-write".into()).spawn(move || {
            // Nobody waits any more after a timeout; the failure is latched then.
            let _ = done.send(quietly(|| write(&db?, &handle)));
        });
        let written = match writing {
            Ok(_) => match outcome.recv_timeout(WRITE_TIMEOUT) {
                Ok(outcome) => self.explain(outcome),
                Err(_) => Err(disk::at(&self.folder)(std::io::ErrorKind::TimedOut.into()).into()),
            },
            Err(cause) => Err(disk::at(&self.folder)(cause).into()),
        };
        written.inspect_err(|cause| {
            tracing::error!(%cause, "writing to the store failed; nothing more is acknowledged");
            self.stop(cause);
        })
    }

    fn db(&self) -> sled::Result<&sled::Db> {
        self.db.as_ref().ok_or_else(closed)
    }

    fn guarded<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        self.explain(quietly(call))
    }

    fn explain<T>(&self, outcome: Result<sled::Result<T>, String>) -> Result<T, StoreError> {
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(sled::Error::Io(cause))) => Err(disk::at(&self.folder)(plain(cause)).into()),
            Ok(Err(error)) => Err(self.damaged(error.to_string())),
            Err(panic) => Err(self.damaged(panic)),
        }
    }

    /// Remembers for the next start that the store needs a full check.
    pub fn damaged(&self, cause: String) -> StoreError {
        let mark = disk::beside(&self.folder, ".suspect");
        if let Err(error) = std::fs::write(&mark, "checked in full at the next start\n") {
            tracing::warn!(file = %mark.display(), %error, "cannot mark the store for a full check");
        }
        StoreError::Damaged { folder: self.folder.clone(), cause }
    }
}

impl Drop for Engine {
    /// sled writes when it is closed and panics where that fails. What was acknowledged is on the disk by then.
    fn drop(&mut self) {
        let db = self.db.take();
        let _ = quietly(move || drop(db));
    }
}

fn closed() -> sled::Error {
    sled::Error::Unsupported("it is closed".into())
}

/// sled's words for its lock are the only sign of it.
fn explain_open(error: sled::Error, folder: &Path) -> OpenFailure {
    match error {
        sled::Error::Io(cause) if cause.to_string().contains("could not acquire lock") => {
            OpenFailure::Other(StoreError::Locked { folder: folder.into(), holder: "another process".into() })
        }
        sled::Error::Io(cause)
            if matches!(cause.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof) =>
        {
            OpenFailure::Damaged(cause.to_string())
        }
        sled::Error::Io(cause) => OpenFailure::Other(disk::at(folder)(plain(cause)).into()),
        error => OpenFailure::Damaged(error.to_string()),
    }
}

/// sled may wrap the system's error in one with Rust's words for programmers.
fn plain(error: std::io::Error) -> std::io::Error {
    let words = error.to_string();
    let code = words.split_once("Os { code: ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    code.map_or(error, std::io::Error::from_raw_os_error)
}

/// A kill while sled writes its own index leaves `snap.*.generating`, which it takes for a damaged index afterwards. The index is
/// only a short cut through the log.
fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::info!(file = %path.display(), "removing what a killed process left unfinished");
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_unfinished_does_not_keep_the_store_shut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let engine = Engine::open(&path).unwrap();
        engine.apply(vec![(b"k".to_vec(), Some(b"v".to_vec()))]).unwrap();
        engine.make_durable().unwrap();
        drop(engine);
        let left_over = path.join("snap.00000000FFFFFFFF.generating");
        std::fs::write(&left_over, "half").unwrap();
        let engine = Engine::open(&path).map_err(|error| format!("{error:?}")).unwrap();
        assert_eq!(engine.get(b"k").unwrap().as_deref(), Some(b"v".as_slice()));
        assert!(!left_over.exists());
    }

    #[test]
    fn after_the_first_failure_nothing_is_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("store")).unwrap();
        engine.stop(&StoreError::MissingPhoto(crate::person::RecordNumber(1)));
        let error = engine.apply(vec![(b"k".to_vec(), Some(b"v".to_vec()))]).unwrap_err();
        assert!(matches!(error, StoreError::Stopped { .. }), "{error}");
        assert!(matches!(engine.make_durable(), Err(StoreError::Stopped { .. })));
        assert_eq!(engine.get(b"k").unwrap(), None);
    }

    #[test]
    fn a_disk_that_fills_up_under_sled_stops_the_acknowledging_and_takes_nothing_back() {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "none"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: a small file system needs root");
            return;
        }
        let path = folder.path().join("store");
        let engine = Engine::open(&path).unwrap();
        let key = |n: u32| n.to_be_bytes().to_vec();
        let mut acknowledged = 0;
        let error = loop {
            let write =
                engine.apply(vec![(key(acknowledged), Some(vec![7; 100_000]))]).and_then(|()| engine.make_durable());
            match write {
                Ok(()) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        println!("{acknowledged} acknowledged: {error}");
        assert!(acknowledged > 10 && acknowledged < 120);
        assert!(matches!(engine.make_durable(), Err(StoreError::Stopped { .. })));
        drop(engine);
        // This process keeps the failed one open, so what the next process would find is looked at in a copy.
        let elsewhere = tempfile::tempdir().unwrap();
        let copied = std::process::Command::new("cp").arg("-r").arg(&path).arg(elsewhere.path()).status();
        assert!(copied.unwrap().success());
        let engine = Engine::open(&elsewhere.path().join("store")).map_err(|error| format!("{error:?}")).unwrap();
        for n in 0..acknowledged {
            assert!(engine.get(&key(n)).unwrap().is_some(), "{n} of {acknowledged}");
        }
        drop(engine);
        let unmounted = std::process::Command::new("umount").arg("-l").arg(folder.path()).output();
        assert!(unmounted.is_ok());
    }
}
