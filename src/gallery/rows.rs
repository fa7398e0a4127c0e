//! Everybody's rows, twice: as 8-bit numbers in one contiguous block, to be searched, and as 16-bit numbers, which decide between the few
//! that the small ones cannot tell apart; each with its scale and its owner.
//!
//! A row is `scale` times its numbers, each of which is off by at most half a step: so a score from it is off by at most
//! `scale * sqrt(dims) / 2` times the probe's length (Cauchy and Schwarz), whatever the row and the probe. The 16-bit numbers' steps are
//! 258 times as small: with 320 of them a score is off by less than 0.0001.

use std::collections::HashSet;

use zeroize::Zeroize;

use super::kernel::Reach;
use crate::person::RecordNumber;

/// A row's numbers go from minus this to this.
const LEVELS: f32 = 127.0;
const FINE_LEVELS: f32 = 32_767.0;
/// A probe's numbers at most, so that no sum of products leaves an `i32`.
const PROBE_LEVELS: f32 = 32_767.0;
/// Rounding of the exact score itself, for probes of length 1 and rows hardly longer.
const ROUNDING: f32 = 5e-6;

/// The rows. All columns have one entry a row.
#[derive(Debug, Default)]
pub struct Rows {
    pub dims: usize,
    /// One row after the other.
    pub values: Vec<i8>,
    pub scales: Vec<f32>,
    pub owners: Vec<RecordNumber>,
    fine: Vec<i16>,
    /// How many templates a row stands for.
    pub templates: Vec<u16>,
}

impl Rows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Bytes of memory that they take, unused room included.
    pub fn bytes(&self) -> usize {
        let owners = self.owners.capacity() * size_of::<RecordNumber>();
        let columns = 4 * self.scales.capacity() + 2 * self.templates.capacity();
        self.values.capacity() + 2 * self.fine.capacity() + owners + columns
    }

    /// Makes room for more rows. Room grows by a sixteenth and not by doubling: memory counts.
    pub fn reserve(&mut self, more: usize) {
        if self.owners.capacity() - self.len() >= more {
            return;
        }
        let more = more.max(self.len() / 16);
        self.values.reserve_exact(more * self.dims);
        self.fine.reserve_exact(more * self.dims);
        self.scales.reserve_exact(more);
        self.owners.reserve_exact(more);
        self.templates.reserve_exact(more);
    }

    /// Adds a row.
    pub fn push(&mut self, owner: RecordNumber, row: &[f32], templates: u16) {
        let most = largest(row);
        let step = |levels: f32| if most > 0.0 { levels / most } else { 0.0 };
        let (small, fine) = (step(LEVELS), step(FINE_LEVELS));
        self.values.extend(row.iter().map(|value| rounded(value * small) as i8));
        self.fine.extend(row.iter().map(|value| rounded(value * fine) as i16));
        self.scales.push(most / LEVELS);
        self.owners.push(owner);
        self.templates.push(templates);
    }

    /// The score of a probe of the rows' length with one row, by the 16-bit numbers.
    pub fn score(&self, at: usize, probe: &[f32]) -> f32 {
        let row = &self.fine[at * self.dims..(at + 1) * self.dims];
        let sum: f32 = row.iter().zip(probe).map(|(row, probe)| f32::from(*row) * probe).sum();
        sum * self.scales[at] * (LEVELS / FINE_LEVELS)
    }

    /// Takes out all rows of `owners` and gives their owners and numbers of templates. The last rows move to where they were.
    pub fn take_out(&mut self, owners: &HashSet<RecordNumber>) -> Vec<(RecordNumber, u16)> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < self.len() {
            if !owners.contains(&self.owners[at]) {
                at += 1;
                continue;
            }
            move_last(&mut self.values, at, self.dims);
            move_last(&mut self.fine, at, self.dims);
            self.scales.swap_remove(at);
            out.push((self.owners.swap_remove(at), self.templates.swap_remove(at)));
        }
        out
    }

    /// Gives unused room back when it is more than a quarter.
    pub fn shrink(&mut self) {
        if self.owners.capacity() > self.len() + self.len() / 4 + 1024 {
            self.values.shrink_to_fit();
            self.scales.shrink_to_fit();
            self.owners.shrink_to_fit();
            self.fine.shrink_to_fit();
            self.templates.shrink_to_fit();
        }
    }
}

/// A probe as the kernel takes it.
#[derive(Debug)]
pub struct QuantisedProbe {
    pub values: Vec<i16>,
    pub reach: Reach,
}

impl QuantisedProbe {
    /// Of the probe's numbers.
    pub fn new(probe: &[f32]) -> Self {
        let dims = probe.len() as f32;
        let levels = PROBE_LEVELS.min((i32::MAX as f32 * 0.999) / (LEVELS * dims.max(1.0))).floor();
        let step = largest(probe) / levels;
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        let length = probe.iter().map(|value| value * value).sum::<f32>().sqrt();
        // The row's error against the 16-bit row, and the probe's own against the largest row there can be.
        let error = length * dims.sqrt() / 2.0 + step * dims * LEVELS / 2.0;
        Self {
            values: probe.iter().map(|value| rounded(value * inverse) as i16).collect(),
            reach: Reach { step, error: error * 1.005, slack: ROUNDING * length },
        }
    }

    /// How far a score from a row with this scale may be off.
    pub fn margin(&self, scale: f32) -> f32 {
        scale * self.reach.error + self.reach.slack
    }
}

/// Puts the last row of a block in the place of another one. Nothing of who was removed stays behind in memory.
fn move_last<T: Copy + Default>(block: &mut Vec<T>, at: usize, dims: usize)
where
    [T]: Zeroize,
{
    let last = block.len() - dims;
    block.copy_within(last.., at * dims);
    block[last..].zeroize();
    block.truncate(last);
}

/// What becomes the nearest whole number when its fraction is cut off: `f32::round` is a call where the machine is not known to have SSE 4.1.
fn rounded(value: f32) -> f32 {
    value + 0.5_f32.copysign(value)
}

fn largest(row: &[f32]) -> f32 {
    row.iter().fold(0.0, |most, value| if value.abs() > most { value.abs() } else { most })
}
