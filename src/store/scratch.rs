//! A file without a name beside the store, for what a process would rather not keep in memory. It ends with the process.
//!
//! Sealed with a key that is in this process' memory only, and never written twice in one place: so no two contents ever meet one part of the
//! key stream, and what is left on the disk afterwards says nothing. It is not authenticated: whoever reads must be able to bear wrong bytes.

use std::{
    fs::{File, OpenOptions},
    io::{Error, ErrorKind, Result},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher, StreamCipherSeek},
};
use chacha20poly1305::aead::{OsRng, rand_core::RngCore};
use zeroize::{Zeroize, Zeroizing};

use super::disk;

/// The key stream's end; the cipher counts its blocks of 64 bytes in 32 bits.
const MOST_BYTES: u64 = 1 << 38;

/// The file. What is written stays until it is dropped.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    key: Key,
    length: u64,
}

impl Scratch {
    /// A new one on the file system of the store in `folder`.
    ///
    /// # Errors
    /// The system's.
    pub fn beside(folder: &Path) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(key.as_mut());
        Ok(Self { file: nameless(folder)?, key: Key(key), length: 0 })
    }

    /// Writes `bytes` at the next multiple of `unit` bytes and gives the count of units before it.
    ///
    /// # Errors
    /// The system's. The file must not be written again then.
    pub fn append(&mut self, unit: usize, bytes: &[u8]) -> Result<u64> {
        let unit = unit.max(1) as u64;
        let place = self.length.div_ceil(unit);
        let (start, end) = (place * unit, place * unit + bytes.len() as u64);
        if end > MOST_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        // Before the write: whatever becomes of it, this part of the key stream is used up.
        self.length = end;
        let mut sealed = bytes.to_vec();
        let done = self.key.apply(start, &mut sealed).and_then(|()| self.file.write_all_at(&sealed, start));
        sealed.zeroize();
        done.map(|()| place)
    }

    /// Reads what was written at `start`.
    ///
    /// # Errors
    /// The system's, also when so much was never written.
    pub fn read(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(bytes, start)?;
        self.key.apply(start, bytes)
    }
}

/// For one file only.
struct Key(Zeroizing<[u8; 32]>);

impl Key {
    fn apply(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        let mut cipher = ChaCha20::new(self.0.as_ref().into(), &[0; 12].into());
        let applied = cipher.try_seek(start).and_then(|()| cipher.try_apply_keystream(bytes));
        applied.map_err(|_| Error::from(ErrorKind::FileTooLarge))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// A file that no folder lists. Where the file system has no such files, one that loses its name at once.
fn nameless(folder: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    let flags = (rustix::fs::OFlags::TMPFILE | rustix::fs::OFlags::EXCL).bits();
    if let Ok(file) = options.clone().custom_flags(flags.cast_signed()).open(disk::parent(folder)) {
        return Ok(file);
    }
    let path = disk::beside(folder, &format!(".scratch-{}", std::process::id()));
    let file = options.create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_from_every_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut scratch = Scratch::beside(&folder.path().join("store")).unwrap();
        let bytes: Vec<u8> = (0..5_000_u32).map(|at| (at * 7 % 251) as u8).collect();
        assert_eq!(scratch.append(100, &bytes).unwrap(), 0);
        assert_eq!(scratch.append(768, &bytes).unwrap(), 7);
        for (start, from, length) in [(0, 0, 5_000), (4_321, 4_321, 77), (7 * 768 + 1, 1, 4_000)] {
            let mut read = vec![0; length];
            scratch.read(start, &mut read).unwrap();
            assert_eq!(read, bytes[from..from + length]);
        }
        assert!(scratch.read(7 * 768 + 4_999, &mut [0; 2]).is_err());
    }

    #[test]
    fn on_the_disk_there_is_no_name_and_nothing_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let (mut one, mut other) = (Scratch::beside(&store).unwrap(), Scratch::beside(&store).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let plain = [7; 4096];
        one.append(1, &plain).unwrap();
        one.append(1, &plain).unwrap();
        other.append(1, &plain).unwrap();
        let on_disk = |scratch: &Scratch, start| {
            let mut bytes = [0; 4096];
            scratch.file.read_exact_at(&mut bytes, start).unwrap();
            bytes
        };
        let seen = [on_disk(&one, 0), on_disk(&one, 4096), on_disk(&other, 0)];
        assert!(seen.iter().all(|bytes| bytes.iter().filter(|byte| **byte == 7).count() < 64), "sealed");
        assert!(seen[0] != seen[1] && seen[0] != seen[2], "the same content never looks the same");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        assert!(Scratch::beside(Path::new("/proc/none/store")).is_err());
    }
}
