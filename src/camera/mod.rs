//! Where frames come from: a webcam, or a recording that stands in for one. The pipeline cannot tell which.

#[expect(dead_code, reason = "the camera's own modules use the rest")]
mod jpeg;
pub mod photo;

use std::{sync::Arc, time::Instant};

use image::RgbImage;

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
    /// Waits for the newest frame.
    ///
    /// # Errors
    /// [`CameraError::Lost`] or [`CameraError::Silent`] when there is none, [`CameraError::Ended`] when a recording is over.
    fn next_frame(&mut self) -> Result<Frame, CameraError>;

    /// What the operator calls it, such as `/dev/video0 (HD Webcam) 1280x720 MJPG 30/s`.
    fn describe(&self) -> String;
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// No camera answers to the configured name.
    #[error("no camera {wanted}: {found}. Plug it in, or choose one with `camera.device`; `greeter doctor` lists them")]
    NotFound {
        /// The operator's own value.
        wanted: String,
        /// What is there instead, as a clause such as `there is none at all`.
        found: String,
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
