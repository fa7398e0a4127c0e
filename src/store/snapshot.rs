//! The last-good copy beside the store: one file, from which a damaged store is rebuilt.
//!
//! Layout: magic, generation, length and bytes of the sealed check record; then per entry the lengths of key and value (u32 each,
//! little endian), key, value; a key length of `u32::MAX` ends them; then [`End`], sealed; last an HMAC-SHA256 of all
//! before it. The values are sealed as in the store: who has no key any more cannot be read in it either. Photos are not in it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use hmac::Mac;
use rayon::prelude::*;

use super::{Store, StoreError, engine::Engine, layout, raising::is_sound};
use crate::{
    disk::{self, DiskError},
    keys::{Authenticator, Sealer},
};

const ENDING: &str = ".snapshot";
const MAGIC: &[u8; 8] = b"GREETER2";
const END: u32 = u32::MAX;
const MAC_BYTES: u64 = 32;
/// Longer keys or values than this are no greeter's.
const MAX_PART: u32 = 256 << 20;
/// Entries that are opened on all cores at once.
const OPENED_AT_ONCE: usize = 4096;
/// What is written to a store that is being rebuilt at once.
const REBUILD_BYTES: usize = 8 << 20;

/// What is read without the rest of a snapshot.
const KINDS: [&[u8]; 4] = [layout::PHOTOS, layout::PEOPLE, layout::REFUSALS, layout::TEMPLATES];

/// Entries of one kind, one after the other: how many bytes stand before the first one, and how many there are.
pub type Section = [u64; 2];

/// What stands at the end, sealed, so that whoever reads only a part knows that it is all of that part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Of the store when the snapshot was written.
    pub generation: u64,
    /// Whether changes are missing that were acknowledged once.
    pub outdated: bool,
    /// Where is what, one a kind.
    sections: [Section; KINDS.len()],
}

impl End {
    const SEALED: usize = 9 + 16 * KINDS.len() + 24 + 16;
    const PLACE: &[u8] = b"mend";

    /// Where the entries of a kind are; nowhere for one that is not among [`KINDS`].
    pub fn section(&self, kind: &[u8]) -> Section {
        KINDS.iter().position(|known| *known == kind).map(|at| self.sections[at]).unwrap_or_default()
    }

    fn sealed(&self, sealer: &Sealer) -> Vec<u8> {
        let sections: Vec<u8> = self.sections.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        sealer.own.seal(Self::PLACE, &[&self.generation.to_le_bytes()[..], &[self.outdated.into()], &sections].concat())
    }

    /// That of an open snapshot; `None` where it was damaged, or sealed with another key.
    pub fn of(file: &File, sealer: &Sealer) -> Option<Self> {
        let mut sealed = [0; Self::SEALED];
        let start = file.metadata().ok()?.len().checked_sub(MAC_BYTES + Self::SEALED as u64)?;
        file.read_exact_at(&mut sealed, start).ok()?;
        let plain = sealer.own.open(Self::PLACE, &sealed).ok()?;
        let (generation, rest) = plain.split_first_chunk::<8>()?;
        let (outdated, rest) = rest.split_first()?;
        let mut numbers = rest.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
        let mut next = || numbers.next().unwrap_or_default();
        let sections = std::array::from_fn(|_| [next(), next()]);
        Some(Self { generation: u64::from_le_bytes(*generation), outdated: *outdated != 0, sections })
    }
}

