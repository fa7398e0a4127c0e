//! Everybody's own key, each in a slot of two equal files beside the store's key.
//!
//! Whatever is kept of a person is sealed with their own key. Who is erased has their slot overwritten in place, and with it goes whatever
//! still lies of them in sled's log, in the snapshot, in a store that was set aside, in a backup without this file, or in free blocks of
//! the disk. A slot never crosses a sector of 512 bytes, so a power cut leaves it as it was or as it is to be.
//!
//! | slot | what it holds |
//! |---|---|
//! | 0 | the magic number and a counter: the last change that was acknowledged |
//! | N, never given | zeros, or nothing: the file ends before it |
//! | N, given | the key of record N, sealed with the store's key |
//! | N, erased | ones |
//!
//! Record numbers are never given twice, so no slot is.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use chacha20poly1305::aead::{OsRng, rand_core::RngCore};
use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::{
    KeyError,
    seal::{Seal, Sealer},
    store_key::KEY_BYTES,
};
use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    person::RecordNumber,
};

/// Behind the name of the store's key.
const ENDINGS: [&str; 2] = [".people", ".people.copy"];
const MAGIC: &[u8; 8] = b"GREETKEY";
const SLOT: usize = 128;
/// Nonce, key and tag.
pub(super) const SEALED: usize = 24 + KEY_BYTES + 16;
const ERASED: [u8; SLOT] = [0xFF; SLOT];

/// What a slot says about a record.
pub enum Slot {
    /// Nobody ever had the number.
    Free,
    /// Somebody has it, and this opens what is kept of them.
    Given(Seal),
    /// Somebody had it and was erased.
    Erased,
    /// Neither file's slot can be read: what is kept of them is lost.
    Damaged,
}

/// The open files.
pub struct KeyRing {
    files: [(PathBuf, File); 2],
    /// Slots, the head among them, that the files have room for.
    slots: u64,
}

impl KeyRing {
    /// Where the files are for the store's key in `key_file`.
    pub fn paths(key_file: &Path) -> [PathBuf; 2] {
        ENDINGS.map(|ending| disk::beside(key_file, ending))
    }

    /// Whether one of the files is there.
    pub fn is_there(key_file: &Path) -> bool {
        Self::paths(key_file).iter().any(|path| path.exists())
    }

    /// The ring beside `key_file`; an empty one is made where there is none.
    ///
    /// A file that is missing or shorter than the other is made whole from it, and so is every slot: erased wins over given, given over free.
    ///
    /// # Errors
    /// [`DiskError`]; [`KeyError::NotKeys`] for a file that is something else.
    pub fn open(key_file: &Path, sealer: &Sealer) -> Result<Self, KeyError> {
        disk::make_parent(key_file)?;
        let [first, second] = Self::paths(key_file);
        let mut ring = Self { files: [(first.clone(), create(&first)?), (second.clone(), create(&second)?)], slots: 1 };
        ring.mend(sealer)?;
        disk::sync_parent(&first)?;
        Ok(ring)
    }

    /// Brings both files together.
    fn mend(&mut self, sealer: &Sealer) -> Result<(), KeyError> {
        let [one, other] = [self.read(0)?, self.read(1)?];
        self.slots = (one.len().max(other.len()).div_ceil(SLOT) as u64).max(1);
        let counter = head(&one).max(head(&other)).unwrap_or(0);
        let (mut changed, blank) = (false, [0; SLOT]);
        if head(&one) != Some(counter) || head(&other) != Some(counter) {
            for (path, bytes) in [(&self.files[0].0, &one), (&self.files[1].0, &other)] {
                let foreign = bytes.first_chunk::<8>().is_some_and(|magic| magic != MAGIC && *magic != [0; 8]);
                if foreign && head(&one).or(head(&other)).is_none() {
                    return Err(KeyError::NotKeys { file: path.clone() });
                }
            }
            self.count(counter)?;
            changed = true;
        }
        for slot in 1..self.slots {
            let (one, other) = (slot_in(&one, slot).unwrap_or(&blank), slot_in(&other, slot).unwrap_or(&blank));
            if one == other {
                continue;
            }
            let whole = [one, other].into_iter().max_by_key(|bytes| rank(bytes, slot, sealer)).unwrap_or(one);
            let whole = *whole;
            self.put(slot, &whole)?;
            changed = true;
        }
        if changed {
            self.make_durable()?;
        }
        Ok(())
    }

