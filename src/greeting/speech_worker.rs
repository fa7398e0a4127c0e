//! The thread of `speech`: takes utterances from the queue, tries the voices, rests and reopens those that fail.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crossbeam::channel::Receiver;

use super::{
    speech::{Dropped, Shared, SpeechEvent, lock},
    utterance::Utterance,
    voice::{Fixed, Moment, StopFlag, Voice, VoiceError, VoiceState},
};
use crate::person::Language;

/// How often the voices' states are looked at while nobody speaks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a voice that failed rests before it is opened again, the first time; twice as long each time after.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A voice and its health.
struct Seat {
    voice: Box<dyn Voice>,
    health: Health,
    rest: Duration,
}

enum Health {
    /// It was opened, for the first time or again after it was lost, and has not said how that went.
    Opening {
        lost: bool,
    },
    Well,
    Resting {
        until: Instant,
    },
}

impl Seat {
    fn lose(&mut self, why: String, shared: &Shared) {
        let voice = self.voice.name().to_owned();
        tracing::warn!(voice, why, "voice lost");
        shared.tell(SpeechEvent::VoiceLost { voice, why });
        self.rest();
    }

    fn rest(&mut self) {
        self.health = Health::Resting { until: Instant::now() + self.rest };
        self.rest = (self.rest * 2).min(LONGEST_REST);
    }

    /// Brings the health up to date with what the voice says of itself.
    fn look(&mut self, shared: &Shared) {
        let state = self.voice.state();
        match (&self.health, state) {
            (Health::Resting { until }, VoiceState::Down(_)) if Instant::now() >= *until => {
                self.voice.open();
                self.health = Health::Opening { lost: true };
            }
            // It came back by itself (a loudspeaker that was plugged in), or was never down (it was only too slow once).
            (Health::Resting { until }, VoiceState::Ready) if Instant::now() >= *until => self.back(shared),
            (Health::Opening { lost: true }, VoiceState::Ready) => self.back(shared),
            (Health::Opening { lost: false }, VoiceState::Ready) => {
                tracing::info!(voice = self.voice.name(), "voice ready");
                self.health = Health::Well;
            }
            (Health::Opening { lost: true }, VoiceState::Down(_)) => self.rest(),
            (Health::Opening { lost: false } | Health::Well, VoiceState::Down(why)) => self.lose(why, shared),
            _ => {}
        }
    }

    fn back(&mut self, shared: &Shared) {
        let voice = self.voice.name().to_owned();
        tracing::info!(voice, "voice back");
        shared.tell(SpeechEvent::VoiceBack { voice });
        self.health = Health::Well;
    }

    fn can_speak(&self, language: &Language) -> bool {
        matches!(self.health, Health::Well) && self.voice.speaks(language)
    }
}

pub(super) fn run(voices: Vec<Box<dyn Voice>>, woken: &Receiver<()>, shared: &Shared) {
    let seat = |mut voice: Box<dyn Voice>| {
        voice.open();
        Seat { voice, health: Health::Opening { lost: false }, rest: FIRST_REST }
    };
    let mut seats: Vec<Seat> = voices.into_iter().map(seat).collect();
    loop {
        seats.iter_mut().for_each(|seat| seat.look(shared));
        let fixed = lock(&shared.line).fixed.take();
        if let Some(fixed) = fixed {
            prepare(&mut seats, &fixed, shared);
        }
        let stop = StopFlag::default();
        let (utterance, late) = {
            let mut line = lock(&shared.line);
            line.stop = stop.clone();
            line.queue.next(Instant::now())
        };
        for (id, why) in late {
            shared.tell(SpeechEvent::Dropped { id, why });
        }
        match utterance {
            Some(utterance) => {
                let id = utterance.id;
                let end = say(&mut seats, utterance, &stop, shared);
                let silenced = lock(&shared.line).queue.over().unwrap_or(Dropped::Stopped);
                shared.tell(match end {
                    End::Finished => SpeechEvent::Finished { id },
                    End::TooLate => SpeechEvent::Dropped { id, why: Dropped::TooLate },
                    End::Silenced => SpeechEvent::Dropped { id, why: silenced },
                    End::Shown(why) => SpeechEvent::Shown { id, why },
                });
            }
            None if shared.closing.load(Ordering::Acquire) => return,
            // Time to look at the voices, or something has happened.
            None => {
                let _ = woken.recv_timeout(LOOK_EVERY);
            }
        }
    }
}

