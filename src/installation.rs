//! Where the program's own files are: models, assets and the ONNX Runtime, found without environment variables set by hand.

use std::path::{Path, PathBuf};

/// The folder that holds `models/`, `assets/` and the runtime.
#[derive(Debug, Clone)]
pub struct Installation {
    root: PathBuf,
}

impl Installation {
    /// Looks for `models/models.toml` in the folders above the program, then in the current folder, then in the places where
    /// `scripts/install-service.sh` puts it.
    ///
    /// # Errors
    /// Names the folders that were looked into.
    pub fn find() -> Result<Self, NotInstalled> {
        let program = std::env::current_exe().and_then(|path| path.canonicalize()).unwrap_or_default();
        let mut looked: Vec<PathBuf> = program.ancestors().skip(1).map(Path::to_owned).collect();
        looked.extend(std::env::current_dir());
        looked.push("/opt/greeter".into());
        match looked.iter().find(|folder| folder.join("models/models.toml").is_file()) {
            Some(root) => Ok(Self { root: root.clone() }),
            None => Err(NotInstalled { looked }),
        }
    }

    /// An installation at a known place.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Networks and their description.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Phrases, the example configuration, the demo.
    pub fn assets(&self) -> PathBuf {
        self.root.join("assets")
    }

    /// Where `scripts/setup.sh` puts ONNX Runtime.
    pub fn onnx_runtime(&self) -> PathBuf {
        self.root.join(".runtime/libonnxruntime.so")
    }
}

/// The program's files are nowhere.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find the program's models/ and assets/ folders; looked in {}. Run the program from its own folder, or install it with scripts/install-service.sh",
    looked.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
)]
pub struct NotInstalled {
    looked: Vec<PathBuf>,
}
