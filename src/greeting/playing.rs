//! Sounds as the mixer takes them, sample by sample, and how far it has come.

use std::{
    num::NonZero,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rodio::{ChannelCount, SampleRate, Source};

/// Samples below which nothing is heard.
const AUDIBLE: f32 = 0.004;

/// Mono sound in memory.
#[derive(Clone)]
pub struct Samples {
    /// Between -1 and 1.
    pub mono: Arc<[f32]>,
    /// Samples a second.
    pub rate: SampleRate,
}

#[derive(Default)]
struct Progress {
    position: AtomicUsize,
    began: OnceLock<Instant>,
    stop: AtomicBool,
    cut: AtomicBool,
    /// It could not be begun in time, and is not.
    late: AtomicBool,
    /// Its last sample was taken.
    whole: AtomicBool,
    /// Nobody will take samples any more.
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

    /// Ends it with the sample that was handed over last.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
    }

    /// When its first audible sample was handed over.
    pub fn began(&self) -> Option<Instant> {
        self.0.began.get().copied()
    }

    /// How many samples have been handed over.
    pub fn position(&self) -> usize {
        self.0.position.load(Ordering::Acquire)
    }

    /// Whether it was not begun because its time had passed.
    pub fn is_late(&self) -> bool {
        self.0.late.load(Ordering::Acquire)
    }

    /// Whether its last sample has been handed over.
    pub fn is_whole(&self) -> bool {
        self.0.whole.load(Ordering::Acquire)
    }

    /// Whether nobody will take samples any more: it is whole, was stopped, or its device is gone.
    pub fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Acquire)
    }
}

/// A silent source that shows whether the device still takes samples.
pub(super) struct Heartbeat(pub Arc<AtomicUsize>);

impl Iterator for Heartbeat {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(0.0)
    }
}

impl Source for Heartbeat {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> ChannelCount {
        NonZero::<u16>::MIN
    }

    fn sample_rate(&self) -> SampleRate {
        // A low one: it only counts.
        NonZero::new(1000).unwrap_or(NonZero::<u32>::MIN)
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}

/// The mixer reads the first two samples of a source when it is added, not when they are due: silence for them.
const LEAD: usize = 16;

/// The source that the mixer reads.
pub(super) struct Clip {
    samples: Samples,
    volume: f32,
    fade: f32,
    next: usize,
    audible: usize,
    not_after: Option<Instant>,
    /// rodio's converters ask again after the end, and would play on whatever came then.
    ended: bool,
    progress: Arc<Progress>,
}

impl Clip {
    /// The source for the mixer, and the handle that follows it. `volume`: 0 to 1. It is not begun after `not_after`.
    pub fn new(samples: &Samples, volume: f32, not_after: Option<Instant>) -> (Self, Playing) {
        let progress = Arc::new(Progress::default());
        let audible = samples.mono.iter().position(|sample| sample.abs() >= AUDIBLE).unwrap_or(0) + LEAD;
        let samples = samples.clone();
        let (fade, next, ended) = (1.0, 0, false);
        let clip = Self { samples, volume, fade, next, audible, not_after, ended, progress: progress.clone() };
        (clip, Playing(progress))
    }

    fn sample(&mut self) -> Option<f32> {
        let index = self.next;
        self.next += 1;
        self.progress.position.store(self.next, Ordering::Release);
        if self.progress.cut.load(Ordering::Acquire) {
            return None;
        }
        if self.progress.stop.load(Ordering::Acquire) {
            self.fade -= 50.0 / self.samples.rate.get() as f32;
            if self.fade <= 0.0 {
                return None;
            }
        }
        if index < LEAD {
            return Some(0.0);
        }
        let Some(sample) = self.samples.mono.get(index - LEAD) else {
            self.progress.whole.store(true, Ordering::Release);
            return None;
        };
        if index == self.audible {
            let now = Instant::now();
            if self.not_after.is_some_and(|late| now > late) {
                self.progress.late.store(true, Ordering::Release);
                return None;
            }
            let _ = self.progress.began.set(now);
        }
        Some(sample * self.volume * self.fade)
    }
}

impl Iterator for Clip {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.ended {
            return None;
        }
        let sample = self.sample();
        self.ended = sample.is_none();
        sample
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
    use rodio::source::UniformSourceIterator;

    use super::*;

    fn clip(mono: Vec<f32>) -> (Clip, Playing) {
        clip_until(mono, None)
    }

    fn clip_until(mono: Vec<f32>, not_after: Option<Instant>) -> (Clip, Playing) {
        Clip::new(&Samples { mono: mono.into(), rate: NonZero::new(1000).unwrap() }, 0.5, not_after)
    }

    #[test]
    fn a_sound_has_begun_when_its_first_audible_sample_is_taken() {
        let (mut clip, playing) = clip(vec![0.0, 0.001, 0.8, 0.4]);
        let silent: Vec<f32> = clip.by_ref().take(LEAD + 2).collect();
        assert!(silent.iter().all(|sample| sample.abs() < AUDIBLE));
        assert!(playing.began().is_none());
        assert_eq!(clip.next(), Some(0.4), "at half the volume");
        assert!(playing.began().is_some() && !playing.is_over());
        assert_eq!(clip.by_ref().count(), 1);
        drop(clip);
        assert!(playing.is_over() && playing.is_whole());
    }

    #[test]
    fn a_sound_whose_time_has_passed_is_not_heard() {
        let (clip, playing) = clip_until(vec![0.8; 100], Some(Instant::now()));
        std::thread::sleep(Duration::from_millis(2));
        // Not even by a mixer that asks again after the end.
        let mut mixed = UniformSourceIterator::new(clip, NonZero::new(2).unwrap(), NonZero::new(1000).unwrap());
        for _ in 0..3 {
            assert!(mixed.by_ref().all(|sample| sample.abs() < AUDIBLE));
        }
        drop(mixed);
        assert!(playing.is_late() && playing.is_over() && !playing.is_whole() && playing.began().is_none());
        let (clip, playing) = clip_until(vec![0.8; 100], Some(Instant::now() + Duration::from_secs(60)));
        assert_eq!(clip.into_iter().filter(|sample| *sample > 0.3).count(), 100);
        assert!(playing.is_whole() && !playing.is_late());
    }

    #[test]
    fn a_sound_whose_device_is_lost_is_over_but_not_whole() {
        let (clip, playing) = clip(vec![1.0; 1000]);
        drop(clip);
        assert!(playing.is_over() && !playing.is_whole());
    }

    #[test]
    fn a_sound_that_could_not_fade_in_time_is_cut_off_so_that_the_next_one_is_heard_alone() {
        let (mut clip, playing) = clip(vec![1.0; 1000]);
        clip.by_ref().take(100).for_each(drop);
        playing.stop();
        playing.cut();
        assert_eq!(clip.next(), None);
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