    fn read(&self, which: usize) -> Result<Vec<u8>, DiskError> {
        let (path, file) = &self.files[which];
        let mut bytes = Vec::new();
        let mut reader = file;
        reader.read_to_end(&mut bytes).map_err(disk::at(path))?;
        Ok(bytes)
    }

    fn put(&self, slot: u64, bytes: &[u8; SLOT]) -> Result<(), DiskError> {
        self.files
            .iter()
            .try_for_each(|(path, file)| file.write_all_at(bytes, slot * SLOT as u64).map_err(disk::at(path)))
    }

    /// Gives each of these records, which nobody ever had, a key of its own. It lasts after [`Self::make_durable`].
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn give(&mut self, record: RecordNumber, sealer: &Sealer) -> Result<Seal, DiskError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        OsRng.fill_bytes(key.as_mut());
        let mut slot = [0; SLOT];
        slot[..SEALED].copy_from_slice(&sealer.own.seal(&place(record.0), key.as_ref()));
        self.put(record.0, &slot)?;
        self.slots = self.slots.max(record.0 + 1);
        Ok(Seal::new(&key))
    }

    /// Seals everybody's key with `sealer`'s own key, in place, where it was sealed with the other one; it lasts when this returns. Who erases
    /// somebody meanwhile without the store's lock waits.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn seal_anew(&mut self, sealer: &Sealer) -> Result<(), KeyError> {
        let (path, file) = &self.files[0];
        rustix::fs::flock(file, FlockOperation::LockExclusive).map_err(|error| disk::at(path)(error.into()))?;
        let sealed = (|| {
            let Some(other) = &sealer.other else { return Ok(()) };
            for (path, file) in &self.files {
                for slot in 1..self.slots {
                    let mut bytes = [0; SLOT];
                    if file.read_exact_at(&mut bytes, slot * SLOT as u64).is_err() {
                        continue; // The file ends before it.
                    }
                    let Ok(key) = other.open(&place(slot), &bytes[..SEALED]) else { continue };
                    bytes[..SEALED].copy_from_slice(&sealer.own.seal(&place(slot), &key));
                    file.write_all_at(&bytes, slot * SLOT as u64).map_err(disk::at(path))?;
                }
            }
            self.make_durable()
        })();
        // Freed by the system at the latest when the files are closed.
        let _ = rustix::fs::flock(file, FlockOperation::Unlock);
        Ok(sealed?)
    }

    /// Numbers below `next` are never given, whoever had them.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn pass_over(&mut self, next: RecordNumber) -> Result<(), DiskError> {
        if next.0 > self.slots {
            self.put(next.0 - 1, &ERASED)?;
            self.slots = next.0;
        }
        Ok(())
    }

    /// Erases the keys of these people; it lasts when this returns.
    ///
    /// # Errors
    /// [`DiskError`]: some may be erased then.
    pub fn erase(&mut self, records: impl IntoIterator<Item = RecordNumber>) -> Result<(), DiskError> {
        let mut any = false;
        for record in records.into_iter().filter(|record| (1..self.slots).contains(&record.0)) {
            self.put(record.0, &ERASED)?;
            any = true;
        }
        if any { self.make_durable() } else { Ok(()) }
    }

    /// Notes that so many changes were acknowledged. It lasts after [`Self::make_durable`].
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn count(&self, acknowledged: u64) -> Result<(), DiskError> {
        let mut slot = [0; SLOT];
        slot[..8].copy_from_slice(MAGIC);
        slot[8..16].copy_from_slice(&acknowledged.to_le_bytes());
        self.put(0, &slot)
    }

    /// Returns when all that was written would survive a power cut.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn make_durable(&self) -> Result<(), DiskError> {
        self.files.iter().try_for_each(|(path, file)| file.sync_data().map_err(disk::at(path)))
    }

    /// The first of its files, for messages.
    pub fn path(&self) -> &Path {
        &self.files[0].0
    }

    /// How many changes were acknowledged, as far as this process knows.
    pub fn counted(&self) -> u64 {
        self.files.iter().filter_map(|(_, file)| head_in(file)).max().unwrap_or(0)
    }

    /// The lowest number that nobody ever had.
    pub fn next_record(&self) -> RecordNumber {
        RecordNumber(self.slots)
    }

    /// All slots at this moment.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn all(&self) -> Result<Keys, DiskError> {
        let bytes = std::fs::read(self.path()).map_err(disk::at(self.path()))?;
        Ok(Keys(Zeroizing::new(bytes)))
    }

    /// A record's slot.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn slot(&self, record: RecordNumber, sealer: &Sealer) -> Result<Slot, DiskError> {
        let mut found = Slot::Free;
        for (path, file) in &self.files {
            let mut bytes = [0; SLOT];
            match file.read_exact_at(&mut bytes, record.0.saturating_mul(SLOT as u64)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(disk::at(path)(error)),
            }
            match open(&bytes, record.0, sealer) {
                slot @ (Slot::Given(_) | Slot::Erased) => return Ok(slot),
                slot => found = slot,
            }
        }
        Ok(found)
    }
}

