//! Events on the disk, a line of JSON each: in one file of the operator's, or in a folder with a file a day.
//!
//! A thread of its own writes them, so that a disk that is full, slow or broken costs events and never a greeting. What goes wrong is
//! said once.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, Sender, bounded};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{DayFiles, Entry};

/// Events that may wait for the disk; when so many do, the next ones are lost.
const MAY_WAIT: usize = 1024;
/// What ending may take, so that Ctrl-C is answered within a second.
const ENDS_WITHIN: Duration = Duration::from_millis(300);

/// Where events are written.
#[derive(Debug, Clone)]
pub enum Place {
    /// All in this file, appended.
    File(PathBuf),
    /// A file a day.
    Days(DayFiles),
}

impl Place {
    /// The file or the folder.
    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Days(files) => files.folder(),
        }
    }
}

/// The events that are written. Dropping it writes what waits.
pub struct EventLog {
    entries: Option<Sender<Entry>>,
    writer: JoinHandle<()>,
    lost: bool,
}

impl EventLog {
    /// Begins to write.
    ///
    /// # Errors
    /// A sentence that names the file where it cannot be opened. A folder is made when the first event comes, and no reason to stop.
    pub fn open(place: Place) -> Result<Self, JournalError> {
        let path = place.path().to_owned();
        let failed = |cause| JournalError { path: path.clone(), cause };
        let mut pen = Pen::new(place, TimeZone::system());
        pen.open_the_one_file().map_err(failed)?;
        let (entries, taken) = bounded(MAY_WAIT);
        let writer = thread::Builder::new().name("events".into()).spawn(move || pen.write_all(&taken));
        Ok(Self { entries: Some(entries), writer: writer.map_err(failed)?, lost: false })
    }

    /// Writes one event soon, or loses it when the disk does not keep up.
    pub fn write(&mut self, entry: &Entry) {
        let full = self.entries.as_ref().is_some_and(|entries| entries.try_send(entry.clone()).is_err());
        if full && !self.lost {
            tracing::warn!(
                "the disk does not keep up with the events, and some are lost; visitors are greeted all the same"
            );
        }
        self.lost = full;
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.entries = None;
        let until = Instant::now() + ENDS_WITHIN;
        while !self.writer.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Writes lines on the disk.
struct Pen {
    place: Place,
    zone: TimeZone,
    open: Option<Open>,
    failed: bool,
}

/// The file that is written now.
struct Open {
    file: File,
    path: PathBuf,
    /// Whether its last line is not whole: the next one must not be glued to it.
    torn: bool,
}

impl Open {
    fn new(path: PathBuf, file: File) -> Self {
        let torn = is_torn(&path);
        Self { file, path, torn }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let apart = if self.torn { "\n" } else { "" };
        let written = self.file.write_all(format!("{apart}{line}\n").as_bytes());
        self.torn = written.is_err();
        written
    }
}

/// Whether a file ends in the middle of a line, as a power cut or a full disk leaves it. What is no ordinary file is not looked into.
fn is_torn(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let length = std::fs::metadata(path).map(|found| if found.is_file() { found.len() } else { 0 })?;
        let mut byte = [b'\n'];
        if length > 0 {
            File::open(path)?.read_exact_at(&mut byte, length - 1)?;
        }
        Ok(byte[0])
    };
    last().is_ok_and(|last| last != b'\n')
}

impl Pen {
    fn new(place: Place, zone: TimeZone) -> Self {
        Self { place, zone, open: None, failed: false }
    }

    fn open_the_one_file(&mut self) -> io::Result<()> {
        if let Place::File(path) = &self.place {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            self.open = Some(Open::new(path.clone(), file));
        }
        Ok(())
    }

    fn write_all(mut self, entries: &Receiver<Entry>) {
        entries.iter().for_each(|entry| self.write(&entry));
    }

    fn write(&mut self, entry: &Entry) {
        let Ok(line) = serde_json::to_string(entry) else { return };
        let result = self.file_of(entry).and_then(|open| open.write(&line));
        match (&result, self.failed) {
            (Err(cause), false) => tracing::warn!(
                "events are no longer written to {}: {cause}. Visitors are greeted all the same",
                self.place.path().display()
            ),
            (Ok(()), true) => tracing::info!("events are written to {} again", self.place.path().display()),
            _ => {}
        }
        self.failed = result.is_err();
    }

