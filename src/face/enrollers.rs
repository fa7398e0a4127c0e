//! Several sets of networks that look at photos side by side, for whoever has many to look at.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{Enroller, ModelError};

/// A robot beside it greets visitors first.
const NICE: i32 = 10;
/// More sets would cost more memory than they save time.
const MOST: usize = 4;

/// One set of networks a core; they are loaded when the first photo needs them, because that takes longer than a sync with nothing to do.
pub struct Enrollers<F> {
    make: F,
    made: Vec<Box<dyn Enroller + Send>>,
}

impl<F: FnMut() -> Result<Box<dyn Enroller + Send>, ModelError>> Enrollers<F> {
    /// None is loaded yet.
    pub fn new(make: F) -> Self {
        Self { make, made: Vec::new() }
    }

    /// What `look` says of each of `photos`, in their order.
    ///
    /// # Errors
    /// When networks cannot be loaded.
    pub fn look_at<P: Sync, L: Send>(
        &mut self,
        photos: &[P],
        look: impl Fn(&mut dyn Enroller, &P) -> L + Sync,
    ) -> Result<Vec<L>, ModelError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        while self.made.len() < cores.min(MOST).min(photos.len()) {
            self.made.push((self.make)()?);
        }
        let next = AtomicUsize::new(0);
        let work = |enroller: &mut dyn Enroller| {
            // Of this thread only; where it is refused, visitors wait a little longer.
            let _ = rustix::process::nice(NICE);
            let turns = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
            let mine = turns.map_while(|at| photos.get(at).map(|photo| (at, photo)));
            mine.map(|(at, photo)| (at, look(enroller, photo))).collect::<Vec<_>>()
        };
        let mut looks: Vec<(usize, L)> = thread::scope(|scope| {
            let workers: Vec<_> =
                self.made.iter_mut().map(|enroller| scope.spawn(|| work(enroller.as_mut()))).collect();
            let ended = |worker: thread::ScopedJoinHandle<'_, Vec<(usize, L)>>| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().flat_map(ended).collect()
        });
        looks.sort_by_key(|(at, _)| *at);
        Ok(looks.into_iter().map(|(_, look)| look).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use image::RgbImage;

    use super::*;
    use crate::face::{PhotoFault, Template};

    struct Networks;

    impl Enroller for Networks {
        fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError> {
            thread::sleep(Duration::from_millis(u64::from(5 - photo.width())));
            Ok(Ok(Template(vec![photo.width() as f32])))
        }

        fn model(&self) -> &str {
            "test-net"
        }
    }

    #[test]
    fn photos_are_looked_at_side_by_side_and_what_is_said_of_them_keeps_their_order() {
        let loaded = Cell::new(0);
        let make = || -> Result<Box<dyn Enroller + Send>, ModelError> {
            loaded.set(loaded.get() + 1);
            Ok(Box::new(Networks))
        };
        let mut enrollers = Enrollers::new(make);
        let photos = |count: u32| (1..=count).map(|width| RgbImage::new(width, 1)).collect::<Vec<_>>();
        let look = |enroller: &mut dyn Enroller, photo: &RgbImage| enroller.enrol(photo).unwrap().unwrap().0[0];
        assert!(enrollers.look_at(&photos(0), look).unwrap().is_empty());
        assert_eq!(loaded.get(), 0, "a sync without new photos loads no networks");
        assert_eq!(enrollers.look_at(&photos(1), look).unwrap(), [1.0]);
        assert_eq!(loaded.get(), 1);
        assert_eq!(enrollers.look_at(&photos(4), look).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let ours = rustix::process::getpriority_process(None).unwrap();
        let priorities =
            enrollers.look_at(&photos(4), |_, _| rustix::process::getpriority_process(None).unwrap()).unwrap();
        assert_eq!(priorities, [(ours + NICE).min(19); 4], "visitors come first");
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), ours);
        assert_eq!(loaded.get(), thread::available_parallelism().map_or(1, usize::from).min(MOST));
    }
}
