//! Records and photos have a second place, without the keys; whoever goes back to it gets everybody who was not erased since.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/roster.rs"]
mod roster;

use std::{
    fs,
    path::{Path, PathBuf},
};

use desk::{Desk, tree};
use greeter::{
    backup::{BackupError, Found, Made, back_up, compact, restore},
    config::StoreSettings,
    person::RecordNumber,
    store::{Change, Store, damaged_stores},
    sync::Outcome,
};
use roster::*;

/// An office with people 1 to 5, all of them in a backup.
fn backed_up() -> (Office, PathBuf) {
    let office = Office::with_people(5);
    let backup = office.root.join("backup");
    assert_eq!(back_up(&office.settings(), &backup).unwrap(), Made { photos: 5, new: 5 });
    (office, backup)
}

/// The disk with the store is lost, the one with the keys is not.
fn loses_the_store(office: &Office) {
    for name in ["store", "store.photos"] {
        fs::remove_dir_all(office.data.join(name)).unwrap();
    }
    fs::remove_file(office.data.join("store.snapshot")).unwrap();
}

fn erases(office: &Office, record: u64) {
    office.store().commit(vec![Change::Remove(RecordNumber(record))]).unwrap();
}

/// Restores and returns what staff read before.
fn restores(office: &Office, backup: &Path) -> (bool, String) {
    let found = Found::of(&office.settings(), backup).unwrap();
    restore(&office.settings(), backup, &found).unwrap();
    (found.takes_something(), found.to_string())
}

#[test]
fn a_backup_brings_everybody_back_who_was_not_erased_since() {
    let (office, backup) = backed_up();
    erases(&office, 2);
    loses_the_store(&office);
    let (asks, told) = restores(&office, &backup);
    assert!(!asks && told.contains("4 people and 4 photos") && told.contains("1 people in it were erased"), "{told}");
    office.has_whole([1, 3, 4, 5].into_iter());
    let opened = office.opens().unwrap();
    assert!(!opened.outdated && opened.store.enrolled().unwrap().len() == 4);
    assert!(opened.store.check(&|_| {}).unwrap().is_whole());
}

#[test]
fn on_another_machine_the_backup_and_the_copied_keys_are_enough() {
    let (mut office, backup) = backed_up();
    let keys = office.root.join("keys");
    fs::create_dir(&keys).unwrap();
    for name in ["store.key", "store.key.people"] {
        fs::copy(office.data.join(name), keys.join(name)).unwrap();
    }
    fs::remove_dir_all(&office.data).unwrap();
    office.data = office.root.join("new/data");
    let settings =
        StoreSettings { folder: office.data.join("store"), key_file: keys.join("store.key"), ..office.settings() };
    let found = Found::of(&settings, &backup).unwrap();
    assert!(!found.takes_something(), "{found}");
    restore(&settings, &backup, &found).unwrap();
    let store = Store::open(&settings).unwrap().store;
    assert!(store.enrolled().unwrap().len() == 5 && store.check(&|_| {}).unwrap().is_whole());
}

#[test]
fn who_was_enrolled_or_changed_since_is_said_and_a_sync_brings_them_in_again() {
    let (office, backup) = backed_up();
    office.puts_photo("1.jpg", &picture(21, 64));
    office.writes_roster_of(1..=6);
    office.syncs().unwrap();
    let (asks, told) = restores(&office, &backup);
    assert!(asks, "{told}");
    for words in ["\n1 people who were enrolled since would go", "\n1 people have changed since"] {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(office.people().len(), 5);
    assert_eq!(damaged_stores(&office.settings().folder).len(), 1, "the records that were there are set aside");
    let report = office.syncs().unwrap();
    assert_eq!((report.count(Outcome::Added), report.count(Outcome::Changed)), (1, 1), "{report}");
    office.has_whole(1..=6);
}

#[test]
fn a_second_backup_copies_what_is_new_and_drops_what_nobody_has_any_more() {
    let (office, backup) = backed_up();
    office.puts_photo("1.jpg", &picture(21, 64));
    office.writes_roster_of(1..=6);
    office.syncs().unwrap();
    assert_eq!(back_up(&office.settings(), &backup).unwrap(), Made { photos: 6, new: 2 });
    loses_the_store(&office);
    let (asks, told) = restores(&office, &backup);
    assert!(!asks && told.contains("6 people and 6 photos"), "{told}");
    office.has_whole(1..=6);
}

#[test]
fn a_backup_that_is_damaged_is_refused_or_says_what_is_lost_and_changes_nothing_before() {
    let (office, backup) = backed_up();
    let records = backup.join("store.snapshot");
    let whole = fs::read(&records).unwrap();
    for at in [9, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&records, flipped).unwrap();
        let error = Found::of(&office.settings(), &backup).unwrap_err();
        assert!(
            matches!(error, BackupError::Damaged { .. }) && error.to_string().contains("Nothing was changed"),
            "{error}"
        );
    }
    fs::write(&records, &whole).unwrap();
    let photo = fs::read_dir(backup.join("store.photos")).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(photo).unwrap();
    let found = Found::of(&office.settings(), &backup).unwrap();
    assert!(found.takes_something() && found.to_string().contains("photos in it cannot be read"), "{found}");
    fs::remove_file(&records).unwrap();
    assert!(matches!(Found::of(&office.settings(), &backup), Err(BackupError::NoBackup { .. })));
    office.has_whole(1..=5);
}

