//! A hall with a loudspeaker and a microphone: a private sound server whose only output is recorded, so that a test hears what the
//! visitor hears. Several halls can be open at once; each has its own home, sound server and speech-dispatcher.

#![allow(dead_code, reason = "each test uses a part of the hall")]

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Samples a second of the recording.
pub const RATE: usize = 16_000;
/// A sample at least so loud is heard.
pub const AUDIBLE: i16 = 400;

/// A hall that is open; dropping it ends everything that it started.
pub struct Hall {
    home: PathBuf,
    /// Removes the folder at the end, where the hall made it.
    _folder: Option<tempfile::TempDir>,
    server: Child,
    microphone: Child,
    tape: Arc<Mutex<Tape>>,
}

/// What the microphone heard, and when each chunk arrived.
#[derive(Default)]
struct Tape {
    samples: Vec<i16>,
    /// Count of samples after a chunk, and when it arrived.
    chunks: Vec<(usize, Instant)>,
}

impl Tape {
    /// When sample `index` sounded: a chunk arrives some time after its last sample sounded, and the promptest chunks of the seconds
    /// around tell how late the others are.
    fn time_of(&self, index: usize) -> Option<Instant> {
        let near = |count: &usize| count.abs_diff(index) < 3 * RATE;
        let origin = self
            .chunks
            .iter()
            .filter(|(count, _)| near(count))
            .filter_map(|(count, at)| at.checked_sub(length(*count)));
        origin.min().map(|origin| origin + length(index))
    }

    fn index_at(&self, at: Instant) -> usize {
        // A chunk's last sample has sounded when the chunk arrives.
        let arrived = self.chunks.partition_point(|(_, arrived)| *arrived < at);
        self.chunks[arrived..]
            .iter()
            .map(|(count, _)| *count)
            .find(|count| self.time_of(*count).is_some_and(|time| time >= at))
            .map_or(self.samples.len(), |count| {
                let late = self.time_of(count).map_or(Duration::ZERO, |time| time - at);
                count.saturating_sub((late.as_secs_f64() * RATE as f64) as usize)
            })
    }
}

fn length(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / RATE as f64)
}

impl Hall {
    /// Opens a hall in a folder of its own.
    pub fn opens() -> Self {
        let folder = tempfile::Builder::new().prefix("hall").tempdir().expect("a folder for the hall");
        let mut hall = Self::opens_in(folder.path());
        hall._folder = Some(folder);
        hall
    }

