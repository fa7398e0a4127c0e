//! The store's key, everybody's own key, and what is sealed and signed with them.
//!
//! | file | what it is for |
//! |---|---|
//! | `store_key` | where the store's key is |
//! | `ring` | everybody's own key, in slots that can be overwritten |
//! | `seal` | encryption, the index of identity numbers, signatures |

use std::path::PathBuf;

mod ring;
mod seal;
mod store_key;

pub use ring::{KeyRing, Keys, Slot};
pub use seal::{Authenticator, NotOurs, Seal, Sealer, Signer};
pub use store_key::StoreKey;

use crate::disk::DiskError;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Other users of the machine could read the key.
    #[error(
        "the key file {} can be read by others (mode {mode:03o}). Run `chmod 600 {}`; if others had access to this machine, treat the key as known to them",
        file.display(), file.display()
    )]
    Exposed {
        /// The key file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key file is something else.
    #[error("the key file {} has {found} bytes, a key has 32. Restore the key from its backup", file.display())]
    Length {
        /// The key file.
        file: PathBuf,
        /// Its length.
        found: usize,
    },
    /// The file of people's keys is something else.
    #[error("{} is not a file of people's keys. Move it away, and restore the file from its backup", file.display())]
    NotKeys {
        /// The file.
        file: PathBuf,
    },
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
