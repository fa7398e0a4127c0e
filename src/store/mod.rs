//! Taxpayers, photos and templates in an encrypted sled store.
//!
//! | file | what it is for |
//! |---|---|
//! | `opening` | [`Store::open`]: lock, key, and what must hold before anybody uses it |
//! | `upgrade` | taking over the store of an older greeter |
//! | `raising` | first creation, checks, rebuilding a damaged store |
//! | `people` | reading: people, photos, templates |
//! | `walk` | reading everybody in one pass from the copy beside the store, and opening only who is wanted |
//! | `mending` | finishing what a cut left half done |
//! | `checking` | opening everything to its last byte, and taking out what cannot be read |
//! | `commit` | writing: changes that are whole a person, acknowledged only when they would survive a power cut |
//! | `rekey` | another key for the store |
//! | `models` | templates of another model beside those that serve |
//! | `snapshot` | the last-good copy beside the store |
//! | `layout` | what is under which key; what a person's record holds |
//! | `photo_files` | photos, each in a sealed file of its own |
//! | `engine`, `quiet` | sled, and nothing else knows it; its panics as messages |
//! | `lock` | one process at a time |
//!
//! Beside the store's folder `F` lie `F.lock`, `F.photos`, `F.snapshot`, where somebody is or was on hold `F.hold` with its `F.hold.lock`, now and then `F.new`, and after damage
//! `F.damaged-TIME`. Nobody's name, identity number or phone number is in any of them in the clear.

mod checking;
mod commit;
mod engine;
mod error;
pub(crate) mod layout;
mod lock;
mod mending;
mod models;
mod opening;
mod people;
pub(crate) mod photo_files;
mod quiet;
mod raising;
mod rekey;
mod snapshot;
mod upgrade;
mod walk;

pub use checking::Checked;
pub use commit::{Change, EnrolledPhoto, Enrolment};
pub use error::StoreError;
pub use layout::{PhotoDigest, RefusedPhoto, StoredPhoto, Taxpayer};
pub use lock::StoreLock;
pub use mending::Mended;
pub use models::Examined;
pub use opening::{Opened, Rebuilt, Store};
pub(crate) use photo_files::beside as photos_folder;
pub(crate) use raising::aside;
pub use rekey::rekey;
pub use snapshot::path as snapshot_file;
pub use upgrade::{
    damaged as damaged_stores, give_up as commit_upgrade, kept_for as older_store_kept_for, undo as undo_upgrade,
};
pub(crate) use walk::nonce;
pub use walk::{Everybody, SealedPerson, Version};

#[cfg(test)]
mod tests;
