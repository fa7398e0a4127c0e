//! Camera, loudspeaker and voices.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{Finding, box_contents};
use crate::{
    camera::{self, Camera, CameraError, CameraInfo, Frame, Webcam},
    config::{CameraSettings, Config, GreetingSettings},
    greeting::{
        sound::Sound,
        voice::VoiceError,
        voices_report::{VoiceStatus, voices_report},
    },
    installation::Installation,
    person::Language,
};

/// The operator is told about a camera that shows nothing for so long.
const FRAME_WITHIN: Duration = Duration::from_secs(2);
/// Helps a camera that shows nothing.
pub(super) const REPLUG: &str = "replug it, or choose another with `camera.device`";
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
    findings.push(match holder_of(&there) {
        Some(holder) if holder.is_the_robot() => Finding::fine(format!("{}: left alone", holder.what())),
        Some(holder) => holder.keeps_it(),
        None => {
            let (began, mut webcam) = (Instant::now(), Webcam::new(settings.clone()));
            match next_frame(&mut webcam, FRAME_WITHIN) {
                Ok(frame) => {
                    let (width, height) = frame.rgb.dimensions();
                    let after = began.elapsed().as_secs_f32();
                    Finding::fine(format!("{}; a frame of {width}x{height} after {after:.1} s", webcam.describe()))
                }
                Err(problem) => problem,
            }
        }
    });
    findings
}

/// Waits for a frame, for so long.
pub(super) fn next_frame(camera: &mut dyn Camera, within: Duration) -> Result<Frame, Finding> {
    let began = Instant::now();
    loop {
        match camera.next_frame() {
            Ok(frame) => return Ok(frame),
            Err(CameraError::NotYet) if began.elapsed() < within => {}
            Err(CameraError::NotYet) => {
                let what = format!("{} has shown nothing within {} s", camera.describe(), within.as_secs());
                return Err(Finding::problem(what, REPLUG));
            }
            Err(error) => return Err(Finding::of(&error, REPLUG)),
        }
    }
}

/// Whose camera it is at the moment.
pub(super) struct Holder {
    camera: CameraInfo,
    process: u32,
    name: String,
}

/// Who keeps the camera from being looked through: a robot that runs, or whoever has the only one.
pub(super) fn holder() -> Option<Holder> {
    holder_of(&camera::list())
}

fn holder_of(there: &[CameraInfo]) -> Option<Holder> {
    let held = there.iter().find_map(|camera| {
        let (process, name) = user_of(&camera.path)?;
        Some(Holder { camera: camera.clone(), process, name })
    });
    held.filter(|holder| holder.is_the_robot() || there.len() == 1)
}

impl Holder {
    fn is_the_robot(&self) -> bool {
        self.name == "greeter"
    }

    fn what(&self) -> String {
        let Self { camera, process, name } = self;
        match self.is_the_robot() {
            true => format!("`greeter run` (process {process}) watches through {camera}"),
            false => format!("{camera} is used by {name} (process {process})"),
        }
    }

    /// To whoever wants to look through it.
    pub(super) fn keeps_it(&self) -> Finding {
        let cure = match self.is_the_robot() {
            true => "stop it for so long: `sudo systemctl stop greeter`, or Ctrl-C where it runs".to_owned(),
            false => format!("end that program: kill {}", self.process),
        };
        Finding::problem(self.what(), cure)
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

/// Which voice speaks which language, and how soon. A language is a problem only when no voice speaks it.
pub fn voices(installation: &Installation, config: &Config) -> Vec<Finding> {
    let languages: Vec<Language> = match box_contents::load_phrases(installation, config) {
        Ok(phrases) => phrases.languages().cloned().collect(),
        // The phrases' own check says what is wrong with them.
        Err(_) => vec![config.greeting.language.clone()],
    };
    if config.greeting.voices.is_empty() {
        let what = "`greeting.voices` is empty: greetings are only shown";
        return vec![Finding::problem(what, "set it to [\"tts\", \"espeak\"]")];
    }
    of_voices(&voices_report(&config.greeting, &languages), &languages)
}

/// One finding for all languages that fare alike.
fn of_voices(report: &[VoiceStatus], languages: &[Language]) -> Vec<Finding> {
    let mut alike: Vec<(Outcome, Vec<&str>)> = Vec::new();
    for language in languages {
        let outcome = Outcome::of(report.iter().filter(|status| status.language == *language));
        match alike.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, tags)) => tags.push(language.tag()),
            None => alike.push((outcome, vec![language.tag()])),
        }
    }
    alike.into_iter().map(|(outcome, tags)| outcome.finding(&tags.join(", "))).collect()
}

