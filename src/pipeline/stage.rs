//! Starts stages and starts them again when they fail.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::channel::Sender;

use super::host::Told;
use crate::journal::{Entry, Event};

/// The first wait before a failed stage is started again; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Starts stages.
pub struct Supervisor {
    /// Where failures are told.
    pub tell: Sender<Told>,
    /// Set when the program ends.
    pub stop: Arc<AtomicBool>,
}

impl Supervisor {
    /// Runs `work` on a thread of its own until it returns; when it panics, tells so and runs it again.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        &self,
        name: &'static str,
        mut work: impl FnMut() + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let (tell, stop) = (self.tell.clone(), self.stop.clone());
        thread::Builder::new().name(name.into()).spawn(move || {
            let mut wait = FIRST_WAIT;
            // Each stage's state is valid between any two of its steps, so going on with it after a panic is sound.
            while let Err(panic) = catch_unwind(AssertUnwindSafe(&mut work)) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let cause = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "unknown cause".into());
                drop(tell.try_send(Told::Event(Entry::now(Event::Restarted { stage: name.into(), cause }))));
                thread::sleep(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crossbeam::channel::bounded;

    use super::*;

    #[test]
    fn a_stage_that_fails_is_started_again_and_the_operator_is_told() {
        let (tell, told) = bounded(4);
        let supervisor = Supervisor { tell, stop: Arc::default() };
        let mut runs = 0;
        let (done, finished) = bounded(1);
        let work = move || {
            runs += 1;
            assert!(runs > 1, "a network fell over");
            let _ = done.send(runs);
        };
        supervisor.start("vision", work).unwrap().join().unwrap();
        assert_eq!(finished.recv(), Ok(2));
        let Ok(Told::Event(Entry { event: Event::Restarted { stage, cause }, .. })) = told.recv() else {
            panic!("nothing was told");
        };
        assert_eq!((stage.as_str(), cause.as_str()), ("vision", "a network fell over"));
    }
}
