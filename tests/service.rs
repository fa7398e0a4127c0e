//! The program as a service: what it tells systemd, how it ends, and what its unit and installer promise.
//!
//! No systemd runs here: the socket is the test's own, and the unit is judged by `systemd-analyze`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    os::unix::net::UnixDatagram,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

#[path = "support/desk.rs"]
mod desk;
use desk::{Desk, Running, tree};

/// The longest that the program may take to load its networks on a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// systemd's side of the socket.
struct Systemd {
    socket: UnixDatagram,
    heard: Vec<(Instant, String)>,
}

impl Systemd {
    /// Starts the service on the demo's recording, again and again.
    fn starts(desk: &Desk, watchdog: Option<Duration>) -> (Self, Running) {
        let path = desk.at("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let visits = tree().join("assets/demo/visits");
        let mut command = desk.command(&["run", "--camera", visits.to_str().unwrap(), "--looped"]);
        command.env("NOTIFY_SOCKET", &path);
        if let Some(period) = watchdog {
            command.env("WATCHDOG_USEC", period.as_micros().to_string());
        }
        (Self { socket, heard: Vec::new() }, Running::start(command))
    }

    fn listens(&mut self) {
        let mut bytes = [0; 1024];
        if let Ok(length) = self.socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            self.heard.extend(text.lines().map(|line| (Instant::now(), line.to_owned())));
        }
    }

    fn listens_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.listens();
        }
    }

    fn times(&self, message: &str) -> Vec<Instant> {
        self.heard.iter().filter(|(_, heard)| heard == message).map(|(at, _)| *at).collect()
    }

    #[track_caller]
    fn hears(&mut self, message: &str, within: Duration) {
        let until = Instant::now() + within;
        while self.times(message).is_empty() {
            assert!(Instant::now() < until, "{message} was not heard within {within:?}, but {:?}", self.heard);
            self.listens();
        }
    }
}

#[test]
fn systemd_hears_when_the_robot_serves_that_it_lives_and_when_it_stops() {
    let desk = Desk::new();
    let period = Duration::from_secs(1);
    let (mut systemd, mut service) = Systemd::starts(&desk, Some(period));
    systemd.hears("READY=1", STARTS_WITHIN);
    assert_eq!(systemd.heard[0].1, "READY=1", "nothing comes before it");
    systemd.listens_for(Duration::from_secs(4));
    let mut signs = systemd.times("READY=1");
    signs.extend(systemd.times("WATCHDOG=1"));
    assert!(signs.len() >= 5, "{signs:?}");
    let longest = signs.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < period, "systemd would have killed it: {longest:?} without a sign of life");
    service.gets(Signal::TERM);
    systemd.hears("STOPPING=1", ENDS_WITHIN);
    let status = service.ends_within(ENDS_WITHIN);
    assert!(status.success(), "{status}");
}

#[test]
fn without_a_watchdog_there_are_no_signs_of_life_and_an_interrupt_ends_the_robot_too() {
    let desk = Desk::new();
    let (mut systemd, mut service) = Systemd::starts(&desk, None);
    systemd.hears("READY=1", STARTS_WITHIN);
    systemd.listens_for(Duration::from_secs(1));
    assert!(systemd.times("WATCHDOG=1").is_empty());
    service.gets(Signal::INT);
    let asked = Instant::now();
    assert!(service.ends_within(ENDS_WITHIN).success());
    systemd.hears("STOPPING=1", ENDS_WITHIN);
    assert!(asked.elapsed() < ENDS_WITHIN);
}

#[test]
fn the_robot_ends_well_also_when_a_voice_is_just_at_work() {
    for moment in 0..8 {
        let desk = Desk::new();
        let (mut systemd, mut service) = Systemd::starts(&desk, None);
        systemd.hears("READY=1", STARTS_WITHIN);
        // The voices are making the house phrases ready.
        std::thread::sleep(Duration::from_millis(30 * moment));
        service.gets(Signal::TERM);
        let status = service.ends_within(ENDS_WITHIN);
        assert!(status.success(), "{status}");
    }
}

#[test]
fn a_service_that_cannot_start_never_says_that_it_is_ready() {
    let desk = Desk::new();
    desk.configures("\n[camera]\nwidht = 640\n");
    let (mut systemd, mut service) = Systemd::starts(&desk, None);
    assert_eq!(service.ends_within(STARTS_WITHIN).code(), Some(1));
    systemd.listens();
    assert!(systemd.heard.is_empty(), "{:?}", systemd.heard);
}

#[test]
fn nobodys_name_reaches_the_systems_journal() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let recording = desk.recording(&["100-", "obama@"]);
    let mut command = desk.command(&["run", "--camera", recording.to_str().unwrap()]);
    // systemd sets it for services whose output goes to its journal.
    command.env("JOURNAL_STREAM", "8:1");
    let mut service = Running::start(command);
    let greeted = service.says("greets", STARTS_WITHIN);
    assert!(greeted.contains("greets #1"), "{greeted}");
    service.gets(Signal::TERM);
    service.ends_within(ENDS_WITHIN);
    let (out, err) = service.everything();
    assert!(!out.contains("Obama") && !err.contains("Obama"), "{out}\n{err}");
}