/// Everybody's keys at one moment, for who reads all of them, and needs neither the store's lock nor to write.
pub struct Keys(Zeroizing<Vec<u8>>);

impl Keys {
    /// The keys beside `key_file`; `None` where there are none.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn read(key_file: &Path) -> Result<Option<Self>, DiskError> {
        for path in KeyRing::paths(key_file) {
            match std::fs::read(&path) {
                Ok(bytes) if head(&bytes).is_some() => return Ok(Some(Self(Zeroizing::new(bytes)))),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(disk::at(&path)(error)),
            }
        }
        Ok(None)
    }

    /// Erases the keys of these people, without the store's lock and without room on the disk: whoever has the store open finds them erased. It
    /// lasts when this returns. Says whether all of them were there.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn erase(settings: &StoreSettings, records: &[RecordNumber]) -> Result<bool, KeyError> {
        let Some(sealer) = Sealer::all(settings)?.into_iter().next() else { return Ok(false) };
        let first = &KeyRing::paths(&settings.key_file)[0];
        let locked = File::open(first)
            .and_then(|file| Ok(rustix::fs::flock(&file, FlockOperation::LockExclusive).map(|()| file)?));
        let _locked = match locked {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            locked => Some(locked.map_err(disk::at(first))?),
        };
        let Some(keys) = Self::read(&settings.key_file)? else { return Ok(false) };
        let there: Vec<_> = records
            .iter()
            .filter(|record| matches!(keys.slot(**record, &sealer), Slot::Given(_) | Slot::Erased))
            .collect();
        if there.is_empty() {
            return Ok(false);
        }
        for path in KeyRing::paths(&settings.key_file) {
            let file = OpenOptions::new().write(true).open(&path).map_err(disk::at(&path))?;
            there
                .iter()
                .try_for_each(|record| file.write_all_at(&ERASED, record.0 * SLOT as u64))
                .and_then(|()| file.sync_data())
                .map_err(disk::at(&path))?;
        }
        Ok(there.len() == records.len())
    }

    /// Whoever has a key.
    pub fn records(&self) -> impl Iterator<Item = RecordNumber> {
        let given = |number: &u64| slot_in(&self.0, *number).is_some_and(|slot| *slot != ERASED && *slot != [0; SLOT]);
        (1..self.0.len().div_ceil(SLOT) as u64).filter(given).map(RecordNumber)
    }

    /// When anything in the keys' file was changed last; tells who follows that somebody may have been erased.
    pub fn changed_at(key_file: &Path) -> Option<SystemTime> {
        std::fs::metadata(&KeyRing::paths(key_file)[0]).and_then(|found| found.modified()).ok()
    }

    /// How many changes were acknowledged, without reading the keys; 0 where that cannot be read.
    pub fn counted_beside(key_file: &Path) -> u64 {
        let counters = KeyRing::paths(key_file).into_iter().filter_map(|path| head_in(&File::open(path).ok()?));
        counters.max().unwrap_or(0)
    }

    /// How many changes were acknowledged.
    pub fn counted(&self) -> u64 {
        head(&self.0).unwrap_or(0)
    }

    /// A record's slot.
    pub fn slot(&self, record: RecordNumber, sealer: &Sealer) -> Slot {
        slot_in(&self.0, record.0).map_or(Slot::Free, |bytes| open(bytes, record.0, sealer))
    }

    /// Whether this record was erased.
    pub fn is_erased(&self, record: RecordNumber) -> bool {
        slot_in(&self.0, record.0) == Some(&ERASED)
    }
}

