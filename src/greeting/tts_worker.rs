//! The thread that makes all calls of the `tts` crate, and can be left behind when one of them hangs.
//!
//! Two traps of tts 0.26 shape it. `set_voice` lists all voices anew (1.5 s), so there is one connection a language, made ready once. And its
//! callbacks abort the program when they arrive for a connection that was dropped; its ids begin at 1 again with each new daemon. So a
//! connection is dropped only when the daemon is gone and no new one has been opened, and is leaked otherwise.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use tts::{Backends, Tts, UtteranceId};

use super::voice::nearest_voice;
use crate::person::Language;

/// How often an idle connection is tested, so that a dead daemon is noticed before the next visitor comes.
const TEST_IDLE_EVERY: Duration = Duration::from_secs(5);
/// A call that takes longer has hung. Opening lists all voices once for each language, with others using the machine as well.
const OPENS_WITHIN: Duration = Duration::from_secs(30);
const CALL_WITHIN: Duration = Duration::from_secs(3);
/// Threads that may be hanging at once before no more are started.
const MOST_HUNG: usize = 3;
/// The last callbacks of a dead connection are delivered in this time.
const LAST_CALLBACKS: Duration = Duration::from_millis(300);

/// What the worker needs to open its connections.
#[derive(Debug)]
pub(super) struct Setup {
    pub languages: Vec<Language>,
    pub manner: Manner,
}

/// How it speaks, in speech-dispatcher's measure, -100 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    pub rate: f32,
    pub volume: f32,
}

pub(super) enum Order {
    Say { language: Language, text: String, manner: Manner },
    Test,
    Hush,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Callback {
    Begin(Instant),
    End,
    Cancel,
}

/// What the worker and the daemon say.
pub(super) enum Heard {
    Accepted(u64),
    Callback(u64, Callback),
    Alive,
    Gone(String),
}

#[derive(Debug, Clone)]
pub(super) enum Status {
    Opening,
    Ready { languages: Vec<Language> },
    Down(String),
}

/// Counts the threads that were left behind and have not come back.
#[derive(Default)]
pub(super) struct Hung(AtomicUsize);

struct Shared {
    status: Mutex<Status>,
    /// Since when a call is being made, and how long it may take.
    call: Mutex<Option<(Instant, Duration)>>,
    fate: Mutex<Fate>,
    hung: Arc<Hung>,
}

/// Decides whether the connections of an ending thread may be dropped: not when a newer thread may have opened some.
#[derive(PartialEq)]
enum Fate {
    Running,
    Abandoned,
    Ended,
}

pub(super) struct Worker {
    pub orders: Sender<Order>,
    pub heard: Receiver<Heard>,
    shared: Arc<Shared>,
}

impl Worker {
    /// `None` when too many threads hang already, or none can be had.
    pub fn start(setup: Arc<Setup>, hung: &Arc<Hung>) -> Option<Self> {
        if hung.0.load(Ordering::Acquire) >= MOST_HUNG {
            return None;
        }
        // An order that does not fit means that the thread hangs; a callback that does not fit is of an utterance nobody waits for.
        let (orders, received) = bounded(8);
        let (tell, heard) = bounded(64);
        let shared = Arc::new(Shared {
            status: Mutex::new(Status::Opening),
            call: Mutex::new(None),
            fate: Mutex::new(Fate::Running),
            hung: hung.clone(),
        });
        let worker_shared = shared.clone();
        thread::Builder::new()
            .name("voice-tts".into())
            .spawn(move || run(&setup, &received, &tell, &worker_shared))
            .ok()?;
        Some(Self { orders, heard, shared })
    }

    pub fn status(&self) -> Status {
        let status = lock(&self.shared.status).clone();
        let late = |(since, within): &(Instant, Duration)| since.elapsed() > *within;
        match status {
            Status::Down(_) => status,
            _ if lock(&self.shared.call).as_ref().is_some_and(late) => {
                Status::Down("speech-dispatcher does not answer".into())
            }
            _ => status,
        }
    }

    /// How long the call that is being made has been unanswered.
    pub fn unanswered_for(&self) -> Option<Duration> {
        lock(&self.shared.call).map(|(since, _)| since.elapsed())
    }

