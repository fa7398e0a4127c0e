//! `greeter.toml` as typed values.
//!
//! Each key is defined once, here; `assets/greeter.example.toml` shows every one with its default, and a test fails when they differ.
//! Relative paths are relative to the configuration file's folder, or to the current folder where there is no file.

mod area;
mod day;
mod enrolment;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

pub use area::Area;
pub use day::{DayTime, Span};
pub use enrolment::{BasisRule, Confirmed};
use serde::{Deserialize, Serialize};

use crate::person::Language;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty = $default:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }
    };
}

section!(
    /// Everything that an operator can set.
    Config {
        /// The webcam.
        camera: CameraSettings = CameraSettings::default(),
        /// Finding faces and judging views.
        face: FaceSettings = FaceSettings::default(),
        /// When a visitor may be named.
        decision: DecisionSettings = DecisionSettings::default(),
        /// When a visitor is addressed.
        visit: VisitSettings = VisitSettings::default(),
        /// Where taxpayers are kept.
        store: StoreSettings = StoreSettings::default(),
        /// On which legal basis people are enrolled.
        enrolment: EnrolmentSettings = EnrolmentSettings::default(),
        /// Voice and words.
        greeting: GreetingSettings = GreetingSettings::default(),
        /// Counters.
        routing: RoutingSettings = RoutingSettings::default(),
        /// What happened, on the disk.
        journal: JournalSettings = JournalSettings::default(),
    }
);

section!(
    /// The webcam.
    CameraSettings {
        /// `auto` (the first that works), an index such as `0`, a path such as `/dev/video0`, or a part of the camera's name.
        device: String = "auto".into(),
        /// Pixels across that are asked for; the nearest the camera offers is taken.
        width: u32 = 1280,
        /// Pixels down.
        height: u32 = 720,
        /// Frames a second.
        frames_per_second: u32 = 30,
        /// Whether the exposure is set for the nearest face, where the camera lets it be set; otherwise the camera decides.
        expose_for_face: bool = true,
        /// A camera that sends no frame for so long is called silent and reopened.
        silent_after_ms: u64 = 1500,
        /// Where people are looked at at all, as left edge, top edge, width and height in shares of the picture: whose eyes are elsewhere is not
        /// compared with anybody, addressed or remembered. `greeter doctor --picture FILE` shows it.
        zone: Area = Area::WHOLE,
        /// Places that are not looked at either, such as `[[0.7, 0.1, 0.2, 0.3]]`: a television, a mirror, a poster.
        blank: Vec<Area> = Vec::new(),
    }
);

section!(
    /// Finding faces and judging views.
    FaceSettings {
        /// A pack of `models.toml`.
        pack: String = "default".into(),
        /// Eyes nearer together than this many pixels are too far away to recognise (measured: accuracy falls below 18).
        min_eye_distance_px: f32 = 20.0,
        /// The pack's finder searches whole frames at this height; a smaller one is faster and misses faces that are far away.
        find_height_px: u32 = 360,
        /// While nobody is there, the pack's finder searches a whole frame at most so often; 0 is never: looking at the frame square by
        /// square finds the same faces (`greeter bench finding`).
        find_every_ms: u64 = 0,
        /// Views of one visitor that are embedded, at most, a second: half of a camera's 30 frames, and one, as frames are not quite evenly apart.
        embed_per_second: u32 = 16,
    }
);

section!(
    /// When a visitor may be named.
    DecisionSettings {
        /// The comparison score above which a visitor may be named; 0 takes the measured one for the gallery's size (`greeter calibrate`).
        min_score_to_name: f32 = 0.0,
        /// How far the second person must stay behind the first.
        min_margin: f32 = 0.05,
        /// Good views that are needed before anybody is named. One never is enough.
        min_views: u32 = 3,
        /// A visitor who has been in sight for so long without enough evidence for a name is greeted without one.
        decide_within_ms: u64 = 130,
        /// Who may still be named with a little more evidence is watched for so much longer. With 150 nobody waits longer than they must face the
        /// robot anyway, and fewer are named.
        patience_ms: u64 = 430,
        /// Whether names are said. With `false` they are decided and written down, and everybody is greeted without a name: a silent pilot
        /// (`greeter pilot`).
        announce: bool = true,
    }
);

