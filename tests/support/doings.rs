//! What an office does with its store, by the real program: what was there before, what is there when it is done, and who must be there
//! whatever became of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use greeter::{
    config::StoreSettings,
    hold::HoldFile,
    person::RecordNumber,
    store::{PhotoDigest, Store},
};

use crate::{
    desk::{Answer, Desk, Running, tree},
    roster::{HEADER, id, row},
};

/// No command may take longer, whatever the disk does.
pub const NO_LONGER: Duration = Duration::from_secs(30);
const PEOPLE: usize = 4;
/// SHA-256 of the photos in the store of the older greeter.
const OLDER_PHOTOS: [&str; 2] = [
    "cc0c45766745d178bde4bcdbd0f970397cfedea94b6974a2865486b4b3bb4434",
    "9c3e75527e61ffeff7ff7adba2178133a4bd576195adaf79891b04db85d2236d",
];

/// Phone number and photos of everybody, by their identity numbers.
pub type People = BTreeMap<String, (String, Vec<PhotoDigest>)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// The first sync.
    Create,
    /// A sync with a new photo, a new phone number and a new person.
    Change,
    /// A sync that removes somebody.
    Mirror,
    /// Somebody is erased.
    Erase,
    /// A photo that cannot be read is taken out.
    Repair,
    /// The store of an older greeter is taken over.
    Upgrade,
    /// Somebody is put on hold.
    Hold,
}

impl Doing {
    pub const ALL: [Self; 7] =
        [Self::Hold, Self::Create, Self::Erase, Self::Upgrade, Self::Mirror, Self::Repair, Self::Change];
}

/// An office whose data may be on a disk of their own.
pub struct Office {
    pub desk: Desk,
    /// Where store and keys are.
    pub data: PathBuf,
    /// Rosters, photos and the states before something is done; nothing happens to them.
    files: tempfile::TempDir,
}

impl Office {
    /// With everything that is to be done prepared.
    pub fn with_data_in(data: &Path) -> Self {
        let (desk, files) = (Desk::new(), tempfile::tempdir().unwrap());
        let config = fs::read_to_string(desk.at("greeter.toml")).unwrap();
        let config = config.replace("folder = \"store\"", &format!("folder = {:?}", data.join("store")));
        let config = config.replace("\"keys/store.key\"", &format!("{:?}", data.join("keys/store.key")));
        fs::write(desk.at("greeter.toml"), config).unwrap();
        let office = Self { desk, data: data.into(), files };
        let photo = fs::read(tree().join("assets/demo/enrol/barack-obama.jpg")).unwrap();
        for n in 1..=2 * PEOPLE {
            // The same face, in another file.
            let comment = [&[0xff, 0xfe, 0, 6][..], &[n as u8; 4]].concat();
            let file = [&photo[..2], &comment, &photo[2..]].concat();
            fs::write(office.files.path().join(format!("{n}.jpg")), file).unwrap();
        }
        let rows =
            |people: std::ops::RangeInclusive<usize>| people.map(|n| row(n, &format!("{n}.jpg"))).collect::<String>();
        let changed = rows(2..=PEOPLE + 1).replace("2.jpg", "8.jpg").replace("13800130003", "13900130003");
        for (name, rows) in
            [("create", rows(1..=PEOPLE)), ("change", rows(1..=1) + &changed), ("mirror", rows(2..=PEOPLE))]
        {
            fs::write(office.roster(name), format!("{HEADER}{rows}")).unwrap();
        }
        office.prepare(Doing::Create);
        office.does(Doing::Create).is_done();
        office.keep("current");
        let photo = walk(&office.data.join("store.photos")).into_iter().next().unwrap();
        fs::write(photo, "not what was written").unwrap();
        office.keep("damaged");
        fs::create_dir(office.files.path().join("older")).unwrap();
        let packed = tree().join("tests/data/older-store.tar.gz");
        let mut unpack = Command::new("tar");
        unpack.arg("xzf").arg(packed).arg("-C").arg(office.files.path().join("older"));
        assert!(unpack.status().unwrap().success());
        fs::create_dir(office.files.path().join("older/keys")).unwrap();
        fs::rename(office.files.path().join("older/store.key"), office.files.path().join("older/keys/store.key"))
            .unwrap();
        office
    }

