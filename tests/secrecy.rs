//! What is known of somebody shows nowhere: not on the raw disk, in no log, event or report, not in the process list, in no file however short
//! it lives, and in no core. What is said to them shows nowhere, too.
//!
//! Excepted are the office's own roster and photos, and the words of a greeting on the terminal.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/hall.rs"]
mod hall;
#[path = "support/roster.rs"]
mod roster;
#[path = "support/traces.rs"]
mod traces;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use desk::{Desk, Running, tree};
use hall::{Hall, env_of};
use roster::Disk;
use rustix::process::Signal;
use traces::Traces;

/// Long enough for a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(120);

// Names, numbers and words that nothing else on the machine holds.
const NAMES: [&str; 2] = ["Zebulonia", "欧阳震骅"];
const ENGLISH: &str = "Good morning, Ms Zebulonia. Please go to counter 3.";
/// The Mandarin voice hands the Latin name to the English one.
const MANDARIN: &str = "欧阳震骅先生，Zebulonia女士，早上好。请到3号窗口。";

const HEADER: &str = "id_number,name,pronunciation,phone,photos,language,salutation,category,services,appointment,basis,basis_date,guardian_consent,source,valid_until,expected";
const ENROLLED: &str = "530321198704177372,诸葛霖泽,zhu1 ge3 lin2 ze2,13907318264,Fotoquistenberg.jpg,zh,先生,Plimwockian,Servulaxation;Dienstmurkung,2031-07-23 16:47,同意识别,2018-09-28,2019-03-17,Quellenbacher,2041-05-06,2031-09-14";
/// Whose optional values are none.
const ODD: &str = "530321198704177532,诸葛霖泽,Quirzalian,13907318264,Fotoquistenberg.png,Qwyzbrandish,Archduke,Plimwockian,Servulaxation,2031-07-23 at teatime,,,,Quellenbacher,,Erwartling";
/// Rows that are rejected, each for another reason.
const REJECTED: [&str; 9] = [
    "530321198704177370,诸葛霖泽,,13907318264,Fotoquistenberg.jpg,zh,,,,",
    "530321198704177719,诸葛霖泽,,13907318264x,Fotoquistenberg.jpg,zh,,,,",
    "530321198704177719,13907318264,,13907318264,Fotoquistenberg.jpg,zh,,,,",
    "530321198704177719,诸葛霖泽,,13907318264,Fotoquistenberg-2.jpg,Qwyzbrandish,Archduke,,,teatime",
    "530321198704177954,诸葛霖泽,,13907318264,Fotoquistenberg.txt;../Fotoquistenberg.jpg,zh,,,,",
    "530321198704177372,诸葛霖泽,,13907318264,Fotoquistenberg.jpg,zh,,,,",
    "530321198704177954,诸葛霖泽,,13907318264,Fotoquistenberg-3.jpg,zh,,,,,Rechtsgrundling,teatime,,,",
    "530321198704177954,诸葛霖泽,,13907318264,Fotoquistenberg-3.jpg,zh,,,,,同意识别,2018-09-28,,,2018-09-28",
    "Fotoquistenberg.jpg,530321198704177372,诸葛霖泽,,13907318264,zh,,,,",
];
const EXIF: &str = "Exifarge Vantuil";

/// What the roster and its photos say.
fn canaries(photos: &Path) -> Traces {
    let mut traces = Traces::default();
    for (what, text) in [
        ("identity number", "53032119870417"),
        ("name", "葛霖泽"),
        ("pronunciation", "zhu1 ge3 lin2 ze2"),
        ("pronunciation that is none", "Quirzal"),
        ("phone", "13907318264"),
        ("photo's name", "Fotoquistenberg"),
        ("EXIF", EXIF),
        ("language", "Qwyzbrand"),
        ("salutation", "Archduke"),
        ("category", "Plimwock"),
        ("service", "Servulax"),
        ("other service", "Dienstmurk"),
        ("appointment", "2031-07-23"),
        ("appointment that is none", "teatime"),
        ("expected day", "2031-09-14"),
        ("expected day that is none", "Erwartling"),
        ("day of the basis", "2018-09-28"),
        ("guardian's consent", "2019-03-17"),
        ("basis that is none", "Rechtsgrundling"),
        ("source", "Quellenbach"),
    ] {
        traces.text(what, text);
    }
    for photo in ["Fotoquistenberg.jpg", "Fotoquistenberg.png"] {
        traces.runs("photo", &fs::read(photos.join(photo)).unwrap());
    }
    traces
}

