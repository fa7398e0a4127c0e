//! The store's key, everybody's own key, and what is sealed and signed with them.
//!
//! | file | what it is for |
//! |---|---|
//! | `store_key` | where the store's key is |
//! | `former` | keys that the store had before, for what was signed with them |
//! | `ring` | everybody's own key, in slots that can be overwritten |
//! | `seal` | encryption, signatures |

use std::path::PathBuf;

mod former;
mod ring;
mod seal;
mod store_key;

pub use former::keep as keep_former;
pub use ring::{KeyRing, Keys, Slot};
pub use seal::{Authenticator, NotOurs, Seal, Sealer, Signer};
pub use store_key::{StoreKey, set_mode};

use crate::disk::DiskError;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Other users of the machine could read the key.
    #[error(
        "the key file {} can be read by others (mode {mode:03o}). Run `greeter store rekey`, which gives the store another key; if nobody else had access to this machine, `chmod 600 {}` is enough",
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
    /// A rekey was cut, or is going on.
    #[error("the store is getting another key, {}, and the one it had comes from a systemd credential. Run `greeter store rekey` again without the credential, then start the service anew", file.display())]
    Changing {
        /// The key that is coming.
        file: PathBuf,
    },
    /// Only whoever made the credential can change it.
    #[error("the key comes from the systemd credential {}, which this program cannot change. Put the key into `store.key_file`, run `greeter store rekey` without the credential, and make the credential anew from that file", file.display())]
    Credential {
        /// The credential.
        file: PathBuf,
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
