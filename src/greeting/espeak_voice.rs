//! The voice `espeak`: espeak-ng renders to memory, and the program plays it. It needs no speech-dispatcher.
//!
//! What is said goes to espeak-ng's standard input, never to its command line, where every user of the machine could read it.

use std::{
    io::{Read, Write},
    num::NonZero,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::bounded;

use super::{
    sound::{Samples, Sound},
    voice::{StopFlag, Voice, VoiceError, VoiceState, nearest_voice, speakable},
};
use crate::person::Language;

/// espeak-ng takes about 20 ms for a sentence.
const RENDERS_WITHIN: Duration = Duration::from_secs(3);
/// Words a minute at rate 1: espeak-ng's own.
const NORMAL_RATE: f32 = 175.0;
/// A minute of sound; a greeting has seconds.
const MOST_BYTES: u64 = 60 * 22_050 * 2;

/// See the module.
pub struct EspeakVoice {
    sound: Sound,
    rate: f32,
    installed: Arc<Mutex<Installed>>,
}

enum Installed {
    Looking,
    /// The language tags of its voices, lower case.
    Yes(Vec<String>),
    No(String),
}

impl EspeakVoice {
    /// `rate`: 1 is espeak-ng's own.
    pub fn new(sound: Sound, rate: f32) -> Self {
        Self { sound, rate, installed: Arc::new(Mutex::new(Installed::Looking)) }
    }

    /// espeak-ng's name for a language; `None` where it has no voice.
    fn voice(&self, language: &Language) -> Option<String> {
        match &*self.installed.lock().unwrap_or_else(PoisonError::into_inner) {
            Installed::Yes(tags) => nearest_voice(tags, language).map(str::to_owned),
            _ => None,
        }
    }

    fn render(&self, text: &str, voice: &str, stop: &StopFlag) -> Result<Samples, VoiceError> {
        let failed = |cause: String| VoiceError::Failed { voice: self.name().into(), cause };
        let rate = (NORMAL_RATE * self.rate).round().clamp(80.0, 450.0).to_string();
        let wav = output(&["--stdin", "--stdout", "-v", voice, "-s", &rate], text, &|| stop.is_raised());
        samples(&wav.map_err(failed)?).map_err(failed)
    }
}

impl Voice for EspeakVoice {
    fn name(&self) -> &str {
        "espeak"
    }

    fn open(&mut self) {
        let installed = self.installed.clone();
        let look = move || {
            let found = match output(&["--voices"], "", &|| false) {
                Ok(list) => Installed::Yes(tags(&String::from_utf8_lossy(&list))),
                Err(cause) => Installed::No(cause),
            };
            *installed.lock().unwrap_or_else(PoisonError::into_inner) = found;
        };
        if let Err(error) = thread::Builder::new().name("voice-espeak".into()).spawn(look) {
            *self.installed.lock().unwrap_or_else(PoisonError::into_inner) = Installed::No(error.to_string());
        }
    }

    fn state(&self) -> VoiceState {
        match &*self.installed.lock().unwrap_or_else(PoisonError::into_inner) {
            Installed::No(cause) => return VoiceState::Down(cause.clone()),
            Installed::Looking => return VoiceState::Opening,
            Installed::Yes(_) => {}
        }
        match self.sound.present() {
            None => VoiceState::Opening,
            Some(Ok(())) => VoiceState::Ready,
            Some(Err(cause)) => VoiceState::Down(VoiceError::NoDevice { cause }.to_string()),
        }
    }

    fn speaks(&self, language: &Language) -> bool {
        self.voice(language).is_some()
    }

    fn say(
        &mut self,
        text: &str,
        language: &Language,
        begun: &mut dyn FnMut(Instant),
        stop: &StopFlag,
    ) -> Result<(), VoiceError> {
        let voice = self.voice(language).ok_or_else(|| VoiceError::Failed {
            voice: self.name().into(),
            cause: format!("it does not speak {language}"),
        })?;
        let samples = self.render(&speakable(text), &voice, stop);
        if stop.is_raised() {
            return Err(VoiceError::Stopped);
        }
        let playing = self.sound.play(&samples?)?;
        self.sound.wait(&playing, begun, &|| stop.is_raised())
    }
}

/// The second column of `espeak-ng --voices`.
fn tags(list: &str) -> Vec<String> {
    list.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_ascii_lowercase).collect()
}

/// Runs espeak-ng with `input` on its standard input and returns what it prints.
fn output(arguments: &[&str], input: &str, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
    let mut child = Command::new("espeak-ng")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!("espeak-ng cannot be started ({error}). Install it: sudo apt-get install espeak-ng")
        })?;
    let read = exchange(&mut child, input, stopped);
    // It is done, or has had its time; a child is always waited for.
    let _ = child.kill();
    let _ = child.wait();
    read
}