    /// Opens a hall in a folder, for a process whose environment is already [`env_of`] that folder.
    pub fn opens_in(home: &Path) -> Self {
        fs::create_dir_all(home.join("run")).expect("the hall's runtime folder");
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o700)).expect("a private folder");
        fs::write(home.join(".asoundrc"), "pcm.!default { type pulse }\nctl.!default { type pulse }\n")
            .expect("ALSA's configuration");
        let socket = home.join("pulse.sock");
        // A server that was killed leaves its own behind, where the microphone would find nobody.
        let _ = fs::remove_file(&socket);
        let log = fs::File::create(home.join("pulse.log")).expect("the sound server's log");
        let mut server = Command::new("pulseaudio")
            .args(["-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"])
            .arg(format!("--load=module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()))
            .arg("--load=module-null-sink sink_name=hall rate=48000 channels=1")
            .envs(env_of(home))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("pulseaudio is missing: sudo apt-get install pulseaudio pulseaudio-utils");
        let until = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            let ended = server.try_wait().expect("the sound server's state");
            let log = || fs::read_to_string(home.join("pulse.log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < until, "the sound server did not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
        let mut microphone = Command::new("parec")
            .args(["-d", "hall.monitor", "--format=s16le", "--rate=16000", "--channels=1", "--latency-msec=10"])
            .envs(env_of(home))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("parec is missing: sudo apt-get install pulseaudio-utils");
        let tape = Arc::new(Mutex::new(Tape::default()));
        let mut sound = microphone.stdout.take().expect("the microphone's output");
        let recording = tape.clone();
        thread::spawn(move || {
            let (mut chunk, mut odd) = ([0; 4096], None);
            while let Ok(count @ 1..) = sound.read(&mut chunk) {
                let at = Instant::now();
                let bytes: Vec<u8> = odd.take().into_iter().chain(chunk[..count].iter().copied()).collect();
                odd = (bytes.len() % 2 == 1).then(|| bytes[bytes.len() - 1]);
                let mut tape = recording.lock().expect("the tape");
                tape.samples.extend(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
                let count = tape.samples.len();
                tape.chunks.push((count, at));
            }
        });
        let hall = Self { home: home.to_owned(), _folder: None, server, microphone, tape };
        hall.until("the microphone records", Duration::from_secs(20), |hall| {
            hall.tape.lock().expect("the tape").samples.len() > RATE / 10
        });
        hall
    }

    /// The environment of a program that is in the hall: its sound server, its home, its own speech-dispatcher.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        env_of(&self.home)
    }

    /// The hall's home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Everything that was heard since then, 16 kHz mono.
    pub fn heard_since(&self, since: Instant) -> Vec<i16> {
        let tape = self.tape.lock().expect("the tape");
        tape.samples[tape.index_at(since)..].to_vec()
    }

    /// When the first sound after a time was heard.
    pub fn first_sound_after(&self, since: Instant, at_least: i16) -> Option<Instant> {
        let tape = self.tape.lock().expect("the tape");
        let from = tape.index_at(since);
        let found = tape.samples[from..].iter().position(|sample| sample.saturating_abs() >= at_least)?;
        tape.time_of(from + found)
    }

    /// When the first sound after a time was heard that is no chime.
    pub fn speech_after(&self, since: Instant) -> Option<Instant> {
        let tape = self.tape.lock().expect("the tape");
        let from = tape.index_at(since);
        tape.time_of(from + speech_in(&tape.samples[from..])?)
    }

    /// Whether a chime was heard since then.
    pub fn chime_after(&self, since: Instant) -> bool {
        let heard = self.heard_since(since);
        let windows = heard.chunks_exact(WINDOW).filter(|window| loudness(window) > 200.0);
        windows.filter(|window| beside_the_chime(window) < 0.2).count() >= 5
    }

    /// Waits until `done`, or fails.
    pub fn until(&self, what: &str, within: Duration, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + within;
        while !done(self) {
            assert!(Instant::now() < until, "not within {within:?}: {what}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until speech was heard after a time, and returns when that was.
    pub fn hears_speech(&self, since: Instant, within: Duration) -> Instant {
        self.until("speech is heard", within, |hall| hall.speech_after(since).is_some());
        self.speech_after(since).expect("it was heard a moment ago")
    }

    /// Records no longer, for a test that lasts.
    pub fn records_no_more(&self) {
        signal(self.microphone.id(), "KILL");
        // On a busy machine a sound that began at this moment was kept waiting for longer than a loudspeaker may take none (10 of 27 times; of 31
        // that began later none was).
        thread::sleep(Duration::from_millis(1500));
    }

    /// Kills the sound server, without a word of warning; a new hall in the same folder is the next one.
    pub fn kill_sound_server(&self) {
        signal(self.server.id(), "KILL");
    }

    /// Kills the hall's speech-dispatcher and its synthesisers, without a word of warning. Says whether there was one.
    pub fn kill_speech_dispatcher(&self) -> bool {
        kill(&self.home, &["speech-dispatch", "sd_"])
    }

    /// Kills only the synthesisers under the hall's speech-dispatcher. Says whether there were any.
    pub fn kill_synthesisers(&self) -> bool {
        kill(&self.home, &["sd_"])
    }

    /// Lets the hall's speech-dispatcher hang; [`Hall::speech_dispatcher_goes_on`] wakes it.
    pub fn speech_dispatcher_hangs(&self) -> bool {
        let daemons = processes(&self.home, &["speech-dispatch"]);
        daemons.iter().for_each(|pid| signal(*pid, "STOP"));
        !daemons.is_empty()
    }

    /// See [`Hall::speech_dispatcher_hangs`].
    pub fn speech_dispatcher_goes_on(&self) {
        processes(&self.home, &["speech-dispatch"]).iter().for_each(|pid| signal(*pid, "CONT"));
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        clear(&self.home);
        for child in [&mut self.microphone, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The environment of a program in the hall at `home`.
pub fn env_of(home: &Path) -> Vec<(&'static str, String)> {
    let path = |name: &str| home.join(name).display().to_string();
    vec![
        ("HOME", home.display().to_string()),
        ("XDG_RUNTIME_DIR", path("run")),
        ("XDG_CONFIG_HOME", path("config")),
        ("XDG_CACHE_HOME", path("cache")),
        ("PULSE_SERVER", format!("unix:{}", path("pulse.sock"))),
        ("PULSE_COOKIE", path("pulse-cookie")),
        // The bus of the desktop, if there is one, is none of the hall's.
        ("DBUS_SESSION_BUS_ADDRESS", "disabled:".into()),
        ("SPEECHD_ADDRESS", format!("unix_socket:{}", path("run/speech-dispatcher/speechd.sock"))),
    ]
}

/// Ends every speech-dispatcher that programs in the hall at `home` have started, also one that is just starting.
pub fn clear(home: &Path) {
    while kill(home, &["speech-dispatch", "sd_"]) {
        thread::sleep(Duration::from_millis(100));
    }
}

fn kill(home: &Path, names: &[&str]) -> bool {
    let found = processes(home, names);
    found.iter().for_each(|pid| signal(*pid, "KILL"));
    !found.is_empty()
}

/// The living processes whose names begin so and whose environment is the hall's: nobody else's.
fn processes(home: &Path, names: &[&str]) -> Vec<u32> {
    let ours = format!("XDG_RUNTIME_DIR={}", home.join("run").display());
    let is_ours = |pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let name = String::from_utf8_lossy(&read("comm")).into_owned();
        names.iter().any(|wanted| name.starts_with(wanted))
            && read("environ").split(|byte| *byte == 0).any(|variable| variable == ours.as_bytes())
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// 32 ms, in which the chime's tones are told from speech.
const WINDOW: usize = 512;
/// The chime's two pitches in Hz.
const CHIME: [f64; 2] = [659.26, 880.0];

fn loudness(window: &[i16]) -> f64 {
    (window.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / window.len() as f64).sqrt()
}

/// The index of the first sample of speech: a loud one at the head of three windows whose sound is not the chime's.
fn speech_in(samples: &[i16]) -> Option<usize> {
    let step = 128;
    let speaks = |from: usize| {
        samples
            .get(from..from + WINDOW)
            .is_some_and(|window| loudness(window) > 300.0 && beside_the_chime(window) > 0.5)
    };
    let from = (0..samples.len()).step_by(step).find(|from| (0..3).all(|next| speaks(from + next * WINDOW / 2)))?;
    samples[from..].iter().position(|sample| sample.saturating_abs() >= AUDIBLE).map(|at| from + at)
}

/// The part of a window's energy that is not at the chime's two pitches, 0 to 1.
fn beside_the_chime(window: &[i16]) -> f64 {
    // Gram-Schmidt on sines and cosines at both pitches, then what of the window is left.
    let mut left: Vec<f64> = window.iter().map(|sample| f64::from(*sample)).collect();
    let whole: f64 = left.iter().map(|sample| sample * sample).sum();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for pitch in CHIME {
        for phase in [0.0, std::f64::consts::FRAC_PI_2] {
            let angle = |index: usize| std::f64::consts::TAU * pitch * index as f64 / RATE as f64 + phase;
            let mut wave: Vec<f64> = (0..window.len()).map(|index| angle(index).sin()).collect();
            basis.iter().for_each(|known| remove(&mut wave, known));
            let norm = wave.iter().map(|value| value * value).sum::<f64>().sqrt();
            wave.iter_mut().for_each(|value| *value /= norm);
            basis.push(wave);
        }
    }
    basis.iter().for_each(|wave| remove(&mut left, wave));
    left.iter().map(|sample| sample * sample).sum::<f64>() / whole.max(1.0)
}

fn remove(from: &mut [f64], wave: &[f64]) {
    let part: f64 = from.iter().zip(wave).map(|(value, wave)| value * wave).sum();
    from.iter_mut().zip(wave).for_each(|(value, wave)| *value -= part * wave);
}

/// Which of the sentences is heard in the sound, word for word. Put decoys among them.
pub fn hear(sound: &[i16], sentences: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".runtime/test-python/bin/python");
    assert!(
        python.exists(),
        "the tests' recogniser is missing. Run scripts/test.sh, or: python3 -m venv .runtime/test-python && \
         .runtime/test-python/bin/pip install pocketsphinx==5.1.1"
    );
    let mut recogniser = Command::new(python)
        .arg(root.join("tests/support/hear.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the recogniser starts");
    let mut input = serde_json::to_vec(&serde_json::json!({ "sentences": sentences })).expect("plain strings");
    input.push(b'\n');
    input.extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
    recogniser.stdin.take().expect("its input").write_all(&input).expect("it reads");
    let output = recogniser.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
