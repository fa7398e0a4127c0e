//! The store's key: 32 random bytes in a file that only its owner can read, or a systemd credential.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use chacha20poly1305::aead::{OsRng, rand_core::RngCore};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::KeyError;
use crate::{config::StoreSettings, disk};

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;
/// The name under which systemd hands the key over (`LoadCredential=greeter-key:…`).
const CREDENTIAL: &str = "greeter-key";

/// Behind the name of the store's key while the store is getting another one.
const NEXT: &str = ".next";

/// The key of one store; wiped from memory when dropped.
#[derive(ZeroizeOnDrop)]
pub struct StoreKey {
    bytes: [u8; KEY_BYTES],
    /// Where it was found, for messages.
    #[zeroize(skip)]
    origin: PathBuf,
}

impl StoreKey {
    /// Reads the key: the systemd credential `greeter-key` in `credentials` where there is one, else `file`.
    ///
    /// `None` where neither exists.
    ///
    /// # Errors
    /// When the key is readable by others (the file only: systemd guards its credentials itself), has the wrong length or cannot
    /// be read.
    pub fn read(file: &Path, credentials: Option<&Path>) -> Result<Option<Self>, KeyError> {
        let credential = credentials.map(|folder| folder.join(CREDENTIAL)).filter(|path| path.exists());
        let path = credential.as_deref().unwrap_or(file);
        let failed = disk::at(path);
        let mut opened = match File::open(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error).into()),
        };
        let mode = opened.metadata().map_err(&failed)?.permissions().mode() & 0o777;
        if credential.is_none() && mode & 0o077 != 0 {
            return Err(KeyError::Exposed { file: path.into(), mode });
        }
        let mut content = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        opened.by_ref().take(4096).read_to_end(&mut content).map_err(&failed)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(content.as_slice())
            .map_err(|_| KeyError::Length { file: path.into(), found: content.len() })?;
        Ok(Some(Self { bytes, origin: path.into() }))
    }

    /// The key of the store of `settings`, as this process was started.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(settings: &StoreSettings) -> Result<Option<Self>, KeyError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self::read(&settings.key_file, credentials.as_deref())
    }

    /// Where the key is while the store is getting it.
    pub fn next_file(key_file: &Path) -> PathBuf {
        disk::beside(key_file, NEXT)
    }

    /// The key that the store is getting instead of this one, where a rekey was cut or is going on.
    ///
    /// # Errors
    /// [`KeyError::Changing`] where nobody here can finish it; as [`Self::read`].
    pub fn next(&self, key_file: &Path) -> Result<Option<Self>, KeyError> {
        let file = Self::next_file(key_file);
        match Self::read(&file, None)? {
            Some(_) if self.origin != key_file => Err(KeyError::Changing { file }),
            next => Ok(next),
        }
    }

    /// Keeps others from reading `file`, and says which mode it had if they could.
    ///
    /// # Errors
    /// [`KeyError::Disk`].
    pub fn hide(file: &Path) -> Result<Option<u32>, KeyError> {
        let mode = match std::fs::metadata(file) {
            Ok(found) => found.permissions().mode() & 0o777,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk::at(file)(error).into()),
        };
        let exposed = mode & 0o077 != 0;
        if exposed {
            set_mode(file, 0o600)?;
        }
        Ok(exposed.then_some(mode))
    }

    /// Makes a new key in `file`, which must not exist; it is on the disk for good when this returns.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(file: &Path) -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        OsRng.fill_bytes(&mut bytes);
        disk::make_parent(file)?;
        disk::create_new(file, &bytes)?;
        tracing::info!(file = %file.display(), "made a new store key: back it up apart from the store");
        Ok(Self { bytes, origin: file.into() })
    }

    /// A key that was kept.
    pub(super) fn kept(bytes: [u8; KEY_BYTES], origin: &Path) -> Self {
        Self { bytes, origin: origin.into() }
    }

    /// The key itself.
    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// Where it was found.
    pub fn origin(&self) -> &Path {
        &self.origin
    }
}

/// Changes who may read a file.
///
/// # Errors
/// [`KeyError::Disk`].
pub fn set_mode(file: &Path, mode: u32) -> Result<(), KeyError> {
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).map_err(disk::at(file))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_readable_by_its_owner_only_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/store.key");
        let made = StoreKey::create(&file).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let read = StoreKey::read(&file, None).unwrap().unwrap();
        assert_eq!(made.bytes(), read.bytes());
        assert!(StoreKey::create(&file).is_err(), "a key is never overwritten");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_cures_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.key");
        StoreKey::create(&file).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        let error = StoreKey::read(&file, None).err().unwrap().to_string();
        assert!(error.contains("mode 640") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.key");
        disk::create_new(&file, b"short").unwrap();
        let error = StoreKey::read(&file, None).err().unwrap().to_string();
        assert!(error.contains("5 bytes, a key has 32"), "{error}");
    }

    #[test]
    fn a_systemd_credential_comes_before_the_key_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CREDENTIAL), [7; KEY_BYTES]).unwrap();
        let file = folder.path().join("store.key");
        assert!(StoreKey::read(&file, None).unwrap().is_none());
        let key = StoreKey::read(&file, Some(folder.path())).unwrap().unwrap();
        assert_eq!(key.bytes(), &[7; KEY_BYTES]);
        assert!(key.origin().ends_with(CREDENTIAL));
    }
}
