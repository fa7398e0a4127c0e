//! Who looked at people or changed them, when, and by which command: a line each, signed and chained, with record numbers and no names.
//!
//! It lies beside the store (`F.access`); how many lines there are and the last signature lie beside the key (`K.access`), so that a line that
//! was altered, taken out or cut off at the end is noticed. Whoever has the key can forge it all.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::{
    config::StoreSettings,
    disk::{self, DiskError},
    keys::{KeyError, Signer},
    person::RecordNumber,
};

const ENDING: &str = ".access";
/// Such as `2026-11-29T09:00:00+08:00`.
pub const WITH_OFFSET: &str = "%Y-%m-%dT%H:%M:%S%:z";
/// In bytes.
const LONGEST_LINE: u64 = 4096;

/// Whose records a command touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Whose {
    /// This person's.
    One(RecordNumber),
    /// Everybody's, or those of a roster: `"all"`.
    Everybody(All),
}

/// See [`Whose::Everybody`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum All {
    /// All of them.
    All,
}

/// One access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// When, with the offset from UTC.
    pub at: String,
    /// Which user of the machine.
    pub user: String,
    /// Who became that user with sudo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo_user: Option<String>,
    /// Such as `people show`.
    pub command: String,
    /// Whose records.
    pub records: Whose,
}

impl Access {
    /// By the user of this process.
    pub fn by_us(command: String, records: Whose, at: &jiff::ZonedDateTime) -> Self {
        let (user, sudo_user) = who();
        Self { at: at.strftime(WITH_OFFSET).to_string(), user, sudo_user, command, records }
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    access: Access,
    signature: String,
}

/// How far the file goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    lines: u64,
    signature: String,
}

/// What a file that was looked through is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// All lines are as they were written.
    Whole(u64),
    /// This line, counted from 1, is not, or is not the one that followed.
    Altered(u64),
    /// So many lines are there, and so many were written.
    CutOff(u64, u64),
}

/// The file of a store.
pub struct AccessLog {
    path: PathBuf,
    end: PathBuf,
    signer: Signer,
}

impl AccessLog {
    /// Of the store of `settings`; `None` where there is no key yet, and so nobody's record.
    ///
    /// # Errors
    /// As the key says.
    pub fn of(settings: &StoreSettings) -> Result<Option<Self>, KeyError> {
        let (path, end) = (disk::beside(&settings.folder, ENDING), disk::beside(&settings.key_file, ENDING));
        Ok(Signer::of(settings, "access")?.map(|signer| Self { path, end, signer }))
    }

