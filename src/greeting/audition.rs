//! A whole utterance in memory, as the loudspeaker would play it: for whoever wants to hear it before a visitor does.

use std::{
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use super::{
    joining::without_silence,
    loudness,
    playing::Samples,
    renderer::Renderer,
    resample::resampled,
    utterance::Utterance,
    voice::{StopFlag, VoiceError, VoiceState},
    wav,
};

/// What was rendered.
pub struct Audition {
    /// By which voice.
    pub voice: String,
    /// The whole sound, levelled.
    pub samples: Samples,
    /// What rendering its phrases took.
    pub took: Duration,
}

impl Audition {
    /// How long it is.
    pub fn seconds(&self) -> f32 {
        self.samples.mono.len() as f32 / self.samples.rate.get() as f32
    }

    /// As a WAV, mono, 16 bits.
    ///
    /// # Errors
    /// When it is longer than a WAV can be.
    pub fn wav(&self) -> Result<Vec<u8>, hound::Error> {
        wav::written(&self.samples)
    }
}

/// Opens the voices and renders an utterance by the first one that can. Takes the time that opening and rendering take.
///
/// # Errors
/// Why none can; the words are not in it.
pub fn rendered(voices: Vec<Box<dyn Renderer>>, utterance: &Utterance, within: Duration) -> Result<Audition, String> {
    let mut why = "no voice of `greeting.voices` is rendered by the program; `tts` is not".to_owned();
    for mut voice in voices {
        why = match open(voice.as_mut(), within) {
            Ok(()) if voice.speaks(&utterance.language) => match whole(voice.as_mut(), utterance) {
                Ok(audition) => return Ok(audition),
                Err(error) => error.to_string(),
            },
            Ok(()) => format!("voice `{}` does not speak {}", voice.name(), utterance.language),
            Err(cause) => format!("voice `{}` does not work: {cause}", voice.name()),
        };
    }
    Err(why)
}

/// Opens a voice, and waits for that.
///
/// # Errors
/// Why it cannot render.
pub fn open(voice: &mut dyn Renderer, within: Duration) -> Result<(), String> {
    voice.open();
    let until = Instant::now() + within;
    loop {
        match voice.state() {
            VoiceState::Ready => return Ok(()),
            VoiceState::Down(why) => return Err(why),
            VoiceState::Opening if Instant::now() > until => {
                return Err(format!("it was not open after {} s", within.as_secs()));
            }
            VoiceState::Opening => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// All phrases of an utterance, with the pauses between them, by a voice that is open.
///
/// # Errors
/// The voice's.
pub fn whole(voice: &mut dyn Renderer, utterance: &Utterance) -> Result<Audition, VoiceError> {
    let (mut mono, mut took) = (Vec::new(), Duration::ZERO);
    let mut rate: Option<NonZero<u32>> = None;
    for phrase in &utterance.phrases {
        let asked = Instant::now();
        let sound = voice.render(&phrase.text, &utterance.language, utterance.pace, &StopFlag::default())?;
        took += asked.elapsed();
        let rate = *rate.get_or_insert(sound.rate);
        let mut said = resampled(without_silence(&sound.mono, sound.rate), sound.rate, rate);
        loudness::level(&mut said, rate.get());
        if !mono.is_empty() {
            let pause = phrase.pause_before.as_secs_f32() * rate.get() as f32;
            mono.resize(mono.len() + pause as usize, 0.0);
        }
        mono.append(&mut said);
    }
    let rate = rate.filter(|_| !mono.is_empty()).ok_or_else(|| VoiceError::Failed {
        voice: voice.name().to_owned(),
        cause: "there is nothing to say".into(),
    })?;
    Ok(Audition { voice: voice.name().to_owned(), samples: Samples { mono: mono.into(), rate }, took })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Language;

    /// Says a tone of half a second for each phrase, some silence around it, louder each time.
    struct Hum(f32);

    impl Renderer for Hum {
        fn name(&self) -> &str {
            "hum"
        }

        fn open(&mut self) {}

        fn state(&self) -> VoiceState {
            VoiceState::Ready
        }

        fn speaks(&self, language: &Language) -> bool {
            language.tag() == "en"
        }

        fn render(&mut self, text: &str, _: &Language, _: f32, _: &StopFlag) -> Result<Samples, VoiceError> {
            if text.contains("fail") {
                return Err(VoiceError::Failed { voice: "hum".into(), cause: "as a test must".into() });
            }
            self.0 *= 2.0;
            let tone = |at: usize| self.0 * (at as f32 / 8_000.0 * 300.0 * std::f32::consts::TAU).sin();
            let silence = [0.0; 2_000];
            let mono = silence.into_iter().chain((0..4_000).map(tone)).chain(silence).collect();
            Ok(Samples { mono, rate: NonZero::new(8_000).unwrap() })
        }
    }

    fn said(language: &str, text: &str) -> Result<Audition, String> {
        let voices: Vec<Box<dyn Renderer>> = vec![Box::new(Hum(0.05))];
        rendered(voices, &Utterance::new(1, language.into(), text), Duration::from_secs(1))
    }

    #[test]
    fn phrases_follow_each_other_equally_loud_with_their_pauses_and_no_other_silence() {
        let audition = said("en", "Good morning, Ms Collins. Counter two, please.").unwrap();
        let phrases = Utterance::new(1, "en".into(), "Good morning, Ms Collins. Counter two, please.").phrases;
        let pauses: Duration = phrases[1..].iter().map(|phrase| phrase.pause_before).sum();
        let wanted = 0.5 * phrases.len() as f32 + pauses.as_secs_f32();
        assert!((audition.seconds() - wanted).abs() < 0.1, "{} s, not {wanted}", audition.seconds());
        let loudest = |part: &[f32]| part.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        let mono = &audition.samples.mono;
        let (first, last) = (loudest(&mono[..3_000]), loudest(&mono[mono.len() - 3_000..]));
        assert!((first / last - 1.0).abs() < 0.02, "{first} {last}");
    }

    #[test]
    fn whoever_auditions_is_told_why_nothing_can_be_heard_and_the_words_are_not_in_it() {
        assert_eq!(said("yue", "Hello").err().unwrap(), "voice `hum` does not speak yue");
        let failed = said("en", "Ms Collins, fail").err().unwrap();
        assert!(failed.contains("as a test must") && !failed.contains("Collins"), "{failed}");
        assert!(said("en", " ").err().unwrap().contains("there is nothing to say"));
        let none = rendered(Vec::new(), &Utterance::new(1, "en".into(), "Hello"), Duration::ZERO).err().unwrap();
        assert!(none.contains("`tts` is not"), "{none}");
    }
}
