//! Who stands before the robot, who they are, and what is said to whom.
//!
//! | file | what it is for |
//! |---|---|
//! | `visitor` | [`visitor::Visitor`]: one visitor, one record, with the diagram of a visit |
//! | `hall` | [`hall::Hall`]: everybody; frames and views go in, looks, words and events come out |
//! | `greet` | the hall's part that chooses whom to greet when the loudspeaker is free |
//! | `follow` | which face of a frame is which of the frame before |
//! | `motion` | whether a face lives, and whether its owner walks by |
//! | `pictures` | where faces hang that never move |
//! | `turn` | what is being said, and to whom |
//! | `lately` | who was here lately and what they were told |
//!
//! Pure: time is a value, nothing here knows a network, a camera, a voice or the store.

use std::fmt;

use serde::Serialize;

pub mod follow;
mod greet;
pub mod hall;
pub mod lately;
pub mod motion;
pub mod pictures;
pub mod rules;
pub mod turn;
pub mod visitor;

/// A visitor's number: one unbroken sight of a face. Numbers are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct VisitorId(pub u64);

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "visitor {}", self.0)
    }
}

#[cfg(test)]
mod random_tests;
#[cfg(test)]
pub mod stage_tests;
#[cfg(test)]
mod story_tests;
