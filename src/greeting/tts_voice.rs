//! The voice `tts`: the `tts` crate on speech-dispatcher.
//!
//! Every call of the crate may hang (a stopped daemon) or take seconds (13,000 voices are listed to choose one), so all of them are made
//! on a worker thread (`tts_worker`) that can be abandoned for a new one; this side only waits, with limits, and watches the daemon's
//! processes (`dispatcher`) meanwhile. The begin callback is the daemon's: it hands the first samples to the sound server at that moment.
//!
//! Phrases are given to the daemon one by one, each when the one before has ended, so that it has never more than one to be silenced, and that
//! both ends of each are known. It costs the time that the daemon takes to begin the next one, which counts towards the pause that belongs there.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::RecvTimeoutError;

use super::{
    dispatcher::{Dispatcher, Fate},
    loudness,
    sound::Sound,
    tts_worker::{Callback, Heard, Hung, Manner, Order, Setup, Status, Worker},
    utterance::Utterance,
    voice::{Moment, StopFlag, Voice, VoiceError, VoiceState, speakable},
};
use crate::person::Language;

/// How often the daemon is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often it is asked for an answer while it speaks, which shows whether it hangs.
const TEST_EVERY: Duration = Duration::from_millis(100);
/// A daemon that leaves a call unanswered for so long, and all the while did not want the processor, hangs. Chosen and not measured: so short
/// because the next voice should begin within 300 ms of the loss.
const HANGS_AFTER: Duration = Duration::from_millis(120);
/// Where its processes cannot be seen, one that does not answer for so long. A busy machine was seen to take 0.6 s, and a phrase should
/// not be said twice for that.
const ANSWERS_WITHIN: Duration = Duration::from_millis(2500);
/// The daemon says that it is quiet a few milliseconds after it was told to be.
const QUIET_WITHIN: Duration = Duration::from_millis(300);
/// A synthesiser whose daemon hangs cannot be silenced and speaks its phrase to the end; nothing waits longer for that.
const LONGEST_LEFT: Duration = Duration::from_secs(3);

/// See the module.
pub struct TtsVoice {
    setup: Arc<Setup>,
    rate: f32,
    sound: Sound,
    begins_within: Duration,
    worker: Option<Worker>,
    hung: Arc<Hung>,
    /// It failed in a way that its worker has not noticed: it must be opened again before it is trusted.
    suspect: Option<String>,
}

impl TtsVoice {
    /// `rate`: 1 is the voice's own. `sound` says how loud. A voice for each of `languages` is chosen when it is opened, so that it costs
    /// no visitor anything.
    pub fn new(languages: &[Language], rate: f32, sound: Sound, begins_within: Duration) -> Self {
        // What each order brings replaces it.
        let manner = manner(rate, sound.volume());
        let setup = Arc::new(Setup { languages: languages.to_vec(), manner });
        Self { setup, rate, sound, begins_within, worker: None, hung: Arc::default(), suspect: None }
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
        // It is opened again when it may be heard; until then each attempt would cost a connection.
        if self.sound.lost().is_some() {
            return;
        }
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
        if let Some(cause) = self.sound.lost() {
            return VoiceState::Down(VoiceError::NoDevice { cause }.to_string());
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
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let mut quiet_since: Option<Instant> = None;
        for (index, phrase) in utterance.phrases.iter().enumerate().skip(from) {
            if let Some(since) = quiet_since {
                while !stop.is_last_phrase() && since.elapsed() < phrase.pause_before {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            if stop.is_last_phrase() {
                return Err(VoiceError::Stopped);
            }
            let not_after = utterance.not_after.filter(|_| index == from);
            let said = self.say_phrase(utterance, index, not_after, tell, stop);
            if let Err(error @ (VoiceError::Silent { .. } | VoiceError::Lost { .. })) = &said {
                self.suspect = Some(error.to_string());
            }
            said?;
            quiet_since = Some(Instant::now());
        }
        Ok(())
    }
}

/// A phrase that was given to the daemon.
struct Given<'w> {
    worker: &'w Worker,
    dispatcher: Option<Dispatcher>,
    id: Option<u64>,
    /// Callbacks may come before the number of their phrase.
    early: VecDeque<(u64, Callback)>,
    /// Since when a call has been unanswered by a daemon that did not want the processor.
    idle_since: Option<Instant>,
    looked: Instant,
}

impl Given<'_> {
    /// What the daemon says next of this phrase, within 10 ms.
    fn next(&mut self) -> Result<Option<Callback>, String> {
        match self.worker.heard.recv_timeout(Duration::from_millis(10)) {
            Ok(Heard::Accepted(accepted)) => self.id = Some(accepted),
            Ok(Heard::Callback(of, callback)) => self.early.push_back((of, callback)),
            Ok(Heard::Alive) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Heard::Gone(cause)) => return Err(cause),
            Err(RecvTimeoutError::Disconnected) => return Err("its thread has ended".into()),
        }
        let Some(id) = self.id else { return Ok(None) };
        self.early.retain(|(of, _)| *of == id);
        Ok(self.early.pop_front().map(|(_, callback)| callback))
    }