/// Each voice makes ready what is said in the languages that it is listed for.
fn prepare(seats: &mut [Seat], fixed: &[Fixed], shared: &Shared) {
    for seat in seats {
        let name = seat.voice.name();
        let listed = |fixed: &&Fixed| shared.settings.voices_for(&fixed.language).iter().any(|voice| voice == name);
        let own: Vec<Fixed> = fixed.iter().filter(listed).cloned().collect();
        seat.voice.prepare(own);
    }
}

enum End {
    Finished,
    TooLate,
    Silenced,
    Shown(String),
}

fn say(seats: &mut [Seat], mut utterance: Utterance, stop: &StopFlag, shared: &Shared) -> End {
    let Some(volume) = shared.volume_now() else {
        return End::Shown("it is a quiet hour (`greeting.quiet_hours`)".into());
    };
    if let Some(sound) = &shared.sound {
        sound.set_volume(volume);
    }
    let order = shared.settings.voices_for(&utterance.language);
    let mut heard = false;
    // The first phrase that has not been heard to its end.
    let mut from = 0;
    let mut why = None;
    let mut tried = vec![false; seats.len()];
    let patience = Instant::now() + Duration::from_millis(shared.settings.voice_begins_within_ms);
    loop {
        if stop.is_raised() {
            return End::Silenced;
        }
        if heard {
            if from >= utterance.phrases.len() {
                return End::Finished;
            }
            // Once it was begun it is worth saying to its end, even late.
            utterance.not_after = None;
        }
        if utterance.not_after.is_some_and(|late| Instant::now() > late) {
            return End::TooLate;
        }
        seats.iter_mut().for_each(|seat| seat.look(shared));
        let able = |name: &String| {
            let able = |seat: &Seat| seat.voice.name() == name && seat.can_speak(&utterance.language);
            (0..seats.len()).find(|index| !tried[*index] && able(&seats[*index]))
        };
        let Some(index) = order.iter().find_map(able) else {
            let opening = seats.iter().any(|seat| matches!(seat.health, Health::Opening { lost: false }));
            if opening && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            return End::Shown(why.unwrap_or_else(|| nobody(seats, &utterance)));
        };
        tried[index] = true;
        let seat = &mut seats[index];
        let name = seat.voice.name().to_owned();
        let mut begun = false;
        let start = from;
        let mut tell = |moment| match moment {
            Moment::PhraseBegun { phrase, at } => {
                if !begun {
                    (begun, heard) = (true, true);
                    lock(&shared.line).queue.begun();
                    if let Some(sound) = &shared.sound {
                        sound.hush_chime();
                    }
                    shared.tell(SpeechEvent::Begun { id: utterance.id, at, voice: name.clone() });
                }
                shared.tell(SpeechEvent::PhraseBegun { id: utterance.id, phrase, at });
            }
            Moment::PhraseEnded { phrase, at } => {
                from = phrase + 1;
                shared.tell(SpeechEvent::PhraseEnded { id: utterance.id, phrase, at });
            }
        };
        match seat.voice.say(&utterance, start, &mut tell, stop) {
            Ok(()) => {
                seat.rest = FIRST_REST;
                return End::Finished;
            }
            Err(VoiceError::Stopped) => return End::Silenced,
            Err(VoiceError::TooLate) => return End::TooLate,
            Err(error) => {
                why = Some(error.to_string());
                seat.lose(error.to_string(), shared);
            }
        }
    }
}

/// Why no voice was tried at all.
fn nobody(seats: &[Seat], utterance: &Utterance) -> String {
    let down = seats.iter().find_map(|seat| match seat.voice.state() {
        VoiceState::Down(why) => Some(why),
        _ => None,
    });
    down.unwrap_or_else(|| format!("no voice speaks {} now; `greeter doctor` lists them", utterance.language))
}
