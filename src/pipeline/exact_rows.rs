//! The gallery's exact rows in a sealed file beside the store, so that 100,000 people do not take 80 MB of memory for a dozen rows a search.
//!
//! Where the disk fails, rows stay in memory and the operator reads it.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use zeroize::Zeroizing;

use crate::{
    gallery::exact::{ExactRows, InMemory},
    store::Scratch,
};

/// Exact rows on disk, or in memory where that cannot be.
#[derive(Debug)]
pub struct SealedRows {
    kept: Kept,
    forgotten: usize,
    complained: AtomicBool,
}

#[derive(Debug)]
enum Kept {
    OnDisk { file: Scratch, rows: u32 },
    InMemory(InMemory),
}

impl SealedRows {
    /// In a file beside the store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        let kept = match Scratch::beside(folder) {
            Ok(file) => Kept::OnDisk { file, rows: 0 },
            Err(error) => {
                complain(&error);
                Kept::InMemory(InMemory::default())
            }
        };
        Self { kept, forgotten: 0, complained: AtomicBool::new(false) }
    }

    /// In memory: the disk has failed.
    pub fn in_memory() -> Self {
        Self { kept: Kept::InMemory(InMemory::default()), forgotten: 0, complained: AtomicBool::new(false) }
    }
}

fn complain(error: &std::io::Error) {
    tracing::warn!(
        "templates cannot be kept in a file beside the store ({error}); they stay in memory, about 80 MB for 100,000 people. \
         Look at the disk of the store's folder"
    );
}

impl ExactRows for SealedRows {
    fn keep(&mut self, rows: &[f32], dims: usize) -> u32 {
        let (file, known) = match &mut self.kept {
            Kept::InMemory(memory) => return memory.keep(rows, dims),
            Kept::OnDisk { file, rows } => (file, rows),
        };
        let bytes = Zeroizing::new(rows.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        match file.append(4 * dims, &bytes) {
            Ok(place) => {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                *known = place + (rows.len() / dims.max(1)) as u32;
                place
            }
            Err(error) => {
                complain(&error);
                let mut memory = InMemory::default();
                let mut row = vec![0.0; dims];
                for place in 0..*known {
                    if !read(file, place, &mut row) {
                        // Its search goes on with the small row, and everybody is read anew.
                        row.fill(0.0);
                    }
                    memory.keep(&row, dims);
                }
                let place = memory.keep(rows, dims);
                self.kept = Kept::InMemory(memory);
                place
            }
        }
    }

    fn read(&self, place: u32, row: &mut [f32]) -> bool {
        match &self.kept {
            Kept::InMemory(memory) => memory.read(place, row),
            Kept::OnDisk { file, .. } => {
                let done = read(file, place, row);
                if !done && !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!("a template cannot be read from its file beside the store; everybody is read anew");
                }
                done
            }
        }
    }

    fn forget(&mut self, place: u32, dims: usize) {
        self.forgotten += 1;
        if let Kept::InMemory(memory) = &mut self.kept {
            memory.forget(place, dims);
        }
    }

    fn forgotten(&self) -> usize {
        self.forgotten
    }

    fn bytes(&self) -> usize {
        match &self.kept {
            Kept::InMemory(memory) => memory.bytes(),
            Kept::OnDisk { .. } => 0,
        }
    }
}

fn read(file: &Scratch, place: u32, row: &mut [f32]) -> bool {
    let mut bytes = Zeroizing::new(vec![0; size_of_val(row)]);
    let start = u64::from(place) * bytes.len() as u64;
    if file.read(start, &mut bytes).is_err() {
        return false;
    }
    for (value, bytes) in row.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *value = f32::from_le_bytes(*bytes);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with room for `kilobytes`; `None` where that needs more rights.
    fn small_disk(folder: &Path, kilobytes: u32) -> Option<()> {
        let made = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none"])
            .arg(folder)
            .output();
        made.is_ok_and(|output| output.status.success()).then_some(())
    }

    #[test]
    fn a_disk_that_fills_up_loses_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let Some(()) = small_disk(folder.path(), 256) else {
            println!("skipped: a small file system needs root");
            return;
        };
        let mut rows = SealedRows::beside(&folder.path().join("store"));
        let row = |at: usize| (0..128).map(|k| (at * 128 + k) as f32).collect::<Vec<f32>>();
        let places: Vec<u32> = (0..2_000).map(|at| rows.keep(&row(at), 128)).collect();
        assert!(rows.bytes() > 0, "not all of it was on the disk");
        for (at, place) in places.into_iter().enumerate() {
            let mut read = vec![0.0; 128];
            assert!(rows.read(place, &mut read) && read == row(at), "row {at}");
        }
        drop(rows);
        let unmounted = std::process::Command::new("umount").arg(folder.path()).output().unwrap();
        assert!(unmounted.status.success(), "nothing holds the file after its owner");
    }

    #[test]
    fn without_a_disk_rows_stay_in_memory() {
        let mut rows = SealedRows::beside(Path::new("/proc/none/store"));
        assert_eq!((rows.keep(&[1.0, 2.0], 2), rows.keep(&[3.0, 4.0], 2)), (0, 1));
        let mut read = [0.0; 2];
        assert!(rows.read(1, &mut read) && read == [3.0, 4.0] && rows.bytes() > 0);
        assert!(!rows.read(2, &mut read));
    }
}
