//! The thread that owns a webcam: reads, skips what is stale, decodes, and puts the newest frame into a slot.
//!
//! nokhwa waits for a frame without any limit, so this thread is made to be given up: whoever waits at the slot decides that the
//! camera is silent. A given-up thread is woken by a signal, closes the device and ends.

use std::{
    os::unix::thread::JoinHandleExt,
    sync::{
        Arc, Mutex, Once, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use signal_hook::consts::SIGURG;

use super::{
    CameraError, FaceLight, Frame, LatestFrame,
    controls::ExposureControl,
    decode,
    device::{self, OpenCamera},
    freshness::Freshness,
};
use crate::config::CameraSettings;

/// A time stamp older than this is not believed: the frame is stamped on return.
const BELIEVABLE_AGE: Duration = Duration::from_secs(5);

/// What all threads of one webcam count, over its losses and returns.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) next_seq: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) stale: AtomicU64,
}

/// A running capture thread.
pub(super) struct Capture {
    pub(super) slot: LatestFrame,
    /// For what the camera is to be exposed.
    pub(super) face_light: FaceLight,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    description: OnceLock<String>,
    ending: Mutex<Option<CameraError>>,
}

/// Sees to it that whoever waits hears of the thread's end, even if a library panics in it.
struct Ending {
    slot: LatestFrame,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.slot.close();
    }
}

impl Capture {
    /// Starts a thread that opens the camera and captures until the slot is closed or the camera fails.
    pub(super) fn start(settings: CameraSettings, counts: Arc<Counts>) -> Result<Self, CameraError> {
        let slot = LatestFrame::new();
        let shared = Arc::new(Shared::default());
        let (inner_slot, inner_shared) = (slot.clone(), Arc::clone(&shared));
        let device = settings.device.clone();
        let face_light = FaceLight::default();
        let inner_light = face_light.clone();
        let body = move || run(&settings, &counts, inner_slot, &inner_light, &inner_shared);
        let thread = thread::Builder::new()
            .name("capture".into())
            .spawn(body)
            .map_err(|cause| CameraError::Unusable { device, cause: cause.to_string() })?;
        Ok(Self { slot, face_light, shared, thread })
    }

    /// What was opened; `None` until it is.
    pub(super) fn description(&self) -> Option<&str> {
        self.shared.description.get().map(String::as_str)
    }

    /// Why the thread closed the slot.
    pub(super) fn ending(&self) -> CameraError {
        let ending = self.shared.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
        ending.unwrap_or_else(|| CameraError::Lost {
            device: self.description().unwrap_or("?").to_owned(),
            cause: "the camera's library failed; the log above says how".into(),
        })
    }

    /// Whether the thread is over and the device closed.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Makes the thread stop: closes its slot and wakes it from waiting for the driver. To be repeated until [`Self::has_ended`],
    /// because a signal that comes just before the thread begins to wait is missed.
    pub(super) fn interrupt(&self) {
        static HANDLED: Once = Once::new();
        // A signal that nobody handles would not interrupt `poll`. This one is otherwise ignored and used by nobody else.
        HANDLED.call_once(|| {
            if let Err(error) = signal_hook::flag::register(SIGURG, Arc::new(AtomicBool::new(false))) {
                tracing::warn!(%error, "a silent camera cannot be interrupted");
            }
        });
        self.slot.close();
        if !self.thread.is_finished() {
            // SAFETY: the handle was neither joined nor detached, so its pthread_t is valid even if the thread has just ended.
            unsafe { libc::pthread_kill(self.thread.as_pthread_t(), SIGURG) };
        }
    }
}

fn run(settings: &CameraSettings, counts: &Counts, slot: LatestFrame, face_light: &FaceLight, shared: &Shared) {
    // Declared first, dropped last: the reason is written before the slot is closed.
    let ending = Ending { slot };
    let error = match device::open(settings) {
        Ok(mut camera) => {
            let _ = shared.description.set(camera.description.clone());
            // Asked by this thread, which is given up if the driver hangs.
            let exposure =
                settings.expose_for_face.then(|| ExposureControl::of(&camera.path, camera.format.frame_rate()));
            let error = capture(&mut camera, counts, &ending.slot, (exposure.flatten(), face_light));
            *shared.ending.lock().unwrap_or_else(PoisonError::into_inner) = error;
            // Whoever waits must not have to wait until a driver has closed the device.
            ending.slot.close();
            return;
        }
        Err(error) => error,
    };
    *shared.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
}

/// Captures until the slot is closed (`None`) or the camera fails.
fn capture(
    camera: &mut OpenCamera,
    counts: &Counts,
    slot: &LatestFrame,
    (mut exposure, face_light): (Option<ExposureControl>, &FaceLight),
) -> Option<CameraError> {
    let mut freshness = Freshness::new(camera.format.frame_rate());
    let mut returned_at = Instant::now();
    loop {
        if slot.is_closed() {
            return None;
        }
        if let Some(exposure) = &mut exposure {
            exposure.on_frame(Instant::now(), face_light.take());
        }
        let asked_at = Instant::now();
        let buffer = match camera.device.frame() {
            Ok(buffer) => buffer,
            Err(_) if slot.is_closed() => return None,
            Err(error) => {
                return Some(CameraError::Lost { device: camera.description.clone(), cause: error.to_string() });
            }
        };
        let busy = asked_at - returned_at;
        returned_at = Instant::now();
        let age = age_of(buffer.capture_timestamp());
        let seq = counts.next_seq.fetch_add(1, Ordering::Relaxed);
        if freshness.is_stale(busy, returned_at - asked_at, age) {
            counts.stale.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        match decode::decode(camera.format, buffer.buffer()) {
            Ok(rgb) => {
                let believable = age.filter(|&age| age < BELIEVABLE_AGE);
                let captured_at = believable.and_then(|age| returned_at.checked_sub(age)).unwrap_or(returned_at);
                if !slot.put(Frame { rgb: Arc::new(rgb), captured_at, seq }) {
                    return None;
                }
            }
            Err(cause) => {
                let damaged = counts.damaged.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::debug!(camera = camera.description, seq, damaged, cause, "a damaged frame was skipped");
            }
        }
    }
}

/// How long ago a frame was captured, by the driver's time stamp that nokhwa turns into the wall clock's; `None` where there is
/// none or the clock was set in between.
fn age_of(captured: Option<Duration>) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    now.checked_sub(captured?)
}