    /// Adds a line; it is there whole or not at all.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn note(&self, access: Access) -> Result<(), DiskError> {
        let failed = disk::at(&self.path);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(&self.path).map_err(&failed)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let tail = tail(&mut file).map_err(&failed)?;
        let before = self.counted(self.read_end()?, &String::from_utf8_lossy(&tail));
        // What a cut left of a line that was never noted goes.
        let length = file.metadata().map_err(&failed)?.len();
        let whole = length - (tail.len() - tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)) as u64;
        file.set_len(whole).map_err(&failed)?;
        let signature = self.signature(&before.signature, &access);
        let line = serde_json::to_string(&Line { access, signature: signature.clone() });
        let line = line.map_err(|error| failed(error.into()))?;
        let written = file.write_all((line + "\n").as_bytes()).and_then(|()| file.sync_data()).map_err(&failed);
        let noted = written.and_then(|()| self.write_end(&End { lines: before.lines + 1, signature }));
        if noted.is_err() {
            // A full disk: a line that is not counted would look like a forged one.
            let _ = file.set_len(whole);
        }
        noted
    }

    /// All lines, and whether they are as they were written.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn read(&self) -> Result<(Vec<Access>, Verified), DiskError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(disk::at(&self.path)(error)),
        };
        let end = self.read_end()?;
        let (mut all, mut before, mut altered) = (Vec::new(), String::new(), None);
        for text in text.lines() {
            let number = all.len() as u64 + 1;
            let Ok(Line { access, signature }) = serde_json::from_str::<Line>(text) else {
                altered = altered.or((number <= end.lines).then_some(number));
                continue;
            };
            if !self.has_signed(&signature, &before, &access) {
                altered = altered.or(Some(number));
            }
            before = signature;
            all.push(access);
        }
        let lines = all.len() as u64;
        let verified = match altered {
            Some(number) => Verified::Altered(number),
            // The last line may be there before it is counted.
            None if lines == end.lines || lines == end.lines + 1 => Verified::Whole(lines),
            None => Verified::CutOff(lines, end.lines),
        };
        Ok((all, verified))
    }

    /// The end, or one line further where a cut came before that was counted.
    fn counted(&self, end: End, tail: &str) -> End {
        let last = tail.lines().last().and_then(|line| serde_json::from_str::<Line>(line).ok());
        match last.filter(|line| self.has_signed(&line.signature, &end.signature, &line.access)) {
            Some(line) => End { lines: end.lines + 1, signature: line.signature },
            None => end,
        }
    }

    fn signature(&self, before: &str, access: &Access) -> String {
        let text = serde_json::to_vec(access).unwrap_or_default();
        self.signer.sign(&[before.as_bytes(), &text])
    }

    fn has_signed(&self, signature: &str, before: &str, access: &Access) -> bool {
        self.signer.has_signed(signature, &[before.as_bytes(), &serde_json::to_vec(access).unwrap_or_default()])
    }

    fn read_end(&self) -> Result<End, DiskError> {
        match File::open(&self.end) {
            Ok(file) => serde_json::from_reader(file).map_err(|error| disk::at(&self.end)(error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(End::default()),
            Err(error) => Err(disk::at(&self.end)(error)),
        }
    }

    fn write_end(&self, end: &End) -> Result<(), DiskError> {
        disk::replace(&self.end, |file| {
            serde_json::to_writer(file, end).map_err(|error| disk::at(&self.end)(error.into()))
        })
    }
}

/// The end of the file, with the last line at least.
fn tail(file: &mut File) -> std::io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The user of this process, and who became them with sudo.
pub fn who() -> (String, Option<String>) {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = |line: &str| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    };
    let user = passwd.lines().find_map(named).unwrap_or_else(|| format!("user {uid}"));
    (user, std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::StoreKey;

    struct Office(tempfile::TempDir);

    impl Office {
        fn log(&self) -> AccessLog {
            AccessLog::of(&self.settings()).unwrap().unwrap()
        }

        fn settings(&self) -> StoreSettings {
            StoreSettings {
                folder: self.0.path().join("store"),
                key_file: self.0.path().join("store.key"),
                ..StoreSettings::default()
            }
        }

        fn lines(&self) -> Vec<String> {
            let text = std::fs::read_to_string(self.0.path().join("store.access")).unwrap();
            text.lines().map(str::to_owned).collect()
        }

        fn write(&self, lines: &[String]) {
            std::fs::write(self.0.path().join("store.access"), lines.join("\n") + "\n").unwrap();
        }
    }

    fn access(command: &str, records: Whose) -> Access {
        Access {
            at: "2026-11-29T09:00:00+08:00".into(),
            user: "greeter".into(),
            sudo_user: Some("zhang".into()),
            command: command.into(),
            records,
        }
    }

    fn three() -> Office {
        let office = Office(tempfile::tempdir().unwrap());
        assert!(AccessLog::of(&office.settings()).unwrap().is_none(), "nothing is made by looking");
        StoreKey::create(&office.settings().key_file).unwrap();
        for (command, records) in [
            ("people list", Whose::Everybody(All::All)),
            ("people show", Whose::One(RecordNumber(7))),
            ("people erase", Whose::One(RecordNumber(7))),
        ] {
            office.log().note(access(command, records)).unwrap();
        }
        office
    }

    #[test]
    fn each_access_is_a_line_with_who_when_what_and_whose_record() {
        let office = three();
        let (all, verified) = office.log().read().unwrap();
        assert_eq!((all.len(), verified), (3, Verified::Whole(3)));
        assert_eq!(all[1], access("people show", Whose::One(RecordNumber(7))));
        assert!(office.lines()[0].starts_with(r#"{"at":"2026-11-29T09:00:00+08:00","user":"greeter","sudo_user":"zhang","command":"people list","records":"all","signature":""#));
    }

    #[test]
    fn a_line_that_was_altered_taken_out_exchanged_or_cut_off_is_noticed() {
        let office = three();
        let whole = office.lines();
        let verify = |lines: &[String]| {
            office.write(lines);
            office.log().read().unwrap().1
        };
        for at in 0..3 {
            let mut altered = whole.clone();
            altered[at] = altered[at].replace("zhang", "li");
            assert_eq!(verify(&altered), Verified::Altered(at as u64 + 1));
        }
        assert_eq!(verify(&[whole[0].clone(), whole[2].clone()]), Verified::Altered(2));
        assert_eq!(verify(&[whole[1].clone(), whole[0].clone(), whole[2].clone()]), Verified::Altered(1));
        assert_eq!(verify(&whole[..1]), Verified::CutOff(1, 3));
        std::fs::remove_file(office.0.path().join("store.access")).unwrap();
        assert_eq!(office.log().read().unwrap().1, Verified::CutOff(0, 3));
    }

    #[test]
    fn a_power_cut_between_the_line_and_its_count_is_no_forgery() {
        let office = three();
        let end = office.0.path().join("store.key.access");
        let before = std::fs::read(&end).unwrap();
        office.log().note(access("sync", Whose::Everybody(All::All))).unwrap();
        std::fs::write(&end, before).unwrap();
        assert_eq!(office.log().read().unwrap().1, Verified::Whole(4));
        office.log().note(access("people list", Whose::Everybody(All::All))).unwrap();
        assert_eq!(office.log().read().unwrap().1, Verified::Whole(5));
        let torn = office.lines().join("\n") + "\n{\"at\":\"2026";
        std::fs::write(office.0.path().join("store.access"), torn).unwrap();
        office.log().note(access("people list", Whose::Everybody(All::All))).unwrap();
        assert_eq!(office.log().read().unwrap().1, Verified::Whole(6));
    }

    #[test]
    fn an_access_that_cannot_be_counted_leaves_no_line_behind() {
        let office = three();
        let in_the_way = office.0.path().join("store.key.access.unfinished");
        std::fs::create_dir(&in_the_way).unwrap();
        for _ in 0..2 {
            assert!(office.log().note(access("people list", Whose::Everybody(All::All))).is_err());
        }
        std::fs::remove_dir(&in_the_way).unwrap();
        office.log().note(access("people list", Whose::Everybody(All::All))).unwrap();
        assert_eq!(office.log().read().unwrap().1, Verified::Whole(4));
    }
}
