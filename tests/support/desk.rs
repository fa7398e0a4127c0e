//! A staff member's desk: a folder with a configuration of its own, and the program as they start it there.
//!
//! Nothing is spoken (`voices` is empty), so that the tests are silent where there is a loudspeaker.

#![allow(dead_code, reason = "each test uses a part of the desk")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use greeter::face::manifest::Manifest;
use rustix::process::{Pid, Signal};

/// The source tree.
pub fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder in which a member of staff works.
pub struct Desk {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// The command failed, and its error names all of `words`.
    #[track_caller]
    pub fn fails_with(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let error = self.err.split_once("error: ").map(|(_, error)| error).unwrap_or_default();
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}\n{self:?}");
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    /// The command did all it was asked.
    #[track_caller]
    pub fn is_done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The answer holds `words`.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.out.contains(words), "`{words}` is not in:\n{}\n{}", self.out, self.err);
        self
    }
}

impl Desk {
    /// With a configuration for the demo: its counters, a store that is not made yet, no voices.
    pub fn new() -> Self {
        Self::with_program(PathBuf::from(env!("CARGO_BIN_EXE_greeter")))
    }

    /// With another copy of the program.
    pub fn with_program(program: PathBuf) -> Self {
        Self::of(program, tempfile::tempdir().unwrap())
    }

    /// In a folder of this one, such as a disk of its own.
    pub fn within(folder: &Path) -> Self {
        Self::of(PathBuf::from(env!("CARGO_BIN_EXE_greeter")), tempfile::tempdir_in(folder).unwrap())
    }

    fn of(program: PathBuf, folder: tempfile::TempDir) -> Self {
        let text = format!(
            "# This desk's own.\n\n[store]\nfolder = \"store\"\nkey_file = \"keys/store.key\"\n\n[greeting]\nlanguage = \"en\"\nvoices = [] # silent\nchime = false\n\n[routing]\nfile = \"{}\"\n",
            tree().join("assets/demo/routing.toml").display()
        );
        fs::write(folder.path().join("greeter.toml"), text).unwrap();
        Self { folder, program }
    }

    /// A file or folder of the desk.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds lines to the configuration.
    pub fn configures(&self, lines: &str) {
        let path = self.at("greeter.toml");
        let text = fs::read_to_string(&path).unwrap() + lines;
        fs::write(path, text).unwrap();
    }

    /// A command, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.at("greeter.toml")).args(arguments).current_dir(self.folder.path());
        for variable in [
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "GREETER_LOG",
            "JOURNAL_STREAM",
            "COLUMNS",
            "CREDENTIALS_DIRECTORY",
        ] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn does(&self, arguments: &[&str]) -> Answer {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Preloads the demo's two people.
    pub fn preloads_the_demo(&self) {
        let roster = tree().join("assets/demo/roster.csv");
        self.does(&["sync", roster.to_str().unwrap()]).is_done().says("2 added");
    }

    /// Starts a command and leaves it running.
    pub fn starts(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// A recording of one visit: the demo's frames whose names hold one of `words`.
    pub fn recording(&self, words: &[&str]) -> PathBuf {
        let folder = self.at(&format!("recording-{}", words.join("-")));
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(tree().join("assets/demo/visits")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if words.iter().any(|word| name.contains(word)) {
                fs::copy(&path, folder.join(name)).unwrap();
            }
        }
        folder
    }
}

/// The program while it runs; dropping it ends it.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Option<thread::JoinHandle<String>>,
    /// What it has printed so far.
    pub said: Vec<String>,
}

impl Running {
    /// Starts a command.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        let errors = thread::spawn(move || {
            let mut text = Vec::new();
            drop(err.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { child, lines, errors: Some(errors), said: Vec::new() }
    }

    /// Waits for a line that holds `words` and returns it.
    #[track_caller]
    pub fn says(&mut self, words: &str, within: Duration) -> String {
        let until = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{words}` was not said within {within:?}, but:\n{}", self.said.join("\n"));
                }
            }
        }
    }

    /// Sends a signal, such as Ctrl-C's.
    pub fn gets(&self, signal: Signal) {
        let process = Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    #[track_caller]
    pub fn ends_within(&mut self, within: Duration) -> ExitStatus {
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it still runs after {within:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// All that it printed, and all that it logged. Only after its end.
    pub fn everything(&mut self) -> (String, String) {
        self.said.extend(self.lines.iter());
        let errors = self.errors.take().map(|thread| thread.join().unwrap()).unwrap_or_default();
        (self.said.join("\n"), errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a file of the models folder is an optional network, which may be installed here or not.
fn is_optional(file: &str) -> bool {
    let manifest = Manifest::load(&tree().join("models")).unwrap();
    let mut optional = manifest.networks.values().filter(|network| network.optional);
    optional.any(|network| network.files.iter().any(|it| it.name == file))
}

/// A copy of the installation that a test may spoil.
pub struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    /// Models and assets are copies, without optional networks; the runtime is a link.
    pub fn new() -> Self {
        // On the program's own file system, so that it can be a second link to the same file: `current_exe` follows symlinks.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let to = |name: &str| folder.path().join(name);
        for name in ["models", "assets/phrases", "bin", ".runtime"] {
            fs::create_dir_all(to(name)).unwrap();
        }
        for name in ["models", "assets", "assets/phrases"] {
            for entry in fs::read_dir(tree().join(name)).unwrap() {
                let path = entry.unwrap().path();
                let file = path.file_name().unwrap().to_str().unwrap();
                if path.is_file() && !(name == "models" && is_optional(file)) {
                    fs::copy(&path, to(name).join(file)).unwrap();
                }
            }
        }
        let program = Path::new(env!("CARGO_BIN_EXE_greeter"));
        fs::hard_link(program, to("bin/greeter")).or_else(|_| fs::copy(program, to("bin/greeter")).map(drop)).unwrap();
        let library = tree().join(".runtime/libonnxruntime.so");
        std::os::unix::fs::symlink(library, to(".runtime/libonnxruntime.so")).unwrap();
        Self { folder }
    }

    /// A file or folder of it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A desk where this copy is used.
    pub fn desk(&self) -> Desk {
        Desk::with_program(self.at("bin/greeter"))
    }

    /// Changes one byte in the middle of a file.
    pub fn damages(&self, name: &str) {
        let path = self.at(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    }
}
