//! Takes over the store of an older greeter, in which the store's own key sealed everything and sled kept the photos.
//!
//! Everybody is written into a new store beside the old one, one after the other; who is in it already is passed over, so a cut costs little.
//! Then the names are exchanged, each step of which is seen from the names that are there. The old store stays beside the new one, as
//! `F.before-upgrade`, for two weeks or until `greeter store commit-upgrade`: `greeter store undo-upgrade` brings it back, for an older
//! greeter refuses the new one. An erasure ends that, because the old store still has whoever is erased.
//!
//! | before | while people are written | afterwards |
//! |---|---|---|
//! | `F`, `F.snapshot`, `F.generation`, `F.damaged-TIME` | the same | `F.before-upgrade`, `.snapshot`, `.generation`, `.damaged-TIME` |
//! | | `F.upgrade`, `F.upgrade.photos`, `K.upgrade.people` and its copy | `F`, `F.photos`, `K.people` and its copy |

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    StoreError,
    commit::write,
    engine::{Batch, Engine, OpenFailure},
    layout::{self, CHECK, META_CHECK, META_GENERATION, META_SCHEMA, SCHEMA},
    lock::StoreLock,
    opening::is_store,
    photo_files::PhotoFiles,
    raising::generation_of,
};
use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    keys::{KeyRing, Sealer},
    person::RecordNumber,
};

const NEW: &str = ".upgrade";
const OLD: &str = ".before-upgrade";
/// Behind the names of what a store that is undone leaves for a moment.
const UNDONE: &str = ".undone";
/// What is written at once, in bytes of photos.
const AT_ONCE: usize = 32 << 20;

/// A store that may have to be taken over.
pub struct Upgrade<'a> {
    folder: &'a Path,
    key_file: &'a Path,
    sealer: &'a Sealer,
}

impl<'a> Upgrade<'a> {
    /// Of the store in `folder`.
    pub fn of(folder: &'a Path, key_file: &'a Path, sealer: &'a Sealer) -> Self {
        Self { folder, key_file, sealer }
    }

    /// Takes the store over if an older greeter made it; a cut one is gone on with.
    ///
    /// # Errors
    /// [`StoreError`]; the old store is as it was then.
    pub fn run(&self) -> Result<bool, StoreError> {
        let (new, old) = (disk::beside(self.folder, NEW), disk::beside(self.folder, OLD));
        if KeyRing::is_there(self.key_file) {
            // A cut before the last name was given has left one of two equal files, in which nobody would be erased.
            let left = KeyRing::paths(&disk::beside(self.key_file, NEW));
            left.iter().filter(|path| path.exists()).try_for_each(|path| remove(path))?;
            return Ok(false);
        }
        if !old.exists() {
            let Some(before) = self.older()? else { return Ok(false) };
            tracing::info!(folder = %self.folder.display(), "taking over the store of an older greeter");
            match self.fill(&before, &new) {
                // A power cut has damaged what nobody relies on yet.
                Err(StoreError::Damaged { folder, .. }) if folder == new => {
                    self.discard()?;
                    self.fill(&before, &new)?;
                }
                filled => filled?,
            }
        }
        self.exchange(&new, &old)?;
        Ok(true)
    }

    /// The store of an older greeter, if it is one.
    fn older(&self) -> Result<Option<Engine>, StoreError> {
        if !is_store(self.folder)? {
            return Ok(None);
        }
        let engine = open(self.folder).map_err(|error| match error {
            StoreError::Damaged { folder, cause } => StoreError::OlderDamaged { folder, cause },
            error => error,
        })?;
        let schema = engine.get(META_SCHEMA)?.and_then(|value| value.try_into().ok()).map(u32::from_be_bytes);
        Ok(schema.is_some_and(|schema| schema < SCHEMA).then_some(engine))
    }

    /// Removes what was written of the new store.
    fn discard(&self) -> Result<(), DiskError> {
        let keys = KeyRing::paths(&disk::beside(self.key_file, NEW)).into_iter().filter(|path| path.exists());
        let written = beside_with(self.folder, NEW)?.into_iter().map(|(path, _)| path);
        keys.chain(written).try_for_each(|path| remove(&path))
    }