fn names() -> Traces {
    let mut traces = Traces::default();
    NAMES.iter().for_each(|name| traces.text("name", name));
    traces
}

/// Which processes have something on their command line or in their environment, as other users and the operator see them.
fn processes(traces: &Traces) -> impl Iterator<Item = String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.flat_map(move |pid| {
        // A process may end while it is looked at.
        ["cmdline", "environ", "comm"]
            .into_iter()
            .filter(move |file| {
                !traces.found_in(&fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()).is_empty()
            })
            .map(|file| format!("{file} of a process"))
    })
}

/// What a process has open: files by their names, but for the office's own, and what is in those that have none.
fn open_files(pid: u32, traces: &Traces, own: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
        let Ok(file) = fs::read_link(entry.path()) else { continue };
        let name = file.to_string_lossy();
        let nameless = name.ends_with(" (deleted)") || name.starts_with("/memfd:");
        let inside = if nameless { fs::read(entry.path()).unwrap_or_default() } else { Vec::new() };
        let traced = [name.as_bytes(), &inside].iter().any(|bytes| !traces.found_in(bytes).is_empty());
        if traced && !file.starts_with(own) {
            found.push(format!("open file {name}"));
        }
    }
    found
}

/// Which files under a folder hold something, in themselves or in their path.
fn files(folder: &Path, traces: &Traces) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() {
                folders.push(path.clone());
            }
            let inside = if kind.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            let there = [inside.as_slice(), path.as_os_str().as_encoded_bytes()];
            if there.iter().any(|bytes| !traces.found_in(bytes).is_empty()) {
                found.push(format!("file {}", path.strip_prefix(folder).unwrap().display()));
            }
        }
    }
    found
}

/// Looks again and again until a process has ended; says how it ended and how often it was looked at.
fn look_until_end(child: &mut Child, mut look: impl FnMut(u32)) -> (ExitStatus, usize) {
    let (begun, mut looks) = (Instant::now(), 0);
    loop {
        look(child.id());
        looks += 1;
        if let Some(status) = child.try_wait().unwrap() {
            return (status, looks);
        }
        if begun.elapsed() > WITHIN {
            child.kill().unwrap();
        }
        // The program wants the processor too.
        thread::sleep(Duration::from_millis(5));
    }
}

