//! The thread of `speech`: takes utterances from the queue, tries the voices, rests and reopens those that fail.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError};

use super::{
    speech::{Dropped, Shared, SpeechEvent, Utterance, lock},
    voice::{StopFlag, Voice, VoiceError, VoiceState},
};

/// How often the voices' states are looked at while nobody speaks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a voice that failed rests before it is opened again, the first time; twice as long each time after.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Where utterances come from, and how long to wait for a voice that is still being opened when no other one can speak.
pub(super) struct Line {
    pub queued: Receiver<Utterance>,
    pub opens_within: Duration,
}

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

    fn can_say(&self, utterance: &Utterance) -> bool {
        matches!(self.health, Health::Well) && self.voice.speaks(&utterance.language)
    }
}

pub(super) fn run(voices: Vec<Box<dyn Voice>>, line: &Line, shared: &Shared) {
    let seat = |mut voice: Box<dyn Voice>| {
        voice.open();
        Seat { voice, health: Health::Opening { lost: false }, rest: FIRST_REST }
    };
    let mut seats: Vec<Seat> = voices.into_iter().map(seat).collect();
    loop {
        seats.iter_mut().for_each(|seat| seat.look(shared));
        match line.queued.recv_timeout(LOOK_EVERY) {
            Ok(utterance) => {
                let flag = StopFlag::default();
                *lock(&shared.current) = Some(flag.clone());
                if shared.closing.load(Ordering::Acquire) {
                    flag.raise();
                }
                let id = utterance.id;
                let end = say(&mut seats, &utterance, &flag, line, shared);
                *lock(&shared.current) = None;
                shared.tell(match end {
                    End::Finished => SpeechEvent::Finished { id },
                    End::Dropped(why) => SpeechEvent::Dropped { id, why },
                    End::Shown(why) => SpeechEvent::Shown { id, why },
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if shared.closing.load(Ordering::Acquire) && line.queued.is_empty() {
            return;
        }
    }
}

enum End {
    Finished,
    Dropped(Dropped),
    Shown(String),
}

fn say(seats: &mut [Seat], utterance: &Utterance, stop: &StopFlag, line: &Line, shared: &Shared) -> End {
    let mut heard = false;
    let mut why = None;
    let mut tried = vec![false; seats.len()];
    let patience = Instant::now() + line.opens_within;
    loop {
        if stop.is_raised() {
            return End::Dropped(Dropped::Stopped);
        }
        // Once it was begun it is worth saying to its end, even late.
        if !heard && utterance.not_after.is_some_and(|late| Instant::now() > late) {
            return End::Dropped(Dropped::TooLate);
        }
        seats.iter_mut().for_each(|seat| seat.look(shared));
        let Some(index) = (0..seats.len()).find(|index| !tried[*index] && seats[*index].can_say(utterance)) else {
            let opening = seats.iter().any(|seat| matches!(seat.health, Health::Opening { lost: false }));
            if opening && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            return End::Shown(why.unwrap_or_else(|| nobody(seats, utterance)));
        };
        tried[index] = true;
        let seat = &mut seats[index];
        let name = seat.voice.name().to_owned();
        let mut begun = |at: Instant| {
            heard = true;
            if let Some(sound) = &shared.sound {
                sound.hush_chime();
            }
            shared.tell(SpeechEvent::Begun { id: utterance.id, at, voice: name.clone() });
        };
        match seat.voice.say(&utterance.text, &utterance.language, &mut begun, stop) {
            Ok(()) => {
                seat.rest = FIRST_REST;
                return End::Finished;
            }
            Err(VoiceError::Stopped) => return End::Dropped(Dropped::Stopped),
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
