//! From which comparison score a person may be named, computed from people who are known not to be each other.
//!
//! A gallery of `N` people names a stranger with the wanted probability `fpir` if one comparison does so with `1 - (1 - fpir)^(1/N)`.
//!
//! | file | what it is for |
//! |---|---|
//! | `tail` | the highest scores of non-mates, continued beyond what was seen |
//! | `group` | a group of people with photos: the shipped table |
//! | `census` | counts the scores of all pairs of enrolled people |
//! | `hall` | the hall's own thresholds from that count; who looks like whom |
//! | `mates` | how many enrolled visitors would be named |
//! | `in_force` | which thresholds hold: the operator's, the hall's own, or the shipped ones |
//! | `file` | the hall's own thresholds on the disk, beside the store |
//! | `words`, `page`, `plots` | what the operator reads |
//!
//! Pure but for `file`.

pub mod census;
pub mod file;
pub mod group;
pub mod hall;
#[cfg(test)]
mod hall_tests;
pub mod in_force;
pub mod mates;
pub mod page;
mod plots;
mod tail;
pub mod words;

use std::path::PathBuf;

pub use tail::{deviate, match_rate};

/// Galleries for which scores are computed.
pub const GALLERIES: [usize; 15] =
    [2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
/// Fewer people say nothing about a tail.
pub const FEWEST_PEOPLE: usize = 20;

/// Why there are no thresholds.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Too few people.
    #[error(
        "only {found} people with a usable photo; at least {FEWEST_PEOPLE} are needed to see how alike strangers are"
    )]
    TooFewPeople {
        /// How many there are.
        found: usize,
    },
    /// No share of strangers.
    #[error("the share of strangers who may be named must lie above 0 and be at most 0.1, not {0}")]
    Share(f64),
    /// Scores without spread, or not numbers.
    #[error("the scores have no spread; the templates are no faces' templates")]
    NoSpread,
    /// The file with the hall's own thresholds is there and says nothing.
    #[error(
        "the calibration {} cannot be used: {cause}. The shipped scores hold instead; run `greeter calibrate` to write it anew",
        path.display()
    )]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The file with the hall's own thresholds could not be written.
    #[error("cannot write the calibration {}: {cause}. The thresholds that held before still hold", path.display())]
    NotWritten {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
}
