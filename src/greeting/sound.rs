//! The loudspeaker: opened and reopened on a thread of its own, so that a sound system that hangs holds up nobody.
//!
//! A sound counts as begun when its first audible sample is handed to the mixer. What lies between that and the air is the device's
//! buffer (rodio asks for 50 ms; two of them are in flight) and whatever the sound server adds; neither can be asked for through rodio.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rodio::{DeviceSinkBuilder, MixerDeviceSink, cpal, mixer::Mixer};

pub use super::playing::{Playing, Samples};
use super::{
    chime,
    playing::{Clip, Heartbeat},
    voice::VoiceError,
};

/// How long to wait before a lost device is looked for again; twice as long each time.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(16);
/// How much of what was handed over may still be unheard when the last sample is handed over.
const DEVICE_BUFFER: Duration = Duration::from_millis(120);
/// A device that takes no sample for so long is lost. Longer than any buffer, and than a busy machine was seen to make one wait.
const STALLED: Duration = Duration::from_millis(700);
/// And one that reports errors and takes none for so long.
const STALLED_IN_TROUBLE: Duration = Duration::from_millis(150);
/// A sound that is stopped fades within 20 ms, when the device asks for samples next.
const FADES_WITHIN: Duration = Duration::from_millis(200);

/// A handle on the loudspeaker; clones share it.
#[derive(Clone)]
pub struct Sound(Arc<Inner>);

struct Inner {
    device: Arc<Mutex<Device>>,
    orders: Sender<Order>,
    /// The bits of an `f32`, 0 to 1.
    volume: AtomicU32,
    chime: Mutex<Option<Playing>>,
}

enum Device {
    Opening,
    Open(Mixer),
    Absent(String),
    /// It was there, and is no longer.
    Lost(String),
}

enum Order {
    Lost(String),
    Close,
}

impl Sound {
    /// Begins to open the default device. `volume`: 0 to 1.
    pub fn open(volume: f32) -> Self {
        let device = Arc::new(Mutex::new(Device::Opening));
        // Reports of loss repeat; what does not fit is dropped.
        let (orders, received) = bounded(4);
        let (worker_device, worker_orders) = (device.clone(), orders.clone());
        let started = thread::Builder::new()
            .name("sound".into())
            .spawn(move || keep_open(&worker_device, &worker_orders, &received));
        if let Err(error) = started {
            set(&device, Device::Absent(format!("no thread for it: {error}")));
        }
        Self(Arc::new(Inner { device, orders, volume: AtomicU32::new(volume.to_bits()), chime: Mutex::new(None) }))
    }

    /// Whether there is a loudspeaker: `None` while it is being opened.
    pub fn present(&self) -> Option<Result<(), String>> {
        match &*lock(&self.0.device) {
            Device::Opening => None,
            Device::Open(_) => Some(Ok(())),
            Device::Absent(cause) | Device::Lost(cause) => Some(Err(cause.clone())),
        }
    }

    /// Why there is no loudspeaker any more; `None` while there is one, and where there never was one. Then programs that find their own
    /// way to the loudspeaker are not heard either.
    pub fn lost(&self) -> Option<String> {
        match &*lock(&self.0.device) {
            Device::Lost(cause) => Some(cause.clone()),
            Device::Opening | Device::Open(_) | Device::Absent(_) => None,
        }
    }

    /// How loud what is begun now is, 0 to 1.
    pub fn volume(&self) -> f32 {
        f32::from_bits(self.0.volume.load(Ordering::Relaxed))
    }

