//! Taking over the store of an older greeter, and the way back.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use greeter::{
    config::StoreSettings,
    person::RecordNumber,
    store::{Change, PhotoDigest, Store, commit_upgrade, older_store_kept_for, undo_upgrade},
};

const MODEL: &str = "mobilefacenet-192-whitened";
/// SHA-256 of the two photos as the office delivered them.
const PHOTOS: [&str; 2] = [
    "cc0c45766745d178bde4bcdbd0f970397cfedea94b6974a2865486b4b3bb4434",
    "9c3e75527e61ffeff7ff7adba2178133a4bd576195adaf79891b04db85d2236d",
];

/// An office that has used an older greeter until today.
struct Office(tempfile::TempDir);

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/older-store.tar.gz");
        assert!(Command::new("tar").arg("xzf").arg(packed).arg("-C").arg(folder.path()).status().unwrap().success());
        fs::write(folder.path().join("greeter.toml"), "[store]\nfolder = \"store\"\nkey_file = \"store.key\"\n")
            .unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self) -> StoreSettings {
        StoreSettings { folder: self.at("store"), key_file: self.at("store.key"), ..StoreSettings::default() }
    }

    fn opens(&self) -> Store {
        let opened = Store::open(&self.settings()).unwrap();
        assert!(opened.rebuilt.is_none() && !opened.outdated);
        opened.store
    }

    fn greeter(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greeter"));
        command.current_dir(self.0.path()).args(["--config", "greeter.toml"]).args(args);
        command
    }

    /// Everybody is there with what the older greeter kept of them.
    fn is_whole(&self) {
        let store = self.opens();
        let names: Vec<String> =
            store.enrolled().unwrap().iter().map(|it| it.person.name.reveal().to_owned()).collect();
        assert_eq!(names, ["Barack Obama", "Eileen Collins"]);
        assert_eq!(store.templates(MODEL).unwrap().len(), 2);
        for (record, digest) in (1..).map(RecordNumber).zip(PHOTOS) {
            let photo = store.photo(record, 0).unwrap();
            assert_eq!(PhotoDigest::of(&photo).to_string(), digest);
            let id = &store.person(record).unwrap().unwrap().person.id_number;
            assert_eq!(store.find_by_id(id).unwrap(), Some(record));
        }
        assert!(store.check(&|_| {}).unwrap().lost.is_empty());
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn everybody_is_taken_over_with_photos_and_templates_and_the_older_store_stays_for_two_weeks() {
    let office = Office::new();
    assert_eq!(older_store_kept_for(&office.at("store")), None);
    office.is_whole();
    office.is_whole();
    assert!(older_store_kept_for(&office.at("store")).unwrap() < Duration::from_secs(600));
    assert!(office.at("store.before-upgrade.snapshot").exists() && !office.at("store.generation").exists());
    let mut store = office.opens();
    assert_eq!(store.new_record(), RecordNumber(3));
    store.write_snapshot().unwrap();
    drop(store);
    assert!(commit_upgrade(&office.at("store")).unwrap() && !commit_upgrade(&office.at("store")).unwrap());
    assert!(!office.names().iter().any(|name| name.contains("upgrade")), "{:?}", office.names());
    office.is_whole();
}

#[test]
fn a_take_over_that_is_killed_at_any_moment_is_finished_by_the_next_command() {
    let (mut cut, mut finished) = (0, 0);
    for step in 0.. {
        let office = Office::new();
        let mut upgrading = office.greeter(&["people", "list"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(1500 * step));
        let done = upgrading.try_wait().unwrap().is_some();
        upgrading.kill().unwrap();
        upgrading.wait().unwrap();
        cut += usize::from(!done && older_store_kept_for(&office.at("store")).is_none());
        office.is_whole();
        finished += usize::from(done);
        if finished == 3 {
            break;
        }
    }
    assert!(cut >= 5, "only {cut} were cut before the names were exchanged");
}

#[test]
fn an_office_that_goes_back_has_its_older_store_again_as_it_was() {
    let office = Office::new();
    fs::create_dir(office.at("store.damaged-20261101T000000Z")).unwrap();
    let before = office.names();
    let snapshot = fs::read(office.at("store.snapshot")).unwrap();
    office.is_whole();
    assert!(office.at("store.before-upgrade.damaged-20261101T000000Z").exists());
    let told = office.greeter(&["store", "undo-upgrade"]).output().unwrap();
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains("The older store is back"));
    // Who looked at people stays known.
    let since = |name: &String| name != "store.lock" && !name.ends_with(".access");
    let after: Vec<String> = office.names().into_iter().filter(since).collect();
    assert_eq!(after, before);
    assert_eq!(fs::read(office.at("store.snapshot")).unwrap(), snapshot);
    assert!(!undo_upgrade(&office.settings()).unwrap(), "there is nothing to undo any more");
    // This greeter takes it over anew, should it be run again.
    office.is_whole();
}

#[test]
fn an_erasure_ends_the_way_back_because_the_older_store_still_has_them() {
    let office = Office::new();
    fs::create_dir(office.at("store.damaged-20261101T000000Z")).unwrap();
    let mut store = office.opens();
    store.commit(vec![Change::Remove(RecordNumber(1))]).unwrap();
    drop(store);
    assert!(!office.names().iter().any(|name| name.contains("upgrade") || name.contains("damaged")));
    assert!(!undo_upgrade(&office.settings()).unwrap());
    assert_eq!(office.opens().enrolled().unwrap().len(), 1);
}