    /// Writes everybody into the new store.
    fn fill(&self, before: &Engine, new: &Path) -> Result<(), StoreError> {
        disk::make_folder(new)?;
        let engine = open(new)?;
        let mut ring = KeyRing::open(&disk::beside(self.key_file, NEW), self.sealer)?;
        let photos = PhotoFiles::beside(new);
        disk::make_folder(photos.folder())?;
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        for key in before.keys(layout::PEOPLE)? {
            if engine.get(&key)?.is_some() {
                continue;
            }
            let record = layout::record(&key).ok_or_else(|| before.damaged("a record does not read as one".into()))?;
            let (batch, size) = self.taken_over(before, record, &mut ring, &photos)?;
            waiting.push(batch);
            bytes += size;
            if bytes >= AT_ONCE {
                bytes = 0;
                keep(&engine, &ring, &photos, std::mem::take(&mut waiting))?;
            }
        }
        keep(&engine, &ring, &photos, waiting)?;
        let generation = generation_of(before)? + 1;
        engine.apply(vec![
            (META_SCHEMA.to_vec(), Some(SCHEMA.to_be_bytes().to_vec())),
            (META_CHECK.to_vec(), Some(self.sealer.own.seal(META_CHECK, CHECK))),
            (META_GENERATION.to_vec(), Some(generation.to_be_bytes().to_vec())),
        ])?;
        engine.make_durable()?;
        let next = before.get(b"mnext")?.as_deref().and_then(layout::number).unwrap_or(1);
        ring.pass_over(RecordNumber(next))?;
        ring.count(generation)?;
        Ok(ring.make_durable()?)
    }

    /// The batch that writes a person as the new store has them; their key is given and their photos' files are written.
    fn taken_over(
        &self,
        before: &Engine,
        record: RecordNumber,
        ring: &mut KeyRing,
        photos: &PhotoFiles,
    ) -> Result<(Batch, usize), StoreError> {
        let open = |key: &[u8], value: &[u8]| {
            let opened = self.sealer.own.open(key, value);
            opened.map_err(|_| before.damaged("a record does not open with the store's key".into()))
        };
        let seal = ring.give(record, self.sealer)?;
        let (mut batch, mut bytes) = (Batch::new(), 0);
        for kind in [layout::PHOTOS, layout::TEMPLATES, layout::REFUSALS, layout::PEOPLE] {
            before.scan(&[kind, &record.0.to_be_bytes()].concat(), |key, value| {
                let plain = open(key, value)?;
                bytes += plain.len();
                if kind == layout::PHOTOS {
                    batch.push((key.to_vec(), Some(photos.write(&seal, &plain)?.bytes().to_vec())));
                } else {
                    write(&mut batch, &seal, key.to_vec(), &plain);
                }
                Ok(())
            })?;
        }
        Ok((batch, bytes))
    }

    /// Gives everything its name. Whatever of it is done already is passed over; that people's keys have theirs is the last step.
    fn exchange(&self, new: &Path, old: &Path) -> Result<(), StoreError> {
        let folder = self.folder;
        let beside = |path: &Path, ending: &str| disk::beside(path, ending);
        let mut steps: Vec<(PathBuf, PathBuf)> = vec![(beside(folder, ".snapshot"), beside(old, ".snapshot"))];
        if new.exists() {
            steps.push((folder.into(), old.into()));
        }
        steps.push((beside(folder, ".generation"), beside(old, ".generation")));
        for (damaged, time) in beside_with(folder, ".damaged-")? {
            steps.push((damaged, beside(old, &format!(".damaged-{time}"))));
        }
        steps.push((beside(new, ".photos"), beside(folder, ".photos")));
        steps.push((new.into(), folder.into()));
        let [from, to] = [beside(self.key_file, NEW), self.key_file.into()].map(|key| KeyRing::paths(&key));
        steps.extend(from.into_iter().rev().zip(to.into_iter().rev()));
        for (from, to) in steps {
            rename(&from, &to)?;
        }
        Ok(())
    }
}

