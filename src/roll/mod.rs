//! Who is enrolled, in memory, following the store.
//!
//! | file | what it is for |
//! |---|---|
//! | `people` | [`Roll`]: the gallery to search and the cards to greet from |
//! | `reading` | everybody out of the store's copy at once, on all cores |
//! | `follower` | whoever has changed, whenever the store has |

mod follower;
mod people;
mod reading;

pub use follower::Reader;
pub use people::{Change, CurrentRoll, Roll};
