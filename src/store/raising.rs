//! Getting an engine for a store: a new one, the one that is there, or one rebuilt from the snapshot.
//!
//! A new tree is made in `F.new` beside the store's folder `F` and gets its name when it is on the disk for good, so that a power cut
//! leaves the old state or the new one. A damaged folder is moved aside, never deleted.

use std::path::Path;

use super::{
    Rebuilt, StoreError,
    engine::{Engine, OpenFailure},
    layout::{self, CHECK, META_CHECK, META_GENERATION, META_SCHEMA, SCHEMA},
    photo_files::PhotoName,
    snapshot::{self, Unusable},
};
use crate::{
    disk,
    keys::{KeyRing, Keys, Sealer, Slot, StoreKey},
};

/// Stores up to this size are opened to their last record at each start; larger ones are read, and a damaged record is noticed when it is
/// opened.
const FULL_CHECK_BYTES: u64 = 64 << 20;

/// What is known while the store is being opened.
pub struct Raising<'a> {
    pub folder: &'a Path,
    pub sealer: &'a Sealer,
    pub ring: &'a KeyRing,
    pub key: &'a StoreKey,
}

impl Raising<'_> {
    /// The engine of the store in our folder; `present` says whether there is anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn engine(&self, present: bool) -> Result<(Engine, Option<Rebuilt>), StoreError> {
        if !present && snapshot::path(self.folder).exists() {
            return self.rebuild("its folder is gone".into(), false);
        }
        if !present {
            self.build(|engine| self.found(engine))
                .map_err(|unusable| self.unrecoverable("it is new".into(), unusable))?;
            self.name_new()?;
        }
        match self.open_checked() {
            Ok(engine) => self.unless_cut(engine),
            Err(OpenFailure::Damaged(cause)) => self.rebuild(cause, true),
            Err(OpenFailure::Other(error)) => Err(error),
        }
    }

    /// Takes an engine that opened well, unless the snapshot is newer than it.
    ///
    /// sled takes damage near the end of its log for a write that was cut short: it opens without a word, and without the commits
    /// behind that place. The generation is every commit's last record, so it tells.
    fn unless_cut(&self, engine: Engine) -> Result<(Engine, Option<Rebuilt>), StoreError> {
        if snapshot::generation(self.folder) <= Some(generation_of(&engine)?) {
            return Ok((engine, None));
        }
        drop(engine);
        match self.rebuild("its last changes are gone".into(), true) {
            // A snapshot that only claims to be newer is no reason to refuse a store that opens.
            Err(StoreError::Unrecoverable { .. }) => match self.open_checked() {
                Ok(engine) => Ok((engine, None)),
                Err(failure) => Err(self.refuse(failure)),
            },
            outcome => outcome,
        }
    }

    fn open_checked(&self) -> Result<Engine, OpenFailure> {
        let engine = Engine::open(self.folder)?;
        match self.check(&engine) {
            Ok(()) => Ok(engine),
            Err(StoreError::Damaged { cause, .. }) => Err(OpenFailure::Damaged(cause)),
            Err(error) => Err(OpenFailure::Other(error)),
        }
    }

    /// Schema, key, and that everything can be read.
    fn check(&self, engine: &Engine) -> Result<(), StoreError> {
        let schema = engine.get(META_SCHEMA)?.and_then(|value| value.try_into().ok()).map(u32::from_be_bytes);
        let schema = schema.ok_or_else(|| engine.damaged("it has no schema record".into()))?;
        if schema < SCHEMA {
            return Err(engine.damaged(format!("it claims schema {schema} beside people's keys")));
        }
        if schema > SCHEMA {
            return Err(StoreError::NewerSchema { folder: self.folder.into(), found: schema, known: SCHEMA });
        }
        let check = engine.get(META_CHECK)?.ok_or_else(|| engine.damaged("it has no check record".into()))?;
        if self.sealer.own.open(META_CHECK, &check).is_err() {
            return Err(self.wrong_key());
        }
        let suspect = disk::beside(self.folder, ".suspect");
        let wholly = suspect.exists() || disk::size_of(self.folder) <= FULL_CHECK_BYTES;
        if wholly {
            let keys = self.ring.all()?;
            engine.scan(b"", |key, value| match is_sound(key, value, self.sealer, &keys) {
                true => Ok(()),
                false => Err(engine.damaged("a record does not open with its key".into())),
            })?;
        }
        // A mark that cannot be removed costs the next start a full check.
        let _ = std::fs::remove_file(&suspect);
        Ok(())
    }

    /// Writes the records of a new store.
    fn found(&self, engine: &Engine) -> Result<(), Unusable> {
        engine.apply(vec![
            (META_SCHEMA.to_vec(), Some(SCHEMA.to_be_bytes().to_vec())),
            (META_CHECK.to_vec(), Some(self.sealer.own.seal(META_CHECK, CHECK))),
        ])?;
        Ok(engine.make_durable()?)
    }

    /// Makes a tree in `F.new` and fills it; it is on the disk for good afterwards.
    fn build(&self, fill: impl FnOnce(&Engine) -> Result<(), Unusable>) -> Result<(), Unusable> {
        let new = disk::beside(self.folder, ".new");
        if new.exists() {
            // Left by a process that ended before its store got our name; nobody was ever acknowledged in it.
            std::fs::remove_dir_all(&new).map_err(disk::at(&new))?;
        }
        disk::make_folder(&new)?;
        let filled = match Engine::open(&new) {
            Ok(engine) => fill(&engine),
            Err(OpenFailure::Damaged(cause)) => Err(StoreError::Damaged { folder: new.clone(), cause }.into()),
            Err(OpenFailure::Other(error)) => Err(error.into()),
        };
        match filled {
            Ok(()) => Ok(disk::sync_file_system(&new)?),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&new);
                Err(error)
            }
        }
    }

    /// Gives `F.new` its name `F`, which is free or an empty folder.
    fn name_new(&self) -> Result<(), StoreError> {
        let new = disk::beside(self.folder, ".new");
        std::fs::rename(&new, self.folder).map_err(|error| {
            // It is made again when it is wanted.
            let _ = std::fs::remove_dir_all(&new);
            disk::at(self.folder)(error)
        })?;
        Ok(disk::sync_parent(self.folder)?)
    }

    fn rebuild(&self, cause: String, present: bool) -> Result<(Engine, Option<Rebuilt>), StoreError> {
        self.build(|engine| snapshot::restore(self.folder, engine, self.sealer))
            .map_err(|unusable| self.unrecoverable(cause.clone(), unusable))?;
        let damaged = present.then(|| aside(self.folder));
        if let Some(aside) = &damaged {
            std::fs::rename(self.folder, aside).map_err(disk::at(aside))?;
        }
        self.name_new()?;
        let engine = self.open_checked().map_err(|failure| self.refuse(failure))?;
        let rebuilt = Rebuilt { cause, damaged, snapshot: snapshot::path(self.folder) };
        let (store, snapshot) = (self.folder.display(), rebuilt.snapshot.display());
        match &rebuilt.damaged {
            Some(aside) => tracing::warn!(
                %store, %snapshot, moved_to = %aside.display(), cause = rebuilt.cause,
                "the store was damaged and has been rebuilt from its snapshot"
            ),
            None => tracing::info!(%store, %snapshot, "the store has been built from its snapshot"),
        }
        Ok((engine, Some(rebuilt)))
    }

    fn refuse(&self, failure: OpenFailure) -> StoreError {
        match failure {
            OpenFailure::Damaged(cause) => StoreError::Damaged { folder: self.folder.into(), cause },
            OpenFailure::Other(error) => error,
        }
    }

    fn wrong_key(&self) -> StoreError {
        StoreError::WrongKey { file: self.key.origin().into(), folder: self.folder.into() }
    }

    fn unrecoverable(&self, cause: String, unusable: Unusable) -> StoreError {
        match unusable {
            Unusable::WrongKey => self.wrong_key(),
            Unusable::Failed(error) => error,
            unusable => StoreError::Unrecoverable { folder: self.folder.into(), cause, snapshot: unusable.to_string() },
        }
    }
}

