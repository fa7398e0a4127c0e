//! Camera, loudspeaker and voices.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{Finding, box_contents};
use crate::{
    camera::{self, Camera, CameraError, Webcam},
    config::{CameraSettings, Config, GreetingSettings},
    greeting::{sound::Sound, voice::VoiceError, voices_report::voices_report},
    installation::Installation,
};

/// The operator is told about a camera that shows nothing for so long.
const FRAME_WITHIN: Duration = Duration::from_secs(2);
/// Sound systems that take longer to open than this hang.
const SOUND_WITHIN: Duration = Duration::from_secs(6);

/// Lists the cameras and waits for a frame of the configured one, unless somebody uses it.
pub fn camera(settings: &CameraSettings) -> Vec<Finding> {
    let there = camera::list();
    let mut findings = Vec::new();
    if there.len() > 1 {
        let names: Vec<String> = there.iter().map(ToString::to_string).collect();
        findings.push(Finding::fine(format!("connected: {}", names.join(", "))));
    }
    let users = there.iter().find_map(|camera| Some((camera, user_of(&camera.path)?)));
    findings.push(match users {
        Some((camera, (process, name))) if name == "greeter" => {
            Finding::fine(format!("`greeter run` (process {process}) watches through {camera}: left alone"))
        }
        Some((camera, (process, name))) if there.len() == 1 => Finding::problem(
            format!("{camera} is used by {name} (process {process})"),
            format!("end that program: kill {process}"),
        ),
        _ => first_frame(settings),
    });
    findings
}

fn first_frame(settings: &CameraSettings) -> Finding {
    let began = Instant::now();
    let mut webcam = Webcam::new(settings.clone());
    loop {
        match webcam.next_frame() {
            Ok(frame) => {
                let (width, height) = frame.rgb.dimensions();
                let after = began.elapsed().as_secs_f32();
                return Finding::fine(format!("{}; a frame of {width}x{height} after {after:.1} s", webcam.describe()));
            }
            Err(CameraError::NotYet) if began.elapsed() < FRAME_WITHIN => {}
            Err(CameraError::NotYet) => {
                let what = format!("{} has shown nothing within {} s", webcam.describe(), FRAME_WITHIN.as_secs());
                return Finding::problem(what, "replug it, or choose another with `camera.device`");
            }
            Err(error) => return Finding::of(&error, "replug it, or choose another with `camera.device`"),
        }
    }
}

/// A process that has a device open, with its program's name, as far as this user may see.
fn user_of(device: &Path) -> Option<(u32, String)> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbered =
        processes.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    numbered.find_map(|(process, folder)| {
        let mut files = fs::read_dir(folder.join("fd")).ok()?.flatten();
        let has_it = process != std::process::id()
            && files.any(|file| fs::read_link(file.path()).is_ok_and(|target| target == device));
        let name = || fs::read_to_string(folder.join("comm")).unwrap_or_default().trim().to_owned();
        has_it.then(|| (process, name()))
    })
}

/// Opens the loudspeaker; makes no sound.
pub fn sound(settings: &GreetingSettings) -> Vec<Finding> {
    let sound = Sound::open(settings.volume);
    let until = Instant::now() + SOUND_WITHIN;
    while sound.present().is_none() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    vec![match sound.present() {
        Some(Ok(())) if settings.volume == 0.0 => {
            Finding::problem("the volume is 0: nobody hears anything", "set `greeting.volume`, such as 0.9")
        }
        Some(Ok(())) => Finding::fine("a loudspeaker"),
        Some(Err(cause)) => Finding::of(&VoiceError::NoDevice { cause }, ""),
        None => Finding::problem("the sound system does not answer", "restart it, or the machine"),
    }]
}

/// Which voice speaks which language. A language is a problem only when no voice speaks it.
pub fn voices(installation: &Installation, config: &Config) -> Vec<Finding> {
    let languages = match box_contents::load_phrases(installation, config) {
        Ok(phrases) => phrases.languages().cloned().collect(),
        // The phrases' own check says what is wrong with them.
        Err(_) => vec![config.greeting.language.clone()],
    };
    let report = voices_report(&config.greeting, &languages);
    let of_language = |language| {
        let mut statuses = report.iter().filter(|status| status.language == language).peekable();
        if statuses.peek().is_none() {
            return Finding::problem(
                format!("{language}: `greeting.voices` names no voice"),
                "set it to [\"tts\", \"espeak\"]",
            );
        }
        let (can, cannot): (Vec<_>, Vec<_>) = statuses.partition(|status| status.problem.is_none());
        let reasons = || cannot.iter().filter_map(|status| Some((status.voice.as_str(), status.problem.as_deref()?)));
        match can.first() {
            Some(first) => {
                let without: Vec<String> = reasons().map(|(voice, why)| format!("{voice} cannot: {why}")).collect();
                let rest = if without.is_empty() { String::new() } else { format!(" ({})", without.join("; ")) };
                Finding::fine(format!("{language}: {}{rest}", first.voice))
            }
            None => {
                let why: Vec<String> = reasons().map(|(voice, why)| format!("{voice}: {why}")).collect();
                let what = format!("{language}: no voice speaks it, greetings are only shown ({})", why.join("; "));
                Finding::problem(
                    what,
                    "sudo apt-get install speech-dispatcher speech-dispatcher-espeak-ng espeak-ng, and see `sound`",
                )
            }
        }
    };
    languages.iter().cloned().map(of_language).collect()
}
