//! Passes frames from one thread to another, newest only: a full slot is replaced, never queued, because a greeting about a stale
//! frame is worse than a dropped one.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Frame;

/// A place for one frame. Clones share the place.
#[derive(Clone, Default)]
pub struct LatestFrame {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    place: Mutex<Place>,
    changed: Condvar,
}

#[derive(Default)]
struct Place {
    frame: Option<Frame>,
    replaced: u64,
    closed: bool,
}

/// What [`LatestFrame::take`] found.
pub enum Taken {
    /// The newest frame.
    Frame(Frame),
    /// None came in time.
    Nothing,
    /// None will come any more.
    Closed,
}

impl LatestFrame {
    /// An empty, open slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `frame` in, over one that nobody took. `false` when the slot is closed and the caller can stop.
    pub fn put(&self, frame: Frame) -> bool {
        let mut place = self.lock();
        if place.closed {
            return false;
        }
        if place.frame.replace(frame).is_some() {
            place.replaced += 1;
        }
        self.shared.changed.notify_one();
        true
    }

    /// Waits for a frame, for `timeout` at most. A frame that was put in before the slot was closed is still given out.
    pub fn take(&self, timeout: Duration) -> Taken {
        let until = Instant::now() + timeout;
        let mut place = self.lock();
        loop {
            if let Some(frame) = place.frame.take() {
                return Taken::Frame(frame);
            }
            if place.closed {
                return Taken::Closed;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            place = self.shared.changed.wait_timeout(place, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Frames that were replaced before anybody took them.
    pub fn replaced(&self) -> u64 {
        self.lock().replaced
    }

    /// Lets nothing more in and wakes whoever waits.
    pub fn close(&self) {
        self.lock().closed = true;
        self.shared.changed.notify_all();
    }

    /// Whether [`LatestFrame::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Nothing under this lock can panic half-way, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.shared.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use image::RgbImage;

    use super::*;

    fn frame(seq: u64) -> Frame {
        Frame { rgb: Arc::new(RgbImage::new(1, 1)), captured_at: Instant::now(), seq }
    }

    fn taken(slot: &LatestFrame) -> Option<u64> {
        match slot.take(Duration::ZERO) {
            Taken::Frame(frame) => Some(frame.seq),
            Taken::Nothing | Taken::Closed => None,
        }
    }

    #[test]
    fn a_slow_reader_gets_the_newest_frame_and_the_others_are_counted() {
        let slot = LatestFrame::new();
        for seq in 0..5 {
            assert!(slot.put(frame(seq)));
        }
        assert_eq!(taken(&slot), Some(4));
        assert_eq!(taken(&slot), None);
        assert_eq!(slot.replaced(), 4);
    }

    #[test]
    fn a_waiting_reader_is_woken_by_a_frame_from_another_thread() {
        let slot = LatestFrame::new();
        let writer = slot.clone();
        let reader =
            thread::spawn(move || matches!(slot.take(Duration::from_secs(60)), Taken::Frame(frame) if frame.seq == 7));
        assert!(writer.put(frame(7)));
        assert!(reader.join().unwrap());
    }

    #[test]
    fn closing_wakes_the_reader_and_stops_the_writer() {
        let slot = LatestFrame::new();
        let closer = slot.clone();
        let reader = thread::spawn(move || matches!(slot.take(Duration::from_secs(60)), Taken::Closed));
        closer.close();
        assert!(reader.join().unwrap());
        assert!(!closer.put(frame(1)));
        assert!(closer.is_closed());
    }

    #[test]
    fn the_last_frame_before_closing_is_still_given_out() {
        let slot = LatestFrame::new();
        slot.put(frame(3));
        slot.close();
        assert_eq!(taken(&slot), Some(3));
        assert!(matches!(slot.take(Duration::ZERO), Taken::Closed));
    }
}
