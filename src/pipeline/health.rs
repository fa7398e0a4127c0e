//! How the running program feels: which stages are alive, and how many frames went which way.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::vision::Times;

/// A stage that has not given a sign for so long hangs. Longer than any single piece of work: the longest is one search of a whole frame.
const ALIVE_WITHIN: Duration = Duration::from_secs(5);

/// Frames whose times are remembered: about five minutes.
const REMEMBERED: usize = 9000;

/// The signs of life of the stages. Clones share them.
#[derive(Clone)]
pub struct Health {
    started: Instant,
    beats: Arc<[(&'static str, AtomicU64)]>,
    processed: Arc<AtomicU64>,
    times: Arc<Mutex<VecDeque<Times>>>,
}

/// How many frames went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Frames {
    /// Taken from the camera.
    pub captured: u64,
    /// Seen by the vision stage.
    pub processed: u64,
    /// Replaced by a newer one before the vision stage took them.
    pub dropped: u64,
}

impl Health {
    /// All stages count as alive at first.
    pub fn new(stages: impl IntoIterator<Item = &'static str>) -> Self {
        let beats = stages.into_iter().map(|stage| (stage, AtomicU64::new(0))).collect();
        Self { started: Instant::now(), beats, processed: Arc::default(), times: Arc::default() }
    }

    /// A stage gives a sign of life.
    pub fn beat(&self, stage: &str) {
        if let Some((_, beat)) = self.beats.iter().find(|(name, _)| *name == stage) {
            beat.store(self.now_ms(), Ordering::Relaxed);
        }
    }

    /// A frame has been worked through.
    pub fn processed(&self, times: Times) {
        self.processed.fetch_add(1, Ordering::Relaxed);
        let mut remembered = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back(times);
    }

    /// How long the parts of the remembered frames' work took.
    pub fn times(&self) -> Vec<Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Frames worked through so far.
    pub fn frames_processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// The first stage that hangs, if one does.
    pub fn hanging(&self) -> Option<&'static str> {
        let now = self.now_ms();
        let late =
            |beat: &AtomicU64| now.saturating_sub(beat.load(Ordering::Relaxed)) > ALIVE_WITHIN.as_millis() as u64;
        self.beats.iter().find(|(_, beat)| late(beat)).map(|(stage, _)| *stage)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
