//! Runs another program that makes sound of text. The text goes to its standard input, never to its command line, where every user of the
//! machine could read it.

use std::{
    io::{Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::bounded;
use rustix::process::{Pid, Signal, kill_process_group};

/// Five minutes of sound at the highest usual rate; a greeting has seconds.
const MOST_BYTES: u64 = 5 * 60 * 48_000 * 2;

/// A program that is about to be run.
pub(super) struct Program<'p> {
    /// Its name or path.
    pub name: &'p str,
    /// Nothing personal.
    pub arguments: &'p [&'p str],
    /// Added to the environment; nothing personal.
    pub environment: &'p [(&'p str, String)],
    /// How long it may take.
    pub within: Duration,
    /// How to get it, when it cannot be started.
    pub cure: &'p str,
}

impl Program<'_> {
    /// Runs it with `input` and returns what it prints. Whatever it has started is ended with it.
    ///
    /// # Errors
    /// When it cannot be started, prints nothing and fails, takes too long, or `stopped` says that nobody wants its sound any more.
    /// What it was told is in no error.
    pub fn output(&self, input: &str, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
        let mut child = Command::new(self.name)
            .args(self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Its children can then be ended with it.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{} cannot be started ({error}). {}", self.name, self.cure))?;
        let read = self.exchange(&mut child, input.as_bytes().to_vec(), stopped);
        // It is done, or has had its time; a child is always waited for.
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let ended = child.wait();
        match (read, ended) {
            (Ok(read), Ok(status)) if read.is_empty() && !status.success() => {
                Err(format!("{} gave nothing ({status})", self.name))
            }
            (read, _) => read,
        }
    }

    fn exchange(&self, child: &mut Child, input: Vec<u8>, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
        let name = self.name;
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name} has no standard input and output"));
        };
        let (done, finished) = bounded(1);
        // Text and sound at the same time: a pipe holds 64 KiB, and a program that cannot get rid of its sound reads no more text.
        thread::Builder::new()
            .name("voice-program-text".into())
            .spawn(move || {
                // A program that wants no text, or no more: its sound shows whether that is right.
                let _ = to.write_all(&input);
            })
            .map_err(|error| error.to_string())?;
        thread::Builder::new()
            .name("voice-program".into())
            .spawn(move || {
                let mut bytes = Vec::new();
                let read = from.take(MOST_BYTES).read_to_end(&mut bytes).map(|_| bytes);
                // Nobody listens any more when it took too long.
                let _ = done.send(read);
            })
            .map_err(|error| error.to_string())?;
        let until = Instant::now() + self.within;
        loop {
            if let Ok(read) = finished.recv_timeout(Duration::from_millis(20)) {
                return read.map_err(|error| format!("{name}: {error}"));
            }
            if stopped() {
                return Err("stopped".into());
            }
            if Instant::now() > until {
                return Err(format!("{name} gave nothing within {} s", self.within.as_secs()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, within: Duration) -> Result<Vec<u8>, String> {
        let arguments = ["-c", script];
        let environment = [("GREETER_TEST", "two".to_owned())];
        let program =
            Program { name: "sh", arguments: &arguments, environment: &environment, within, cure: "Install it" };
        program.output(input, &|| false)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_program_is_told_the_text_and_what_it_prints_comes_back() {
        assert_eq!(shell("cat; printf $GREETER_TEST", "one ", LONG).unwrap(), b"one two");
        let much = "很多字".repeat(100_000);
        assert_eq!(shell("cat", &much, LONG).unwrap(), much.as_bytes());
    }

    #[test]
    fn a_program_that_does_not_listen_may_still_speak() {
        assert_eq!(shell("exec <&-; sleep 0.1; echo sound", &"字".repeat(100_000), LONG).unwrap(), b"sound\n");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_whatever_it_has_started() {
        let began = Instant::now();
        let error = shell("sleep 60 | cat", "Good morning", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error, "sh gave nothing within 0 s");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_named_and_what_it_was_told_is_not() {
        let error = shell("exit 3", "Ms Collins", LONG).unwrap_err();
        assert_eq!(error, "sh gave nothing (exit status: 3)");
        let absent = Program {
            name: "no-such-voice",
            arguments: &[],
            environment: &[],
            within: LONG,
            cure: "Set `greeting.command` to a program that is installed",
        };
        let error = absent.output("Ms Collins", &|| false).unwrap_err();
        assert!(error.starts_with("no-such-voice cannot be started (No such file"), "{error}");
        assert!(error.ends_with("). Set `greeting.command` to a program that is installed"), "{error}");
    }

    #[test]
    fn a_program_whose_sound_nobody_wants_any_more_is_ended() {
        let hung = Program { name: "sleep", arguments: &["60"], environment: &[], within: LONG, cure: "" };
        assert_eq!(hung.output("", &|| true).unwrap_err(), "stopped");
    }
}
