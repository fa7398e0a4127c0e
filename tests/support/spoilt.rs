//! A hall whose files are damaged, lost, or put back from an earlier day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::RangeInclusive,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use greeter::{
    config::StoreSettings,
    face::Template,
    hold::HoldFile,
    person::{IdNumber, Person, PersonName, PhoneNumber, RecordNumber, Salutation},
    rights::objections::Objections,
    store::{Change, EnrolledPhoto, Enrolment, PhotoDigest, Store},
};
use image::imageops::FilterType;
use rand::{Rng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;

use crate::{
    desk::{Answer, Desk, tree},
    roster::{self, HEADER, id, letters, row},
};

pub const MODEL: &str = "mobilefacenet-192-whitened";
/// From the start of the program to `serving`.
pub const SERVES_WITHIN: Duration = Duration::from_secs(5);
/// They object, one before the earlier day's state was kept and one after it.
pub const OBJECTS: [usize; 2] = [3, 5];
/// They are on hold, likewise.
pub const HELD: [u64; 2] = [2, 4];

/// Phone number and photo of everybody, by identity number.
pub type People = BTreeMap<String, (String, Vec<PhotoDigest>)>;

/// A hall with people, whose files are kept as they were on an earlier day and as they are now.
pub struct Hall {
    pub desk: Desk,
    pub people: usize,
    recording: PathBuf,
}

#[derive(Debug, Clone, Copy)]
pub enum Damage {
    Flip,
    CutTo(usize, usize),
    LosesItsLastByte,
    Removed,
    OfAnEarlierDay,
}

impl Hall {
    pub fn with_people(people: usize) -> Self {
        let desk = Desk::new();
        let config = fs::read_to_string(desk.at("greeter.toml")).unwrap();
        let config =
            config.replace("\"store\"", "\"data/store\"").replace("\"keys/store.key\"", "\"data/keys/store.key\"");
        fs::write(desk.at("greeter.toml"), config).unwrap();
        let recording = desk.recording(&["empty"]);
        let hall = Self { desk, people, recording };
        fs::create_dir(hall.desk.at("photos")).unwrap();
        let face = image::open(tree().join("assets/demo/enrol/barack-obama.jpg")).unwrap();
        let face = roster::jpeg(&face.resize(400, 400, FilterType::Triangle).into_rgb8());
        for n in 1..=people {
            // The same face, in another file.
            let comment = [&[0xff, 0xfe, 0, 10][..], &n.to_be_bytes()].concat();
            let photo = [&face[..2], &comment, &face[2..]].concat();
            fs::write(hall.desk.at(&format!("photos/{n}.jpg")), photo).unwrap();
        }
        hall.writes("roster.csv", 1..=1, "");
        hall.syncs("roster.csv").is_done();
        hall.enrols(2..=people - 1);
        hall.does(&["people", "hold", "2"]).is_done();
        hall.does(&["people", "erase", "3", "--yes", "--objection"]).is_done();
        hall.keep("earlier");
        hall.does(&["people", "hold", "4"]).is_done();
        hall.does(&["people", "erase", "5", "--yes", "--objection"]).is_done();
        hall.writes("roster.csv", 1..=people, "1390013");
        hall.syncs("roster.csv").is_done().says("1 added, 1 changed");
        hall.keep("now");
        hall.is_whole().unwrap();
        hall
    }

    pub fn does(&self, arguments: &[&str]) -> Answer {
        self.desk.does(arguments)
    }

    pub fn syncs(&self, roster: &str) -> Answer {
        self.does(&["sync", roster, "--photos", "photos"])
    }

    /// A roster of these people but for those who object; the first one's phone number may be a new one.
    pub fn writes(&self, name: &str, people: RangeInclusive<usize>, phone: &str) {
        let here = people.filter(|n| !OBJECTS.contains(n));
        let rows: String = here.map(|n| row(n, &format!("{n}.jpg"))).collect();
        let rows = if phone.is_empty() { rows } else { rows.replacen("1380013", phone, 1) };
        fs::write(self.desk.at(name), format!("{HEADER}{rows}")).unwrap();
    }

    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            folder: self.desk.at("data/store"),
            key_file: self.desk.at("data/keys/store.key"),
            ..StoreSettings::default()
        }
    }

    /// As a sync would, with the template of the first one.
    pub fn enrols(&self, people: RangeInclusive<usize>) {
        let mut store = Store::open(&self.settings()).unwrap().store;
        let template: Template = store.templates(MODEL).unwrap().remove(0).1;
        let first = store.enrolled().unwrap().remove(0).person;
        let one = |store: &mut Store, n| {
            let person = Person {
                id_number: IdNumber::new(id(n)),
                name: PersonName::new(format!("Visitor{}", letters(n))),
                phone: PhoneNumber::new(format!("+861380013{n:04}")),
                salutation: Some(if id(n).as_bytes()[16] % 2 == 1 { Salutation::Mr } else { Salutation::Ms }),
                ..first.clone()
            };
            let bytes = fs::read(self.desk.at(&format!("photos/{n}.jpg"))).unwrap();
            let photo = EnrolledPhoto::Embedded { bytes, model: MODEL.into(), template: template.clone() };
            Change::Put(Box::new(Enrolment {
                record: store.new_record(),
                person,
                photos: vec![photo],
                refused: Vec::new(),
            }))
        };
        for some in people.collect::<Vec<_>>().chunks(200) {
            let changes = some.iter().map(|n| one(&mut store, *n)).collect();
            store.commit(changes).unwrap();
        }
        store.write_snapshot().unwrap();
    }

    pub fn keep(&self, name: &str) {
        copies(&self.desk.at("data"), &self.desk.at(name));
    }

    /// Everything as it was kept.
    pub fn is_restored(&self) {
        fs::remove_dir_all(self.desk.at("data")).unwrap();
        copies(&self.desk.at("now"), &self.desk.at("data"));
    }

    /// The store, its photos and its copy as they were; the keys stay.
    pub fn puts_back_the_store(&self, kept: &str) {
        for name in ["store", "store.photos", "store.snapshot"] {
            let (from, to) = (self.desk.at(kept).join(name), self.desk.at("data").join(name));
            assert!(Command::new("rm").arg("-r").arg(&to).status().unwrap().success());
            assert!(Command::new("cp").arg("-rT").args([from, to]).status().unwrap().success());
        }
    }

    /// Files that may be damaged: all but locks, and one photo for all of them.
    pub fn files(&self, random: &mut ChaCha8Rng) -> Vec<PathBuf> {
        let (photos, others): (Vec<PathBuf>, Vec<PathBuf>) =
            walk(&self.desk.at("now")).into_iter().partition(|path| path.to_string_lossy().contains("store.photos/"));
        let mut files: Vec<PathBuf> =
            others.into_iter().filter(|path| path.extension().is_none_or(|it| it != "lock")).collect();
        files.push(photos.choose(random).unwrap().clone());
        files.into_iter().map(|path| path.strip_prefix(self.desk.at("now")).unwrap().to_owned()).collect()
    }

    /// Does it; `false` where it would change nothing.
    pub fn damages(&self, file: &Path, damage: Damage, random: &mut ChaCha8Rng) -> bool {
        let path = self.desk.at("data").join(file);
        let mut bytes = fs::read(&path).unwrap();
        // Photos of both states are one file on the disk.
        fs::remove_file(&path).unwrap();
        match damage {
            Damage::Flip if bytes.is_empty() => return false,
            Damage::Flip => {
                let at = random.random_range(0..bytes.len());
                bytes[at] ^= 1 << random.random_range(0..8);
            }
            Damage::CutTo(part, of) => bytes.truncate(bytes.len() * part / of),
            Damage::LosesItsLastByte => drop(bytes.pop()),
            Damage::Removed => return true,
            Damage::OfAnEarlierDay => match fs::read(self.desk.at("earlier").join(file)) {
                Ok(earlier) if earlier != bytes => bytes = earlier,
                _ => return false,
            },
        }
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        true
    }

    /// Whether everybody is as the roster says, with photo and template, and so are holds and objections; or what is not.
    ///
    /// Nobody may be another person in any case.
    pub fn is_whole(&self) -> Result<(), String> {
        let digest = |n: usize| PhotoDigest::of(&fs::read(self.desk.at(&format!("photos/{n}.jpg"))).unwrap());
        let phone = |n: usize| format!("+861{}0013{n:04}", if n == 1 { "39" } else { "38" });
        let here = (1..=self.people).filter(|n| !OBJECTS.contains(n));
        let expected: People = here.map(|n| (id(n), (phone(n), vec![digest(n)]))).collect();
        let store = Store::open(&self.settings()).map_err(|error| error.to_string())?.store;
        let everybody = store.enrolled().map_err(|error| error.to_string())?;
        let names: BTreeMap<String, String> =
            (1..=self.people).map(|n| (id(n), format!("Visitor{}", letters(n)))).collect();
        for person in &everybody {
            let of = &person.person;
            assert_eq!(
                names.get(of.id_number.reveal()).map(String::as_str),
                Some(of.name.reveal()),
                "another person's"
            );
        }
        let found: People = everybody
            .iter()
            .map(|person| {
                let of = &person.person;
                let digests = person.photos.iter().map(|photo| photo.digest).collect();
                (of.id_number.reveal().to_owned(), (of.phone.reveal().to_owned(), digests))
            })
            .collect();
        assert_eq!(found.len(), everybody.len(), "somebody is there twice");
        if found != expected {
            return Err(format!(
                "{} of {} people are as they should be",
                expected.iter().filter(|(id, it)| found.get(*id) == Some(it)).count(),
                expected.len()
            ));
        }
        let with_template: BTreeSet<RecordNumber> =
            store.templates(MODEL).map_err(|error| error.to_string())?.into_iter().map(|it| it.0).collect();
        if with_template.len() != expected.len() {
            return Err(format!("{} have a template", with_template.len()));
        }
        let held = HoldFile::beside(&self.settings().folder).read().map_err(|error| error.to_string())?;
        if held != HELD.map(RecordNumber).into() {
            return Err(format!("on hold: {held:?}"));
        }
        let objections = Objections::of(&self.settings()).map_err(|error| error.to_string())?.ok_or("no key")?;
        if !OBJECTS.iter().all(|n| objections.has(&IdNumber::new(id(*n)))) {
            return Err("an objection is forgotten".into());
        }
        let checked = store.check(&|_| {}).map_err(|error| error.to_string())?;
        if checked.is_whole() { Ok(()) } else { Err(format!("{checked:?}")) }
    }

    /// Starts the robot and says how many people it serves, after how long, and what it complains of.
    pub fn serves(&self) -> (usize, Duration, Answer) {
        let begun = Instant::now();
        let mut robot = self.desk.starts(&["run", "--looped", "--camera", self.recording.to_str().unwrap()]);
        let line = robot.says("serving; ", SERVES_WITHIN);
        let took = begun.elapsed();
        robot.gets(Signal::INT);
        let code = robot.ends_within(Duration::from_secs(30)).code();
        let (out, err) = robot.everything();
        // That there is none here is no sign of damage.
        let err = err.lines().filter(|line| !line.contains("loudspeaker")).collect::<Vec<_>>().join("\n");
        let served = line.split("serving; ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        (served, took, Answer { code, out, err })
    }
}

/// Photos are never written again, so both copies may be one file.
pub fn copies(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let link = if path.ends_with("store.photos") { "-rlT" } else { "-rT" };
        let to = to.join(path.file_name().unwrap());
        assert!(Command::new("cp").arg(link).args([&path, &to]).status().unwrap().success());
    }
}

pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