/// What becomes of greetings in a language.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The first voice that speaks it.
    voice: Option<String>,
    /// Why others, which are to be tried before it or at all, do not.
    without: String,
}

impl Outcome {
    fn of<'s>(statuses: impl Iterator<Item = &'s VoiceStatus>) -> Self {
        let mut without = Vec::new();
        for status in statuses {
            match &status.first_sample {
                Ok(_) => return Self { voice: Some(status.voice.clone()), without: without.join("; ") },
                Err(why) => without.push(format!("{}: {}", status.voice, Finding::what_of(why))),
            }
        }
        Self { voice: None, without: without.join("; ") }
    }

    fn finding(&self, languages: &str) -> Finding {
        match (&self.voice, self.without.as_str()) {
            (Some(voice), "") => Finding::fine(format!("{languages} by {voice}")),
            (Some(voice), without) => Finding::fine(format!("{languages} by {voice} (not by {without})")),
            (None, without) => Finding::problem(
                format!("{languages}: no voice speaks, greetings are only shown ({without})"),
                "sudo apt-get install speech-dispatcher speech-dispatcher-espeak-ng espeak-ng, and mend `sound`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(voice: &str, language: &str, problem: Option<&str>) -> VoiceStatus {
        VoiceStatus {
            voice: voice.into(),
            language: language.into(),
            first_sample: problem.map_or(Ok(Duration::from_millis(60)), |why| Err(why.to_owned())),
        }
    }

    #[test]
    fn languages_that_fare_alike_share_a_line_and_only_a_mute_language_is_a_problem() {
        let report = [
            status("tts", "en", Some("it is down. Restart it")),
            status("espeak", "en", None),
            status("tts", "yue", Some("it is down. Restart it")),
            status("espeak", "yue", None),
            status("tts", "tlh", Some("it is down. Restart it")),
            status("espeak", "tlh", Some("no such voice")),
        ];
        let findings = of_voices(&report, &["en", "yue", "tlh"].map(Language::from));
        assert_eq!(findings[0], Finding::fine("en, yue by espeak (not by tts: it is down)"));
        let Finding::Problem { what, .. } = &findings[1] else { panic!("{findings:?}") };
        assert_eq!(what, "tlh: no voice speaks, greetings are only shown (tts: it is down; espeak: no such voice)");
    }

    #[test]
    fn whoever_wants_to_look_through_the_running_robots_camera_is_told_to_stop_it_first() {
        let camera = CameraInfo { index: 0, path: "/dev/video0".into(), name: "HD Webcam".into() };
        let mut holder = Holder { camera, process: 77, name: "greeter".into() };
        let Finding::Problem { what, cure } = holder.keeps_it() else { panic!("it may not be looked through") };
        assert_eq!(what, "`greeter run` (process 77) watches through /dev/video0 (HD Webcam)");
        assert!(cure.contains("systemctl stop greeter") && !cure.contains("kill"), "{cure}");
        holder.name = "cheese".into();
        let Finding::Problem { what, cure } = holder.keeps_it() else { panic!("it may not be looked through") };
        assert_eq!(what, "/dev/video0 (HD Webcam) is used by cheese (process 77)");
        assert_eq!(cure, "end that program: kill 77");
    }

    #[test]
    fn another_process_that_has_the_camera_open_is_named_and_our_own_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("video0");
        let _ours = std::fs::File::create(&path).unwrap();
        assert_eq!(user_of(&path), None);
        let theirs = std::fs::File::open(&path).unwrap();
        let mut other = std::process::Command::new("sleep").arg("60").stdin(theirs).spawn().unwrap();
        let found = user_of(&path);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(found, Some((other.id(), "sleep".to_owned())));
    }
}