section!(
    /// When a visitor is addressed.
    VisitSettings {
        /// A visitor must face the robot for so long, or they are only passing.
        attention_ms: u64 = 280,
        /// Turned further than this many degrees is not facing the robot.
        max_yaw_degrees: f32 = 35.0,
        /// A face that is not seen for so long has left.
        gone_after_ms: u64 = 1500,
        /// Nobody is greeted again within this time.
        cool_down_s: u64 = 600,
        /// How long a greeting waits for the others in front of the robot, so that they are greeted together.
        group_wait_ms: u64 = 450,
    }
);

const KEY_FILE: &str = "keys/store.key";
/// Where the key was by default when it lay beside the store: an installation that has it there goes on.
const FORMER_KEY_FILE: &str = "data/store.key";

section!(
    /// Where taxpayers are kept.
    StoreSettings {
        /// The encrypted store.
        folder: PathBuf = "data/store".into(),
        /// The key; made at first use, readable by its owner only. Keep it in a folder apart from the store's: one backup must not take both.
        key_file: PathBuf = KEY_FILE.into(),
        /// Days for which people are kept who are in no roster any more; 0 is for ever.
        keep_people_days: u32 = 400,
        /// Days for which a damaged store that was set aside is kept; 0 is for ever.
        keep_damaged_days: u32 = 14,
        /// Whether photos stay, sealed, after their templates were made. Without them `greeter reindex` cannot make templates for other networks: the
        /// office's photos are needed again.
        keep_photos: bool = true,
    }
);

section!(
    /// On which legal basis people are enrolled.
    EnrolmentSettings {
        /// The basis of rows that name none: `public-duty`, the office's public duty from the day of the sync on, or `column`: they are refused.
        basis: BasisRule = BasisRule::PublicDuty,
        /// The day on which the office confirmed that the public duty is its basis, such as 2026-11-29; `greeter doctor` reminds of it until then.
        confirmed: Confirmed = Confirmed::default(),
    }
);

section!(
    /// Voice and words.
    GreetingSettings {
        /// For strangers, and for people whose roster row names no language.
        language: Language = Language::from("zh-CN"),
        /// Voices in the order in which they are tried: `tts` (speech-dispatcher), `espeak` (espeak-ng, played by the program), `neural`
        /// (Mandarin, by the networks in the box), `command` (the program of `greeting.command`).
        voices: Vec<String> = vec!["tts".into(), "espeak".into()],
        /// The same for single languages. Without `neural` in it, the voice whose corpus is for non-commercial use is not loaded.
        voices_by_language: BTreeMap<Language, Vec<String>> =
            BTreeMap::from([("zh-CN".into(), vec!["neural".into(), "tts".into(), "espeak".into()])]),
        /// A program and its arguments, for the voice `command`: it reads text from standard input and writes WAV to standard output, such as
        /// `["piper", "--model", "voice.onnx", "--output_file", "-"]`. `GREETER_LANGUAGE` and `GREETER_PACE` are in its environment.
        command: Vec<String> = Vec::new(),
        /// A voice that has not begun to speak after so long is given up for the next one.
        voice_begins_within_ms: u64 = 800,
        /// Words a minute, relative to the voice's own rate: 1 is normal, 0.8 slower.
        rate: f32 = 1.0,
        /// Loudness of voice and chime, 0 to 1.
        volume: f32 = 0.9,
        /// The same from certain times of the day on, instead, such as `{ "08:00" = 0.7, "18:00" = 0.5 }`.
        volume_by_time: BTreeMap<DayTime, f32> = BTreeMap::new(),
        /// When nothing is said aloud, only shown, such as `["12:30-13:30", "20:00-07:00"]`.
        quiet_hours: Vec<Span> = Vec::new(),
        /// Visitors of this age and older, by the year in their identity number, are spoken to slower and have a pause before the counter.
        care_from_age: i16 = 65,
        /// Whether a visitor who looks at the robot before it is decided who they are hears "good morning" at once, and the rest of the greeting then.
        hello_first: bool = true,
        /// Whether a soft chime answers them instead, where no hello does.
        chime: bool = true,
        /// A folder with more phrase files, one a language, such as `fr.ftl`; they add to and override the ones in the box.
        phrases: PathBuf = "phrases".into(),
    }
);

