//! A missing or damaged ONNX Runtime is an error with its cure. In a process of its own, since the library is loaded once a process.

use std::path::Path;

use greeter::{
    face::{ModelError, enrol::MIN_FACE_PX, networks::Networks},
    installation::Installation,
};

#[test]
fn a_missing_or_damaged_runtime_is_named_with_its_cure_and_a_repaired_one_is_loaded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("models"), folder.path().join("models")).unwrap();
    let installation = Installation::at(folder.path());
    let library = installation.onnx_runtime();
    let load = || Networks::load(&installation, "default", MIN_FACE_PX).err();
    let complaint = || {
        let error = load().unwrap();
        assert!(matches!(&error, ModelError::Runtime { path, .. } if *path == library), "{error}");
        error.to_string()
    };
    assert!(complaint().ends_with("Run scripts/setup.sh"));
    std::fs::create_dir(folder.path().join(".runtime")).unwrap();
    std::fs::write(&library, b"not a library").unwrap();
    let damaged = complaint();
    assert!(damaged.contains("missing or cannot be loaded"), "{damaged}");
    std::fs::remove_file(&library).unwrap();
    std::os::unix::fs::symlink(root.join(".runtime/libonnxruntime.so"), &library).unwrap();
    let repaired = load();
    assert!(repaired.is_none(), "{repaired:?}");
}
