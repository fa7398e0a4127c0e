//! Opening the store: its lock, its key, and what must hold before anybody uses it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{
    StoreError,
    engine::Engine,
    layout::{META_AHEAD, META_OUTDATED},
    lock::StoreLock,
    mending::Mended,
    photo_files::PhotoFiles,
    raising::{Raising, generation_of},
    snapshot,
    upgrade::Upgrade,
};
use crate::{
    config::StoreSettings,
    disk,
    keys::{KeyError, KeyRing, Keys, Sealer, StoreKey},
    person::{IdNumber, RecordNumber},
};

/// The open store. Only one process has it at a time; dropping it lets others in.
pub struct Store {
    // Before the lock: fields are dropped in this order.
    pub(super) engine: Engine,
    pub(super) sealer: Sealer,
    pub(super) ring: KeyRing,
    pub(super) photos: PhotoFiles,
    pub(super) generation: u64,
    pub(super) next_record: RecordNumber,
    pub(super) folder: PathBuf,
    pub(super) keep_photos: bool,
    /// What has changed since the copy was written; `None` where more than that is missing in it.
    pub(super) since_copy: Option<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    /// Who has which identity number, once anybody asked.
    pub(super) ids: OnceLock<HashMap<IdNumber, RecordNumber>>,
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
    /// What a cut or damage had left, and was put right.
    pub mended: Mended,
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
    /// Opens the store of `settings`; makes key and store at first use; rebuilds it from its snapshot where it is damaged, and finishes what
    /// was cut.
    ///
    /// Waits up to 3 s for another process that has it open.
    ///
    /// # Errors
    /// [`StoreError`], each with what the operator can do.
    pub fn open(settings: &StoreSettings) -> Result<Opened, StoreError> {
        match Self::open_once(settings) {
            // It is marked now, and checked to its last record before it is used again.
            Err(StoreError::Damaged { .. }) => Self::open_once(settings),
            opened => opened,
        }
    }

    fn open_once(settings: &StoreSettings) -> Result<Opened, StoreError> {
        let folder = &settings.folder;
        disk::make_parent(folder)?;
        let lock = StoreLock::acquire(folder)?;
        let former = is_store(folder)? || snapshot::path(folder).exists();
        let key = match StoreKey::of(settings) {
            // A first start that was cut left it, and nothing was sealed with it.
            Err(KeyError::Length { found: 0, file }) if !former && file == settings.key_file => {
                std::fs::remove_file(&file).map_err(disk::at(&file))?;
                None
            }
            key => key?,
        };
        if let Some(key) = &key {
            let sealer = Sealer::new(key);
            let upgrade = Upgrade::of(folder, &settings.key_file, &sealer);
            upgrade.run()?;
        }
        let present = is_store(folder)?;
        let former = present || snapshot::path(folder).exists();
        let key = match key {
            Some(key) => key,
            None if former => {
                return Err(StoreError::KeyMissing { file: settings.key_file.clone(), folder: folder.clone() });
            }
            None => StoreKey::create(&settings.key_file)?,
        };
        let next = key.next(&settings.key_file)?;
        let mut sealer = Sealer::new(&key).or(next.as_ref());
        if former && !KeyRing::is_there(&settings.key_file) {
            return Err(StoreError::KeysMissing {
                file: KeyRing::paths(&settings.key_file)[0].clone(),
                folder: folder.clone(),
            });
        }
        let ring = KeyRing::open(&settings.key_file, &sealer)?;
        let mut raised = Raising { folder, sealer: &sealer, ring: &ring, key: &key }.engine(present);
        if let (Err(StoreError::WrongKey { .. }), Some(next)) = (&raised, &next) {
            // A rekey was cut after the records had the next key.
            sealer = Sealer::new(next).or(Some(&key));
            raised = Raising { folder, sealer: &sealer, ring: &ring, key: next }.engine(is_store(folder)?);
        }
        let (engine, rebuilt) = raised?;
        let photos = PhotoFiles::beside(folder);
        disk::make_folder(photos.folder())?;
        let generation = generation_of(&engine)?;
        let older = generation < ring.counted();
        if older {
            engine.apply(vec![(META_OUTDATED.to_vec(), Some(Vec::new()))])?;
        }
        let outdated = engine.get(META_OUTDATED)?.is_some();
        let copied = snapshot::generation(folder) == Some(generation) && engine.get(META_AHEAD)?.is_none();
        let generation = generation.max(ring.counted());
        let next_record = ring.next_record();
        let mut store = Self {
            engine,
            sealer,
            ring,
            photos,
            generation,
            next_record,
            folder: folder.clone(),
            keep_photos: settings.keep_photos,
            since_copy: (copied && !older).then(BTreeMap::new),
            ids: OnceLock::new(),
            _lock: lock,
        };
        let mended = store.mend(outdated)?;
        if older {
            store.make_newer()?;
        }
        if let Some(next) = &next {
            store.take_key(settings, &key, next)?;
        }
        Ok(Opened { store, rebuilt, outdated, mended })
    }

    /// The same, however long another process has it.
    ///
    /// # Errors
    /// As [`Self::open`], but for [`StoreError::Locked`].
    pub fn open_when_free(settings: &StoreSettings) -> Result<Opened, StoreError> {
        let mut told = false;
        loop {
            match Self::open(settings) {
                Err(StoreError::Locked { holder, .. }) if !told => {
                    tracing::info!("waiting: the store is in use by {holder}");
                    told = true;
                }
                Err(StoreError::Locked { .. }) => {}
                opened => return opened,
            }
        }
    }

    /// Whether there is a store in `folder`, or what it would be rebuilt from. Needs no lock.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Disk`].
    pub fn is_there(folder: &Path) -> Result<bool, StoreError> {
        Ok(is_store(folder)? || snapshot::path(folder).exists())
    }

    /// How new the store is; grows with each acknowledged commit. Needs no lock: `greeter run` polls it.
    pub fn generation(settings: &StoreSettings) -> u64 {
        Keys::counted_beside(&settings.key_file)
    }
}

/// Whether there is a store in `folder`; an empty folder is none yet.
pub(super) fn is_store(folder: &Path) -> Result<bool, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(disk::at(folder)(error).into()),
    };
    // A folder that cannot be read to its end is not taken for an empty one.
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(disk::at(folder))?;
    let ours = |name: &String| ["db", "conf", "blobs"].contains(&name.as_str()) || name.starts_with("snap.");
    if names.is_empty() || names.iter().any(ours) {
        return Ok(!names.is_empty());
    }
    Err(StoreError::NotAStore { folder: folder.into() })
}
