//! Says utterances one after the other, by the first voice that can, and reports what became of each.
//!
//! A voice that fails is rested and opened again in the background; the sentence is said again, from its start, by the next one. When
//! none can, the utterance is reported as [`SpeechEvent::Shown`]: the caller shows the text. No text is ever logged.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::{
    espeak_voice::EspeakVoice,
    sound::Sound,
    speech_worker::{self, Line},
    tts_voice::TtsVoice,
    voice::{StopFlag, Voice},
};
use crate::{config::GreetingSettings, person::Language};

/// Utterances that may wait. When one more comes, the oldest is dropped: the newest visitor is the one who is there.
const QUEUE: usize = 8;
/// Events that may wait for the caller; the oldest is dropped when one more comes, and counted.
const EVENTS: usize = 64;
/// How long dropping the handle waits for the thread.
const ENDS_WITHIN: Duration = Duration::from_millis(900);

/// Something to say. `Debug` does not show the text, because it may hold a name.
#[derive(Clone)]
pub struct Utterance {
    /// The caller's number, for the events.
    pub id: u64,
    /// What the text is in.
    pub language: Language,
    /// The words.
    pub text: String,
    /// When saying it would be worse than not.
    pub not_after: Option<Instant>,
}

impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Utterance({}, {}, {} characters)", self.id, self.language, self.text.chars().count())
    }
}

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

/// Why an utterance was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Its `not_after` had passed.
    TooLate,
    /// Newer ones needed its place in the queue.
    QueueFull,
    /// [`Speech::stop`], or the end of the program.
    Stopped,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLate => "too late to be said",
            Self::QueueFull => "too much to say",
            Self::Stopped => "stopped",
        })
    }
}

/// The handle; dropping it ends all speech within a second.
pub struct Speech {
    queue: Option<Sender<Utterance>>,
    /// The worker's end of the queue, to make room in it.
    queued: Receiver<Utterance>,
    sound: Option<Sound>,
    chime: bool,
    shared: Arc<Shared>,
    events: Receiver<SpeechEvent>,
    ended: Receiver<()>,
}

/// What the handle and the worker share.
pub(super) struct Shared {
    /// The flag of the utterance that is being said.
    pub current: Mutex<Option<StopFlag>>,
    pub closing: AtomicBool,
    tell: Sender<SpeechEvent>,
    untold: Receiver<SpeechEvent>,
    lost_events: AtomicU64,
    pub sound: Option<Sound>,
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
}

impl Speech {
    /// Opens the loudspeaker and the configured voices in the background, for `languages`.
    pub fn start(settings: &GreetingSettings, languages: &[Language]) -> Self {
        let sound = Sound::open(settings.volume);
        let voices = voices(settings, languages, &sound);
        Self::with_voices(settings, voices, Some(sound))
    }

    /// The same with given voices; `sound` is for the chime.
    pub fn with_voices(settings: &GreetingSettings, voices: Vec<Box<dyn Voice>>, sound: Option<Sound>) -> Self {
        let (queue, queued) = bounded(QUEUE);
        let (tell, events) = bounded(EVENTS);
        let (alive, ended) = bounded::<()>(0);
        let shared = Arc::new(Shared {
            current: Mutex::new(None),
            closing: AtomicBool::new(false),
            tell,
            untold: events.clone(),
            lost_events: AtomicU64::new(0),
            sound: sound.clone(),
        });
        let line =
            Line { queued: queued.clone(), opens_within: Duration::from_millis(settings.voice_begins_within_ms) };
        let worker_shared = shared.clone();
        let started = thread::Builder::new().name("speech".into()).spawn(move || {
            speech_worker::run(voices, &line, &worker_shared);
            drop(alive);
        });
        if let Err(error) = started {
            tracing::error!(%error, "no thread for speech; greetings are shown only");
        }
        Self { queue: Some(queue), queued, sound, chime: settings.chime, shared, events, ended }
    }

    /// Says it after what was asked for before; returns at once.
    pub fn say(&self, utterance: Utterance) {
        let Some(queue) = &self.queue else { return };
        let id = utterance.id;
        let mut utterance = utterance;
        loop {
            match queue.try_send(utterance) {
                Ok(()) => return,
                Err(TrySendError::Full(back)) => {
                    if let Ok(oldest) = self.queued.try_recv() {
                        self.shared.tell(SpeechEvent::Dropped { id: oldest.id, why: Dropped::QueueFull });
                    }
                    utterance = back;
                }
                Err(TrySendError::Disconnected(_)) => {
                    return self.shared.tell(SpeechEvent::Shown { id, why: "speech has ended".into() });
                }
            }
        }
    }

    /// Plays the chime, where it is configured, unless somebody is speaking; returns at once and delays no speech.
    pub fn chime(&self) {
        let speaking = lock(&self.shared.current).is_some();
        if let (true, false, Some(sound)) = (self.chime, speaking, &self.sound) {
            sound.chime();
        }
    }

    /// Stops what is being said and drops what waits.
    pub fn stop(&self) {
        while let Ok(waiting) = self.queued.try_recv() {
            self.shared.tell(SpeechEvent::Dropped { id: waiting.id, why: Dropped::Stopped });
        }
        if let Some(flag) = lock(&self.shared.current).as_ref() {
            flag.raise();
        }
        if let Some(sound) = &self.sound {
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
        self.queue = None;
        // Voices look at their flag every few milliseconds, so this is quick; should one not, its thread is left behind.
        let _ = self.ended.recv_timeout(ENDS_WITHIN);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks; if it did, the value would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The configured voices in their order.
pub(super) fn voices(settings: &GreetingSettings, languages: &[Language], sound: &Sound) -> Vec<Box<dyn Voice>> {
    let begins_within = Duration::from_millis(settings.voice_begins_within_ms);
    let voice = |name: &String| -> Option<Box<dyn Voice>> {
        match name.as_str() {
            "tts" => Some(Box::new(TtsVoice::new(languages, settings.rate, settings.volume, begins_within))),
            "espeak" => Some(Box::new(EspeakVoice::new(sound.clone(), settings.rate))),
            other => {
                tracing::warn!(voice = other, "there is no such voice; `greeting.voices` may name `tts` and `espeak`");
                None
            }
        }
    };
    settings.voices.iter().filter_map(voice).collect()
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;
