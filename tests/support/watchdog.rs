//! Watches a thread's steps by the time that the thread itself has computed, so that a busy machine makes nothing look slow. A step that
//! does not end at all cannot be stopped: then the whole test ends, naming what hangs.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, Weak},
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// `/proc` counts a thread's time in hundredths of a second, on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// How often is looked.
const EVERY: Duration = Duration::from_millis(100);
/// A step that takes so much more than it may will not end.
const HOPELESS: u32 = 10;

/// What runs now, and how much the thread had computed when it began.
struct Step {
    what: String,
    began: Duration,
}

/// One thread's watchdog.
pub struct Watchdog {
    step: Arc<Mutex<Option<Step>>>,
    told: RefCell<String>,
    slowest: RefCell<BTreeMap<&'static str, (Duration, String)>>,
}

impl Watchdog {
    /// Watches the thread that calls this.
    pub fn starts(limit: Duration) -> Self {
        let step = Arc::new(Mutex::new(None));
        let weak = Arc::downgrade(&step);
        let stat = format!("/proc/self/task/{}/stat", rustix::thread::gettid().as_raw_nonzero());
        thread::spawn(move || look(&weak, &stat, limit));
        Self { step, told: RefCell::default(), slowest: RefCell::default() }
    }

    /// What the next steps are about.
    pub fn is_told(&self, what: &str) {
        what.clone_into(&mut self.told.borrow_mut());
    }

    /// Runs one step and says what it took.
    pub fn watches<T>(&self, name: &'static str, step: impl FnOnce() -> T) -> (T, Duration) {
        let told = self.told.borrow().clone();
        let began = own_time();
        *self.step.lock().unwrap() = Some(Step { what: format!("{name}, {told}"), began });
        let result = step();
        *self.step.lock().unwrap() = None;
        let took = own_time() - began;
        let mut slowest = self.slowest.borrow_mut();
        let known = slowest.entry(name).or_default();
        if took > known.0 {
            *known = (took, told);
        }
        (result, took)
    }

    /// The longest that each kind of step took, and what it was about.
    pub fn slowest(self) -> BTreeMap<&'static str, (Duration, String)> {
        self.slowest.into_inner()
    }
}

/// What the calling thread has computed.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// Looks at another thread until its watchdog is gone.
fn look(step: &Weak<Mutex<Option<Step>>>, stat: &str, limit: Duration) {
    while let Some(step) = step.upgrade() {
        if let Some(running) = &*step.lock().unwrap() {
            let computed = ticks(&fs::read_to_string(stat).unwrap_or_default()) * TICK;
            if computed.saturating_sub(running.began) > limit * HOPELESS {
                // No panic: it would end this thread and not the one that hangs.
                eprintln!("{} hangs: {:?} so far", running.what, computed.saturating_sub(running.began));
                std::process::exit(101);
            }
        }
        drop(step);
        thread::sleep(EVERY);
    }
}

/// User and system time of a line of `/proc/…/stat`; the name before them, in brackets, may hold anything.
fn ticks(stat: &str) -> u32 {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u32>().ok()).sum()
}
