//! Makes everybody's templates anew from the stored photos, for another recogniser, while the old ones serve.
//!
//! `coverage` says how far a recogniser has come with the stored photos; `job` does the rest. Which pack serves is the configuration's
//! business, and switching it that of `cli`.

mod coverage;
mod job;

pub use coverage::{Coverage, Refusal, complaint};
pub use job::{ReindexError, Reindexed, reindex};
