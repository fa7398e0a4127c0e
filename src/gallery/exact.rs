//! Where the exact rows are, which decide between the few that the small ones cannot tell apart.
//!
//! They take four times the memory of the small rows and are read a dozen times a search, so the running program keeps them elsewhere
//! (`pipeline::exact_rows`); tests and small galleries keep them in memory.

use std::fmt::Debug;

use zeroize::Zeroize;

/// Keeps rows of one length, in the order in which they come, and gives them back by their place.
pub trait ExactRows: Debug + Send + Sync {
    /// Keeps rows of `dims` numbers each; the places of those that follow the first one follow its place, which is returned.
    fn keep(&mut self, rows: &[f32], dims: usize) -> u32;

    /// Reads one row; `false` when it cannot be read.
    fn read(&self, place: u32, row: &mut [f32]) -> bool;

    /// A row is needed no longer. Its place is never used again.
    fn forget(&mut self, place: u32, dims: usize);

    /// Rows that are kept though they were forgotten.
    fn forgotten(&self) -> usize;

    /// Bytes of memory that they take.
    fn bytes(&self) -> usize;
}

/// In memory.
#[derive(Debug, Default)]
pub struct InMemory {
    rows: Vec<f32>,
    forgotten: usize,
}

impl ExactRows for InMemory {
    fn keep(&mut self, rows: &[f32], dims: usize) -> u32 {
        let place = self.rows.len() / dims.max(1);
        self.rows.extend_from_slice(rows);
        place as u32
    }

    fn read(&self, place: u32, row: &mut [f32]) -> bool {
        let start = place as usize * row.len();
        let Some(kept) = self.rows.get(start..start + row.len()) else { return false };
        row.copy_from_slice(kept);
        true
    }

    fn forget(&mut self, place: u32, dims: usize) {
        let start = place as usize * dims;
        self.rows[start..start + dims].zeroize();
        self.forgotten += 1;
    }

    fn forgotten(&self) -> usize {
        self.forgotten
    }

    fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<f32>()
    }
}