    /// Sets it.
    pub fn set_volume(&self, volume: f32) {
        self.0.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    /// Starts to play; returns at once. What could not begin by `not_after` is not heard.
    ///
    /// # Errors
    /// [`VoiceError::NoDevice`].
    pub fn play(&self, samples: &Samples, not_after: Option<Instant>) -> Result<Playing, VoiceError> {
        let mixer = match &*lock(&self.0.device) {
            Device::Open(mixer) => mixer.clone(),
            Device::Opening => return Err(VoiceError::NoDevice { cause: "it is still being opened".into() }),
            Device::Absent(cause) | Device::Lost(cause) => {
                return Err(VoiceError::NoDevice { cause: cause.clone() });
            }
        };
        let (clip, playing) = Clip::new(samples, self.volume(), not_after);
        mixer.add(clip);
        Ok(playing)
    }

    /// Plays the chime, if there is a device; never waits.
    pub fn chime(&self) {
        let mut current = lock(&self.0.chime);
        if current.as_ref().is_none_or(Playing::is_over) {
            *current = self.play(chime::samples(), None).ok();
        }
    }

    /// Lets a chime that is still sounding fade, because somebody speaks now.
    pub fn hush_chime(&self) {
        if let Some(chime) = lock(&self.0.chime).take() {
            chime.stop();
        }
    }

    /// Waits until what was handed over has been heard.
    pub fn settle(&self) {
        thread::sleep(DEVICE_BUFFER);
    }

    /// Waits until all of `playing` has been handed to the device.
    ///
    /// # Errors
    /// [`VoiceError::NoDevice`] when the device takes no more samples, [`VoiceError::TooLate`] when it was not begun, [`VoiceError::Stopped`] when `stopped` says so, and it has faded.
    pub fn wait(
        &self,
        playing: &Playing,
        begun: &mut dyn FnMut(Instant),
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), VoiceError> {
        let (mut last, mut moved) = (0, Instant::now());
        let mut told = false;
        loop {
            if stopped() {
                playing.stop();
                let until = Instant::now() + FADES_WITHIN;
                while !playing.is_over() && Instant::now() < until {
                    thread::sleep(Duration::from_millis(2));
                }
                // A device that a busy machine keeps waiting has not asked for the fade yet: the next sound must not begin in it.
                playing.cut();
                // It was heard, if only for a moment: the caller lets it fade away before the next sound.
                if let (false, Some(at)) = (told, playing.began()) {
                    begun(at);
                }
                return Err(VoiceError::Stopped);
            }
            // Asked for before the beginning, so that a whole sound is one whose beginning was told.
            let whole = playing.is_whole();
            if let (false, Some(at)) = (told, playing.began()) {
                told = true;
                begun(at);
            }
            let position = playing.position();
            if position != last {
                (last, moved) = (position, Instant::now());
            }
            if whole {
                return Ok(());
            }
            if playing.is_late() {
                return Err(VoiceError::TooLate);
            }
            if let Some(Err(cause)) = self.present() {
                playing.cut();
                return Err(VoiceError::NoDevice { cause });
            }
            if playing.is_over() && !playing.is_whole() {
                return Err(VoiceError::NoDevice { cause: "it was lost in mid-sentence".into() });
            }
            if moved.elapsed() > STALLED {
                // A device that only was slow must not say it over the next voice.
                playing.cut();
                let cause = "it takes no more sound".to_owned();
                let _ = self.0.orders.try_send(Order::Lost(cause.clone()));
                return Err(VoiceError::NoDevice { cause });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The thread is not joined: the sound system may hang while it closes.
        let _ = self.orders.try_send(Order::Close);
    }
}

/// The thread's work: open, wait until the device is lost, open again.
fn keep_open(device: &Mutex<Device>, orders: &Sender<Order>, received: &Receiver<Order>) {
    let (mut said, mut was_there) = (false, false);
    let mut pause = LOOK_AGAIN;
    loop {
        let pulse = Arc::new(AtomicUsize::new(0));
        match open_default(orders.clone(), pulse.clone()) {
            Ok(sink) => {
                sink.mixer().add(Heartbeat(pulse.clone()));
                set(device, Device::Open(sink.mixer().clone()));
                tracing::info!("loudspeaker open");
                (said, pause) = (false, LOOK_AGAIN);
                match until_lost(received, &pulse) {
                    Some(cause) => {
                        tracing::warn!(cause, "loudspeaker lost; it is looked for again and again");
                        set(device, Device::Lost(cause));
                        was_there = true;
                    }
                    None => return set(device, Device::Absent("closed".into())),
                }
            }
            Err(cause) => {
                if !said {
                    tracing::warn!(cause, "no loudspeaker; it is looked for again and again");
                    said = true;
                }
                set(device, if was_there { Device::Lost(cause) } else { Device::Absent(cause) });
            }
        }
        // The old device's last reports are about the old device.
        let until = Instant::now() + pause;
        pause = (pause * 2).min(LOOK_AT_LEAST_EVERY);
        loop {
            match received.recv_deadline(until) {
                Ok(Order::Lost(_)) => {}
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
    }
}

/// Waits while the device takes samples. Why it no longer does; `None` when it is to be closed.
fn until_lost(received: &Receiver<Order>, pulse: &AtomicUsize) -> Option<String> {
    loop {
        let before = pulse.load(Ordering::Relaxed);
        match received.recv_timeout(LOOK_AGAIN) {
            Ok(Order::Lost(cause)) => return Some(cause),
            Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if pulse.load(Ordering::Relaxed) == before => {
                return Some("it takes no more sound".into());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn open_default(lost: Sender<Order>, pulse: Arc<AtomicUsize>) -> Result<MixerDeviceSink, String> {
    let words = |error: &dyn std::error::Error| {
        let cause = error.source().map_or(String::new(), |source| format!(": {source}"));
        format!("{error}{cause}")
    };
    // When the errors began without a sample between them, and how many samples had been taken.
    let mut trouble: Option<(Instant, usize)> = None;
    let report = move |error: cpal::Error| match error.kind() {
        // The stream goes on by itself.
        cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {}
        cpal::ErrorKind::DeviceNotAvailable | cpal::ErrorKind::StreamInvalidated => {
            let _ = lost.try_send(Order::Lost(error.to_string()));
        }
        // ALSA's PulseAudio plugin says "I/O error" now and then while a busy server has no timing yet; cpal tries again at once and
        // forever, so a device that really is gone shows by taking no samples.
        _ => {
            let taken = pulse.load(Ordering::Relaxed);
            match trouble {
                Some((since, before)) if before == taken => {
                    if since.elapsed() > STALLED_IN_TROUBLE {
                        let _ = lost.try_send(Order::Lost(error.to_string()));
                    }
                }
                _ => trouble = Some((Instant::now(), taken)),
            }
            thread::sleep(Duration::from_millis(2));
        }
    };
    // ALSA prints each failure on the terminal; what it has to say is in the error.
    let _silenced = alsa::Output::local_error_handler();
    let mut sink = DeviceSinkBuilder::from_default_device()
        .and_then(|builder| builder.with_error_callback(report).open_stream())
        .map_err(|error| words(&error))?;
    sink.log_on_drop(false);
    Ok(sink)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks; if it did, the value would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(device: &Mutex<Device>, to: Device) {
    *lock(device) = to;
}