    /// Why it will never end, as far as can be seen, and whether the daemon can still silence it: it plays what a synthesiser has given it to the end
    /// (two seconds were heard), also when that has died.
    fn fault(&mut self) -> Option<(&'static str, bool)> {
        let unanswered = self.worker.unanswered_for();
        if unanswered.is_some_and(|since| since > ANSWERS_WITHIN) {
            return Some(("speech-dispatcher does not answer", false));
        }
        let dispatcher = self.dispatcher.as_ref().filter(|_| self.looked.elapsed() > LOOK_EVERY)?;
        self.looked = Instant::now();
        match dispatcher.fate() {
            Fate::Lives => {}
            Fate::Ended => return Some(("speech-dispatcher has ended", false)),
            Fate::SynthesiserEnded => return Some(("the synthesiser under speech-dispatcher has ended", true)),
        }
        let idle = unanswered.is_some() && dispatcher.is_idle();
        self.idle_since = idle.then(|| self.idle_since.unwrap_or_else(Instant::now));
        let hangs = unanswered.is_some_and(|since| since > HANGS_AFTER)
            && self.idle_since.is_some_and(|since| since.elapsed() > HANGS_AFTER);
        hangs.then_some(("speech-dispatcher hangs", false))
    }

    fn has_lost_its_synthesiser(&self) -> bool {
        self.dispatcher.as_ref().is_some_and(|dispatcher| dispatcher.fate() == Fate::SynthesiserEnded)
    }

    /// Silences it, and waits until the daemon says that it is silent.
    fn hush(&mut self) {
        if self.worker.orders.try_send(Order::Hush).is_err() {
            return;
        }
        let until = Instant::now() + QUIET_WITHIN;
        while Instant::now() < until {
            match self.next() {
                Ok(Some(Callback::End | Callback::Cancel)) | Err(_) => return,
                Ok(Some(Callback::Begin(_)) | None) => {}
            }
        }
    }

