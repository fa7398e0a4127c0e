//! The release binary as an operator starts it, with the demo's people, and what it tells.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

/// A running robot; dropping it ends it.
pub struct Robot {
    folder: tempfile::TempDir,
    process: Child,
}

/// The moment of a time in milliseconds since 1970.
pub fn instant_of(at_ms: f64) -> Instant {
    let now_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64() * 1000.0;
    Instant::now() - Duration::from_secs_f64((now_ms - at_ms).max(0.0) / 1000.0)
}

impl Robot {
    /// Preloads the demo's people, in a roster that `change` makes of the demo's, and starts the robot in an environment, with more lines of
    /// configuration.
    pub fn starts(env: &[(String, String)], more: &str, change: fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let config = folder.path().join("greeter.toml");
        let settings = format!(
            "[greeting]\nlanguage = \"en\"\nvoice_begins_within_ms = 1500\n[routing]\nfile = {:?}\n[visit]\ncool_down_s = 1\n{more}",
            assets.join("routing.toml")
        );
        fs::write(&config, settings).expect("the configuration");
        let roster = folder.path().join("roster.csv");
        let demo = fs::read_to_string(assets.join("roster.csv")).expect("the demo's roster");
        fs::write(&roster, change(demo)).expect("the roster");
        let synced = Command::new(env!("CARGO_BIN_EXE_greeter"))
            .arg("--config")
            .arg(&config)
            .arg("sync")
            .arg(&roster)
            .arg("--photos")
            .arg(&assets)
            .output()
            .expect("the binary");
        assert!(synced.status.success(), "{}", String::from_utf8_lossy(&synced.stderr));
        let log = fs::File::create(folder.path().join("log")).expect("the log");
        let process = Command::new(env!("CARGO_BIN_EXE_greeter"))
            .arg("--config")
            .arg(&config)
            .args(["run", "--events"])
            .arg(folder.path().join("events"))
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary");
        Self { folder, process }
    }

    fn events_file(&self) -> PathBuf {
        self.folder.path().join("events")
    }

    /// The file of events as it is now.
    pub fn events_text(&self) -> String {
        fs::read_to_string(self.events_file()).unwrap_or_default()
    }

    /// What it wrote on its standard error, without colours.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        plain + rest
    }

    fn events(&self) -> Vec<Value> {
        // The last line may be half written.
        self.events_text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// How many events there were.
    pub fn events_so_far(&self) -> usize {
        self.events().len()
    }

    /// The first event of a kind after the first `before`.
    pub fn event_since(&self, kind: &str, before: usize) -> Option<Value> {
        self.events().into_iter().skip(before).find(|event| event["event"] == kind)
    }

    /// Whether there was such an event.
    pub fn has_event(&self, kind: &str) -> bool {
        self.event_since(kind, 0).is_some()
    }

    /// Greetings, without hellos, that began to sound: as they were started.
    pub fn greetings_heard(&self) -> Vec<Value> {
        let (heard, started): (Vec<Value>, Vec<Value>) =
            self.events().into_iter().partition(|event| event["event"] == "audible");
        let is_heard = |event: &Value| heard.iter().any(|it| it["greeting"] == event["greeting"]);
        let greetings = started.into_iter().filter(|it| it["event"] == "greeting_started" && it["hello"] == false);
        greetings.filter(is_heard).collect()
    }

    /// When an event of a kind happened.
    pub fn time_of(&self, kind: &str, before: usize) -> Instant {
        instant_of(self.event_since(kind, before).expect("the event")["at_ms"].as_f64().expect("milliseconds"))
    }

    /// Waits for an event until then.
    pub fn wait_for(&self, kind: &str, before: usize, until: Instant) -> Option<Value> {
        loop {
            let event = self.event_since(kind, before);
            if event.is_some() || Instant::now() >= until {
                return event;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `done`, or fails with what the robot told.
    pub fn until(&self, what: &str, within: Duration, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + within;
        while !done(self) {
            assert!(Instant::now() < until, "{what}: not within {within:?}\n{}\n{}", self.events_text(), self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
