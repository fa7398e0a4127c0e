//! Where frames come from: a webcam, or a recording that stands in for one. The pipeline cannot tell which.
//!
//! `webcam` is the outer side of the device: it waits, says what is wrong and reopens. `capture` is the thread that owns the
//! device, with `device` (which one), `exposure` (how bright a face should be) and `controls` (that it is), `format` (how to ask it), `freshness` (what is too old) and `decode` (pixels) under it.
//! `replay` plays photos, a folder or a clip (`timeline` says what is due when, `recording` what there is to show). `photo` reads a
//! picture that somebody else made, with limits; `segments` and `jpeg` are what all of them know of that format: where a picture ends, and
//! its pixels. `slot` passes the newest frame on.

mod capture;
mod controls;
pub mod decode;
mod device;
mod exposure;
mod format;
mod freshness;
mod jpeg;
pub mod photo;
mod recording;
mod reopening;
pub mod replay;
mod segments;
pub mod slot;
mod timeline;
pub mod webcam;

use std::{sync::Arc, time::Instant};

use image::RgbImage;

pub use decode::mjpg as decode_mjpg;
pub use device::{CameraInfo, list};
pub use exposure::FaceLight;
pub use replay::Replay;
pub use slot::{LatestFrame, Taken};
pub use webcam::Webcam;

/// One picture from a camera.
#[derive(Clone)]
pub struct Frame {
    /// The picture, RGB.
    pub rgb: Arc<RgbImage>,
    /// When the camera handed it over.
    pub captured_at: Instant,
    /// Counts the frames of this camera from 0; a gap means that frames were dropped.
    pub seq: u64,
}

/// Something that gives frames.
///
/// Errors are for the operator; after one, the caller asks again (a webcam comes back by itself).
pub trait Camera: Send {
    /// Waits for the newest frame, for about half a second at most, so that the caller can end in between.
    ///
    /// # Errors
    /// [`CameraError::NotYet`] when there is nothing new to say; [`CameraError::Lost`], [`CameraError::Silent`],
    /// [`CameraError::NotFound`] or [`CameraError::Unusable`] when a webcam gives no frames, said once and then every few seconds;
    /// [`CameraError::Ended`] when a recording is over, [`CameraError::Recording`] when it cannot be read.
    fn next_frame(&mut self) -> Result<Frame, CameraError>;

    /// Told the mean brightness (0 to 255) of the nearest face in a frame, a camera may expose for it. Cameras that cannot do nothing.
    fn expose_for(&mut self, _face: f32) {}

    /// What the operator calls it, such as `/dev/video0 (HD Webcam) 1280x720 MJPG 30/s`.
    fn describe(&self) -> String;
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// None so far, and nothing that the operator should hear: ask again.
    #[error("no frame yet")]
    NotYet,
    /// No camera answers to the configured name.
    #[error("no camera {wanted}: {found}. Plug it in, or choose one with `camera.device`; `greeter doctor` lists them")]
    NotFound {
        /// The operator's own value, as a clause such as `answers to "Logi"`.
        wanted: String,
        /// What is there instead, as a clause such as `there is none at all`.
        found: String,
    },
    /// It is there but cannot be opened.
    #[error("camera {device} cannot be used: {cause}. It is tried again by itself")]
    Unusable {
        /// Which.
        device: String,
        /// The system's words and the cure.
        cause: String,
    },
    /// It was there and no longer is.
    #[error("camera {device} is gone: {cause}. Check the cable; frames resume by themselves when it is back")]
    Lost {
        /// Which.
        device: String,
        /// The system's words.
        cause: String,
    },
    /// It is there but sends nothing.
    #[error("camera {device} has sent no frame for {seconds:.1} s. It is being reopened; if this repeats, replug it")]
    Silent {
        /// Which.
        device: String,
        /// For how long.
        seconds: f32,
    },
    /// A recording cannot be played.
    #[error("recording {path}: {cause}")]
    Recording {
        /// The file or folder.
        path: String,
        /// What is wrong with it and what would be right.
        cause: String,
    },
    /// The recording is over.
    #[error("the recording {path} is over")]
    Ended {
        /// The file or folder.
        path: String,
    },
}