    /// Lets go of the thread; it ends when its call returns.
    pub fn abandon(self) {
        let _ = self.orders.try_send(Order::Hush);
        let mut fate = lock(&self.shared.fate);
        if *fate == Fate::Running {
            *fate = Fate::Abandoned;
            self.shared.hung.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks; if it did, the value would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To the daemon, ready for a language.
struct Connection {
    language: Language,
    tts: Tts,
    manner: Manner,
}

impl Connection {
    fn speak(&mut self, text: String, manner: Manner) -> Result<Option<UtteranceId>, tts::Error> {
        if manner.rate != self.manner.rate {
            self.tts.set_rate(manner.rate)?;
        }
        if manner.volume != self.manner.volume {
            self.tts.set_volume(manner.volume)?;
        }
        self.manner = manner;
        self.tts.speak(text, false)
    }
}

type Connections = Vec<Connection>;

fn run(setup: &Setup, orders: &Receiver<Order>, tell: &Sender<Heard>, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    let gone = match open(setup, tell, shared, &mut connections) {
        Ok(()) => {
            let languages = connections.iter().map(|connection| connection.language.clone()).collect();
            *lock(&shared.status) = Status::Ready { languages };
            serve(&mut connections, orders, tell, shared)
        }
        Err(cause) => Some(cause),
    };
    if let Some(cause) = gone {
        *lock(&shared.status) = Status::Down(cause.clone());
        let _ = tell.try_send(Heard::Gone(cause));
        thread::sleep(LAST_CALLBACKS);
        let mut fate = lock(&shared.fate);
        if *fate == Fate::Running {
            drop(connections);
            *fate = Fate::Ended;
            return;
        }
    }
    // See the module: a daemon that still lives may still call back, and a newer thread may have connections with the same ids.
    std::mem::forget(connections);
    let mut fate = lock(&shared.fate);
    if *fate == Fate::Abandoned {
        shared.hung.0.fetch_sub(1, Ordering::AcqRel);
    }
    *fate = Fate::Ended;
}

/// Makes a call of the crate, so that [`Worker::status`] can see it hang.
fn call<T>(shared: &Shared, within: Duration, make: impl FnOnce() -> T) -> T {
    *lock(&shared.call) = Some((Instant::now(), within));
    let made = make();
    *lock(&shared.call) = None;
    made
}

fn open(
    setup: &Setup,
    tell: &Sender<Heard>,
    shared: &Arc<Shared>,
    connections: &mut Connections,
) -> Result<(), String> {
    let words = |error: tts::Error| {
        format!(
            "speech-dispatcher cannot be reached ({error}). Install it: sudo apt-get install speech-dispatcher speech-dispatcher-espeak-ng"
        )
    };
    call(shared, OPENS_WITHIN, || {
        let mut voices: Vec<tts::Voice> = Vec::new();
        for language in &setup.languages {
            let mut tts = Tts::new(Backends::SpeechDispatcher).map_err(words)?;
            let ready = (|| {
                if voices.is_empty() {
                    voices = tts.voices().map_err(words)?;
                }
                let Some(voice) = choose(&voices, language) else { return Ok(false) };
                tts.set_voice(voice).map_err(words)?;
                tts.set_rate(setup.manner.rate).map_err(words)?;
                tts.set_volume(setup.manner.volume).map_err(words)?;
                listen(&tts, tell).map_err(words)?;
                Ok::<_, String>(true)
            })();
            match ready {
                Ok(true) => {
                    connections.push(Connection { language: language.clone(), tts, manner: setup.manner });
                }
                Ok(false) => std::mem::forget(tts),
                Err(cause) => {
                    std::mem::forget(tts);
                    return Err(cause);
                }
            }
            if *lock(&shared.fate) == Fate::Abandoned {
                return Err("it was given up".into());
            }
        }
        if connections.is_empty() {
            let tags: Vec<&str> = setup.languages.iter().map(Language::tag).collect();
            return Err(format!(
                "speech-dispatcher has no voice for {}. Install one: sudo apt-get install speech-dispatcher-espeak-ng",
                tags.join(", ")
            ));
        }
        Ok(())
    })
}

/// A plain voice for the language, rather than one of espeak-ng's hundred variants of it (`English (America)+Whisper`).
fn choose<'a>(voices: &'a [tts::Voice], language: &Language) -> Option<&'a tts::Voice> {
    let tag = |voice: &tts::Voice| voice.language().to_string().to_ascii_lowercase();
    let tags: Vec<String> = voices.iter().map(tag).collect();
    let wanted = nearest_voice(&tags, language)?;
    let speaking = || voices.iter().zip(&tags).filter(|(_, tag)| *tag == wanted).map(|(voice, _)| voice);
    speaking().find(|voice| !voice.name().contains('+')).or_else(|| speaking().next())
}

fn listen(tts: &Tts, tell: &Sender<Heard>) -> Result<(), tts::Error> {
    let report = |callback: fn() -> Callback| {
        let tell = tell.clone();
        Some(Box::new(move |id: UtteranceId| {
            let _ = tell.try_send(Heard::Callback(number(id), callback()));
        }) as Box<dyn FnMut(UtteranceId)>)
    };
    tts.on_utterance_begin(report(|| Callback::Begin(Instant::now())))?;
    tts.on_utterance_end(report(|| Callback::End))?;
    tts.on_utterance_stop(report(|| Callback::Cancel))
}

fn number(id: UtteranceId) -> u64 {
    match id {
        UtteranceId::SpeechDispatcher(number) => number,
    }
}

/// Serves orders until the daemon is gone (then why) or nobody gives any more.
fn serve(
    connections: &mut Connections,
    orders: &Receiver<Order>,
    tell: &Sender<Heard>,
    shared: &Shared,
) -> Option<String> {
    let closed = "speech-dispatcher closed the connection";
    let mut current = 0;
    loop {
        let order = match orders.recv_timeout(TEST_IDLE_EVERY) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => Order::Test,
            Err(RecvTimeoutError::Disconnected) => {
                let _ = connections[current].tts.stop();
                return None;
            }
        };
        let answer = match order {
            Order::Say { language, text, manner } => {
                let Some(index) = connections.iter().position(|known| known.language == language) else {
                    return Some(format!("it has no voice for {language}"));
                };
                current = index;
                match call(shared, CALL_WITHIN, || connections[index].speak(text, manner)) {
                    Ok(Some(id)) => Heard::Accepted(number(id)),
                    Ok(None) | Err(_) => return Some(closed.into()),
                }
            }
            Order::Test => {
                // Any command that is answered tells whether the daemon lives; this one changes nothing.
                let Connection { tts, manner, .. } = &mut connections[current];
                match call(shared, CALL_WITHIN, || tts.set_volume(manner.volume).map(|_| ())) {
                    Ok(()) => Heard::Alive,
                    Err(_) => return Some(closed.into()),
                }
            }
            Order::Hush => match call(shared, CALL_WITHIN, || connections[current].tts.stop().map(|_| ())) {
                Ok(()) => continue,
                Err(_) => return Some(closed.into()),
            },
        };
        match tell.try_send(answer) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return None,
        }
    }
}
