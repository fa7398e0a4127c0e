//! Makes a voice of a renderer and the loudspeaker: the first phrase is heard while the next is made.

use std::{
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};

use super::{
    playing::Samples,
    renderer::Renderer,
    rendering::{Desk, Job},
    sound::Sound,
    utterance::Utterance,
    voice::{Fixed, Moment, StopFlag, Voice, VoiceError, VoiceState},
};
use crate::person::Language;

/// See the module.
pub struct RenderedVoice {
    name: String,
    sound: Sound,
    begins_within: Duration,
    desk: Desk,
}

/// A phrase that is being made; dropping it lets the renderer off.
struct Coming {
    made: Receiver<Result<Samples, VoiceError>>,
    stop: StopFlag,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.stop.raise();
    }
}

impl RenderedVoice {
    /// `begins_within`: a phrase that is not made after so long is given up, and the voice with it.
    pub fn new(renderer: Box<dyn Renderer>, sound: Sound, languages: &[Language], begins_within: Duration) -> Self {
        let name = renderer.name().to_owned();
        Self { name, sound, begins_within, desk: Desk::start(renderer, languages) }
    }

    fn ask(&self, utterance: &Utterance, index: usize) -> Result<Option<Coming>, VoiceError> {
        let Some(phrase) = utterance.phrases.get(index) else { return Ok(None) };
        let (done, made) = bounded(1);
        let stop = StopFlag::default();
        let job = Job {
            text: phrase.text.clone(),
            language: utterance.language.clone(),
            pace: utterance.pace,
            personal: phrase.personal,
            stop: stop.clone(),
            done,
        };
        self.desk.render(job).ok_or_else(|| self.lost("it takes no more work"))?;
        Ok(Some(Coming { made, stop }))
    }

    fn receive(&self, coming: &Coming, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let until = Instant::now() + self.begins_within;
        loop {
            match coming.made.recv_timeout(Duration::from_millis(5)) {
                Ok(made) => return made,
                Err(RecvTimeoutError::Disconnected) => return Err(self.lost("its thread has ended")),
                Err(RecvTimeoutError::Timeout) if stop.is_raised() => return Err(VoiceError::Stopped),
                Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                    let waited_ms = u64::try_from(self.begins_within.as_millis()).unwrap_or(u64::MAX);
                    return Err(VoiceError::Silent { voice: self.name.clone(), waited_ms });
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn lost(&self, cause: &str) -> VoiceError {
        VoiceError::Lost { voice: self.name.clone(), cause: cause.into() }
    }
}

impl Voice for RenderedVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&mut self) {
        self.desk.open();
    }

    fn state(&self) -> VoiceState {
        match (self.desk.state(), self.sound.present()) {
            (VoiceState::Ready, None) => VoiceState::Opening,
            (VoiceState::Ready, Some(Err(cause))) => VoiceState::Down(VoiceError::NoDevice { cause }.to_string()),
            (state, _) => state,
        }
    }

    fn speaks(&self, language: &Language) -> bool {
        self.desk.speaks(language)
    }

    fn prepare(&mut self, fixed: Vec<Fixed>) {
        self.desk.prepare(fixed);
    }

    fn say(
        &mut self,
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let mut heard = false;
        let said = self.say_phrases(
            utterance,
            from,
            &mut |moment| {
                heard = true;
                tell(moment);
            },
            stop,
        );
        if heard && !matches!(said, Err(VoiceError::NoDevice { .. })) {
            // The next voice may be another program, which knows nothing of what is still on its way to the loudspeaker.
            self.sound.settle();
        }
        said
    }
}

impl RenderedVoice {
    fn say_phrases(
        &self,
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let mut coming = self.ask(utterance, from)?;
        let mut quiet_since: Option<Instant> = None;
        let mut index = from;
        while let Some(phrase) = coming {
            let samples = self.receive(&phrase, stop)?;
            coming = self.ask(utterance, index + 1)?;
            if let Some(since) = quiet_since {
                pause(since + utterance.phrases[index].pause_before, stop);
            }
            if stop.is_last_phrase() {
                return Err(VoiceError::Stopped);
            }
            let not_after = utterance.not_after.filter(|_| index == from);
            let playing = self.sound.play(&samples, not_after)?;
            let mut begun = |at| tell(Moment::PhraseBegun { phrase: index, at });
            self.sound.wait(&playing, &mut begun, &|| stop.is_raised())?;
            let over = Instant::now();
            tell(Moment::PhraseEnded { phrase: index, at: over });
            quiet_since = Some(over);
            index += 1;
        }
        Ok(())
    }
}

fn pause(until: Instant, stop: &StopFlag) {
    while !stop.is_last_phrase() && Instant::now() < until {
        let left = until.saturating_duration_since(Instant::now());
        thread::sleep(left.min(Duration::from_millis(5)));
    }
}
