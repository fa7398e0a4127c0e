//! Everybody's rows as 8-bit numbers in one contiguous block, each with its scale, its owner and the place of its exact row.
//!
//! A row is `scale` times its numbers, each of which is off by at most half a step: so a score from it is off by at most
//! `scale * sqrt(dims) / 2` times the probe's length (Cauchy and Schwarz), whatever the row and the probe.

use std::collections::HashSet;

use zeroize::Zeroize;

use super::kernel::Reach;
use crate::person::RecordNumber;

/// A row's numbers go from minus this to this.
const LEVELS: f32 = 127.0;
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
    /// Where the exact row is.
    pub places: Vec<u32>,
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
        let columns = 4 * self.scales.capacity() + 4 * self.places.capacity() + 2 * self.templates.capacity();
        self.values.capacity() + owners + columns
    }

    /// Makes room for more rows. Room grows by a sixteenth and not by doubling: memory counts.
    pub fn reserve(&mut self, more: usize) {
        if self.owners.capacity() - self.len() >= more {
            return;
        }
        let more = more.max(self.len() / 16);
        self.values.reserve_exact(more * self.dims);
        self.scales.reserve_exact(more);
        self.owners.reserve_exact(more);
        self.places.reserve_exact(more);
        self.templates.reserve_exact(more);
    }

    /// Adds a row.
    pub fn push(&mut self, owner: RecordNumber, row: &[f32], place: u32, templates: u16) {
        let scale = largest(row) / LEVELS;
        let step = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        self.values.extend(row.iter().map(|value| (value * step).round() as i8));
        self.scales.push(scale);
        self.owners.push(owner);
        self.places.push(place);
        self.templates.push(templates);
    }

    /// Takes out all rows of `owners` and gives their owners, places and numbers of templates. The last rows move to where they were.
    pub fn take_out(&mut self, owners: &HashSet<RecordNumber>) -> Vec<(RecordNumber, u32, u16)> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < self.len() {
            if !owners.contains(&self.owners[at]) {
                at += 1;
                continue;
            }
            let last = self.len() - 1;
            let last_row = last * self.dims..(last + 1) * self.dims;
            self.values.copy_within(last_row.clone(), at * self.dims);
            // Nothing of who was removed stays behind in memory.
            self.values[last_row].zeroize();
            self.values.truncate(last * self.dims);
            self.scales.swap_remove(at);
            out.push((self.owners.swap_remove(at), self.places.swap_remove(at), self.templates.swap_remove(at)));
        }
        out
    }

    /// Gives unused room back when it is more than a quarter.
    pub fn shrink(&mut self) {
        if self.owners.capacity() > self.len() + self.len() / 4 + 1024 {
            self.values.shrink_to_fit();
            self.scales.shrink_to_fit();
            self.owners.shrink_to_fit();
            self.places.shrink_to_fit();
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
        // The row's error against the exact probe, and the probe's own against the largest row there can be.
        let error = length * dims.sqrt() / 2.0 + step * dims * LEVELS / 2.0;
        Self {
            values: probe.iter().map(|value| (value * inverse).round() as i16).collect(),
            reach: Reach { step, error: error * 1.0001, slack: ROUNDING * length },
        }
    }

    /// How far a score from a row with this scale may be off.
    pub fn margin(&self, scale: f32) -> f32 {
        scale * self.reach.error + self.reach.slack
    }
}

fn largest(row: &[f32]) -> f32 {
    row.iter().fold(0.0, |most, value| if value.abs() > most { value.abs() } else { most })
}
