//! From Chinese text to the sounds that a Mandarin voice makes of it. Pure.
//!
//! `syllable` reads pinyin, `writing` tells characters apart.

mod syllable;
mod writing;

pub use syllable::{ReadingFault, Syllable, SyllableFault, read_all};
pub use writing::{han_letters, is_han, narrow};