/// For how long the store of an older greeter has been kept beside this one; `None` where there is none.
pub fn kept_for(folder: &Path) -> Option<Duration> {
    // Giving it that name was the last that was done to it.
    let named = u64::try_from(std::fs::metadata(disk::beside(folder, OLD)).ok()?.ctime()).ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(now.saturating_sub(Duration::from_secs(named)))
}

/// Damaged stores that were set aside when they were rebuilt.
pub fn damaged(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = beside_with(folder, ".damaged-").unwrap_or_default();
    found.sort();
    found.into_iter().map(|(path, _)| path).collect()
}

/// Removes the store that an older greeter left; there is no way back afterwards. Says whether there was one.
///
/// # Errors
/// [`StoreError::Disk`].
pub fn give_up(folder: &Path) -> Result<bool, StoreError> {
    let all = beside_with(folder, OLD)?;
    all.iter().try_for_each(|(path, _)| remove(path))?;
    Ok(!all.is_empty())
}

/// Brings the older store back: this one goes, with all that was changed in it. Says whether there was one to bring back.
///
/// People's keys go first: from then on nobody takes what is left for a store.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::Disk`]; called again, it does the rest.
pub fn undo(settings: &StoreSettings) -> Result<bool, StoreError> {
    let (folder, key_file) = (&settings.folder, &settings.key_file);
    let _lock = StoreLock::acquire(folder)?;
    let (old, undone) = (disk::beside(folder, OLD), disk::beside(folder, UNDONE));
    let keys = KeyRing::paths(key_file).into_iter().zip(KeyRing::paths(&disk::beside(key_file, UNDONE)));
    let there = old.exists();
    if there {
        keys.clone().try_for_each(|(from, to)| rename(&from, &to))?;
        rename(folder, &undone)?;
        rename(&disk::beside(folder, ".snapshot"), &disk::beside(&undone, ".snapshot"))?;
        // The store itself comes last.
        for (old, rest) in beside_with(folder, OLD)?.into_iter().filter(|(_, rest)| !rest.is_empty()) {
            rename(&old, &disk::beside(folder, &rest))?;
        }
        rename(&old, folder)?;
    }
    let leftovers = beside_with(folder, UNDONE)?;
    if there || !leftovers.is_empty() {
        let keys = keys.map(|(_, undone)| undone).filter(|undone| undone.exists());
        let photos = [disk::beside(folder, ".photos")].into_iter().filter(|photos| photos.exists());
        keys.chain(photos).chain(leftovers.iter().map(|(path, _)| path.clone())).try_for_each(|path| remove(&path))?;
    }
    Ok(there || !leftovers.is_empty())
}

/// Whatever lies beside `folder` under its name and `ending`, with what its name has beyond that.
fn beside_with(folder: &Path, ending: &str) -> Result<Vec<(PathBuf, String)>, DiskError> {
    let start = disk::beside(folder, ending);
    let start = start.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parent = disk::parent(folder);
    let entries =
        std::fs::read_dir(parent).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(disk::at(parent))?;
    let rest = |name: &str| name.strip_prefix(&start).map(str::to_owned);
    Ok(entries.iter().filter_map(|entry| Some((entry.path(), rest(&entry.file_name().to_string_lossy())?))).collect())
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    if from.exists() && !to.exists() {
        std::fs::rename(from, to).map_err(disk::at(to))?;
        disk::sync_parent(to)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), DiskError> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(disk::at(path))
}

fn open(folder: &Path) -> Result<Engine, StoreError> {
    Engine::open(folder).map_err(|failure| match failure {
        OpenFailure::Damaged(cause) => StoreError::Damaged { folder: folder.into(), cause },
        OpenFailure::Other(error) => error,
    })
}

/// Keys and files first, then the rows that name them.
fn keep(engine: &Engine, ring: &KeyRing, photos: &PhotoFiles, batches: Vec<Batch>) -> Result<(), StoreError> {
    ring.make_durable()?;
    disk::sync_file_system(photos.folder())?;
    batches.into_iter().try_for_each(|batch| engine.apply(batch))?;
    engine.make_durable()
}
