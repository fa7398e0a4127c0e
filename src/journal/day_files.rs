//! A folder of events, a file a day: which file is whose, which are too old, and how a new one is made.
//!
//! Its group may read it, so that whoever looks after the robot needs no rights over people and key.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use jiff::civil::Date;

use crate::config::JournalSettings;

const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;

/// The folder.
#[derive(Debug, Clone)]
pub struct DayFiles {
    folder: PathBuf,
}

impl DayFiles {
    /// As the operator has it; `None` where no events are to be kept.
    pub fn of(settings: &JournalSettings) -> Option<Self> {
        (settings.keep_days > 0).then(|| Self { folder: settings.folder.clone() })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a day.
    pub fn file_of(&self, day: Date) -> PathBuf {
        self.folder.join(format!("events-{day}.jsonl"))
    }

    /// Opens a day's file for appending.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(&self, day: Date) -> io::Result<File> {
        self.make_folder()?;
        let path = self.file_of(day);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => {
                // Whatever the process's own mask says.
                file.set_permissions(Permissions::from_mode(FILE_MODE))?;
                Ok(file)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => OpenOptions::new().append(true).open(&path),
            Err(error) => Err(error),
        }
    }

    /// The files there are, the newest day's first.
    ///
    /// # Errors
    /// When the folder cannot be read; one that is not there has no files.
    pub fn newest_first(&self) -> io::Result<Vec<PathBuf>> {
        let days = self.days()?;
        Ok(days.into_iter().rev().map(|day| self.file_of(day)).collect())
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = self.folder.parent() {
            // It may be the one in which store and key will lie.
            DirBuilder::new().recursive(true).mode(0o700).create(above)?;
        }
        DirBuilder::new().recursive(true).create(&self.folder)?;
        fs::set_permissions(&self.folder, Permissions::from_mode(FOLDER_MODE))
    }

    /// Erases the files of earlier days.
    pub fn erase_before(&self, oldest: Date) {
        let too_old = self.days().into_iter().flatten().filter(|day| *day < oldest);
        for path in too_old.map(|day| self.file_of(day)) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!("events that are too old cannot be removed: {}: {error}", path.display());
            }
        }
    }

    /// The days that have a file, in order. Other files in the folder are nobody's business.
    fn days(&self) -> io::Result<Vec<Date>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut days: Vec<Date> = entries.flatten().filter_map(|entry| day_of(entry.file_name().to_str()?)).collect();
        days.sort_unstable();
        Ok(days)
    }
}

fn day_of(name: &str) -> Option<Date> {
    let text = name.strip_prefix("events-")?.strip_suffix(".jsonl")?;
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn kept(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn earlier_days_are_erased_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("data/events");
        let files = DayFiles { folder: events.clone() };
        for day in 26..=29 {
            drop(files.open(date(2026, 11, day)).unwrap());
        }
        let foreign = ["events-2026-1-1.jsonl", "events-20261101.jsonl", "events-2026-11-01.jsonl.gz", "notes.txt"];
        foreign.iter().for_each(|name| fs::write(events.join(name), "mine").unwrap());
        drop(files.open(date(2026, 11, 30)).unwrap());
        files.erase_before(date(2026, 11, 28));
        let mut expected: Vec<String> = foreign.iter().map(|name| (*name).to_owned()).collect();
        expected.extend([28, 29, 30].map(|day| format!("events-2026-11-{day}.jsonl")));
        expected.sort();
        assert_eq!(kept(&events), expected);
        let newest: Vec<PathBuf> = [30, 29, 28].map(|day| files.file_of(date(2026, 11, day))).into();
        assert_eq!(files.newest_first().unwrap(), newest);
    }

    #[test]
    fn its_group_may_read_the_events_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = DayFiles { folder: folder.path().join("data/events") };
        drop(files.open(date(2026, 11, 29)).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("data/events")), 0o750);
        assert_eq!(mode(&files.file_of(date(2026, 11, 29))), 0o640);
        assert_eq!(mode(&folder.path().join("data")), 0o700, "store and key may lie beside them");
    }

    #[test]
    fn where_nothing_was_written_there_is_nothing_to_read() {
        let files = DayFiles { folder: "/nowhere/events".into() };
        assert_eq!(files.newest_first().unwrap(), Vec::<PathBuf>::new());
        let none = JournalSettings { keep_days: 0, ..JournalSettings::default() };
        assert!(DayFiles::of(&none).is_none());
    }
}
