//! The loudspeaker: opened and reopened on a thread of its own, so that a sound system that hangs holds up nobody.
//!
//! A sound counts as begun when its first audible sample is handed to the mixer. What lies between that and the air is the device's
//! buffer (rodio asks for 50 ms; two of them are in flight) and whatever the sound server adds; neither can be asked for through rodio.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rodio::{ChannelCount, DeviceSinkBuilder, MixerDeviceSink, SampleRate, Source, cpal, mixer::Mixer};

use super::{chime, voice::VoiceError};

/// How long to wait before an absent device is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How much of what was handed over may still be unheard when the last sample is handed over.
const DEVICE_BUFFER: Duration = Duration::from_millis(120);
/// A device that takes no sample for so long is lost. Longer than any buffer.
const STALLED: Duration = Duration::from_millis(700);
/// Samples, mono, between -1 and 1, below which nothing is heard.
const AUDIBLE: f32 = 0.004;

/// Mono sound in memory.
#[derive(Clone)]
pub struct Samples {
    /// Between -1 and 1.
    pub mono: Arc<[f32]>,
    /// Samples a second.
    pub rate: SampleRate,
}

/// A handle on the loudspeaker; clones share it.
#[derive(Clone)]
pub struct Sound(Arc<Inner>);

struct Inner {
    device: Arc<Mutex<Device>>,
    orders: Sender<Order>,
    volume: f32,
    chime: Mutex<Option<Playing>>,
}

enum Device {
    Opening,
    Open(Mixer),
    Absent(String),
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
        Self(Arc::new(Inner { device, orders, volume, chime: Mutex::new(None) }))
    }

    /// Whether there is a loudspeaker: `None` while it is being opened.
    pub fn present(&self) -> Option<Result<(), String>> {
        match &*lock(&self.0.device) {
            Device::Opening => None,
            Device::Open(_) => Some(Ok(())),
            Device::Absent(cause) => Some(Err(cause.clone())),
        }
    }

    /// Starts to play; returns at once.
    ///
    /// # Errors
    /// [`VoiceError::NoDevice`].
    pub fn play(&self, samples: &Samples) -> Result<Playing, VoiceError> {
        let mixer = match &*lock(&self.0.device) {
            Device::Open(mixer) => mixer.clone(),
            Device::Opening => return Err(VoiceError::NoDevice { cause: "it is still being opened".into() }),
            Device::Absent(cause) => return Err(VoiceError::NoDevice { cause: cause.clone() }),
        };
        let playing = Playing(Arc::new(Progress::default()));
        mixer.add(Clip::new(samples, self.0.volume, playing.0.clone()));
        Ok(playing)
    }

    /// Plays the chime, if there is a device; never waits.
    pub fn chime(&self) {
        let mut current = lock(&self.0.chime);
        if current.as_ref().is_none_or(Playing::is_over) {
            *current = self.play(chime::samples()).ok();
        }
    }

    /// Lets a chime that is still sounding fade, because somebody speaks now.
    pub fn hush_chime(&self) {
        if let Some(chime) = lock(&self.0.chime).take() {
            chime.stop();
        }
    }

    /// Waits until `playing` has been heard to its end.
    ///
    /// # Errors
    /// [`VoiceError::NoDevice`] when the device takes no more samples, [`VoiceError::Stopped`] when `stopped` says so.
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
                return Err(VoiceError::Stopped);
            }
            if let (false, Some(at)) = (told, playing.0.began.get()) {
                told = true;
                begun(*at);
            }
            let position = playing.0.position.load(Ordering::Acquire);
            if position != last {
                (last, moved) = (position, Instant::now());
            }
            if playing.is_over() {
                thread::sleep(DEVICE_BUFFER);
                return Ok(());
            }
            if moved.elapsed() > STALLED {
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
    let mut said = false;
    loop {
        match open_default(orders.clone()) {
            Ok(sink) => {
                set(device, Device::Open(sink.mixer().clone()));
                tracing::info!("loudspeaker open");
                said = false;
                match received.recv() {
                    Ok(Order::Lost(cause)) => {
                        tracing::warn!(cause, "loudspeaker lost; it is looked for every {} s", LOOK_AGAIN.as_secs());
                        set(device, Device::Absent(cause));
                    }
                    Ok(Order::Close) | Err(_) => return set(device, Device::Absent("closed".into())),
                }
            }
            Err(cause) => {
                if !said {
                    tracing::warn!(cause, "no loudspeaker; it is looked for every {} s", LOOK_AGAIN.as_secs());
                    said = true;
                }
                set(device, Device::Absent(cause));
            }
        }
        // The old device's last reports are about the old device.
        let until = Instant::now() + LOOK_AGAIN;
        loop {
            match received.recv_deadline(until) {
                Ok(Order::Lost(_)) => {}
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
    }
}

fn open_default(lost: Sender<Order>) -> Result<MixerDeviceSink, String> {
    let words = |error: &dyn std::error::Error| {
        let cause = error.source().map_or(String::new(), |source| format!(": {source}"));
        format!("{error}{cause}")
    };
    let report = move |error: cpal::Error| match error.kind() {
        // The stream goes on by itself.
        cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {}
        _ => {
            let _ = lost.try_send(Order::Lost(error.to_string()));
        }
    };
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

#[derive(Default)]
struct Progress {
    position: AtomicUsize,
    began: OnceLock<Instant>,
    stop: AtomicBool,
    over: AtomicBool,
}

/// A sound on its way to the loudspeaker.
#[derive(Clone)]
pub struct Playing(Arc<Progress>);

impl Playing {
    /// Fades it out within 20 ms.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
    }

    /// Whether its last sample has been handed over, or the device is gone.
    pub fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Acquire)
    }
}