/// Where a name was seen while `greeter say` said a text, and after it.
fn seen(voice: &str, language: &str, text: &str, command: &[&str]) -> BTreeSet<String> {
    let names = names();
    // One test must not see what another one shows.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::Builder::new().prefix("hall").tempdir().unwrap();
    let home = folder.path();
    let hall = Hall::opens_in(home);
    let temporary = home.join("tmp");
    fs::create_dir(&temporary).unwrap();
    let config = home.join("greeter.toml");
    fs::write(&config, format!("[greeting]\ncommand = {command:?}\n")).unwrap();
    let asked = Instant::now();
    let (mut places, mut looks) = (BTreeSet::new(), 0);
    loop {
        let log = fs::File::create(home.join("said.log")).unwrap();
        let mut robot = Command::new(env!("CARGO_BIN_EXE_greeter"))
            .arg("--config")
            .arg(&config)
            .args(["say", "-", "--voice", voice, "--lang", language])
            .envs(env_of(home))
            .env("TMPDIR", &temporary)
            .env("GREETER_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        robot.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let (ended, count) =
            look_until_end(&mut robot, |_| places.extend(processes(&names).chain(files(home, &names))));
        looks += count;
        if ended.success() {
            break;
        }
        let log = fs::read_to_string(home.join("said.log")).unwrap();
        // On a busy machine speech-dispatcher lists its voices for longer than an operator would wait.
        let is_slow = log.contains("speech-dispatcher does not answer") && asked.elapsed() < WITHIN;
        assert!(is_slow, "{voice}: {ended}\n{log}");
    }
    assert!(looks > 20, "{voice}: looked {looks} times");
    hall.hears_speech(asked, Duration::from_secs(5));
    places.extend(processes(&names).chain(files(home, &names)));
    println!("measured: {voice} in {language}: looked {looks} times");
    places
}

fn shows_nothing(voice: &str, language: &str, text: &str, command: &[&str]) {
    let places = seen(voice, language, text, command);
    assert!(places.is_empty(), "{voice} in {language}: a name is in {places:?}");
}

#[test]
fn what_the_rendered_voices_say_is_nowhere_to_be_read() {
    shows_nothing("espeak", "en", ENGLISH, &[]);
    shows_nothing("neural", "zh-CN", MANDARIN, &[]);
    shows_nothing("command", "en", ENGLISH, &["espeak-ng", "--stdin", "--stdout"]);
}

#[test]
fn what_speech_dispatcher_says_is_nowhere_to_be_read() {
    shows_nothing("tts", "en", ENGLISH, &[]);
}

#[test]
fn a_program_that_shows_what_it_is_told_is_seen_to_do_so() {
    let script = r#"text=$(cat); echo "$text" >"$TMPDIR/said"; sh -c 'sleep 0.3' "$text"; rm "$TMPDIR/said"; espeak-ng --stdout hello"#;
    let places = seen("command", "en", ENGLISH, &["sh", "-c", script]);
    assert!(places.contains("cmdline of a process") && places.contains("file tmp/said"), "{places:?}");
}

/// An office with a roster and photos of its own, and a desk on a disk of its own.
struct Bureau {
    desk: Desk,
    disk: Disk,
    papers: tempfile::TempDir,
    traces: Traces,
}

impl Bureau {
    /// `None`, with a printed line, where that is not possible.
    fn opens() -> Option<Self> {
        let disk = Disk::ext4(96, "the search of a raw disk")?;
        let desk = Desk::within(&disk.path);
        desk.configures("\n[journal]\nfolder = \"events\"\n");
        fs::create_dir_all(desk.at("home/run")).unwrap();
        fs::create_dir(desk.at("tmp")).unwrap();
        let papers = tempfile::tempdir().unwrap();
        let photo = |name: &str| fs::read(tree().join("assets/demo/enrol").join(name)).unwrap();
        let mut jpeg = photo("barack-obama.jpg");
        let exif = [b"Exif\0\0II*\0\x08\0\0\0\0\0".as_slice(), EXIF.as_bytes()].concat();
        let segment = [[0xff, 0xe1].as_slice(), &(exif.len() as u16 + 2).to_be_bytes(), &exif].concat();
        jpeg.splice(2..2, segment);
        let put = |name: &str, bytes: &[u8]| fs::write(papers.path().join(name), bytes).unwrap();
        put("Fotoquistenberg.jpg", &jpeg);
        put("Fotoquistenberg.png", &photo("eileen-collins.png"));
        put("Fotoquistenberg.txt", b"Exifarge Vantuil is at teatime");
        put("good.csv", [HEADER, ENROLLED, ODD].join("\n").as_bytes());
        put("bad.csv", [&[HEADER, ENROLLED, ODD], REJECTED.as_slice()].concat().join("\n").as_bytes());
        put("one.csv", [HEADER, ENROLLED].join("\n").as_bytes());
        put("other.csv", [HEADER, ODD].join("\n").as_bytes());
        let traces = canaries(papers.path());
        Some(Self { desk, disk, papers, traces })
    }

    fn paper(&self, name: &str) -> String {
        self.papers.path().join(name).display().to_string()
    }

    /// Runs a command with the most talkative log and looks at it all the while; gives what it says.
    #[track_caller]
    fn does(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let said = self.papers.path().join("said.log");
        let log = fs::File::create(&said).unwrap();
        let mut command = self.desk.command(arguments);
        command.env("GREETER_LOG", "trace").env("TMPDIR", self.desk.at("tmp")).envs(env_of(&self.desk.at("home")));
        command.envs(environment.iter().copied()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut places = BTreeSet::new();
        let (ended, looks) = look_until_end(&mut child, |pid| {
            places.extend(processes(&self.traces).chain(open_files(pid, &self.traces, self.papers.path())));
        });
        let said = fs::read_to_string(said).unwrap();
        assert!(matches!(ended.code(), Some(0 | 3)), "{arguments:?}: {ended}\n{said}");
        assert!(places.is_empty(), "{arguments:?}, looked at {looks} times: {places:?}");
        said
    }

    /// The same, and nothing of the person is in what it says.
    #[track_caller]
    fn does_without_a_word(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let said = self.does(arguments, environment);
        self.says_nothing(arguments, &said);
        said
    }

    #[track_caller]
    fn says_nothing(&self, arguments: &[&str], said: &str) {
        let found = self.traces.found_in(said.as_bytes());
        let lines = said.lines().filter(|line| !self.traces.found_in(line.as_bytes()).is_empty()).take(3);
        assert!(found.is_empty(), "{arguments:?}: {found:?} in\n{}", lines.collect::<Vec<_>>().join("\n"));
    }

    /// What is on the disk when nobody uses it.
    fn on_the_disk(&self) -> BTreeSet<String> {
        hall::clear(&self.desk.at("home"));
        self.disk.unmount();
        let found = self.traces.found_in(&self.disk.raw());
        assert!(self.disk.mount());
        found
    }
}

#[test]
fn nothing_of_a_rosters_row_or_photo_is_in_the_clear_whatever_staff_and_the_robot_do() {
    let Some(bureau) = Bureau::opens() else { return };
    let (good, bad) = (bureau.paper("good.csv"), bureau.paper("bad.csv"));
    let report = bureau.desk.at("report.csv").display().to_string();
    let frames: Vec<String> = (101..126).map(|frame| format!("{frame}-")).collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let recording = bureau.desk.recording(&frames).display().to_string();
    let run = ["run", "--camera", &recording];
    for arguments in [
        &["sync", &good, "--dry-run"][..],
        &["sync", &good],
        &["sync", &bad, "--report", &report],
        &["people", "list"],
        &["people", "show", "1"],
        &["people", "hold", "1"],
        &["people", "release", "1"],
        &["doctor"],
        &["store", "check"],
        &["reindex"],
        &["calibrate"],
        &["store", "compact"],
        &["store", "rekey"],
        &["store", "backup", "--to", "backup"],
        &["store", "repair"],
        &["store", "retention"],
    ] {
        bureau.does_without_a_word(arguments, &[]);
    }
    let report = fs::read_to_string(report).unwrap();
    assert_eq!(report.matches(",rejected,").count(), REJECTED.len(), "{report}");
    let kept = bureau.does_without_a_word(&run, &[("JOURNAL_STREAM", "8:1")]);
    assert!(kept.contains("greets #1"), "{kept}");
    let shown = bureau.does(&run, &[]);
    let (words, rest): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| line.contains("says: "));
    assert!(words.iter().any(|line| line.contains("诸葛")), "{shown}");
    bureau.says_nothing(&run, &rest.join("\n"));
    for arguments in [
        &["explain", "last"][..],
        &["sync", &bureau.paper("other.csv"), "--mirror"],
        &["sync", &bureau.paper("one.csv"), "--mirror"],
        &["people", "erase", "3", "--yes", "--objection", "--receipt", "receipt.json"],
        &["sync", &good],
        &["store", "restore", "--from", "backup", "--yes"],
        &["store", "commit-upgrade"],
        &["receipt", "verify", "receipt.json"],
        &["audit", "show"],
        &["audit", "verify"],
    ] {
        bureau.does_without_a_word(arguments, &[]);
    }
    let found = bureau.on_the_disk();
    assert!(found.is_empty(), "on the raw disk: {found:?}");
}

#[test]
fn a_note_that_was_removed_again_is_found_on_the_raw_disk() {
    let Some(bureau) = Bureau::opens() else { return };
    let note = bureau.desk.at("note");
    fs::write(&note, "530321 1987-0417 7372 葛霖泽").unwrap();
    fs::File::open(&note).unwrap().sync_all().unwrap();
    fs::remove_file(note).unwrap();
    let found = bureau.on_the_disk();
    assert_eq!(found, ["identity number in UTF-8", "name in UTF-8"].map(str::to_owned).into());
}

/// How a process ends that may write a core of any size and gets this signal.
fn ends_by(signal: Signal, command: &Command, serves: &str) -> ExitStatus {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    let mut robot = Running::start(shell);
    robot.says(serves, WITHIN);
    // Rust takes the first SIGSEGV for a fault that would come again.
    while robot.is_running() {
        robot.gets(signal);
        thread::sleep(Duration::from_millis(20));
    }
    robot.ends_within(WITHIN)
}

#[test]
fn a_robot_that_crashes_leaves_no_core() {
    let desk = Desk::new();
    let recording = desk.recording(&["100-"]).display().to_string();
    let mut other = Command::new("sh");
    other.args(["-c", "echo it serves; sleep 60"]).current_dir(desk.at(""));
    if !ends_by(Signal::ABORT, &other, "it serves").core_dumped() {
        println!("skipped: no program leaves a core here");
        return;
    }
    let cores = || {
        fs::read_dir(desk.at("")).unwrap().flatten().filter(|it| it.file_name().to_string_lossy().starts_with("core"))
    };
    cores().for_each(|core| fs::remove_file(core.path()).unwrap());
    for signal in [Signal::ABORT, Signal::SEGV] {
        let ended = ends_by(signal, &desk.command(&["run", "--looped", "--camera", &recording]), "serving");
        assert_eq!(ended.signal(), Some(signal.as_raw()));
        assert!(!ended.core_dumped() && cores().count() == 0, "{signal:?} left a core");
    }
}
