//! The Mandarin voice's files in an installation of their own, to be damaged.

use std::path::{Path, PathBuf};

/// The installation's folder, which goes when it is dropped, and its models folder.
pub fn copy() -> (tempfile::TempDir, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    std::fs::create_dir(&models).unwrap();
    for name in ["models.toml", "baker-fastspeech2.onnx", "baker-melgan.onnx", "baker-symbols.txt"] {
        std::fs::copy(root.join("models").join(name), models.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(root.join(".runtime"), folder.path().join(".runtime")).unwrap();
    (folder, models)
}
