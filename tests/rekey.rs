//! Others may know the store's key: the store gets another one, and everything that hung on the old one goes on.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/roster.rs"]
mod roster;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use desk::{Desk, tree};
use greeter::{
    keys::{KeyRing, StoreKey},
    store::{Everybody, Mended, StoreError, rekey},
    sync::Outcome,
};
use roster::*;

fn files(settings: &greeter::config::StoreSettings) -> [std::path::PathBuf; 3] {
    let [people, copy] = KeyRing::paths(&settings.key_file);
    [settings.key_file.clone(), people, copy]
}

fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn with_the_former_key_nobody_can_be_read_any_more_and_with_the_new_one_everybody() {
    let office = Office::with_people(5);
    let settings = office.settings();
    let [former, people, _] = files(&settings).map(|path| fs::read(path).unwrap());
    rekey(&settings).unwrap();
    assert_eq!(office.opens().unwrap().mended, Mended::default());
    office.has_whole(1..=5);
    assert!(Everybody::in_copy(&settings).unwrap().is_current());
    assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 5);
    assert!(!holds(&office.data, &former), "the former key lies nowhere in the clear");
    // What sealed person 3's key before.
    assert!(!holds(&office.data, &people[3 * 128..3 * 128 + 72]));
    let new = fs::read(&settings.key_file).unwrap();
    fs::write(&settings.key_file, &former).unwrap();
    assert!(matches!(office.opens(), Err(StoreError::WrongKey { .. })));
    fs::write(&settings.key_file, new).unwrap();
    office.has_whole(1..=5);
}

#[test]
fn a_rekey_that_was_cut_is_finished_by_whoever_opens_the_store_and_read_by_whoever_does_not() {
    let office = Office::with_people(5);
    let settings = office.settings();
    let before = files(&settings).map(|path| fs::read(path).unwrap());
    let folders = ["store", "store.snapshot"].map(|name| office.data.join(name));
    let aside = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &Path| {
        let _ = fs::remove_dir_all(to);
        let _ = fs::remove_file(to);
        assert!(std::process::Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    };
    folders.iter().for_each(|path| copy(path, &aside.path().join(path.file_name().unwrap())));
    rekey(&settings).unwrap();
    let after = files(&settings).map(|path| fs::read(path).unwrap());
    // The states between: which of people's keys, records and copy were sealed with the new key when it was cut.
    for (keys, records, in_copy) in
        [(0, false, false), (1, false, false), (2, false, false), (2, true, false), (2, true, true)]
    {
        fs::write(&settings.key_file, &before[0]).unwrap();
        fs::write(StoreKey::next_file(&settings.key_file), &after[0]).unwrap();
        fs::set_permissions(StoreKey::next_file(&settings.key_file), fs::Permissions::from_mode(0o600)).unwrap();
        for (at, path) in files(&settings).iter().enumerate().skip(1) {
            let mut bytes = if at <= keys { after[at].clone() } else { before[at].clone() };
            if keys == 1 {
                // One file, and of it one half.
                bytes[3 * 128..].copy_from_slice(&before[at][3 * 128..]);
            }
            // The counter goes on.
            bytes[..16].copy_from_slice(&before[1][..16]);
            fs::write(path, bytes).unwrap();
        }
        for (is_new, path) in [records, in_copy].into_iter().zip(&folders) {
            if !is_new {
                copy(&aside.path().join(path.file_name().unwrap()), path);
            }
        }
        let known = Everybody::in_copy(&settings).unwrap().enrolled().unwrap();
        assert_eq!(known.len(), 5, "the robot reads the copy meanwhile");
        let opened = office.opens().unwrap();
        assert!(opened.mended == Mended::default() && opened.rebuilt.is_none(), "{keys} {records} {in_copy}");
        drop(opened);
        office.has_whole(1..=5);
        assert_eq!(fs::read(&settings.key_file).unwrap(), after[0]);
        assert!(!StoreKey::next_file(&settings.key_file).exists());
    }
}

#[test]
fn the_store_of_an_older_greeter_which_the_former_key_opens_goes_with_it() {
    let office = Office::new();
    fs::create_dir(&office.data).unwrap();
    let packed = tree().join("tests/data/older-store.tar.gz");
    let unpacked = std::process::Command::new("tar").arg("xzf").arg(packed).arg("-C").arg(&office.data).status();
    assert!(unpacked.unwrap().success());
    assert_eq!(office.people().len(), 2);
    let older = office.data.join("store.before-upgrade");
    assert!(older.exists());
    rekey(&office.settings()).unwrap();
    assert!(!older.exists());
    assert_eq!(office.people().len(), 2);
}

#[test]
fn an_exposed_key_is_answered_by_the_command_and_what_was_signed_before_stays_the_offices_own() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let roster = tree().join("assets/demo/roster.csv");
    desk.does(&["people", "erase", "1", "--yes", "--objection", "--receipt", "receipt.json"]).is_done();
    let key = desk.at("keys/store.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    desk.does(&["store", "check"]).fails_with(&["can be read by others (mode 644)", "`greeter store rekey`"]);
    desk.does(&["store", "rekey"]).is_done().says("another key").says("make a new backup");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    desk.does(&["store", "check"]).is_done().says("1 people and 1 photos can be read");
    desk.does(&["receipt", "verify", "receipt.json"]).is_done().says("as it was given");
    desk.does(&["store", "rekey"]).is_done();
    desk.does(&["receipt", "verify", "receipt.json"]).is_done().says("as it was given");
    assert_eq!(desk.does(&["sync", roster.to_str().unwrap()]).code, Some(3), "who objected is not enrolled again");
    desk.does(&["audit", "verify"]).is_done().says("lines are as they were written");
    desk.does(&["audit", "show"]).is_done().says("store rekey");
}

#[test]
fn a_rekey_that_is_refused_leaves_nothing_behind_and_an_exposed_key_exposed() {
    let office = Office::with_people(2);
    let settings = office.settings();
    fs::set_permissions(&settings.key_file, fs::Permissions::from_mode(0o640)).unwrap();
    let held = fs::File::open(office.data.join("store.lock")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert!(matches!(rekey(&settings), Err(StoreError::Locked { .. })));
    drop(held);
    assert!(!StoreKey::next_file(&settings.key_file).exists());
    assert_eq!(settings.key_file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    rekey(&settings).unwrap();
    office.has_whole(1..=2);
}
