//! Taxpayers, photos and templates in an encrypted sled store.
//!
//! | file | what it is for |
//! |---|---|
//! | `opening` | [`Store::open`]: lock, key, and what must hold before anybody uses it |
//! | `raising` | first creation, checks, rebuilding a damaged store |
//! | `people` | reading: people, photos, templates |
//! | `walk` | reading everybody in one pass, from the copy where it is up to date, and opening only who is wanted |
//! | `copy` | people and templates in the last-good copy, without sled |
//! | `commit` | writing: changes that are whole a person, acknowledged only when they would survive a power cut |
//! | `models` | templates of another model beside those that serve |
//! | `snapshot` | the last-good copy beside the store |
//! | `layout` | what is under which key; what a person's record holds |
//! | `seal`, `key` | encryption, and where its key is |
//! | `engine`, `quiet` | sled, and nothing else knows it; its panics as messages |
//! | `ledger` | the small file beside the store that says how new it is |
//! | `hold` | the small file beside the store that says who must not be named |
//! | `scratch` | a sealed file that ends with the process |
//! | `disk`, `lock` | files that are there whole or not at all; one process at a time |
//!
//! Beside the store's folder `F` lie `F.lock`, `F.generation`, `F.snapshot`, where somebody is or was on hold `F.hold` with its `F.hold.lock`, now and then `F.new`, and after damage
//! `F.damaged-TIME`. Nobody's name, identity number or phone number is in any of them in the clear.

mod commit;
mod copy;
mod disk;
mod engine;
mod error;
mod hold;
mod key;
mod layout;
mod ledger;
mod lock;
mod models;
mod opening;
mod people;
mod quiet;
mod raising;
mod scratch;
mod seal;
mod snapshot;
mod walk;

pub use commit::{Change, EnrolledPhoto, Enrolment};
pub use error::StoreError;
pub use hold::{HoldFile, OnHold};
pub use key::StoreKey;
pub use layout::{Enrolled, PhotoDigest, RefusedPhoto, StoredPhoto};
pub use models::Examined;
pub use opening::{Opened, Rebuilt, Store};
pub use scratch::Scratch;
pub use snapshot::path as snapshot_file;
pub use walk::{Everybody, SealedPerson, Version};

#[cfg(test)]
mod tests;