    /// The file that an event belongs in.
    fn file_of(&mut self, entry: &Entry) -> io::Result<&mut Open> {
        if let Place::Days(files) = &self.place {
            let path = files.file_of(self.day_of(entry));
            // Somebody may have moved it away.
            let is_open = self.open.as_ref().is_some_and(|open| open.path == path) && path.exists();
            if !is_open {
                self.open = Some(Open::new(path, files.open(self.day_of(entry))?));
            }
        }
        self.open.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The day by the robot's own clock.
    fn day_of(&self, entry: &Entry) -> Date {
        let at = i64::try_from(entry.at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        at.unwrap_or_default().to_zoned_datetime(self.zone.clone()).date()
    }
}

/// The file of events cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot write events to {}: {cause}. Choose another file with --events", path.display())]
pub struct JournalError {
    path: PathBuf,
    cause: io::Error,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{config::JournalSettings, journal::Event, visit::VisitorId};

    fn left(visitor: u64, at: &str) -> Entry {
        let at: Timestamp = at.parse().unwrap();
        Entry { at_ms: at.as_millisecond() as u64, event: Event::Left { visitor: VisitorId(visitor) } }
    }

    fn visitors(text: &str) -> Vec<Option<u64>> {
        let number = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["visitor"].as_u64();
        text.lines().map(number).collect()
    }

    /// A pen for a folder in Shanghai.
    fn pen(folder: &Path) -> Pen {
        let settings = JournalSettings { folder: folder.join("events"), ..JournalSettings::default() };
        Pen::new(Place::Days(DayFiles::of(&settings).unwrap()), TimeZone::fixed(jiff::tz::offset(8)))
    }

    #[test]
    fn events_are_appended_a_line_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        for visitor in 1..=2 {
            EventLog::open(Place::File(path.clone())).unwrap().write(&left(visitor, "2026-11-29T01:00:00Z"));
        }
        assert_eq!(visitors(&fs::read_to_string(&path).unwrap()), [Some(1), Some(2)]);
    }

    #[test]
    fn a_new_file_begins_at_the_robots_own_midnight() {
        let folder = tempfile::tempdir().unwrap();
        let mut pen = pen(folder.path());
        pen.write(&left(1, "2026-11-29T15:59:59.999Z"));
        pen.write(&left(2, "2026-11-29T16:00:00Z"));
        let day = |day: &str| fs::read_to_string(folder.path().join(format!("events/events-{day}.jsonl"))).unwrap();
        assert_eq!(visitors(&day("2026-11-29")), [Some(1)]);
        assert_eq!(visitors(&day("2026-11-30")), [Some(2)]);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = "2026-11-29T01:00:00Z";
        pen(folder.path()).write(&left(1, at));
        let path = folder.path().join("events/events-2026-11-29.jsonl");
        let text = fs::read_to_string(&path).unwrap() + "{\"at_ms\":17";
        fs::write(&path, text).unwrap();
        let mut pen = pen(folder.path());
        pen.write(&left(2, at));
        pen.write(&left(3, at));
        assert_eq!(visitors(&fs::read_to_string(&path).unwrap()), [Some(1), None, Some(2), Some(3)]);
    }

    #[test]
    fn a_folder_that_is_gone_or_in_the_way_costs_events_and_is_used_again_when_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (events, at) = (folder.path().join("events"), "2026-11-29T01:00:00Z");
        let mut pen = pen(folder.path());
        fs::write(&events, "a file where the folder should be").unwrap();
        pen.write(&left(1, at));
        assert!(pen.failed);
        fs::remove_file(&events).unwrap();
        pen.write(&left(2, at));
        fs::rename(&events, folder.path().join("moved")).unwrap();
        pen.write(&left(3, at));
        assert!(!pen.failed);
        let text = |folder: &Path| fs::read_to_string(folder.join("events-2026-11-29.jsonl")).unwrap();
        assert_eq!(visitors(&text(&folder.path().join("moved"))), [Some(2)]);
        assert_eq!(visitors(&text(&events)), [Some(3)]);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named_before_the_robot_starts() {
        let error = EventLog::open(Place::File("/nowhere/events".into())).err().unwrap().to_string();
        assert!(error.starts_with("cannot write events to /nowhere/events") && error.contains("--events"), "{error}");
    }
}
