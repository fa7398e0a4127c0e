//! From Chinese text to the sounds that a Mandarin voice makes of it. Pure.
//!
//! `phones` is the whole way: `tokens` cuts a sentence into words (`words` and its table, `numbers` and `figures`; `writing` tells
//! characters apart), whose syllables (`syllable`) `sandhi` changes where they meet. `surnames` is the table of how names are read.

mod figures;
mod numbers;
mod phones;
mod sandhi;
mod surnames;
mod syllable;
mod tokens;
mod words;
mod writing;

pub use phones::{Part, Phone, phones};
#[cfg(test)]
pub use surnames::known_surnames;
pub use surnames::{compound, given, is_ambiguous, surname};
pub use syllable::{ReadingFault, Syllable, SyllableFault, read_all, read_marked};
pub use words::commonest;
pub use writing::{han_letters, is_han, narrow};