/// The mixer reads the first two samples of a source when it is added, not when they are due: silence for them.
const LEAD: usize = 16;

/// The source that the mixer reads.
struct Clip {
    samples: Samples,
    volume: f32,
    fade: f32,
    next: usize,
    audible: usize,
    progress: Arc<Progress>,
}

impl Clip {
    fn new(samples: &Samples, volume: f32, progress: Arc<Progress>) -> Self {
        let audible = samples.mono.iter().position(|sample| sample.abs() >= AUDIBLE).unwrap_or(0) + LEAD;
        Self { samples: samples.clone(), volume, fade: 1.0, next: 0, audible, progress }
    }
}

impl Iterator for Clip {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let index = self.next;
        self.next += 1;
        self.progress.position.store(self.next, Ordering::Release);
        if self.progress.stop.load(Ordering::Acquire) {
            self.fade -= 50.0 / self.samples.rate.get() as f32;
            if self.fade <= 0.0 {
                return None;
            }
        }
        if index < LEAD {
            return Some(0.0);
        }
        let sample = self.samples.mono.get(index - LEAD)?;
        if index == self.audible {
            let _ = self.progress.began.set(Instant::now());
        }
        Some(sample * self.volume * self.fade)
    }
}

impl Source for Clip {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> ChannelCount {
        NonZero::<u16>::MIN
    }

    fn sample_rate(&self) -> SampleRate {
        self.samples.rate
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}

impl Drop for Clip {
    fn drop(&mut self) {
        self.progress.over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(mono: Vec<f32>) -> (Clip, Playing) {
        let samples = Samples { mono: mono.into(), rate: NonZero::new(1000).unwrap() };
        let playing = Playing(Arc::new(Progress::default()));
        (Clip::new(&samples, 0.5, playing.0.clone()), playing)
    }

    #[test]
    fn a_sound_has_begun_when_its_first_audible_sample_is_taken() {
        let (mut clip, playing) = clip(vec![0.0, 0.001, 0.8, 0.4]);
        let silent: Vec<f32> = clip.by_ref().take(LEAD + 2).collect();
        assert!(silent.iter().all(|sample| sample.abs() < AUDIBLE));
        assert!(playing.0.began.get().is_none());
        assert_eq!(clip.next(), Some(0.4), "at half the volume");
        assert!(playing.0.began.get().is_some() && !playing.is_over());
        assert_eq!(clip.by_ref().count(), 1);
        drop(clip);
        assert!(playing.is_over());
    }

    #[test]
    fn a_sound_that_is_stopped_fades_out_within_20_ms() {
        let (mut clip, playing) = clip(vec![1.0; 1000]);
        clip.by_ref().take(100).for_each(drop);
        playing.stop();
        let rest: Vec<f32> = clip.collect();
        assert!(rest.len() <= 20, "{}", rest.len());
        assert!(rest.windows(2).all(|pair| pair[1] < pair[0]));
    }
}
