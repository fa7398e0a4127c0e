//! What the system shows of speech-dispatcher's processes, so that their end is noticed while a visitor listens.
//!
//! The daemon says nothing when it dies, hangs, or loses the synthesiser under it; waiting for answers takes seconds, because a busy machine
//! answers late as well. The process table tells the one from the other: a daemon that is asked something and does not want the processor
//! will not answer. Where the table cannot be read nothing is known, and the limits of `tts_voice` count alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The daemon, and the synthesisers that it had when it was looked up.
pub(super) struct Dispatcher {
    pid: u32,
    synthesisers: Vec<u32>,
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Lives,
    Ended,
    SynthesiserEnded,
}

impl Dispatcher {
    /// The one that this user's programs speak through.
    pub fn find() -> Option<Self> {
        let pid = fs::read_to_string(pid_file()?).ok()?.trim().parse().ok()?;
        name(pid)?.starts_with("speech-dispatch").then(|| Self { pid, synthesisers: synthesisers(pid) })
    }

    pub fn fate(&self) -> Fate {
        if !lives(self.pid) {
            Fate::Ended
        } else if !self.synthesisers.iter().all(|pid| lives(*pid)) {
            Fate::SynthesiserEnded
        } else {
            Fate::Lives
        }
    }

    /// Whether anything of it could still be heard after its end.
    pub fn has_synthesisers(&self) -> bool {
        self.synthesisers.iter().any(|pid| lives(*pid))
    }

    /// Whether none of its threads wants the processor or waits for a disk.
    pub fn is_idle(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid)) else { return false };
        threads.flatten().all(|thread| !matches!(state(&thread.path()), Some('R' | 'D')))
    }
}

/// Beside its socket, as speech-dispatcher lays its files out.
fn pid_file() -> Option<PathBuf> {
    let socket = std::env::var("SPEECHD_ADDRESS")
        .ok()
        .and_then(|address| address.strip_prefix("unix_socket:").map(PathBuf::from));
    let folder = match socket {
        Some(socket) => socket.parent()?.to_owned(),
        None => Path::new(&std::env::var_os("XDG_RUNTIME_DIR")?).join("speech-dispatcher"),
    };
    Some(folder.join("pid/speech-dispatcher.pid"))
}

fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok()
}

/// Programs that are called as its modules are and read from a pipe that it holds. It is not their parent: they are started before it goes into the
/// background.
fn synthesisers(daemon: u32) -> Vec<u32> {
    let pipe = |of: &Path| fs::read_link(of).ok().filter(|target| target.to_string_lossy().starts_with("pipe:"));
    let open = fs::read_dir(format!("/proc/{daemon}/fd")).into_iter().flatten().flatten();
    let pipes: Vec<PathBuf> = open.filter_map(|file| pipe(&file.path())).collect();
    let is_module = |pid: &u32| {
        name(*pid).is_some_and(|name| name.starts_with("sd_"))
            && pipe(Path::new(&format!("/proc/{pid}/fd/0"))).is_some_and(|input| pipes.contains(&input))
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_module).collect()
}

/// A process that has ended and was not yet waited for does not live.
fn lives(pid: u32) -> bool {
    state(Path::new(&format!("/proc/{pid}"))).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The letter behind the name in a `stat`, such as `R`. The name may hold anything, also brackets.
fn state(of: &Path) -> Option<char> {
    fs::read_to_string(of.join("stat")).ok()?.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_program_lives_until_it_has_ended_also_when_nobody_waited_for_it() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let dispatcher = Dispatcher { pid: child.id(), synthesisers: vec![std::process::id()] };
        assert_eq!(dispatcher.fate(), Fate::Lives);
        child.kill().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while dispatcher.fate() == Fate::Lives && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(dispatcher.fate(), Fate::Ended);
        child.wait().unwrap();
        assert_eq!(dispatcher.fate(), Fate::Ended);
        assert!(dispatcher.has_synthesisers());
        let other = Dispatcher { pid: std::process::id(), synthesisers: vec![child.id()] };
        assert_eq!(other.fate(), Fate::SynthesiserEnded);
    }

    #[test]
    fn a_synthesiser_is_known_by_its_name_and_by_who_speaks_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sd_test");
        std::os::unix::fs::symlink("/bin/cat", &program).unwrap();
        let start = |program: &Path| Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (mut ours, mut other) = (start(&program), start(Path::new("/bin/cat")));
        let found = synthesisers(std::process::id());
        let elsewhere = synthesisers(other.id());
        for child in [&mut ours, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(found, [ours.id()]);
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
    }

    #[test]
    fn a_program_that_works_is_not_idle() {
        let own = Dispatcher { pid: std::process::id(), synthesisers: Vec::new() };
        assert!(!own.is_idle(), "the thread that asks is running");
    }
}
