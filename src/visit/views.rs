//! Chooses which views of a face are worth embedding: the first good one at once, then the best of each interval.
//!
//! Pure.

use std::time::{Duration, Instant};

/// Picks views of one track. `V` is whatever the caller needs to embed one later.
#[derive(Debug)]
pub struct ViewPicker<V> {
    interval: Duration,
    picked_at: Option<Instant>,
    best: Option<(f32, V)>,
}

impl<V> ViewPicker<V> {
    /// At most one view an `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, picked_at: None, best: None }
    }

    /// Picks more slowly or faster from now on.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Offers a view with its quality and gives the view to embed now, if it is time for one.
    pub fn offer(&mut self, now: Instant, quality: f32, view: V) -> Option<(f32, V)> {
        if self.best.as_ref().is_none_or(|(best, _)| quality > *best) {
            self.best = Some((quality, view));
        }
        if self.picked_at.is_some_and(|at| now.duration_since(at) < self.interval) {
            return None;
        }
        self.picked_at = Some(now);
        self.best.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_view_is_taken_at_once_and_then_the_best_of_each_interval() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut picker = ViewPicker::new(Duration::from_millis(100));
        assert_eq!(picker.offer(at(0), 0.5, "first"), Some((0.5, "first")));
        assert_eq!(picker.offer(at(33), 0.9, "sharp"), None);
        assert_eq!(picker.offer(at(66), 0.4, "blurred"), None);
        assert_eq!(picker.offer(at(100), 0.7, "fair"), Some((0.9, "sharp")));
        assert_eq!(picker.offer(at(133), 0.1, "poor"), None);
    }
}