/// Why a snapshot does not help.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is none.
    #[error("there is no snapshot beside it")]
    Absent,
    /// It is another key's.
    #[error("the key does not open its snapshot")]
    WrongKey,
    /// It is damaged itself.
    #[error("its snapshot is damaged too ({0})")]
    Damaged(&'static str),
    /// It cannot be read, or the new store cannot be written.
    #[error("{0}")]
    Failed(#[from] StoreError),
}

impl From<DiskError> for Unusable {
    fn from(error: DiskError) -> Self {
        Self::Failed(error.into())
    }
}

/// Where the snapshot of `folder` is.
pub fn path(folder: &Path) -> PathBuf {
    disk::beside(folder, ENDING)
}

/// The generation of the snapshot beside `folder`, unchecked; `None` where there is no snapshot.
pub fn generation(folder: &Path) -> Option<u64> {
    generation_in(&File::open(path(folder)).ok()?)
}

/// The same of an open file.
pub fn generation_in(file: &File) -> Option<u64> {
    let mut head = [0; 16];
    file.read_exact_at(&mut head, 0).ok()?;
    head.strip_prefix(MAGIC).and_then(|rest| rest.try_into().ok()).map(u64::from_le_bytes)
}

/// Whether an open snapshot was made with this key; true also where that cannot be read.
pub fn opens_with(file: &File, sealer: &Sealer) -> bool {
    let mut length = [0; 4];
    let read = |bytes: &mut [u8], at| file.read_exact_at(bytes, at).is_ok();
    if !read(&mut length, 16) || u32::from_le_bytes(length) > 4096 {
        return true;
    }
    let mut check = vec![0; u32::from_le_bytes(length) as usize];
    !read(&mut check, 20) || sealer.own.open(layout::META_CHECK, &check).is_ok()
}

/// Takes entries, in the order of their keys.
type Put<'p> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'p;

/// Writes the snapshot: from the former one and what has changed since, where that is known and the former one is whole; else from the
/// tree. So damage is never copied over the last good one.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::Disk`]; the former snapshot stays in force then.
pub fn write(store: &Store) -> Result<(), StoreError> {
    if let Some(changes) = &store.since_copy {
        match write_from(store, |put| merge(store, changes, put)) {
            Ok(()) => return Ok(()),
            Err(unusable) => tracing::debug!("the copy is written from the tree: {unusable}"),
        }
    }
    write_from(store, |put| copy_tree(store, put))
}

fn write_from<E: From<StoreError> + From<DiskError>>(
    store: &Store,
    give: impl FnOnce(&mut Put<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let path = path(&store.folder);
    let failed = disk::at(&path);
    let mut sections = [Section::default(); KINDS.len()];
    disk::replace(&path, |file| {
        let mut mac = store.sealer.snapshot_authenticator();
        let written = std::cell::Cell::new(0_u64);
        let mut put = |bytes: &[u8]| {
            written.set(written.get() + bytes.len() as u64);
            mac.update(bytes);
            file.write_all(bytes).map_err(&failed)
        };
        let check = store.sealer.own.seal(layout::META_CHECK, layout::CHECK);
        put(MAGIC)?;
        put(&store.generation.to_le_bytes())?;
        put(&length(&check))?;
        put(&check)?;
        give(&mut |key, value| {
            if key == layout::META_AHEAD {
                return Ok(());
            }
            if let Some(kind) = KINDS.iter().position(|kind| key.starts_with(kind)) {
                let [at, count] = &mut sections[kind];
                *at = if *count == 0 { written.get() } else { *at };
                *count += 1;
            }
            put(&length(key))?;
            put(&length(value))?;
            put(key)?;
            Ok(put(value)?)
        })?;
        put(&END.to_le_bytes())?;
        let outdated = store.engine.get(layout::META_OUTDATED)?.is_some();
        put(&End { generation: store.generation, outdated, sections }.sealed(&store.sealer))?;
        Ok(file.write_all(&mac.finalize().into_bytes()).map_err(&failed)?)
    })
}

/// Gives what the former snapshot has, with these changes.
fn merge(store: &Store, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>, put: &mut Put<'_>) -> Result<(), Unusable> {
    let mut changes = changes.iter().peekable();
    read(&store.folder, &store.sealer, |key, value| {
        while let Some((new, value)) = changes.next_if(|(new, _)| **new < key) {
            value.iter().try_for_each(|value| put(new, value))?;
        }
        match changes.next_if(|(new, _)| **new == key) {
            Some((_, changed)) => changed.iter().try_for_each(|changed| put(&key, changed)),
            None => put(&key, &value),
        }
    })?;
    Ok(changes.try_for_each(|(new, value)| value.iter().try_for_each(|value| put(new, value)))?)
}

/// Gives what the tree has; every sealed value is opened on the way.
fn copy_tree(store: &Store, put: &mut Put<'_>) -> Result<(), StoreError> {
    let keys = store.ring.all()?;
    let mut put_sound = |entries: &mut Vec<(Vec<u8>, Vec<u8>)>| {
        if !entries.par_iter().all(|(key, value)| is_sound(key, value, &store.sealer, &keys)) {
            return Err(store.engine.damaged("a record does not open with its key".into()));
        }
        entries.drain(..).try_for_each(|(key, value)| put(&key, &value))
    };
    let mut entries = Vec::with_capacity(OPENED_AT_ONCE);
    store.engine.scan(b"", |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        if entries.len() < OPENED_AT_ONCE { Ok(()) } else { put_sound(&mut entries) }
    })?;
    put_sound(&mut entries)
}

/// Puts everything of the snapshot beside `folder` into `engine`, after the whole snapshot was found to be genuine.
///
/// # Errors
/// [`Unusable`].
pub fn restore(folder: &Path, engine: &Engine, sealer: &Sealer) -> Result<(), Unusable> {
    check(folder, sealer)?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    read(folder, sealer, |key, value| {
        bytes += key.len() + value.len();
        batch.push((key, Some(value)));
        if bytes > REBUILD_BYTES {
            bytes = 0;
            engine.apply(std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    engine.apply(batch)?;
    Ok(engine.make_durable()?)
}

/// Reads the snapshot beside `folder` to its end, and says whether it is genuine.
///
/// # Errors
/// [`Unusable`].
pub fn check(folder: &Path, sealer: &Sealer) -> Result<(), Unusable> {
    read(folder, sealer, |_, _| Ok(()))
}

fn read(
    folder: &Path,
    sealer: &Sealer,
    mut each: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreError>,
) -> Result<(), Unusable> {
    let path = path(folder);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::Absent),
        Err(error) => return Err(disk::at(&path)(error).into()),
    };
    let all = file.metadata().map_err(disk::at(&path))?.len();
    let body = all.checked_sub(MAC_BYTES).ok_or(Unusable::Damaged("it is cut off"))?;
    let mut reader = Authenticated {
        inner: BufReader::with_capacity(1 << 20, file).take(body),
        mac: sealer.snapshot_authenticator(),
    };
    let damaged = |error: io::Error| flaw(&error).map_or_else(|| disk::at(&path)(error).into(), Unusable::Damaged);
    let mut head = [0; 20];
    reader.read_exact(&mut head).map_err(damaged)?;
    if !head.starts_with(MAGIC) {
        return Err(Unusable::Damaged("it is no snapshot"));
    }
    let check = bytes(&mut reader, last_length(&head)).map_err(damaged)?;
    if sealer.own.open(layout::META_CHECK, &check).is_err() {
        return Err(Unusable::WrongKey);
    }
    while let Some((key, value)) = entry(&mut reader).map_err(damaged)? {
        each(key, value)?;
    }
    bytes(&mut reader, End::SEALED as u32).map_err(damaged)?;
    if reader.inner.limit() != 0 {
        return Err(Unusable::Damaged("it has a second end"));
    }
    let mut mac = [0; MAC_BYTES as usize];
    reader.inner.into_inner().read_exact(&mut mac).map_err(damaged)?;
    reader.mac.verify(&mac.into()).map_err(|_| Unusable::Damaged("its bytes have changed"))
}

/// Authenticates what is read.
struct Authenticated<R> {
    inner: io::Take<R>,
    mac: Authenticator,
}

impl<R: Read> Read for Authenticated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.mac.update(&buffer[..count]);
        Ok(count)
    }
}

/// The next entry; `None` at the end.
///
/// # Errors
/// What [`flaw`] has words for, or the system's.
pub fn entry(reader: &mut impl Read) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut lengths = [0; 8];
    reader.read_exact(&mut lengths[..4])?;
    if lengths[..4] == END.to_le_bytes() {
        return Ok(None);
    }
    reader.read_exact(&mut lengths[4..])?;
    let key = bytes(reader, last_length(&lengths[..4]))?;
    Ok(Some((key, bytes(reader, last_length(&lengths))?)))
}

fn bytes(reader: &mut impl Read, count: u32) -> io::Result<Vec<u8>> {
    if count > MAX_PART {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; count as usize];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What is wrong with a snapshot of which this was read; `None` where the system says it.
pub fn flaw(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Some("it is cut off"),
        io::ErrorKind::InvalidData => Some("an entry has an impossible length"),
        _ => None,
    }
}

fn length(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len()).unwrap_or(END).to_le_bytes()
}

fn last_length(bytes: &[u8]) -> u32 {
    bytes.last_chunk().map_or(END, |length| u32::from_le_bytes(*length))
}