    /// Waits until nothing of a phrase is heard any more that cannot be silenced. `left`: how long it would go on.
    fn outwait(&self, left: Duration) {
        let until = Instant::now() + left.min(LONGEST_LEFT);
        // Synthesisers end with their daemon.
        while Instant::now() < until && self.dispatcher.as_ref().is_some_and(Dispatcher::has_synthesisers) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl TtsVoice {
    fn say_phrase(
        &self,
        utterance: &Utterance,
        index: usize,
        not_after: Option<Instant>,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let Some(worker) = &self.worker else { return Err(self.lost("it is not open")) };
        while worker.heard.try_recv().is_ok() {}
        let rate = self.rate / utterance.pace;
        let text = speakable(&utterance.phrases[index].text);
        let (usual, longest) = (usual(&text, rate), longest(&text, rate));
        let dispatcher = Dispatcher::find();
        let volume = self.sound.volume() * levelled(&utterance.language);
        let order = Order::Say { language: utterance.language.clone(), text, manner: manner(rate, volume) };
        let start = Instant::now();
        if not_after.is_some_and(|late| start > late) {
            return Err(VoiceError::TooLate);
        }
        if worker.orders.try_send(order).is_err() {
            return Err(self.lost("speech-dispatcher does not answer"));
        }
        let mut given = Given { worker, dispatcher, id: None, early: VecDeque::new(), idle_since: None, looked: start };
        let mut began: Option<Instant> = None;
        let mut tested = start;
        loop {
            if stop.is_raised() {
                given.hush();
                return Err(VoiceError::Stopped);
            }
            match given.next() {
                Ok(Some(Callback::Begin(at))) if began.is_none() => {
                    began = Some(at);
                    tell(Moment::PhraseBegun { phrase: index, at });
                }
                // The daemon calls a phrase ended whose synthesiser has died in it.
                Ok(Some(Callback::End)) if given.has_lost_its_synthesiser() => {
                    return Err(self.lost("the synthesiser under speech-dispatcher has ended"));
                }
                Ok(Some(Callback::End)) if began.is_some() => {
                    tell(Moment::PhraseEnded { phrase: index, at: Instant::now() });
                    return Ok(());
                }
                Ok(Some(Callback::End)) => return Err(self.lost("it ended without a sound")),
                Ok(Some(Callback::Cancel)) => return Err(self.lost("another program silenced it")),
                Ok(Some(Callback::Begin(_)) | None) => {}
                Err(cause) => {
                    given.outwait(QUIET_WITHIN);
                    return Err(self.lost(cause));
                }
            }
            if let Some(cause) = self.sound.lost() {
                let _ = worker.orders.try_send(Order::Hush);
                return Err(VoiceError::NoDevice { cause });
            }
            let now = Instant::now();
            if let Some((cause, obeys)) = given.fault() {
                if obeys {
                    given.hush();
                    return Err(self.lost(cause));
                }
                // What was not begun must not be said over the next voice, when it wakes up.
                let _ = worker.orders.try_send(Order::Hush);
                if let Some(at) = began {
                    given.outwait((at + usual).saturating_duration_since(now));
                }
                return Err(self.lost(cause));
            }
            match began {
                None if not_after.is_some_and(|late| now > late) => {
                    given.hush();
                    return Err(VoiceError::TooLate);
                }
                None if now > start + self.begins_within => {
                    given.hush();
                    let waited_ms = u64::try_from(self.begins_within.as_millis()).unwrap_or(u64::MAX);
                    return Err(VoiceError::Silent { voice: self.name().into(), waited_ms });
                }
                Some(at) if now > at + longest => {
                    given.hush();
                    return Err(self.lost("it never said that it had finished"));
                }
                _ if now > tested + TEST_EVERY && worker.unanswered_for().is_none() => {
                    tested = now;
                    let _ = worker.orders.try_send(Order::Test);
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

/// `rate`: 1 is the voice's own. `volume`: 0 to 1.
fn manner(rate: f32, volume: f32) -> Manner {
    Manner { rate: dispatcher_rate(rate), volume: volume * 200.0 - 100.0 }
}

/// The part of its full volume at which speech-dispatcher's espeak-ng is as loud as the sounds that the program levels. Its loudness at full volume, in
/// LUFS, for Mandarin, Cantonese and the rest as English: one sentence of each was recorded. Another sentence, language or module may be louder or softer.
fn levelled(language: &Language) -> f32 {
    let full = match language.tag().to_ascii_lowercase().as_str() {
        "zh-hk" => -13.4,
        tag if tag.starts_with("yue") => -13.4,
        tag if tag.starts_with("zh") || tag.starts_with("cmn") => -14.2,
        _ => -15.5,
    };
    10_f64.powf((loudness::TARGET - full) / 20.0).min(1.0) as f32
}

/// speech-dispatcher's rate, -100 to 100, for a factor on the voice's own 175 words a minute; its espeak-ng module goes from 80 to 449.
fn dispatcher_rate(factor: f32) -> f32 {
    let (slowest, normal, fastest) = (80.0, 175.0, 449.0);
    let span = if factor < 1.0 { normal - slowest } else { fastest - normal };
    ((factor - 1.0) * normal / span * 100.0).clamp(-100.0, 100.0)
}

/// What espeak-ng takes for a text.
fn usual(text: &str, rate: f32) -> Duration {
    length(text, (80, 430), rate)
}

/// Longer than that, even on a busy machine. Where the synthesiser hangs under a healthy daemon, this is all that tells.
fn longest(text: &str, rate: f32) -> Duration {
    Duration::from_secs(3) + length(text, (130, 700), rate.min(1.0))
}

/// `each`: milliseconds for a letter and for a Chinese character.
fn length(text: &str, each: (u32, u32), rate: f32) -> Duration {
    let milliseconds: u32 = text.chars().map(|letter| if letter.is_ascii() { each.0 } else { each.1 }).sum();
    Duration::from_millis((f64::from(milliseconds) / f64::from(rate.max(0.1))).round() as u64)
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
        let mut voice = TtsVoice::new(&["en".into()], 1.0, Sound::open(1.0), Duration::from_millis(100));
        assert!(matches!(voice.state(), VoiceState::Down(_)));
        assert!(!voice.speaks(&"en".into()));
        let hello = Utterance::new(1, "en".into(), "Hello");
        let said = voice.say(&hello, 0, &mut |_| {}, &StopFlag::default());
        assert!(matches!(said, Err(VoiceError::Lost { .. })));
    }
}
