//! All templates in memory and exact search: who of the enrolled is most like a probe, and who comes second.
//!
//! | file | what it is for |
//! |---|---|
//! | `index` | [`Gallery`]: who is in it, changes while it serves, searches |
//! | `rows` | everybody's rows as 8-bit numbers, and how far a score from them may be off |
//! | `shortlist` | one pass over them: who may be the best two |
//! | `kernel` | the arithmetic |
//! | `decision` | whether the best is like enough to be named |
//! | `non_mates` | how alike different people look, for every bar that compares faces |
//! | `grounds` | what that rested on, for explaining it afterwards |
//!
//! Pure.

pub mod decision;
pub mod grounds;
mod index;
pub mod kernel;
mod non_mates;
mod rows;
mod shortlist;

pub use index::{Entry, Gallery};
pub use non_mates::NonMates;
pub use shortlist::Shortlist;

use crate::person::RecordNumber;

/// A person and how alike they are to the probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Who.
    pub person: RecordNumber,
    /// Comparison score, -1 to 1; higher is more alike.
    pub score: f32,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BestTwo {
    /// The most alike person; absent in an empty gallery.
    pub first: Option<Candidate>,
    /// The next person.
    pub second: Option<Candidate>,
}

impl BestTwo {
    /// Takes in one more row's score. Of two people with one score the lower record number comes first.
    fn offer(&mut self, new: Candidate) {
        let beats = |known: Option<Candidate>| {
            known.is_none_or(|known| new.score > known.score || (new.score == known.score && new.person < known.person))
        };
        let is_first = self.first.is_some_and(|first| first.person == new.person);
        if beats(self.first) {
            let before = self.first.replace(new);
            self.second = if is_first { self.second } else { before };
        } else if !is_first && beats(self.second) {
            self.second = Some(new);
        }
    }
}
