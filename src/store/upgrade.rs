//! Takes over the store of an older greeter, in which the store's own key sealed everything and sled kept the photos.
//!
//! Everybody is written into a new store beside the old one, one after the other; who is in it already is passed over, so a cut costs little.
//! Then the names are exchanged, each step of which is seen from the names that are there, and the old store stays beside the new one as
//! `F.before-upgrade` until it is given up. An older greeter refuses the new store, and `greeter store undo-upgrade` brings the old one back.
//!
//! | before | while people are written | afterwards |
//! |---|---|---|
//! | `F`, `F.snapshot`, `F.generation` | the same | `F.before-upgrade`, `.snapshot`, `.generation` |
//! | | `F.upgrade`, `F.upgrade.photos`, `K.upgrade.people` and its copy | `F`, `F.photos`, `K.people` and its copy |

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{
    Enrolled, StoreError, disk,
    commit::write,
    engine::{Batch, Engine, OpenFailure},
    keyring::KeyRing,
    opening::is_store,
    layout::{self, CHECK, META_CHECK, META_GENERATION, META_SCHEMA, SCHEMA},
    photo_files::PhotoFiles,
    raising::generation_of,
    seal::Sealer,
};
use crate::person::RecordNumber;

const NEW: &str = ".upgrade";
const OLD: &str = ".before-upgrade";
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
            return Ok(false);
        }
        if !old.exists() {
            let Some(before) = self.older()? else { return Ok(false) };
            tracing::info!(folder = %self.folder.display(), "taking over the store of an older greeter");
            self.fill(&before, &new)?;
        }
        self.exchange(&new, &old)?;
        Ok(true)
    }

    /// The store of an older greeter, if it is one.
    fn older(&self) -> Result<Option<Engine>, StoreError> {
        if !is_store(self.folder)? {
            return Ok(None);
        }
        let engine = open(self.folder)?;
        let schema = engine.get(META_SCHEMA)?.and_then(|value| value.try_into().ok()).map(u32::from_be_bytes);
        Ok(schema.is_some_and(|schema| schema < SCHEMA).then_some(engine))
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
        ring.make_durable()
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
                if kind == layout::PEOPLE {
                    let person: Enrolled = serde_json::from_slice(&plain)
                        .map_err(|_| before.damaged("a record does not read as one".into()))?;
                    let id = Zeroizing::new(person.taxpayer.id_number.reveal().to_owned());
                    let index = layout::index(&self.sealer.index_of(&id));
                    write(&mut batch, &self.sealer.own, index, &record.0.to_be_bytes());
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
        steps.push((beside(new, ".photos"), beside(folder, ".photos")));
        steps.push((new.into(), folder.into()));
        let [from, to] = [beside(self.key_file, NEW), self.key_file.into()].map(|key| KeyRing::paths(&key));
        steps.extend(from.into_iter().rev().zip(to.into_iter().rev()));
        for (from, to) in steps {
            if from.exists() && !to.exists() {
                std::fs::rename(&from, &to).map_err(disk::at(&to))?;
                disk::sync_parent(&to)?;
            }
        }
        Ok(())
    }
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