fn create(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(disk::at(path))
}

fn head(bytes: &[u8]) -> Option<u64> {
    let counter = bytes.strip_prefix(MAGIC)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*counter))
}

fn head_in(file: &File) -> Option<u64> {
    let mut bytes = [0; 16];
    file.read_exact_at(&mut bytes, 0).ok()?;
    head(&bytes)
}

fn slot_in(bytes: &[u8], slot: u64) -> Option<&[u8; SLOT]> {
    bytes.get(usize::try_from(slot).ok()?.checked_mul(SLOT)?..)?.first_chunk()
}

fn place(record: u64) -> Vec<u8> {
    [b"greeter person key 1\0".as_slice(), &record.to_be_bytes()].concat()
}

fn open(bytes: &[u8; SLOT], record: u64, sealer: &Sealer) -> Slot {
    if *bytes == ERASED {
        return Slot::Erased;
    }
    if *bytes == [0; SLOT] {
        return Slot::Free;
    }
    let opened = std::iter::once(&sealer.own).chain(sealer.other.as_deref());
    let opened = opened.filter_map(|seal| seal.open(&place(record), &bytes[..SEALED]).ok()).next();
    let key = opened.as_ref().and_then(|key| key.first_chunk::<KEY_BYTES>());
    key.map_or(Slot::Damaged, |key| Slot::Given(Seal::new(key)))
}

