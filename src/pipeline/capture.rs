//! The capture stage: takes frames from the camera, passes the newest on, and tells the operator when there are none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::channel::Sender;

use crate::camera::{Camera, CameraError, FaceLight, LatestFrame};

/// What the camera has to say besides frames.
#[derive(Debug)]
pub enum CameraNotice {
    /// There are no frames.
    Lost(String),
    /// There are frames, for the first time or again.
    Back(String),
    /// The recording is over.
    Over,
    /// The recording cannot be played; there will be no frames.
    Unplayable(String),
}

/// Frames captured so far, for the figures.
#[derive(Debug, Default)]
pub struct Captured(AtomicU64);

impl Captured {
    /// How many.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Takes frames until `stop` is set, the slot is closed or a recording is over. `beat` is called at least every half second.
pub fn run(
    camera: &mut dyn Camera,
    slot: &LatestFrame,
    face_light: &FaceLight,
    notices: &Sender<CameraNotice>,
    captured: &Captured,
    stop: &AtomicBool,
    beat: &dyn Fn(),
) {
    let mut watching = false;
    // A full channel means that nobody listens any more; frames matter more than notices.
    let tell = |notice| drop(notices.try_send(notice));
    while !stop.load(Ordering::Relaxed) {
        beat();
        if let Some(brightness) = face_light.take() {
            camera.expose_for(brightness);
        }
        match camera.next_frame() {
            Ok(frame) => {
                if !watching {
                    tell(CameraNotice::Back(camera.describe()));
                    watching = true;
                }
                captured.0.fetch_add(1, Ordering::Relaxed);
                if !slot.put(frame) {
                    return;
                }
            }
            Err(CameraError::NotYet) => {}
            Err(CameraError::Ended { .. }) => return tell(CameraNotice::Over),
            Err(error @ CameraError::Recording { .. }) => return tell(CameraNotice::Unplayable(error.to_string())),
            Err(error) => {
                tell(CameraNotice::Lost(error.to_string()));
                watching = false;
            }
        }
    }
}