/// Installs under a folder, as for an image.
fn install(prefix: &Path) -> String {
    let output = Command::new(tree().join("scripts/install-service.sh"))
        .arg("--prefix")
        .arg(prefix)
        .env("GREETER_BINARY", env!("CARGO_BIN_EXE_greeter"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_installed_robot_is_whole_and_an_upgrade_keeps_what_the_operator_wrote() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| root.path().join(name);
    assert!(install(root.path()).contains("to uninstall"));
    let config = at("etc/greeter/greeter.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("\nfolder = \"/var/lib/greeter/store\"\n"), "{text}");
    assert!(text.contains("\nkey_file = \"/var/lib/greeter-key/store.key\"\n"), "{text}");
    assert!(text.contains("\n[journal]\n") && text.contains("\nfolder = \"/var/log/greeter\"\n"), "{text}");
    assert_eq!(text.matches("\nfolder = ").count(), 2, "{text}");
    fs::write(&config, format!("{text}# mine\n")).unwrap();
    fs::write(at("opt/greeter/models/mobilefacenet-128.onnx"), "installed by hand").unwrap();

    install(root.path());
    assert!(fs::read_to_string(&config).unwrap().ends_with("# mine\n"));
    assert!(at("opt/greeter/models/mobilefacenet-128.onnx").is_file());
    assert!(!at("opt/greeter.new").exists() && !at("opt/greeter.old").exists());
    fs::remove_file(at("opt/greeter/models/mobilefacenet-128.onnx")).unwrap();

    let (older, _) = text.split_once("# What happened, on the disk").unwrap();
    fs::write(&config, format!("{older}# mine\n")).unwrap();
    install(root.path());
    let told = fs::read_to_string(&config).unwrap();
    assert!(
        told.starts_with(&format!("{older}# mine\n")) && told.ends_with("\nfolder = \"/var/log/greeter\"\n"),
        "{told}"
    );

    let greeter = |arguments: &[&str]| {
        let program = at("opt/greeter/bin/greeter");
        let output =
            Command::new(program).arg("--config").arg(&config).args(arguments).current_dir("/").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(greeter(&["models", "verify"]).0, Some(0));
    let (code, answer) = greeter(&["doctor", "runtime", "phrases"]);
    assert_eq!(code, Some(0), "{answer}");
}

#[test]
fn a_key_that_systemd_has_reaches_the_commands_of_staff_too() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    install(root.path());
    let tools = root.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let tool = |name: &str, does: &str| {
        let path = tools.join(name);
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    tool("id", "echo 0");
    for name in ["mkdir", "chown", "chmod", "install"] {
        tool(name, ":");
    }
    for name in ["systemd-run", "setpriv"] {
        tool(name, &format!("echo {name}; printf '%s\\n' \"$@\""));
    }
    let asks = |unit: &str| {
        tool("systemctl", &format!("cat <<'UNIT'\n{unit}\nUNIT"));
        let output = Command::new(root.path().join("usr/local/bin/greeter"))
            .args(["sync", "the roster.csv"])
            .env("PATH", format!("{}:/usr/bin:/bin", tools.display()))
            .env("SUDO_USER", "zhang")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let without = asks("[Service]\n#LoadCredentialEncrypted=greeter-key:/etc/greeter/greeter-key.cred");
    assert_eq!(without[0], "setpriv", "{without:?}");
    let with = asks("[Service]\nUser=greeter\nLoadCredentialEncrypted=greeter-key:/etc/greeter/greeter-key.cred");
    assert_eq!(with[0], "systemd-run", "{with:?}");
    for wanted in [
        "User=greeter",
        "LoadCredentialEncrypted=greeter-key:/etc/greeter/greeter-key.cred",
        "--setenv=SUDO_USER=zhang",
        "--pipe",
        "/opt/greeter/bin/greeter",
    ] {
        assert!(with.iter().any(|argument| argument == wanted), "{wanted} is not among {with:?}");
    }
    assert_eq!(with[with.len() - 2..], ["sync", "the roster.csv"]);
}

#[test]
fn the_unit_is_valid_and_leaves_the_service_hardly_anything_to_do_harm_with() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: systemd-analyze is not installed (package systemd)");
        return;
    }
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    install(root.path());
    // The units that every unit needs.
    let units = root.path().join("usr/lib/systemd");
    fs::create_dir_all(&units).unwrap();
    let copied = Command::new("cp").args(["-r", "/lib/systemd/system"]).arg(&units).status().unwrap();
    assert!(copied.success());
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .arg(format!("--root={}", root.path().display()))
        .arg("greeter.service")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !words.contains("greeter.service:"), "{words}");
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager", "--threshold=15"])
        .arg(tree().join("assets/greeter.service"))
        .output()
        .unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}

#[test]
fn the_service_may_use_cameras_and_sound_cards_and_no_network() {
    let unit = fs::read_to_string(tree().join("assets/greeter.service")).unwrap();
    let values = |key: &str| -> Vec<&str> { unit.lines().filter_map(|line| line.strip_prefix(key)).collect() };
    assert_eq!(values("DeviceAllow="), ["char-video4linux rw", "char-alsa rw"]);
    assert_eq!(values("RestrictAddressFamilies="), ["AF_UNIX"]);
    assert_eq!(values("PrivateNetwork="), ["yes"]);
    assert_eq!(values("User="), ["greeter"]);
    assert_eq!((values("Type="), values("WatchdogSec=")), (vec!["notify"], vec!["30"]));
}
