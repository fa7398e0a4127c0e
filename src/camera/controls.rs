//! A webcam's exposure, as V4L2 offers it.
//!
//! Through the `v4l` crate that nokhwa stands on, by a second descriptor of the same device: nokhwa 0.10 reads all controls to set one, and
//! fails on cameras that list the headings of their controls among them, as UVC cameras do since Linux 5.16. Asking for a control by its
//! number needs no list.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Instant,
};

use v4l::{
    Device,
    control::{Control, Value},
};

use super::exposure::{Change, Exposure};

/// V4L2_CID_EXPOSURE_AUTO: who chooses the exposure.
const MODE: u32 = 0x009a_0901;
/// V4L2_CID_EXPOSURE_ABSOLUTE, in units of 100 µs.
const TIME: u32 = 0x009a_0902;
/// V4L2_EXPOSURE_MANUAL.
const MANUAL: i64 = 1;
/// V4L2_EXPOSURE_APERTURE_PRIORITY, the automatic mode of webcams, which have no aperture.
const AUTOMATIC: i64 = 3;
const UNITS_A_SECOND: u32 = 10_000;

/// The exposure of a camera that lets it be set.
pub(super) struct ExposureControl {
    device: Device,
    exposure: Exposure,
    /// Whether the exposure is ours; what a camera says of it while it chooses itself may be anything.
    overruled: bool,
    /// The mode to go back to; `None` where there is none to choose.
    automatic: Option<i64>,
    /// The longest that leaves the frame rate as it is.
    longest: i64,
}

impl ExposureControl {
    /// Looks whether a camera lets its exposure be set. What an earlier run left behind is undone: the camera decides at first.
    pub(super) fn of(path: &Path, frames_per_second: u32) -> Option<Self> {
        let device = Device::with_path(path).ok()?;
        integer(&device, TIME)?;
        let mode = integer(&device, MODE);
        let automatic = mode.map(|mode| if mode == MANUAL { AUTOMATIC } else { mode });
        let longest = i64::from(UNITS_A_SECOND / frames_per_second.max(1)).max(1);
        let mut control = Self { device, exposure: Exposure::default(), overruled: false, automatic, longest };
        if mode == Some(MANUAL) {
            control.leave_to_the_camera();
        }
        Some(control)
    }

    /// Takes the brightness of the nearest face in the newest frames, if there was one, and sets the exposure for it.
    pub(super) fn on_frame(&mut self, now: Instant, face: Option<f32>) {
        match self.exposure.on_frame(now, face) {
            Some(Change::By(factor)) => {
                let Some(current) = integer(&self.device, TIME) else { return };
                let wanted = ((current as f32 * factor).round() as i64).clamp(1, self.longest.max(current));
                if wanted == current && self.overruled {
                    if self.exposure.at_the_limit().is_some() {
                        self.leave_to_the_camera();
                    }
                    return;
                }
                if self.automatic.is_some() {
                    self.set(MODE, MANUAL);
                }
                self.overruled = true;
                self.set(TIME, wanted);
                tracing::debug!(current, wanted, "the exposure is set for the nearest face");
            }
            Some(Change::Automatic) => self.leave_to_the_camera(),
            None => {}
        }
    }

    fn leave_to_the_camera(&mut self) {
        self.overruled = false;
        if let Some(automatic) = self.automatic {
            self.set(MODE, automatic);
        }
    }

    fn set(&self, id: u32, value: i64) {
        if let Err(error) = self.device.set_control(Control { id, value: Value::Integer(value) }) {
            tracing::debug!(id, value, %error, "the camera refuses a control");
        }
    }
}

impl Drop for ExposureControl {
    fn drop(&mut self) {
        self.leave_to_the_camera();
    }
}

/// A control's value; `None` where there is no such control.
fn integer(device: &Device, id: u32) -> Option<i64> {
    // The crate panics when a control is of a kind that it does not know.
    let control = catch_unwind(AssertUnwindSafe(|| device.control(id))).ok()?.ok()?;
    match control.value {
        Value::Integer(value) => Some(value),
        _ => None,
    }
}