/// Which of two slots that differ is right.
fn rank(bytes: &[u8; SLOT], record: u64, sealer: &Sealer) -> u8 {
    match open(bytes, record, sealer) {
        Slot::Free => 0,
        Slot::Damaged => 1,
        Slot::Given(_) => 2,
        Slot::Erased => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::StoreKey;

    struct Beside {
        folder: tempfile::TempDir,
        sealer: Sealer,
    }

    impl Beside {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let sealer = Sealer::new(&StoreKey::create(&folder.path().join("store.key")).unwrap());
            Self { folder, sealer }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("store.key")
        }

        fn ring(&self) -> KeyRing {
            KeyRing::open(&self.file(), &self.sealer).unwrap()
        }

        fn opens(&self, ring: &KeyRing, record: u64, sealed: &[u8]) -> bool {
            match ring.slot(RecordNumber(record), &self.sealer).unwrap() {
                Slot::Given(seal) => seal.open(b"p", sealed).is_ok(),
                _ => false,
            }
        }

        fn with_three() -> (Self, Vec<Vec<u8>>) {
            let beside = Self::new();
            let mut ring = beside.ring();
            let sealed =
                (1..=3).map(|record| ring.give(RecordNumber(record), &beside.sealer).unwrap().seal(b"p", b"x"));
            let sealed = sealed.collect();
            ring.make_durable().unwrap();
            (beside, sealed)
        }
    }

    #[test]
    fn everybody_has_a_key_of_their_own_that_opens_nobody_else() {
        let (beside, sealed) = Beside::with_three();
        let ring = beside.ring();
        assert_eq!(ring.next_record(), RecordNumber(4));
        for (record, theirs) in (1..).zip(&sealed) {
            for (other, anothers) in (1..).zip(&sealed) {
                assert_eq!(beside.opens(&ring, record, anothers), record == other);
            }
            assert!(beside.opens(&ring, record, theirs));
        }
        let keys = Keys::read(&beside.file()).unwrap().unwrap();
        assert!(matches!(keys.slot(RecordNumber(3), &beside.sealer), Slot::Given(_)));
        assert!(matches!(keys.slot(RecordNumber(4), &beside.sealer), Slot::Free));
    }

    #[test]
    fn who_is_erased_is_erased_in_both_files_and_their_number_is_not_given_again() {
        let (beside, sealed) = Beside::with_three();
        let before = std::fs::read(&KeyRing::paths(&beside.file())[0]).unwrap();
        beside.ring().erase([RecordNumber(3), RecordNumber(99)]).unwrap();
        let ring = beside.ring();
        assert!(!beside.opens(&ring, 3, &sealed[2]) && beside.opens(&ring, 2, &sealed[1]));
        assert_eq!(ring.next_record(), RecordNumber(4));
        for path in KeyRing::paths(&beside.file()) {
            let bytes = std::fs::read(path).unwrap();
            let theirs = &before[3 * SLOT..3 * SLOT + SEALED];
            assert!(!bytes.windows(8).any(|window| window == &theirs[24..32]), "nothing of the key is left");
        }
        assert!(Keys::read(&beside.file()).unwrap().unwrap().is_erased(RecordNumber(3)));
    }

    #[test]
    fn a_cut_between_the_two_files_ends_as_an_erasure_or_as_a_key_that_was_given() {
        let (beside, sealed) = Beside::with_three();
        for (which, path) in KeyRing::paths(&beside.file()).iter().enumerate() {
            let (erased, damaged) = (1 + which as u64, 3);
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.write_all_at(&ERASED, erased * SLOT as u64).unwrap();
            file.write_all_at(&[7; 40], damaged * SLOT as u64 + 10).unwrap();
            let ring = beside.ring();
            assert!(!beside.opens(&ring, erased, &sealed[erased as usize - 1]));
            assert!(beside.opens(&ring, damaged, &sealed[2]));
        }
    }

    #[test]
    fn a_file_that_is_lost_or_cut_off_is_made_whole_from_the_other() {
        let (beside, sealed) = Beside::with_three();
        for (which, path) in KeyRing::paths(&beside.file()).iter().enumerate() {
            if which == 0 {
                std::fs::remove_file(path).unwrap()
            } else {
                std::fs::write(path, b"GREET").unwrap()
            }
            let ring = beside.ring();
            assert!((1..=3).all(|record| beside.opens(&ring, record, &sealed[record as usize - 1])));
        }
        let [one, other] = KeyRing::paths(&beside.file()).map(|path| std::fs::read(path).unwrap());
        assert_eq!(one, other);
    }

    #[test]
    fn the_counter_is_the_higher_one_and_another_file_is_left_alone() {
        let (beside, _) = Beside::with_three();
        beside.ring().count(7).unwrap();
        let path = &KeyRing::paths(&beside.file())[1];
        OpenOptions::new().write(true).open(path).unwrap().write_all_at(&3_u64.to_le_bytes(), 8).unwrap();
        beside.ring();
        assert_eq!(Keys::read(&beside.file()).unwrap().unwrap().counted(), 7);
        for path in KeyRing::paths(&beside.file()) {
            std::fs::write(path, "holiday pictures").unwrap();
        }
        assert!(matches!(KeyRing::open(&beside.file(), &beside.sealer), Err(KeyError::NotKeys { .. })));
    }
}
