//! The files of networks, and the runtime that runs them; `face` and `greeting` build on it and know nothing of each other.
//!
//! `file` checks a file against its SHA-256, `voices` reads which files a neural voice has, `runtime` loads ONNX Runtime. Which networks
//! recognise faces is `face::manifest`'s.

pub mod file;
pub mod runtime;
pub mod voices;

use std::path::PathBuf;

/// What goes wrong with networks and the runtime; nothing here is the visitor's fault.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The ONNX Runtime library is not where it should be.
    #[error("ONNX Runtime is missing or cannot be loaded ({cause}); looked for {path}. Run scripts/setup.sh")]
    Runtime {
        /// Where it was looked for.
        path: PathBuf,
        /// The loader's words.
        cause: String,
    },
    /// A network's file is absent.
    #[error(
        "model file {path} is missing. Run `git checkout -- models` in the program's folder, or `greeter models install {network}` for an optional network"
    )]
    Missing {
        /// Its name in `models.toml`.
        network: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A network's file is not the one that was measured.
    #[error(
        "model file {path} is damaged: its SHA-256 is {found}, not {expected}. Restore it with `git checkout -- models` or `greeter models install`"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// First 12 digits of the digest that was found.
        found: String,
        /// First 12 digits of the one in `models.toml`.
        expected: String,
    },
    /// `models.toml` itself.
    #[error("{path}: {cause}")]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A network did not run.
    #[error("network {network} failed: {cause}")]
    Inference {
        /// Its name in `models.toml`.
        network: String,
        /// The runtime's words.
        cause: String,
    },
}
