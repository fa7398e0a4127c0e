//! The voice `tts`: the `tts` crate on speech-dispatcher.
//!
//! Every call of the crate may hang (a stopped daemon) or take seconds (13,000 voices are listed to choose one), so all of them are made
//! on a worker thread (`tts_worker`) that can be abandoned for a new one; this side only waits, with limits. The begin callback is the
//! daemon's: it hands the first samples to the sound server at that moment.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam::channel::RecvTimeoutError;

use super::{
    tts_worker::{Callback, Heard, Hung, Order, Setup, Status, Worker},
    voice::{StopFlag, Voice, VoiceError, VoiceState, speakable},
};
use crate::person::Language;

/// How often the connection is tested while it speaks: a daemon that dies says nothing.
const TEST_EVERY: Duration = Duration::from_millis(100);
/// A test that is not answered for so long means that the daemon hangs. A busy machine was seen to take 0.6 s, and a sentence should
/// not be said twice for that.
const ANSWERS_WITHIN: Duration = Duration::from_millis(2500);

/// See the module.
pub struct TtsVoice {
    setup: Arc<Setup>,
    rate: f32,
    begins_within: Duration,
    worker: Option<Worker>,
    hung: Arc<Hung>,
    /// It failed in a way that its worker has not noticed: it must be opened again before it is trusted.
    suspect: Option<String>,
}

impl TtsVoice {
    /// `rate`: 1 is the voice's own. `volume`: 0 to 1. A voice for each of `languages` is chosen when it is opened, so that it costs
    /// no visitor anything.
    pub fn new(languages: &[Language], rate: f32, volume: f32, begins_within: Duration) -> Self {
        let setup =
            Setup { languages: languages.to_vec(), rate: dispatcher_rate(rate), volume: volume * 200.0 - 100.0 };
        Self { setup: Arc::new(setup), rate, begins_within, worker: None, hung: Arc::default(), suspect: None }
    }

    fn lost(&self, cause: impl Into<String>) -> VoiceError {
        VoiceError::Lost { voice: self.name().into(), cause: cause.into() }
    }
}

impl Voice for TtsVoice {
    fn name(&self) -> &str {
        "tts"
    }

    fn open(&mut self) {
        if let Some(old) = self.worker.take() {
            old.abandon();
        }
        self.suspect = None;
        self.worker = Worker::start(self.setup.clone(), &self.hung);
    }

    fn state(&self) -> VoiceState {
        if let Some(cause) = &self.suspect {
            return VoiceState::Down(cause.clone());
        }
        match self.worker.as_ref().map(Worker::status) {
            None => VoiceState::Down("speech-dispatcher does not answer".into()),
            Some(Status::Opening) => VoiceState::Opening,
            Some(Status::Ready { .. }) => VoiceState::Ready,
            Some(Status::Down(cause)) => VoiceState::Down(cause),
        }
    }

    fn speaks(&self, language: &Language) -> bool {
        matches!(self.worker.as_ref().map(Worker::status), Some(Status::Ready { languages }) if languages.contains(language))
    }

    fn say(
        &mut self,
        text: &str,
        language: &Language,
        begun: &mut dyn FnMut(Instant),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let said = self.try_say(text, language, begun, stop);
        if let Err(error @ (VoiceError::Silent { .. } | VoiceError::Lost { .. })) = &said {
            self.suspect = Some(error.to_string());
        }
        said
    }
}