/// A free name for a store that is set aside.
pub fn aside(folder: &Path) -> std::path::PathBuf {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let name = |n: u32| if n == 0 { format!(".damaged-{now}") } else { format!(".damaged-{now}-{n}") };
    let paths = (0..).map(|n| disk::beside(folder, &name(n)));
    paths.into_iter().find(|path| !path.exists()).unwrap_or_else(|| disk::beside(folder, &name(0)))
}

/// The last commit that is in the tree.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::Disk`].
pub fn generation_of(engine: &Engine) -> Result<u64, StoreError> {
    Ok(engine.get(META_GENERATION)?.as_deref().and_then(layout::number).unwrap_or(0))
}

/// Whether what lies under this key opens with the key of its owner. What is kept of somebody who has no key any more is as good as gone.
pub fn is_sound(key: &[u8], value: &[u8], sealer: &Sealer, keys: &Keys) -> bool {
    match (key.first_chunk::<1>().map_or(&b""[..], |kind| kind), layout::record(key)) {
        (layout::PHOTOS, Some(_)) => value.is_empty() || PhotoName::from_bytes(value).is_some(),
        (_, Some(record)) => match keys.slot(record, sealer) {
            Slot::Given(seal) => seal.open(key, value).is_ok(),
            Slot::Free | Slot::Erased | Slot::Damaged => true,
        },
        (kind, None) => [b"m", layout::FORMER_INDEX].contains(&kind),
    }
}
