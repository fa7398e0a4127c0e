//! What the test wants, from small files in a folder. The test replaces them by renaming, so that none is ever half-written.
//!
//! - `scene`: the path of a photo, of a folder of photos, or of a `.raw` file (bytes that are sent as an MJPG frame as they are).
//! - `state`: `on`, `unplugged` or `silent`.
//! - `node`: the N of /dev/videoN; a camera may come back under another number.
//! - `formats`: `MJPG` or `YUYV`, if the camera is to offer only that one, in both sizes at 30 frames a second.

use std::{fs, path::PathBuf, sync::OnceLock};

/// What the cable and the sensor are doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    On,
    Unplugged,
    Silent,
}

/// The folder; `None` where this process is not to see a camera.
fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::var_os("VIRTUAL_CAMERA_DIR").map(PathBuf::from)).as_ref()
}

fn value(name: &str) -> Option<String> {
    Some(fs::read_to_string(folder()?.join(name)).ok()?.trim().to_owned())
}

/// Whether there is a virtual camera at all.
pub fn is_there() -> bool {
    folder().is_some()
}

pub fn state() -> State {
    match value("state").as_deref() {
        Some("on") => State::On,
        Some("silent") => State::Silent,
        _ => State::Unplugged,
    }
}

/// What is in front of the camera.
pub fn scene() -> Option<PathBuf> {
    value("scene").map(PathBuf::from)
}

/// The number of the device node.
pub fn node() -> u32 {
    value("node").and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The only format that is offered, where the test wants just one.
pub fn only_format() -> Option<[u8; 4]> {
    value("formats")?.into_bytes().try_into().ok()
}