impl TtsVoice {
    fn try_say(
        &self,
        text: &str,
        language: &Language,
        begun: &mut dyn FnMut(Instant),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let text = speakable(text);
        let longest = longest(&text, self.rate);
        let Some(worker) = &self.worker else { return Err(self.lost("it is not open")) };
        while worker.heard.try_recv().is_ok() {}
        if worker.orders.try_send(Order::Say { language: language.clone(), text }).is_err() {
            return Err(self.lost("speech-dispatcher does not answer"));
        }
        let quiet = || {
            // What was not begun in time must not be said over the next voice.
            let _ = worker.orders.try_send(Order::Hush);
        };
        let deadline = Instant::now() + self.begins_within;
        let mut id = None;
        let mut early: VecDeque<(u64, Callback)> = VecDeque::new();
        let mut began: Option<Instant> = None;
        let mut tested = Instant::now();
        let mut unanswered = false;
        loop {
            if stop.is_raised() {
                quiet();
                return Err(VoiceError::Stopped);
            }
            match worker.heard.recv_timeout(Duration::from_millis(10)) {
                Ok(Heard::Accepted(accepted)) => id = Some(accepted),
                Ok(Heard::Callback(of, callback)) => early.push_back((of, callback)),
                Ok(Heard::Alive) => unanswered = false,
                Ok(Heard::Gone(cause)) => return Err(self.lost(cause)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.lost("its thread has ended")),
            }
            while let (Some(id), Some((of, callback))) = (id, early.front().copied()) {
                early.pop_front();
                match callback {
                    _ if of != id => {}
                    Callback::Begin(at) if began.is_none() => {
                        began = Some(at);
                        begun(at);
                    }
                    Callback::Begin(_) => {}
                    Callback::End if began.is_some() => return Ok(()),
                    Callback::End => return Err(self.lost("it ended without a sound")),
                    Callback::Cancel => return Err(self.lost("another program silenced it")),
                }
            }
            let now = Instant::now();
            match began {
                None if now > deadline => {
                    quiet();
                    let waited_ms = u64::try_from(self.begins_within.as_millis()).unwrap_or(u64::MAX);
                    return Err(VoiceError::Silent { voice: self.name().into(), waited_ms });
                }
                Some(at) if now > at + longest => {
                    quiet();
                    return Err(self.lost("it never said that it had finished"));
                }
                Some(_) if unanswered && now > tested + ANSWERS_WITHIN => {
                    return Err(self.lost("speech-dispatcher does not answer"));
                }
                Some(_) if !unanswered && now > tested + TEST_EVERY => {
                    unanswered = worker.orders.try_send(Order::Test).is_ok();
                    tested = now;
                }
                _ => {}
            }
        }
    }
}

impl Drop for TtsVoice {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.abandon();
        }
    }
}

/// speech-dispatcher's rate, -100 to 100, for a factor on the voice's own 175 words a minute; its espeak-ng module goes from 80 to 449.
fn dispatcher_rate(factor: f32) -> f32 {
    let (slowest, normal, fastest) = (80.0, 175.0, 449.0);
    let span = if factor < 1.0 { normal - slowest } else { fastest - normal };
    ((factor - 1.0) * normal / span * 100.0).clamp(-100.0, 100.0)
}

/// Longer than espeak-ng takes for a text (0.08 s a letter, 0.43 s a Chinese character), even on a busy machine. When the synthesiser
/// under a healthy daemon dies, this is all that tells.
fn longest(text: &str, factor: f32) -> Duration {
    let milliseconds: u32 = text.chars().map(|letter| if letter.is_ascii() { 130 } else { 700 }).sum();
    let slowed = f64::from(milliseconds) / f64::from(factor.clamp(0.1, 1.0));
    Duration::from_millis(3000 + slowed.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_speech_is_relative_to_the_voices_own() {
        let rates = [0.3, 0.8, 1.0, 1.5, 3.0].map(|factor| dispatcher_rate(factor).round());
        assert_eq!(rates, [-100.0, -37.0, 0.0, 32.0, 100.0]);
    }

    #[test]
    fn a_voice_has_more_time_for_a_longer_text_and_for_a_slower_rate() {
        assert_eq!(longest("", 1.0), Duration::from_secs(3));
        assert_eq!(longest("Good", 1.0), Duration::from_millis(3520));
        assert_eq!(longest("您好", 1.0), Duration::from_millis(4400));
        assert_eq!(longest("您好", 0.5), Duration::from_millis(5800));
        assert_eq!(longest("您好", 2.0), Duration::from_millis(4400));
    }

    #[test]
    fn a_voice_that_was_never_opened_says_so_and_does_not_hang() {
        let mut voice = TtsVoice::new(&["en".into()], 1.0, 1.0, Duration::from_millis(100));
        assert!(matches!(voice.state(), VoiceState::Down(_)));
        assert!(!voice.speaks(&"en".into()));
        let said = voice.say("Hello", &"en".into(), &mut |_| {}, &StopFlag::default());
        assert!(matches!(said, Err(VoiceError::Lost { .. })));
    }
}
