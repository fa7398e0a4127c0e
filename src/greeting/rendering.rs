//! The thread that a renderer works on. It makes what is to be said now before what is kept for later, and keeps the sound of phrases that hold
//! no name.
//!
//! Its caller never waits for it without a limit, and learns from [`Desk`] how it does.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{
    joining::without_silence,
    loudness,
    playing::Samples,
    renderer::Renderer,
    voice::{Fixed, StopFlag, VoiceError, VoiceState},
};
use crate::person::Language;

/// How often a renderer that has nothing to do is asked how it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A renderer that is busy with one order for longer hangs. Programs are given up after 6 s.
const HANGS_AFTER: Duration = Duration::from_secs(10);
/// How long the end of the thread is waited for. A renderer that is still at work when the program has ended would see its libraries taken
/// apart (ONNX Runtime then complains of a damaged network); a phrase of the neural voice takes less.
const ENDS_WITHIN: Duration = Duration::from_millis(300);

/// A phrase to be rendered now.
pub(super) struct Job {
    pub text: String,
    pub language: Language,
    pub pace: f32,
    /// Its sound is thrown away when it was played.
    pub personal: bool,
    pub stop: StopFlag,
    pub done: Sender<Result<Samples, VoiceError>>,
}

enum Order {
    Open,
    Prepare(Vec<Fixed>),
    Render(Job),
}

/// The caller's side. Dropping it ends the thread as soon as the renderer lets it, and waits a moment for that.
pub(super) struct Desk {
    /// `None` while it is dropped.
    orders: Option<Sender<Order>>,
    seen: Arc<Seen>,
    ended: Receiver<()>,
}

/// What the thread shows of itself.
struct Seen {
    renderer: Mutex<(VoiceState, Vec<Language>)>,
    busy_since: Mutex<Option<Instant>>,
    /// Of the phrase that is rendered for later.
    later: Mutex<Option<StopFlag>>,
    closing: AtomicBool,
}

impl Desk {
    /// `languages`: those about which [`Desk::speaks`] may be asked.
    pub fn start(renderer: Box<dyn Renderer>, languages: &[Language]) -> Self {
        let (orders, received) = bounded(8);
        let seen = Arc::new(Seen {
            renderer: Mutex::new((VoiceState::Opening, Vec::new())),
            busy_since: Mutex::new(None),
            later: Mutex::new(None),
            closing: AtomicBool::new(false),
        });
        let (alive, ended) = bounded(0);
        let (shown, languages) = (seen.clone(), languages.to_vec());
        let name = format!("voice-{}", renderer.name());
        let started = thread::Builder::new().name(name).spawn(move || {
            Work { renderer, languages, kept: HashMap::new(), later: VecDeque::new() }.run(&received, &shown);
            drop::<Sender<()>>(alive);
        });
        if let Err(error) = started {
            lock(&seen.renderer).0 = VoiceState::Down(format!("no thread for it: {error}"));
        }
        Self { orders: Some(orders), seen, ended }
    }

    pub fn open(&self) {
        lock(&self.seen.renderer).0 = VoiceState::Opening;
        // Full only when the thread hangs, which the state tells.
        let _ = self.order(Order::Open);
    }

    pub fn state(&self) -> VoiceState {
        if lock(&self.seen.busy_since).is_some_and(|since| since.elapsed() > HANGS_AFTER) {
            return VoiceState::Down(format!(
                "it has been busy with one phrase for more than {} s",
                HANGS_AFTER.as_secs()
            ));
        }
        lock(&self.seen.renderer).0.clone()
    }

    pub fn speaks(&self, language: &Language) -> bool {
        lock(&self.seen.renderer).1.contains(language)
    }

    /// Renders these when there is nothing else to do, and keeps them.
    pub fn prepare(&self, fixed: Vec<Fixed>) {
        let _ = self.order(Order::Prepare(fixed));
    }

    /// Begins to render a phrase. `None` when the thread takes no orders.
    pub fn render(&self, job: Job) -> Option<()> {
        let sent = self.order(Order::Render(job));
        if let Some(later) = lock(&self.seen.later).as_ref() {
            later.raise();
        }
        sent
    }

    fn order(&self, order: Order) -> Option<()> {
        self.orders.as_ref()?.try_send(order).ok()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.seen.closing.store(true, Ordering::Release);
        self.orders = None;
        if let Some(later) = lock(&self.seen.later).as_ref() {
            later.raise();
        }
        let _ = self.ended.recv_timeout(ENDS_WITHIN);
    }
}

struct Work {
    renderer: Box<dyn Renderer>,
    languages: Vec<Language>,
    /// By language, words and pace in hundredths. There are as many as the house has phrases, at two paces.
    kept: HashMap<(Language, String, u16), Samples>,
    later: VecDeque<Fixed>,
}