fn exchange(child: &mut Child, input: &str, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("espeak-ng has no standard input and output".into());
    };
    let (done, finished) = bounded(1);
    thread::Builder::new()
        .name("espeak-output".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            let read = from.take(MOST_BYTES).read_to_end(&mut bytes).map(|_| bytes);
            let _ = done.send(read);
        })
        .map_err(|error| error.to_string())?;
    // A greeting is far smaller than a pipe (64 KiB), so this cannot block.
    to.write_all(input.as_bytes()).map_err(|error| format!("espeak-ng takes no text: {error}"))?;
    drop(to);
    let until = Instant::now() + RENDERS_WITHIN;
    loop {
        if let Ok(read) = finished.recv_timeout(Duration::from_millis(20)) {
            return read.map_err(|error| error.to_string());
        }
        if stopped() {
            return Err("stopped".into());
        }
        if Instant::now() > until {
            return Err(format!("espeak-ng gave nothing within {} s", RENDERS_WITHIN.as_secs()));
        }
    }
}

/// Reads the WAV that espeak-ng streams. Its header's lengths are placeholders, because it is written before the sound is known, so they
/// are set right first.
fn samples(wav: &[u8]) -> Result<Samples, String> {
    let mut wav = wav.to_vec();
    let data = wav.windows(4).position(|tag| tag == b"data").filter(|at| at + 8 <= wav.len());
    let Some(data) = data else { return Err("espeak-ng gave no sound".into()) };
    let length = u32::try_from(wav.len() - data - 8).map_err(|error| error.to_string())? & !1;
    wav.truncate(data + 8 + length as usize);
    wav[data + 4..data + 8].copy_from_slice(&length.to_le_bytes());
    let whole = u32::try_from(wav.len() - 8).map_err(|error| error.to_string())?;
    wav[4..8].copy_from_slice(&whole.to_le_bytes());
    let mut reader = hound::WavReader::new(wav.as_slice()).map_err(|error| format!("espeak-ng's sound: {error}"))?;
    let spec = reader.spec();
    let rate = NonZero::new(spec.sample_rate).filter(|_| spec.channels == 1 && spec.bits_per_sample == 16);
    let rate = rate.ok_or_else(|| format!("espeak-ng's sound is not mono with 16 bits but {spec:?}"))?;
    let mono: Vec<f32> = reader
        .samples::<i16>()
        .map(|sample| sample.map(|sample| f32::from(sample) / 32_768.0))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("espeak-ng's sound: {error}"))?;
    if mono.is_empty() {
        return Err("espeak-ng gave no sound".into());
    }
    Ok(Samples { mono: mono.into(), rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(samples: &[i16], claimed: u32) -> Vec<u8> {
        let mut wav = Vec::new();
        wav.extend(b"RIFF");
        wav.extend(claimed.to_le_bytes());
        wav.extend(b"WAVEfmt ");
        wav.extend(16_u32.to_le_bytes());
        wav.extend([1, 0, 1, 0]);
        wav.extend(22_050_u32.to_le_bytes());
        wav.extend(44_100_u32.to_le_bytes());
        wav.extend([2, 0, 16, 0]);
        wav.extend(b"data");
        wav.extend(claimed.to_le_bytes());
        wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        wav
    }

    #[test]
    fn a_streamed_wav_is_read_to_its_real_end_whatever_its_header_claims() {
        for claimed in [0, 0x7fff_f000, 0xffff_ffff] {
            let read = samples(&streamed(&[0, 16_384, -16_384], claimed)).unwrap();
            assert_eq!((&read.mono[..], read.rate.get()), (&[0.0, 0.5, -0.5][..], 22_050));
        }
        let mut odd = streamed(&[0, 16_384], 0);
        odd.push(7);
        assert_eq!(samples(&odd).unwrap().mono.len(), 2);
    }

    #[test]
    fn no_sound_is_an_error_and_no_panic() {
        for wav in [&b""[..], b"RIFF", b"data", b"datadata", &streamed(&[], 0)] {
            assert!(samples(wav).is_err());
        }
    }

    #[test]
    fn the_languages_of_espeak_ng_are_the_second_column_of_its_list() {
        let list = "Pty Language       Age/Gender VoiceName          File                 Other Languages\n \
                    5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)\n \
                    2  en-GB           --/M      English_(Great_Britain) gmw/en               (en 2)\n";
        assert_eq!(tags(list), ["cmn", "en-gb"]);
        assert!(tags("").is_empty());
    }
}
