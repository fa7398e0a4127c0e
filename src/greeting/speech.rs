//! Says utterances one at a time, by the first voice that can, and reports what became of each.
//!
//! `queue` decides which is next and which must be silent for it. A voice that fails is rested and opened again in the background; the phrase that
//! it broke off, and what follows, is said by the next one. When none can, the utterance is reported as [`SpeechEvent::Shown`]: the caller
//! shows the text. No text is ever logged.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

pub use super::queue::Dropped;
use super::{
    command_voice::CommandVoice,
    espeak::Espeak,
    neural::NeuralVoice,
    queue::{Outcome, Queue},
    rendered_voice::RenderedVoice,
    renderer::Renderer,
    sound::Sound,
    speech_worker,
    tts_voice::TtsVoice,
    utterance::Utterance,
    voice::{Fixed, StopFlag, Voice},
};
use crate::{config::GreetingSettings, person::Language};

/// Events that may wait for the caller; the oldest is dropped when one more comes, and counted.
const EVENTS: usize = 256;
/// The last phrase of what nobody listens to goes on for so long at most.
const LAST_PHRASE: Duration = Duration::from_millis(1500);
/// How long dropping the handle waits for the thread.
const ENDS_WITHIN: Duration = Duration::from_millis(900);

/// What became of an utterance or a voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeechEvent {
    /// Its first sound was handed to the loudspeaker. It comes again, with another voice, when the first one breaks off.
    Begun {
        /// The utterance.
        id: u64,
        /// When.
        at: Instant,
        /// By which voice.
        voice: String,
    },
    /// One of its phrases was handed to the loudspeaker, so that a screen can follow. It comes again when the voice breaks off in it.
    PhraseBegun {
        /// The utterance.
        id: u64,
        /// Which of its phrases, counted from 0.
        phrase: usize,
        /// When.
        at: Instant,
    },
    /// So was its last sound.
    PhraseEnded {
        /// The utterance.
        id: u64,
        /// Which of its phrases, counted from 0.
        phrase: usize,
        /// When.
        at: Instant,
    },
    /// It was heard to its end.
    Finished {
        /// The utterance.
        id: u64,
    },
    /// No voice could say it: show it.
    Shown {
        /// The utterance.
        id: u64,
        /// For the operator.
        why: String,
    },
    /// It was not said, or not to its end, and is not to be shown either.
    Dropped {
        /// The utterance.
        id: u64,
        /// For the operator.
        why: Dropped,
    },
    /// A voice cannot be used now.
    VoiceLost {
        /// Which.
        voice: String,
        /// For the operator.
        why: String,
    },
    /// A voice that was lost can be used again.
    VoiceBack {
        /// Which.
        voice: String,
    },
}

/// The handle; dropping it ends all speech within a second.
pub struct Speech {
    chime: bool,
    shared: Arc<Shared>,
    events: Receiver<SpeechEvent>,
    ended: Receiver<()>,
}

/// What the handle and the worker share.
pub(super) struct Shared {
    pub settings: GreetingSettings,
    pub line: Mutex<Line>,
    pub closing: AtomicBool,
    /// Rouses the worker; one call is enough for all that has happened until it looks.
    wake: Sender<()>,
    tell: Sender<SpeechEvent>,
    untold: Receiver<SpeechEvent>,
    lost_events: AtomicU64,
    pub sound: Option<Sound>,
}

/// The queue, and what silences the voice that speaks.
#[derive(Default)]
pub(super) struct Line {
    pub queue: Queue,
    pub stop: StopFlag,
    /// What the voices are to make ready.
    pub fixed: Option<Vec<Fixed>>,
}

impl Shared {
    pub fn tell(&self, event: SpeechEvent) {
        let mut event = event;
        while let Err(TrySendError::Full(back)) = self.tell.try_send(event) {
            if self.untold.try_recv().is_ok() {
                self.lost_events.fetch_add(1, Ordering::Relaxed);
            }
            event = back;
        }
    }

    /// How loud to be now; `None` in quiet hours.
    pub fn volume_now(&self) -> Option<f32> {
        self.settings.volume_at(jiff::ZonedDateTime::now().time())
    }

    /// Changes the queue and does what follows.
    fn change(&self, change: impl FnOnce(&mut Queue) -> Outcome) {
        let outcome = {
            let mut line = lock(&self.line);
            let outcome = change(&mut line.queue);
            if outcome.silence {
                line.stop.raise();
            }
            if outcome.last_phrase {
                line.stop.raise_after_phrase(Instant::now() + LAST_PHRASE);
            }
            outcome
        };
        for (id, why) in outcome.dropped {
            self.tell(SpeechEvent::Dropped { id, why });
        }
        // Full: it is about to look.
        let _ = self.wake.try_send(());
    }
}

