//! What a gallery costs the running program: memory above that of a program with nobody enrolled, and the wait until it serves; and what its store
//! costs staff: opening it, a sync that changes nobody, a sync that changes one.
//!
//! The program is a process of its own, `greeter run` before a recorded visitor, watched from outside: it is the shipped one in every part.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::{figures::Origin, spread::Spread};
use crate::{
    config::StoreSettings,
    person::PhoneNumber,
    store::{Change, EnrolledPhoto, Enrolment, Store, StoreError},
};

/// A program that has not served after so long does not.
const SERVES_WITHIN: Duration = Duration::from_secs(60);
/// Memory is looked at when the program has served so long: what the start needed for a moment has been given back by then.
const SETTLES: Duration = Duration::from_secs(8);
/// Ends within this after the signal.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Enrolled.
    pub people: usize,
    /// Bytes of each one's photo in the store.
    pub photo_bytes: usize,
    /// Starts of each kind.
    pub rounds: usize,
    /// From the start of the process until a visitor's face was seen, so at least until the first frame was served; seconds.
    pub start_to_first_face_s: Option<Spread>,
    /// The same with nobody enrolled.
    pub empty_start_to_first_face_s: Option<Spread>,
    /// Resident memory of the serving program above that of one with nobody enrolled; medians.
    pub mb_above_empty: f64,
    /// Resident memory of the one with nobody enrolled, median.
    pub empty_mb: f64,
    /// The most that was ever resident, median.
    pub peak_mb: f64,
    /// Opening the store; median seconds, as the following ones.
    pub open_s: f64,
    /// All that a sync does which changes nobody, but for reading the roster and the photos.
    pub no_op_s: f64,
    /// The same with one person's phone number changed.
    pub change_one_s: f64,
}

/// Seconds that staff wait for the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upkeep {
    /// Opening it.
    pub open_s: f64,
    /// A sync that changes nobody.
    pub no_op_s: f64,
    /// A sync that changes one.
    pub change_one_s: f64,
}

impl Upkeep {
    /// Measures once.
    ///
    /// # Errors
    /// As the store says.
    pub fn of(settings: &StoreSettings) -> Result<Self, StoreError> {
        let began = Instant::now();
        drop(Store::open(settings)?);
        let open_s = began.elapsed().as_secs_f64();
        let no_op_s = synced(settings, false)?;
        Ok(Self { open_s, no_op_s, change_one_s: synced(settings, true)? })
    }
}

/// What a sync does to the store: opens it, reads everybody, writes who has changed, and brings the copy up to date. In seconds.
fn synced(settings: &StoreSettings, change: bool) -> Result<f64, StoreError> {
    let began = Instant::now();
    let mut store = Store::open(settings)?.store;
    let mut everybody = store.enrolled()?;
    if let (true, Some(mut one)) = (change, everybody.pop()) {
        let phone = one.person.phone.reveal().bytes().rev().map(char::from).filter(char::is_ascii_digit);
        one.person.phone = PhoneNumber::new(format!("+{}", phone.collect::<String>()));
        let photos = one.photos.iter().map(|photo| EnrolledPhoto::Kept(photo.digest)).collect();
        let enrolment = Enrolment { record: one.record, person: one.person, photos, refused: one.refused };
        store.commit(vec![Change::Put(Box::new(enrolment))])?;
    }
    store.write_snapshot()?;
    drop(store);
    Ok(began.elapsed().as_secs_f64())
}

/// One start of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Seconds until a face was seen.
    pub start_s: f64,
    /// Resident when it had settled, megabytes of 1,000,000 bytes.
    pub memory_mb: f64,
    /// The most that was ever resident.
    pub peak_mb: f64,
}

/// The program cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system.
    #[error("cannot watch `greeter run` as a process of its own: {0}")]
    Process(#[from] io::Error),
    /// It ended.
    #[error("`greeter run` ended before it had served. It said:\n{0}")]
    Ended(String),
    /// It saw nobody.
    #[error("`greeter run` saw no face in {} within {} s, though it shows one", camera.display(), SERVES_WITHIN.as_secs())]
    Blind {
        /// What it was shown.
        camera: PathBuf,
    },
}

/// Starts `program run` with `config` before `camera`, a recording with a face, and watches it; `folder` takes its events and its words.
///
/// # Errors
/// [`RunError`].
pub fn run(program: &Path, config: &Path, camera: &Path, folder: &Path) -> Result<Run, RunError> {
    let (events, said) = (folder.join("events.jsonl"), folder.join("said.txt"));
    if let Err(error) = fs::remove_file(&events)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let output = fs::File::create(&said)?;
    let began = Instant::now();
    let mut command = Command::new(program);
    command.arg("--config").arg(config).args(["run", "--looped", "--camera"]).arg(camera);
    command.arg("--events").arg(&events).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let mut started = Started(command.spawn()?);
    while !fs::read_to_string(&events).unwrap_or_default().contains("\"face_seen\"") {
        if started.0.try_wait()?.is_some() {
            return Err(RunError::Ended(fs::read_to_string(&said).unwrap_or_default()));
        }
        if began.elapsed() > SERVES_WITHIN {
            return Err(RunError::Blind { camera: camera.into() });
        }
        thread::sleep(LOOK_EVERY);
    }
    let start_s = began.elapsed().as_secs_f64();
    thread::sleep(SETTLES);
    let status = fs::read_to_string(format!("/proc/{}/status", started.0.id()))?;
    started.end()?;
    Ok(Run { start_s, memory_mb: megabytes(&status, "VmRSS:"), peak_mb: megabytes(&status, "VmHWM:") })
}

/// Ends with its owner.
struct Started(Child);

impl Started {
    fn end(&mut self) -> io::Result<()> {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let until = Instant::now() + ENDS_WITHIN;
        while self.0.try_wait()?.is_none() {
            if Instant::now() > until {
                return Err(io::Error::new(ErrorKind::TimedOut, "it does not end when told to"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            // It is ours, and nobody waits for what it says any more.
            drop(self.0.kill().and_then(|()| self.0.wait()));
        }
    }
}

/// A line of `/proc/PID/status`, which counts in kibibytes.
fn megabytes(status: &str, line: &str) -> f64 {
    let value = status.lines().find_map(|it| it.strip_prefix(line)?.trim().split(' ').next()?.parse::<f64>().ok());
    value.unwrap_or(0.0) * 1024.0 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_line_that_was_asked_for() {
        let status = "Name:\tgreeter\nVmHWM:\t  200000 kB\nVmRSS:\t  100000 kB\n";
        assert_eq!((megabytes(status, "VmRSS:"), megabytes(status, "VmHWM:")), (102.4, 204.8));
    }

    #[test]
    fn an_operator_reads_what_a_program_said_that_ended_instead_of_serving() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("greeter");
        fs::write(&program, "#!/bin/sh\necho no such store\n").unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let config = folder.path().join("greeter.toml");
        let error = run(&program, &config, &config, folder.path()).unwrap_err().to_string();
        assert!(error.contains("ended before it had served") && error.contains("no such store"), "{error}");
    }
}