impl Work {
    fn run(&mut self, orders: &Receiver<Order>, seen: &Seen) {
        // What waits when nobody listens any more is not made.
        while !seen.closing.load(Ordering::Acquire) {
            self.show(seen);
            let ready = self.renderer.state() == VoiceState::Ready;
            let wait = if self.later.is_empty() || !ready { LOOK_EVERY } else { Duration::ZERO };
            match orders.recv_timeout(wait) {
                Ok(Order::Open) => self.busy(seen, |work| work.renderer.open()),
                Ok(Order::Prepare(fixed)) => self.later.extend(fixed),
                Ok(Order::Render(job)) => {
                    let made = self.busy(seen, |work| work.make(&job));
                    // Whoever asked may have gone on.
                    drop(job.done.try_send(made));
                }
                Err(RecvTimeoutError::Timeout) if ready => self.make_one_for_later(seen),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn show(&self, seen: &Seen) {
        let spoken = self.languages.iter().filter(|language| self.renderer.speaks(language)).cloned().collect();
        *lock(&seen.renderer) = (self.renderer.state(), spoken);
    }

    fn busy<T>(&mut self, seen: &Seen, make: impl FnOnce(&mut Self) -> T) -> T {
        *lock(&seen.busy_since) = Some(Instant::now());
        let made = make(self);
        *lock(&seen.busy_since) = None;
        made
    }

    fn make_one_for_later(&mut self, seen: &Seen) {
        let Some(fixed) = self.later.pop_front() else { return };
        if !self.renderer.speaks(&fixed.language) {
            return;
        }
        let stop = StopFlag::default();
        *lock(&seen.later) = Some(stop.clone());
        let (done, _) = bounded(1);
        let job =
            Job { text: fixed.text.clone(), language: fixed.language.clone(), pace: 1.0, personal: false, stop, done };
        let made = self.busy(seen, |work| work.make(&job));
        *lock(&seen.later) = None;
        if matches!(made, Err(VoiceError::Stopped)) {
            self.later.push_front(fixed);
        }
    }

    fn make(&mut self, job: &Job) -> Result<Samples, VoiceError> {
        let key = (job.language.clone(), job.text.trim().to_owned(), (job.pace * 100.0).round() as u16);
        if let Some(kept) = self.kept.get(&key).filter(|_| !job.personal) {
            return Ok(kept.clone());
        }
        let raw = self.renderer.render(&key.1, &job.language, job.pace, &job.stop)?;
        let mut mono = without_silence(&raw.mono, raw.rate).to_vec();
        if mono.is_empty() {
            let cause = "it gave silence for a phrase".to_owned();
            return Err(VoiceError::Failed { voice: self.renderer.name().into(), cause });
        }
        loudness::level(&mut mono, raw.rate.get());
        let samples = Samples { mono: mono.into(), rate: raw.rate };
        if !job.personal {
            self.kept.insert(key, samples.clone());
        }
        Ok(samples)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks; if it did, the value would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;

    /// A renderer that notes what it was given to make.
    struct Noting(Arc<Mutex<Vec<String>>>);

    impl Renderer for Noting {
        fn name(&self) -> &str {
            "noting"
        }

        fn open(&mut self) {}

        fn state(&self) -> VoiceState {
            VoiceState::Ready
        }

        fn speaks(&self, language: &Language) -> bool {
            language.tag() == "en"
        }

        fn render(&mut self, text: &str, _: &Language, pace: f32, _: &StopFlag) -> Result<Samples, VoiceError> {
            lock(&self.0).push(format!("{text} {pace}"));
            Ok(Samples { mono: vec![0.5; 100].into(), rate: NonZero::new(1000).unwrap() })
        }
    }

    fn desk() -> (Desk, Arc<Mutex<Vec<String>>>) {
        let made = Arc::default();
        (Desk::start(Box::new(Noting(Arc::clone(&made))), &["en".into(), "yue".into()]), made)
    }

    fn says(desk: &Desk, text: &str, pace: f32, personal: bool) {
        let (done, finished) = bounded(1);
        let job = Job { text: text.into(), language: "en".into(), pace, personal, stop: StopFlag::default(), done };
        desk.render(job).unwrap();
        assert!(finished.recv_timeout(Duration::from_secs(20)).unwrap().is_ok());
    }

    #[test]
    fn the_counters_sentence_is_made_once_and_a_name_every_time() {
        let (desk, made) = desk();
        (0..3).for_each(|_| says(&desk, "Counter 3. ", 1.0, false));
        (0..3).for_each(|_| says(&desk, "Ms Collins. ", 1.0, true));
        assert_eq!(*lock(&made), ["Counter 3. 1", "Ms Collins. 1", "Ms Collins. 1", "Ms Collins. 1"]);
    }

    #[test]
    fn a_sentence_that_was_made_at_start_up_costs_nothing_when_it_is_said() {
        let (desk, made) = desk();
        let fixed = |language: &str, text: &str| Fixed { language: language.into(), text: text.into() };
        desk.prepare(vec![fixed("en", "Good morning,"), fixed("yue", "早晨，"), fixed("en", "Counter 3.")]);
        let until = Instant::now() + Duration::from_secs(20);
        while lock(&made).len() < 2 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        says(&desk, "Good morning, ", 1.0, false);
        says(&desk, "Counter 3.", 1.0, false);
        assert_eq!(*lock(&made), ["Good morning, 1", "Counter 3. 1"]);
        says(&desk, "Counter 3.", 1.2, false);
        assert_eq!(lock(&made).len(), 3, "slower is another sound");
    }
}
