//! Who may be the best two: everybody whom the small rows cannot rule out, found in one pass over them.
//!
//! The second best person's lowest possible score is the bar; a row whose highest possible score is below it cannot be one of the best two.

use std::ops::Range;

use super::{
    kernel::upper_bounds,
    rows::{QuantisedProbe, Rows},
};
use crate::person::RecordNumber;

/// Rows that one probe after the other is compared with while they are in the nearest cache.
const BLOCK: usize = 128;
/// A longer list is gone through again with the bar of that moment.
const LONG: usize = 256;

/// A row that may belong to one of the best two.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    pub row: u32,
    pub owner: RecordNumber,
    /// The highest score that it may have.
    pub upper: f32,
    /// How far it may be off: the score is between `upper - 2 * margin` and `upper`.
    pub margin: f32,
}

/// The rows that may belong to one probe's best two people.
#[derive(Debug, Clone, Default)]
pub struct Shortlist {
    pub listed: Vec<Listed>,
    /// The best two different people by the lowest score that they may have.
    leaders: [Option<(RecordNumber, f32)>; 2],
    pruned_at: usize,
}

impl Shortlist {
    /// A row whose highest score is below this is ruled out.
    fn bar(&self) -> f32 {
        self.leaders[1].map_or(f32::NEG_INFINITY, |(_, lower)| lower)
    }

    fn offer(&mut self, listed: Listed) {
        if listed.upper < self.bar() {
            return;
        }
        let (owner, lower) = (listed.owner, listed.upper - 2.0 * listed.margin);
        let above = |leader: Option<(RecordNumber, f32)>| leader.is_none_or(|(_, known)| lower > known);
        let [first, second] = self.leaders;
        if above(first) {
            let same = first.is_some_and(|(known, _)| known == owner);
            self.leaders = [Some((owner, lower)), if same { second } else { first }];
        } else if above(second) && first.is_some_and(|(known, _)| known != owner) {
            self.leaders[1] = Some((owner, lower));
        }
        self.listed.push(listed);
        if self.listed.len() >= LONG.max(2 * self.pruned_at) {
            self.prune();
        }
    }

    /// Takes in what was found among other rows.
    pub fn merge(&mut self, other: Self) {
        other.listed.into_iter().for_each(|listed| self.offer(listed));
    }

    /// Rules out with the bar as it is now, and puts the most promising first.
    pub fn finish(&mut self) {
        self.prune();
        self.listed.sort_unstable_by(|a, b| b.upper.total_cmp(&a.upper).then(a.owner.cmp(&b.owner)));
    }

    fn prune(&mut self) {
        let bar = self.bar();
        self.listed.retain(|listed| listed.upper >= bar);
        self.pruned_at = self.listed.len();
    }
}

/// Compares all probes with `range` of the rows.
pub fn shortlists(rows: &Rows, range: Range<usize>, probes: &[QuantisedProbe]) -> Vec<Shortlist> {
    let mut lists = vec![Shortlist::default(); probes.len()];
    let mut upper = [0.0; BLOCK];
    let mut from = range.start;
    while from < range.end {
        let to = (from + BLOCK).min(range.end);
        let (values, scales) = (&rows.values[from * rows.dims..to * rows.dims], &rows.scales[from..to]);
        let upper = &mut upper[..to - from];
        for (probe, list) in probes.iter().zip(&mut lists) {
            let best = upper_bounds(values, scales, &probe.values, probe.reach, upper);
            if best < list.bar() {
                continue;
            }
            for (at, bound) in upper.iter().enumerate() {
                if *bound >= list.bar() {
                    let row = from + at;
                    let margin = probe.margin(scales[at]);
                    list.offer(Listed { row: row as u32, owner: rows.owners[row], upper: *bound, margin });
                }
            }
        }
        from = to;
    }
    lists
}