#[test]
fn with_older_keys_whoever_was_enrolled_after_them_is_lost_which_is_said_and_all_others_come_back() {
    let office = Office::with_people(3);
    let keys = ["store.key.people", "store.key.people.copy"].map(|name| office.data.join(name));
    let older = keys.clone().map(|path| fs::read(path).unwrap());
    office.writes_roster_of(1..=5);
    office.syncs().unwrap();
    let backup = office.root.join("backup");
    back_up(&office.settings(), &backup).unwrap();
    loses_the_store(&office);
    keys.iter().zip(older).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let (asks, told) = restores(&office, &backup);
    assert!(asks && told.contains("\n2 people in it have no key here"), "{told}");
    office.has_whole(1..=3);
    assert_eq!(office.syncs().unwrap().count(Outcome::Added), 2);
    let records: Vec<_> = office.people().iter().map(|person| person.record.0).collect();
    assert_eq!(records, [1, 2, 3, 6, 7], "no number is given twice");
}

#[test]
fn a_folder_with_other_files_is_left_alone_and_a_backup_that_fails_leaves_nothing_behind() {
    let office = Office::with_people(2);
    let settings = office.settings();
    let photos = office.root.join("photos");
    let before = fs::read_dir(&photos).unwrap().count();
    assert!(matches!(back_up(&settings, &photos), Err(BackupError::NotABackup { .. })));
    assert_eq!(fs::read_dir(&photos).unwrap().count(), before);
    let Some(disk) = Disk::ext4(16, "the full disk") else { return };
    let ballast = fs::File::create(disk.path.join("ballast")).unwrap();
    let mut full = &ballast;
    while std::io::Write::write_all(&mut full, &[7; 1 << 12]).is_ok() {}
    let to = disk.path.join("backup");
    let error = back_up(&settings, &to).unwrap_err().to_string();
    assert!(error.contains("free some space") && !error.contains("Os {"), "{error}");
    let mut left: Vec<_> = fs::read_dir(&disk.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ballast", "lost+found"]);
}

#[test]
fn staff_back_up_and_go_back_by_two_commands_and_nothing_goes_unasked() {
    let desk = Desk::new();
    desk.does(&["store", "backup", "--to", "backup"]).fails_with(&["greeter sync"]);
    assert!(!desk.at("store").exists() && !desk.at("keys").exists() && !desk.at("backup").exists());
    desk.preloads_the_demo();
    let made = desk.does(&["store", "backup", "--to", "backup"]);
    made.is_done().says("2 photos, 2 of them new").says("The keys are not in it").says("store.key.people");
    assert!(!desk.at("backup/store.key").exists());
    let roster = fs::read_to_string(tree().join("assets/demo/roster.csv")).unwrap();
    desk.does(&["people", "erase", "1", "--yes"]).is_done();
    fs::write(desk.at("roster.csv"), roster).unwrap();
    let photos = tree().join("assets/demo");
    desk.does(&["sync", "roster.csv", "--photos", photos.to_str().unwrap()]).is_done().says("1 added");

    let asked = desk.does(&["store", "restore", "--from", "backup"]);
    assert_eq!(asked.code, Some(3), "{asked:?}");
    asked.says("1 people who were enrolled since would go").says("Nothing was changed");
    desk.does(&["people", "list"]).is_done().says("2 people");
    desk.does(&["store", "restore", "--from", "backup", "--yes"]).is_done().says("The backup is restored");
    desk.does(&["people", "list"]).is_done().says("1 person");
    desk.does(&["store", "check"]).is_done().says("1 people and 1 photos can be read");
    desk.does(&["store", "restore", "--from", "nowhere"]).fails_with(&["no backup in nowhere", "Nothing was changed"]);
    desk.does(&["audit", "show"]).is_done().says("store restore").says("store backup");
}

#[test]
fn a_store_in_which_much_has_changed_is_made_smaller_with_everybody_in_it() {
    let office = Office::with_people(200);
    for day in 2..9 {
        let rows: String =
            (1..=200).map(|n| row(n, &format!("{n}.jpg")).replace("138001", &format!("13800{day}"))).collect();
        office.writes_roster(format!("{HEADER}{rows}").as_bytes());
        assert_eq!(office.syncs().unwrap().count(Outcome::Changed), 200);
    }
    let sizes = compact(&office.settings()).unwrap();
    println!("measured: {sizes:?}");
    assert!(sizes.after * 3 < sizes.before * 2, "{sizes:?}");
    assert!(damaged_stores(&office.settings().folder).is_empty());
    office.has_whole(1..=200);
    let opened = office.opens().unwrap();
    assert!(!opened.outdated && opened.rebuilt.is_none());
}