section!(
    /// Counters.
    RoutingSettings {
        /// Services, counters, hours and rules; the one in the box where this file is absent.
        file: PathBuf = "routing.toml".into(),
    }
);

section!(
    /// What happened, on the disk: events with record numbers and no names, a file a day.
    JournalSettings {
        /// The folder of the days' files.
        folder: PathBuf = "data/events".into(),
        /// Days for which they are kept; 0 writes none.
        keep_days: u32 = 30,
    }
);

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, has an unknown key or a value that makes no sense. The text names file, line and
    /// key, and the nearest known key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError { path: path.into(), problem: error.to_string() })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text)
            .map(|config| config.relative_to(folder))
            .map_err(|problem| ConfigError { path: path.into(), problem })
    }

    /// The configuration to use: `chosen`, else `greeter.toml` in the current folder, else `/etc/greeter/greeter.toml`, else the
    /// defaults. Also says which file it was.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn find(chosen: Option<&Path>) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let usual = ["greeter.toml", "/etc/greeter/greeter.toml"].map(PathBuf::from);
        let path = chosen.map(Path::to_owned).or_else(|| usual.into_iter().find(|path| path.is_file()));
        match path {
            Some(path) => Ok((Self::load(&path)?, Some(path))),
            None => Ok((Self::default().relative_to(Path::new("")), None)),
        }
    }

    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = toml::Deserializer::parse(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let config: Self = serde_path_to_error::deserialize(read).map_err(|error| explain(&error, text))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let rules = [
            (self.decision.min_views >= 2, "decision.min_views must be at least 2: one view never identifies anybody"),
            (
                self.decision.min_views <= MOST_VIEWS,
                "decision.min_views must be at most 8: no more views of a visitor are kept, so nobody would be named",
            ),
            ((0.0..=1.0).contains(&self.decision.min_margin), "decision.min_margin lies between 0 and 1"),
            ((0.0..=1.0).contains(&self.decision.min_score_to_name), "decision.min_score_to_name lies between 0 and 1"),
            ((0.0..=1.0).contains(&self.greeting.volume), "greeting.volume lies between 0 and 1"),
            (
                self.greeting.volume_by_time.values().all(|volume| (0.0..=1.0).contains(volume)),
                "greeting.volume_by_time lies between 0 and 1",
            ),
            (self.greeting.care_from_age >= 0, "greeting.care_from_age cannot be negative"),
            ((0.3..=3.0).contains(&self.greeting.rate), "greeting.rate lies between 0.3 and 3"),
            (
                self.face.min_eye_distance_px.is_finite() && self.face.min_eye_distance_px > 0.0,
                "face.min_eye_distance_px must be a number above 0",
            ),
            ((0.0..=180.0).contains(&self.visit.max_yaw_degrees), "visit.max_yaw_degrees lies between 0 and 180"),
            (self.visit.gone_after_ms > 0, "visit.gone_after_ms must be above 0: otherwise whoever blinks has left"),
            (self.face.embed_per_second >= 1, "face.embed_per_second must be at least 1"),
            (self.face.find_height_px >= 120, "face.find_height_px must be at least 120"),
            (self.camera.silent_after_ms >= 200, "camera.silent_after_ms must be at least 200"),
            (self.camera.width > 0 && self.camera.height > 0, "camera.width and camera.height must be above 0"),
            (self.camera.frames_per_second > 0, "camera.frames_per_second must be above 0"),
            (
                self.camera.blank.len() <= 16,
                "camera.blank has at most 16 places; join those that lie beside each other",
            ),
        ];
        self.greeting.check_voices()?;
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err(rule.to_owned()))
    }

    fn relative_to(mut self, folder: &Path) -> Self {
        for path in [
            &mut self.store.folder,
            &mut self.store.key_file,
            &mut self.greeting.phrases,
            &mut self.routing.file,
            &mut self.journal.folder,
        ] {
            *path = folder.join(&*path);
        }
        let former = folder.join(FORMER_KEY_FILE);
        if self.store.key_file == folder.join(KEY_FILE) && !self.store.key_file.exists() && former.exists() {
            self.store.key_file = former;
        }
        self
    }

    /// All keys, such as `camera.width`, with their default values.
    pub fn keys() -> Vec<(String, toml::Value)> {
        let defaults = toml::Table::try_from(Self::default()).unwrap_or_default();
        let sections = defaults.into_iter().filter_map(|(section, value)| match value {
            toml::Value::Table(keys) => Some((section, keys)),
            _ => None,
        });
        sections
            .flat_map(|(section, keys)| keys.into_iter().map(move |(key, value)| (format!("{section}.{key}"), value)))
            .collect()
    }
}