impl Speech {
    /// Opens the loudspeaker and the configured voices in the background, for `languages`.
    pub fn start(settings: &GreetingSettings, languages: &[Language]) -> Self {
        let sound = Sound::open(settings.volume);
        let voices = voices(settings, languages, &sound);
        Self::with_voices(settings, voices, Some(sound))
    }

    /// The same with given voices; `sound` is the loudspeaker of the chime.
    pub fn with_voices(settings: &GreetingSettings, voices: Vec<Box<dyn Voice>>, sound: Option<Sound>) -> Self {
        let (wake, woken) = bounded(1);
        let (tell, events) = bounded(EVENTS);
        let (alive, ended) = bounded::<()>(0);
        let shared = Arc::new(Shared {
            settings: settings.clone(),
            line: Mutex::default(),
            closing: AtomicBool::new(false),
            wake,
            tell,
            untold: events.clone(),
            lost_events: AtomicU64::new(0),
            sound,
        });
        let worker_shared = shared.clone();
        let started = thread::Builder::new().name("speech".into()).spawn(move || {
            speech_worker::run(voices, &woken, &worker_shared);
            drop(alive);
        });
        if let Err(error) = started {
            tracing::error!(%error, "no thread for speech; greetings are shown only");
        }
        Self { chime: settings.chime, shared, events, ended }
    }

    /// Has the voices make ready what will be said again and again, in the background.
    pub fn prepare(&self, fixed: Vec<Fixed>) {
        lock(&self.shared.line).fixed = Some(fixed);
        let _ = self.shared.wake.try_send(());
    }

    /// Says it when its turn comes (`queue`); returns at once.
    pub fn say(&self, utterance: Utterance) {
        self.shared.change(|queue| queue.push(utterance));
    }

    /// Nobody is to hear more of an utterance than the phrase that is heard now, or not even that: it is not begun any more.
    pub fn hush(&self, id: u64, at_once: bool) {
        self.shared.change(|queue| queue.hush(id, at_once));
    }

    /// Plays the chime, where it is configured, unless somebody is speaking or it is a quiet hour; returns at once and delays no speech.
    pub fn chime(&self) {
        let Some(sound) = self.shared.sound.as_ref().filter(|_| self.chime) else { return };
        let volume = self.shared.volume_now().filter(|_| !lock(&self.shared.line).queue.is_speaking());
        if let Some(volume) = volume {
            sound.set_volume(volume);
            sound.chime();
        }
    }

    /// Stops what is being said and drops what waits.
    pub fn stop(&self) {
        self.shared.change(Queue::clear);
        if let Some(sound) = &self.shared.sound {
            sound.hush_chime();
        }
    }

    /// What became of utterances and voices.
    pub fn events(&self) -> &Receiver<SpeechEvent> {
        &self.events
    }

    /// Events that nobody took in time.
    pub fn lost_events(&self) -> u64 {
        self.shared.lost_events.load(Ordering::Relaxed)
    }
}

impl Drop for Speech {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.stop();
        // Voices look at their flag every few milliseconds, so this is quick; should one not, its thread is left behind.
        let _ = self.ended.recv_timeout(ENDS_WITHIN);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks; if it did, the value would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The configured voices.
pub(super) fn voices(settings: &GreetingSettings, languages: &[Language], sound: &Sound) -> Vec<Box<dyn Voice>> {
    let begins_within = Duration::from_millis(settings.voice_begins_within_ms);
    let rendered = |renderer: Box<dyn Renderer>| -> Box<dyn Voice> {
        Box::new(RenderedVoice::new(renderer, sound.clone(), languages, begins_within))
    };
    let voice = |name: &str| -> Option<Box<dyn Voice>> {
        match (name, renderer(name, settings)) {
            ("tts", _) => Some(Box::new(TtsVoice::new(languages, settings.rate, sound.clone(), begins_within))),
            (_, Some(renderer)) => Some(rendered(renderer)),
            (other, None) => {
                tracing::warn!(
                    voice = other,
                    "there is no such voice; `greeter config explain greeting.voices` has them"
                );
                None
            }
        }
    };
    settings.all_voices().into_iter().filter_map(voice).collect()
}

/// A voice whose sound the program makes itself; `None` for `tts`, and for one that does not exist.
pub fn renderer(name: &str, settings: &GreetingSettings) -> Option<Box<dyn Renderer>> {
    match name {
        "espeak" => Some(Box::new(Espeak::new(settings.rate))),
        "neural" => Some(Box::new(NeuralVoice::new(settings.rate, Box::new(Espeak::new(1.0))))),
        "command" => Some(Box::new(CommandVoice::new(&settings.command, settings.rate))),
        _ => None,
    }
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;
