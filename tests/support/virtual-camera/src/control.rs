//! What the test wants, from small files in a folder. The test replaces them by renaming, so that none is ever half-written.
//!
//! - `scene`: the path of a photo, of a folder of photos, or of a `.raw` file (bytes that are sent as an MJPG frame as they are).
//! - `state`: `on`, `unplugged` or `silent`.
//! - `node`: the N of /dev/videoN; a camera may come back under another number.
//! - `exposure`: the exposure time in units of 100 µs and who chose it, such as `156 auto` or `312 manual`, if the camera has that control; the
//!   program's settings are written here. At 156 the scene looks as it is.
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

/// Who chooses the exposure, as V4L2 numbers it.
pub const MANUAL: i32 = 1;
pub const AUTOMATIC: i32 = 3;
/// The exposure that shows a scene as it is.
pub const USUAL_EXPOSURE: i32 = 156;

/// Exposure time and mode; `None` for a camera without that control.
pub fn exposure() -> Option<(i32, i32)> {
    let value = value("exposure")?;
    let (time, mode) = value.split_once(' ')?;
    Some((time.parse().ok()?, if mode == "manual" { MANUAL } else { AUTOMATIC }))
}

/// What the program sets.
pub fn set_exposure(time: i32, mode: i32) {
    let Some(folder) = folder() else { return };
    let (new, text) = (folder.join("exposure.set"), if mode == MANUAL { "manual" } else { "auto" });
    let written = fs::write(&new, format!("{time} {text}")).and_then(|()| fs::rename(&new, folder.join("exposure")));
    if let Err(error) = written {
        eprintln!("virtual camera: {error}");
    }
}

/// How bright the scene is shown, in hundredths: what the exposure makes of it, when it is not the camera's own choice.
pub fn brightness() -> u32 {
    match exposure() {
        Some((time, MANUAL)) => (100 * time / USUAL_EXPOSURE).clamp(1, 1000) as u32,
        _ => 100,
    }
}

/// The number of the device node.
pub fn node() -> u32 {
    value("node").and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The only format that is offered, where the test wants just one.
pub fn only_format() -> Option<[u8; 4]> {
    value("formats")?.into_bytes().try_into().ok()
}