/// Turns serde's words into the operator's: the whole key, its line, and the key that was probably meant.
fn explain(error: &serde_path_to_error::Error<toml::de::Error>, text: &str) -> String {
    let key = error.path().to_string();
    let inner = error.inner();
    let line = inner.span().map_or(String::new(), |span| {
        format!("line {}: ", text[..span.start.min(text.len())].matches('\n').count() + 1)
    });
    if !inner.message().starts_with("unknown field") {
        return format!("{line}{key}: {}", inner.message());
    }
    let known = Config::keys();
    let sections = known.iter().filter_map(|(key, _)| key.split_once('.').map(|(section, _)| section));
    let nearest = known
        .iter()
        .map(|(key, _)| key.as_str())
        .chain(sections)
        .max_by(|a, b| strsim::jaro_winkler(a, &key).total_cmp(&strsim::jaro_winkler(b, &key)))
        .unwrap_or_default();
    format!("{line}there is no key `{key}`; did you mean `{nearest}`? assets/greeter.example.toml lists them all")
}

/// Views of a visitor that are kept, at most (a test holds it against the gallery's own number).
const MOST_VIEWS: u32 = 8;

/// What `greeting.voices` may name.
const VOICES: [&str; 4] = ["tts", "espeak", "neural", "command"];

impl GreetingSettings {
    /// The voices for a language, in the order in which they are tried.
    pub fn voices_for(&self, language: &Language) -> &[String] {
        self.voices_by_language.get(language).unwrap_or(&self.voices)
    }

    /// Every voice that is named, once.
    pub fn all_voices(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for voice in self.voices.iter().chain(self.voices_by_language.values().flatten()) {
            if !all.contains(&voice.as_str()) {
                all.push(voice);
            }
        }
        all
    }

    /// Whether every voice that is named exists.
    ///
    /// # Errors
    /// Names the key and the voices there are.
    pub fn check_voices(&self) -> Result<(), String> {
        let lists = std::iter::once(("voices".to_owned(), &self.voices)).chain(
            self.voices_by_language.iter().map(|(language, voices)| (format!("voices_by_language.{language}"), voices)),
        );
        for (key, voices) in lists {
            if let Some(unknown) = voices.iter().find(|voice| !VOICES.contains(&voice.as_str())) {
                let known = VOICES.map(|voice| format!("`{voice}`")).join(", ");
                return Err(format!("greeting.{key}: there is no voice `{unknown}`; there are {known}"));
            }
        }
        Ok(())
    }
}

