//! One file of `models/`, and whether it is the one that was measured.

use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ModelError;

/// One file of a network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// In the models folder.
    pub name: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Where an operator with internet gets it, for optional networks.
    pub url: Option<String>,
}

/// Checks one file of a network.
///
/// # Errors
/// [`ModelError::Missing`] or [`ModelError::Damaged`].
pub fn verify(network: &str, path: &Path, sha256: &str) -> Result<(), ModelError> {
    let Ok(bytes) = std::fs::read(path) else {
        return Err(ModelError::Missing { network: network.to_owned(), path: path.to_owned() });
    };
    let found = sha256_of(&bytes);
    if found == sha256 {
        return Ok(());
    }
    let start = |digest: &str| digest.chars().take(12).collect();
    Err(ModelError::Damaged { path: path.to_owned(), found: start(&found), expected: start(sha256) })
}

/// The SHA-256 as [`FileEntry::sha256`] has it.
pub fn sha256_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
