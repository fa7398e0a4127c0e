//! Whether the clock may say that somebody's time is over: not after it jumped by more than a day, until somebody has confirmed it.
//!
//! The last time that was trusted lies beside the store (`F.clock`). A robot that was off for longer than a day, or a machine that slept, cannot
//! be told from a clock that jumped, so it waits as well.

use std::{io::ErrorKind, path::PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::disk::{self, DiskError};

const ENDING: &str = ".clock";
/// What lies between two looks, at most, both ways.
const JUMP: SignedDuration = SignedDuration::from_hours(24);
/// How often a time that is trusted is written down.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What the clock is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It went on as clocks do.
    Steady,
    /// It jumped, and this was the last time before that.
    Jumped(Timestamp),
}

/// `last`: the last time that was trusted, if any was.
fn judge(last: Option<Timestamp>, now: Timestamp) -> Trust {
    match last {
        Some(last) if now.duration_since(last).abs() > JUMP => Trust::Jumped(last),
        _ => Trust::Steady,
    }
}

/// The file of a store.
#[derive(Debug, Clone)]
pub struct ClockFile(PathBuf);

impl ClockFile {
    /// The one beside the store in `folder`.
    pub fn beside(folder: &std::path::Path) -> Self {
        Self(disk::beside(folder, ENDING))
    }

    /// What the clock is worth, without a trace.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn peek(&self, now: Timestamp) -> Result<Trust, DiskError> {
        Ok(judge(self.read()?, now))
    }

    /// The same, and writes down that it was trusted.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn look(&self, now: Timestamp) -> Result<Trust, DiskError> {
        let last = self.read()?;
        let trust = judge(last, now);
        let old = last.is_none_or(|last| now.duration_since(last).abs() >= NOTED_EVERY);
        if old && trust == Trust::Steady {
            self.confirm(now)?;
        }
        Ok(trust)
    }

    /// Trusts the clock from now on.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn confirm(&self, now: Timestamp) -> Result<(), DiskError> {
        disk::make_parent(&self.0)?;
        disk::replace(&self.0, |file| {
            std::io::Write::write_all(file, now.to_string().as_bytes()).map_err(disk::at(&self.0))
        })
    }

    fn read(&self) -> Result<Option<Timestamp>, DiskError> {
        let unclear = "it is no time; `greeter store retention --confirm` writes it anew";
        match std::fs::read_to_string(&self.0) {
            Ok(text) => text
                .parse()
                .map(Some)
                .map_err(|_| disk::at(&self.0)(std::io::Error::new(ErrorKind::InvalidData, unclear))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk::at(&self.0)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_goes_on_is_trusted_and_one_that_jumps_is_not_until_it_is_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ClockFile::beside(&folder.path().join("store"));
        let monday = at("2026-11-30T09:00:00Z");
        assert_eq!(clock.peek(monday).unwrap(), Trust::Steady);
        assert!(!folder.path().join("store.clock").exists(), "a look alone leaves no trace");
        assert_eq!(clock.look(monday).unwrap(), Trust::Steady);
        let tuesday = at("2026-12-01T09:00:00Z");
        assert_eq!(clock.look(tuesday).unwrap(), Trust::Steady, "a day is no jump");
        let later = tuesday + 24.hours() + 1.second();
        assert_eq!(clock.look(later).unwrap(), Trust::Jumped(tuesday));
        assert_eq!(clock.look(later).unwrap(), Trust::Jumped(tuesday), "waiting does not make it true");
        assert_eq!(clock.look(at("2010-01-01T00:00:00Z")).unwrap(), Trust::Jumped(tuesday), "backwards, too");
        assert_eq!(clock.look(tuesday + 2.hours()).unwrap(), Trust::Steady, "it was put right");
        clock.confirm(later).unwrap();
        assert_eq!(clock.look(later).unwrap(), Trust::Steady);
    }

    #[test]
    fn a_file_that_is_no_time_is_trusted_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ClockFile::beside(&folder.path().join("store"));
        std::fs::write(folder.path().join("store.clock"), "soon").unwrap();
        let error = clock.look(at("2026-11-30T09:00:00Z")).unwrap_err().to_string();
        assert!(error.contains("store.clock") && error.contains("retention --confirm"), "{error}");
    }
}
