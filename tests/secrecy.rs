//! What is said shows nowhere: not in the process list, not in a file, however short it lives, and not in the most talkative log.

#[path = "support/hall.rs"]
mod hall;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use hall::{Hall, env_of};

/// Long enough for a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(120);
/// Names that nothing else on the machine holds.
const NAMES: [&str; 2] = ["Zebulonia", "欧阳震骅"];
const ENGLISH: &str = "Good morning, Ms Zebulonia. Please go to counter 3.";
/// The Mandarin voice hands the Latin name to the English one.
const MANDARIN: &str = "欧阳震骅先生，Zebulonia女士，早上好。请到3号窗口。";

fn holds_a_name(bytes: &[u8]) -> bool {
    NAMES.iter().any(|name| bytes.windows(name.len()).any(|part| part == name.as_bytes()))
}

/// Which processes hold a name in their command line or environment, as other users and the operator see them.
fn processes() -> impl Iterator<Item = String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.flat_map(|pid| {
        // A process may end while it is looked at.
        ["cmdline", "environ", "comm"]
            .into_iter()
            .filter(move |file| holds_a_name(&fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()))
            .map(|file| format!("{file} of a process"))
    })
}

/// Which files under a folder hold a name, in themselves or in their path.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() {
                folders.push(path.clone());
            }
            let inside = kind.is_file() && holds_a_name(&fs::read(&path).unwrap_or_default());
            if inside || holds_a_name(path.as_os_str().as_encoded_bytes()) {
                found.push(format!("file {}", path.strip_prefix(folder).unwrap().display()));
            }
        }
    }
    found
}

/// Where a name was seen while `greeter say` said a text, and after it.
fn seen(voice: &str, language: &str, text: &str, command: &[&str]) -> BTreeSet<String> {
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
        let ended = loop {
            places.extend(processes().chain(files(home)));
            looks += 1;
            if let Some(status) = robot.try_wait().unwrap() {
                break status;
            }
            if asked.elapsed() > WITHIN {
                robot.kill().unwrap();
            }
            // The voice wants the processor too.
            thread::sleep(Duration::from_millis(5));
        };
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
    places.extend(processes().chain(files(home)));
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