impl CameraSettings {
    /// See `silent_after_ms`.
    pub fn silent_after(&self) -> Duration {
        Duration::from_millis(self.silent_after_ms)
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../assets/greeter.example.toml");

    /// The example with its `#key = value` lines put into force.
    fn example_in_force() -> String {
        EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') && rest.contains(" = ") => rest,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_example_shows_every_key_with_its_default_and_nothing_else() {
        let text = example_in_force();
        assert_eq!(Config::parse(&text), Ok(Config::default()));
        let shown: toml::Table = toml::from_str(&text).unwrap();
        for (key, _) in Config::keys() {
            let (section, name) = key.split_once('.').unwrap();
            assert!(shown.get(section).is_some_and(|keys| keys.get(name).is_some()), "{key} is not in the example");
        }
    }

    #[test]
    fn an_empty_configuration_is_the_defaults() {
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        assert_eq!(
            Config::parse("[camera]\nheight = 480\nwidht = 640\n").unwrap_err(),
            "line 3: there is no key `camera.widht`; did you mean `camera.width`? assets/greeter.example.toml lists them all"
        );
        assert!(Config::parse("[camra]\n").unwrap_err().contains("did you mean `camera`?"));
    }

    #[test]
    fn a_value_of_the_wrong_kind_names_its_key() {
        let error = Config::parse("[camera]\nwidth = \"wide\"\n").unwrap_err();
        assert!(error.starts_with("line 2: camera.width: invalid type"), "{error}");
    }

    #[test]
    fn nobody_can_configure_the_robot_to_name_people_from_one_view() {
        assert!(Config::parse("[decision]\nmin_views = 1\n").unwrap_err().contains("one view never"));
    }

    #[test]
    fn nobody_can_ask_for_more_views_than_are_kept() {
        assert_eq!(MOST_VIEWS as usize, crate::gallery::decision::VIEWS_KEPT);
        assert!(Config::parse("[decision]\nmin_views = 8\n").is_ok());
        assert!(Config::parse("[decision]\nmin_views = 9\n").unwrap_err().contains("at most 8: no more views"));
    }

    #[test]
    fn whoever_is_not_seen_for_no_time_at_all_has_not_left() {
        let error = Config::parse("[visit]\ngone_after_ms = 0\n").unwrap_err();
        assert_eq!(error, "visit.gone_after_ms must be above 0: otherwise whoever blinks has left");
    }

    #[test]
    fn what_is_no_number_is_refused_for_every_key_that_takes_one() {
        let is_number = |value: &toml::Value| value.is_float();
        let mut tried = 0;
        for (key, _) in Config::keys().into_iter().filter(|(_, default)| is_number(default)) {
            let (section, name) = key.split_once('.').unwrap();
            for value in ["nan", "inf", "-inf", "-1.0"] {
                let error = Config::parse(&format!("[{section}]\n{name} = {value}\n"));
                assert!(error.as_ref().is_err_and(|words| words.contains(&key)), "{key} = {value}: {error:?}");
                tried += 1;
            }
        }
        assert!(tried >= 20, "{tried}");
        for value in ["nan", "inf"] {
            let error = Config::parse(&format!("[greeting]\nvolume_by_time = {{ \"08:00\" = {value} }}\n"));
            assert_eq!(error, Err("greeting.volume_by_time lies between 0 and 1".to_owned()));
        }
    }

    #[test]
    fn a_voice_that_does_not_exist_is_refused_where_it_is_named() {
        assert_eq!(
            Config::parse("[greeting]\nvoices = [\"tsst\"]\n").unwrap_err(),
            "greeting.voices: there is no voice `tsst`; there are `tts`, `espeak`, `neural`, `command`"
        );
        let error = Config::parse("[greeting.voices_by_language]\nyue = [\"espeak\", \"robot\"]\n").unwrap_err();
        assert!(error.starts_with("greeting.voices_by_language.yue: there is no voice `robot`;"), "{error}");
    }

    #[test]
    fn a_language_has_its_own_order_of_voices_or_the_one_for_all() {
        let text = "[greeting]\nvoices = [\"tts\"]\nvoices_by_language = { yue = [\"espeak\", \"tts\"] }\n";
        let greeting = Config::parse(text).unwrap().greeting;
        assert_eq!(greeting.voices_for(&"yue".into()), ["espeak", "tts"]);
        assert_eq!(greeting.voices_for(&"en".into()), ["tts"]);
        assert_eq!(greeting.all_voices(), ["tts", "espeak"]);
    }

    #[test]
    fn paths_are_relative_to_the_configuration_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greeter.toml");
        std::fs::write(&path, "[store]\nfolder = \"people\"\nkey_file = \"/etc/greeter/key\"\n").unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.store.folder, folder.path().join("people"));
        assert_eq!(config.store.key_file, Path::new("/etc/greeter/key"));
    }

    #[test]
    fn a_key_is_made_apart_from_the_store_and_one_that_lies_beside_it_is_used_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("greeter.toml"), "").unwrap();
        let key_file = || Config::load(&at("greeter.toml")).unwrap().store.key_file;
        assert_eq!(key_file(), at("keys/store.key"));
        std::fs::create_dir(at("data")).unwrap();
        std::fs::write(at("data/store.key"), [7; 32]).unwrap();
        assert_eq!(key_file(), at("data/store.key"));
        std::fs::create_dir(at("keys")).unwrap();
        std::fs::write(at("keys/store.key"), [7; 32]).unwrap();
        assert_eq!(key_file(), at("keys/store.key"));
    }
}
