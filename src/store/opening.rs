//! Opening the store: its lock, its key, and what must hold before anybody uses it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    StoreError, StoreKey,
    commit::Change,
    disk,
    engine::Engine,
    layout::{self, META_NEXT_RECORD},
    ledger::Ledger,
    lock::StoreLock,
    raising::{Raising, generation_of},
    seal::Sealer,
    snapshot,
};
use crate::config::StoreSettings;

/// The open store. Only one process has it at a time; dropping it lets others in.
pub struct Store {
    // Before the lock: fields are dropped in this order.
    pub(super) engine: Engine,
    pub(super) sealer: Sealer,
    pub(super) ledger: Ledger,
    pub(super) folder: PathBuf,
    _lock: StoreLock,
}

/// A store that was opened.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Whether it had to be rebuilt for that.
    pub rebuilt: Option<Rebuilt>,
    /// Whether changes that were acknowledged once are missing: after a rebuild from an older snapshot, or in a restored backup.
    /// `greeter sync` brings them back.
    pub outdated: bool,
}

/// A damaged or lost store was rebuilt from its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// What was wrong.
    pub cause: String,
    /// Where the damaged folder was moved to; `None` where there was none.
    pub damaged: Option<PathBuf>,
    /// What it was rebuilt from.
    pub snapshot: PathBuf,
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The store was damaged ({}) and has been rebuilt from {}.", self.cause, self.snapshot.display())?;
        if let Some(damaged) = &self.damaged {
            write!(f, " The damaged one is kept in {}; delete it when all is well.", damaged.display())?;
        }
        Ok(())
    }
}

impl Store {
    /// Opens the store of `settings`; makes key and store at first use; rebuilds it from its snapshot where it is damaged.
    ///
    /// Waits up to 3 s for another process that has it open.
    ///
    /// # Errors
    /// [`StoreError`], each with what the operator can do.
    pub fn open(settings: &StoreSettings) -> Result<Opened, StoreError> {
        Self::open_with(settings, true)
    }

    /// The same without looking at every record first, for who is about to read everybody and has no time to lose. When that says
    /// [`StoreError::Damaged`], opening again looks at every record and rebuilds the store.
    ///
    /// # Errors
    /// [`StoreError`], each with what the operator can do.
    pub fn open_unchecked(settings: &StoreSettings) -> Result<Opened, StoreError> {
        Self::open_with(settings, false)
    }

    /// Whether there is a store in `folder`, or what it would be rebuilt from. Needs no lock.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Io`].
    pub fn is_there(folder: &Path) -> Result<bool, StoreError> {
        Ok(is_store(folder)? || snapshot::path(folder).exists())
    }

    /// How new the store in `folder` is; grows with each acknowledged commit. Needs no lock: `greeter run` polls it.
    pub fn generation(folder: &Path) -> u64 {
        Ledger::read(folder).generation
    }

    fn open_with(settings: &StoreSettings, all: bool) -> Result<Opened, StoreError> {
        let folder = &settings.folder;
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        disk::make_parent(folder)?;
        let lock = StoreLock::acquire(folder)?;
        let present = is_store(folder)?;
        let key = match StoreKey::read(&settings.key_file, credentials.as_deref())? {
            Some(key) => key,
            None if present || snapshot::path(folder).exists() => {
                return Err(StoreError::KeyMissing { file: settings.key_file.clone(), folder: folder.clone() });
            }
            None => StoreKey::create(&settings.key_file)?,
        };
        let sealer = Sealer::new(&key);
        let (engine, rebuilt) = Raising { folder, sealer: &sealer, key: &key, all }.engine(present)?;
        let mut store = Self { engine, sealer, ledger: Ledger::read(folder), folder: folder.clone(), _lock: lock };
        let outdated = store.reconcile()?;
        Ok(Opened { store, rebuilt, outdated })
    }

    /// Brings store and ledger together: numbers never go back, and who was removed stays removed. Returns whether the ledger knows of
    /// commits that the store has not.
    fn reconcile(&mut self) -> Result<bool, StoreError> {
        let generation = generation_of(&self.engine)?;
        let next = self.engine.get(META_NEXT_RECORD)?.as_deref().and_then(layout::number).unwrap_or(1);
        let outdated = generation < self.ledger.generation;
        if outdated {
            tracing::warn!(
                folder = %self.folder.display(),
                "the store is older than the last change that was acknowledged; run `greeter sync` again"
            );
        }
        self.ledger.generation = self.ledger.generation.max(generation);
        self.ledger.next_record = self.ledger.next_record.max(next);
        let mut returned = Vec::new();
        for record in &self.ledger.removed {
            if self.person(*record)?.is_some() {
                returned.push(Change::Remove(*record));
            }
        }
        self.commit(returned)?;
        Ok(outdated)
    }
}

/// Whether there is a store in `folder`; an empty folder is none yet.
fn is_store(folder: &Path) -> Result<bool, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(disk::at(folder)(error)),
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let ours = |name: &String| ["db", "conf", "blobs"].contains(&name.as_str()) || name.starts_with("snap.");
    if names.is_empty() || names.iter().any(ours) {
        return Ok(!names.is_empty());
    }
    Err(StoreError::NotAStore { folder: folder.into() })
}