    pub fn roster(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("{name}.csv"))
    }

    fn keep(&self, name: &str) {
        copy(&self.data, &self.files.path().join(name));
    }

    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            folder: self.data.join("store"),
            key_file: self.data.join("keys/store.key"),
            ..StoreSettings::default()
        }
    }

    /// Puts the data as they are before it.
    pub fn prepare(&self, doing: Doing) {
        for entry in fs::read_dir(&self.data).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == "lost+found") {
                continue;
            }
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        let base = match doing {
            Doing::Create => return fs::create_dir_all(&self.data).unwrap(),
            Doing::Repair => "damaged",
            Doing::Upgrade => "older",
            Doing::Change | Doing::Mirror | Doing::Erase | Doing::Hold => "current",
        };
        copy(&self.files.path().join(base), &self.data);
    }

    /// The command, not started yet.
    pub fn command(&self, doing: Doing) -> Command {
        let sync = |name| self.roster(name).to_str().unwrap().to_owned();
        let (create, change, mirror) = (sync("create"), sync("change"), sync("mirror"));
        let command = |arguments: &[&str]| self.desk.command(arguments);
        match doing {
            Doing::Create => command(&["sync", &create]),
            Doing::Change => command(&["sync", &change]),
            Doing::Mirror => command(&["sync", "--mirror", &mirror]),
            Doing::Erase => command(&["people", "erase", "2", "--yes"]),
            Doing::Repair => command(&["store", "repair"]),
            Doing::Upgrade => command(&["people", "list"]),
            Doing::Hold => command(&["people", "hold", "2"]),
        }
    }

    /// Does it to its end.
    pub fn does(&self, doing: Doing) -> Answer {
        ends(self.command(doing))
    }

    /// Everybody who is there before it, and when it is done.
    pub fn before_and_after(&self, doing: Doing) -> (People, People) {
        let digest = |n: usize| PhotoDigest::of(&fs::read(self.files.path().join(format!("{n}.jpg"))).unwrap());
        let person = |n: usize| (id(n), (format!("+861380013{n:04}"), vec![digest(n)]));
        let before: People = (1..=PEOPLE).map(person).collect();
        let mut after = before.clone();
        match doing {
            Doing::Create => return (People::new(), after),
            Doing::Upgrade => {
                let older = [
                    ("110199197001010011", "+8613800138000", OLDER_PHOTOS[0]),
                    ("110199197001020025", "+8613800138001", OLDER_PHOTOS[1]),
                ];
                let older = older.map(|(id, phone, photo)| {
                    let digest = serde_json::from_value(photo.into()).unwrap();
                    (id.to_owned(), (phone.to_owned(), vec![digest]))
                });
                return (older.clone().into(), older.into());
            }
            Doing::Change => {
                after.get_mut(&id(2)).unwrap().1 = vec![digest(2 * PEOPLE)];
                after.get_mut(&id(3)).unwrap().0 = "+8613900130003".into();
                after.extend([person(PEOPLE + 1)]);
            }
            Doing::Mirror => drop(after.remove(&id(1))),
            Doing::Erase => drop(after.remove(&id(2))),
            // Whose photo it was is as the store has it.
            Doing::Repair | Doing::Hold => {}
        }
        (before, after)
    }

    /// Everybody as the store has them, each whole.
    pub fn people(&self, what: &str) -> People {
        let opened = Store::open(&self.settings()).unwrap_or_else(|error| panic!("{what}: it does not open: {error}"));
        assert!(opened.mended.lost.is_empty(), "{what}: {:?}", opened.mended);
        let store = opened.store;
        let everybody = store.enrolled().unwrap();
        for person in &everybody {
            assert_eq!(store.find_by_id(&person.person.id_number).unwrap(), Some(person.record), "{what}");
        }
        let one = |person: &greeter::store::Taxpayer| {
            let of = &person.person;
            let digests = person.photos.iter().map(|photo| photo.digest).collect();
            (of.id_number.reveal().to_owned(), (of.phone.reveal().to_owned(), digests))
        };
        let people: People = everybody.iter().map(one).collect();
        assert_eq!(people.len(), everybody.len(), "{what}: somebody is there twice");
        people
    }

    /// The record of an identity number.
    pub fn record_of(&self, id: &str) -> Option<RecordNumber> {
        let people = Store::open(&self.settings()).unwrap().store.enrolled().unwrap();
        people.iter().find(|it| it.person.id_number.reveal() == id).map(|it| it.record)
    }

    /// Whether it is done, wholly.
    #[track_caller]
    pub fn is_done(&self, doing: Doing, what: &str) {
        let (_, mut after) = self.before_and_after(doing);
        let mut people = self.people(what);
        let unwell = Store::open(&self.settings()).unwrap().store.check(&|_| {}).unwrap();
        assert!(unwell.is_whole(), "{what}: {unwell:?}");
        if doing == Doing::Repair {
            let without: Vec<_> = people.values().filter(|(_, photos)| photos.is_empty()).collect();
            assert_eq!(without.len(), 1, "{what}");
            after.values_mut().chain(people.values_mut()).for_each(|(_, photos)| photos.clear());
        }
        assert!(people == after, "{what}: {} people instead of {}", people.len(), after.len());
        if doing == Doing::Hold {
            let held = HoldFile::beside(&self.settings().folder).read().unwrap();
            assert_eq!(held, [RecordNumber(2)].into(), "{what}");
        }
    }

    /// Nobody who was there and was not to go is lost, and nobody is there who was not to come.
    #[track_caller]
    pub fn lost_nobody(&self, doing: Doing, what: &str) {
        let (before, after) = self.before_and_after(doing);
        let people = self.people(what);
        for (id, was) in before.iter().filter(|(id, _)| after.contains_key(*id)) {
            let now = people.get(id).unwrap_or_else(|| panic!("{what}: somebody is lost"));
            let repaired = doing == Doing::Repair && now.0 == was.0 && now.1.is_empty();
            assert!(repaired || now == was || Some(now) == after.get(id), "{what}: somebody is not as they were");
        }
        assert!(people.keys().all(|id| before.contains_key(id) || after.contains_key(id)), "{what}: a stranger");
    }

    /// Files that a command makes for a while.
    pub fn left_behind(&self) -> Vec<String> {
        let names =
            walk(&self.data).into_iter().map(|path| path.strip_prefix(&self.data).unwrap().display().to_string());
        let passing = [".unfinished", ".new", ".upgrade", ".undone", ".suspect", ".generating", ".damaged-"];
        names.filter(|name| passing.iter().any(|it| name.contains(it))).collect()
    }
}

/// Runs a command that must end in time.
#[track_caller]
pub fn ends(command: Command) -> Answer {
    let begun = Instant::now();
    let mut running = Running::start(command);
    let code = running.ends_within(NO_LONGER).code();
    let (out, err) = running.everything();
    assert!(begun.elapsed() < NO_LONGER, "it took {:?}", begun.elapsed());
    Answer { code, out, err }
}

/// A failure is told in an operator's words, with what to do next.
#[track_caller]
pub fn is_told(answer: &Answer, what: &str) {
    assert_eq!(answer.code, Some(1), "{what}: {answer:?}");
    let error = answer.err.split_once("error: ").map(|(_, error)| error).unwrap_or_default();
    let cured = ["again", "`", "Restore", "Put "].iter().any(|word| error.contains(word));
    assert!(cured, "{what}: nothing says what to do next: {answer:?}");
    for word in ["Os {", "panicked", "os error", "Uncategorized", "RUST_BACKTRACE"] {
        assert!(!answer.err.contains(word), "{what}: `{word}` is nothing for an operator: {answer:?}");
    }
}

pub fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-rT").args([from, to]).status().unwrap().success());
}

/// All files below a folder.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
