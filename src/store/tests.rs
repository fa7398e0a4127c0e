//! Stories about the store as a whole.

use std::path::PathBuf;

use super::*;
use crate::{
    config::StoreSettings,
    face::Template,
    person::{IdNumber, Person, PersonName, PhoneNumber, RecordNumber},
};

const MODEL: &str = "test-net";

/// An office with a store of its own.
struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> StoreSettings {
        StoreSettings { folder: self.path("store"), key_file: self.path("store.key"), ..StoreSettings::default() }
    }

    fn opens(&self) -> Store {
        let opened = Store::open(&self.settings()).unwrap();
        assert_eq!(opened.rebuilt, None);
        opened.store
    }

    /// A store with people of these names.
    fn with_people(names: &[&str]) -> Self {
        let office = Self::new();
        let mut store = office.opens();
        let changes = names.iter().map(|name| Change::Put(Box::new(person(&mut store, name)))).collect();
        store.commit(changes).unwrap();
        store.write_snapshot().unwrap();
        office
    }
}

fn person(store: &mut Store, name: &str) -> Enrolment {
    Enrolment {
        record: store.new_record(),
        person: Person {
            services: vec!["vat".into()],
            ..Person::new(
                IdNumber::new(format!("ID of {name}")),
                PersonName::new(name),
                PhoneNumber::new("+8613800138000"),
            )
        },
        photos: vec![photo(name.as_bytes())],
        refused: Vec::new(),
    }
}

fn photo(bytes: &[u8]) -> EnrolledPhoto {
    EnrolledPhoto::Embedded {
        bytes: bytes.repeat(2000),
        model: MODEL.into(),
        template: Template(vec![f32::from(bytes[0]), 1.0]),
    }
}

fn names(store: &Store) -> Vec<String> {
    store.enrolled().unwrap().iter().map(|person| person.person.name.reveal().to_owned()).collect()
}

/// How many entries there are, but for those about the store itself.
fn rows(store: &Store) -> usize {
    store.engine.keys(b"").unwrap().iter().filter(|key| !key.starts_with(b"m")).count()
}

#[test]
fn a_person_is_there_with_photos_and_templates_after_the_store_was_closed() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let store = office.opens();
    assert_eq!(names(&store), ["Chen Wei", "Li Na"]);
    assert_eq!(store.photo(RecordNumber(1), 0).unwrap().as_slice(), b"Chen Wei".repeat(2000));
    assert_eq!(store.find_by_id(&IdNumber::new("ID of Li Na")).unwrap(), Some(RecordNumber(2)));
    assert_eq!(store.find_by_id(&IdNumber::new("ID of nobody")).unwrap(), None);
    assert_eq!(store.templates(MODEL).unwrap()[1], (RecordNumber(2), Template(vec![76.0, 1.0])));
    assert!(store.templates("another-net").unwrap().is_empty());
    assert_eq!(Store::generation(&office.settings()), 1);
}

#[test]
fn a_changed_person_loses_the_photos_and_the_index_entry_they_no_longer_have() {
    let office = Office::with_people(&["Chen Wei"]);
    let mut store = office.opens();
    let mut enrolment = person(&mut store, "Chen Wei");
    enrolment.record = RecordNumber(1);
    enrolment.person.id_number = IdNumber::new("another");
    let kept = PhotoDigest::of(&b"Chen Wei".repeat(2000));
    enrolment.photos = vec![photo(b"new"), EnrolledPhoto::Kept(kept)];
    store.commit(vec![Change::Put(Box::new(enrolment.clone()))]).unwrap();
    assert_eq!(store.find_by_id(&IdNumber::new("ID of Chen Wei")).unwrap(), None);
    assert_eq!(store.templates(MODEL).unwrap().len(), 2);
    assert_eq!(store.photos.names().unwrap().len(), 2);

    enrolment.photos = vec![EnrolledPhoto::Kept(PhotoDigest::of(&b"new".repeat(2000)))];
    store.commit(vec![Change::Put(Box::new(enrolment.clone()))]).unwrap();
    assert_eq!(store.templates(MODEL).unwrap().len(), 1);
    assert_eq!(rows(&store), 3, "person, photo, template and nothing else");
    assert_eq!(store.photos.names().unwrap().len(), 1);

    enrolment.photos = vec![EnrolledPhoto::Kept(kept)];
    let error = store.commit(vec![Change::Put(Box::new(enrolment))]).unwrap_err();
    assert!(matches!(error, StoreError::MissingPhoto(RecordNumber(1))), "{error}");
}

#[test]
fn two_records_never_share_an_identity_number() {
    let office = Office::with_people(&["Chen Wei"]);
    let mut store = office.opens();
    let twin = person(&mut store, "Chen Wei");
    let error = store.commit(vec![Change::Put(Box::new(twin))]).unwrap_err();
    assert!(matches!(error, StoreError::DuplicateId { holder: RecordNumber(1), .. }), "{error}");
    assert_eq!(names(&store), ["Chen Wei"]);
}

#[test]
fn a_removed_person_leaves_nothing_and_their_number_is_never_given_again() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let mut store = office.opens();
    store.commit(vec![Change::Remove(RecordNumber(2))]).unwrap();
    assert_eq!((rows(&store), store.photos.names().unwrap().len()), (3, 1));
    drop(store);
    assert_eq!(office.opens().new_record(), RecordNumber(3));
    let error = office.opens().commit(vec![Change::Remove(RecordNumber(2))]).unwrap_err();
    assert!(error.to_string().contains("no record #2"), "{error}");
}

#[test]
fn whoever_was_removed_does_not_come_back_with_an_older_snapshot() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let mut store = office.opens();
    let late = person(&mut store, "Wang Fang");
    store.commit(vec![Change::Remove(RecordNumber(2)), Change::Put(Box::new(late))]).unwrap();
    drop(store);
    std::fs::rename(office.path("store"), office.path("lost")).unwrap();
    let Opened { mut store, rebuilt, outdated, .. } = Store::open(&office.settings()).unwrap();
    assert!(outdated && rebuilt.unwrap().damaged.is_none());
    assert_eq!(names(&store), ["Chen Wei"]);
    assert_eq!(store.new_record(), RecordNumber(4), "the lost Wang Fang's number is not given again");
}

#[test]
fn an_up_to_date_snapshot_is_not_written_again() {
    let office = Office::with_people(&["Chen Wei"]);
    let before = std::fs::read(office.path("store.snapshot")).unwrap();
    office.opens().write_snapshot().unwrap();
    assert_eq!(std::fs::read(office.path("store.snapshot")).unwrap(), before);
    let mut store = office.opens();
    store.commit(vec![Change::Remove(RecordNumber(1))]).unwrap();
    store.write_snapshot().unwrap();
    assert_ne!(std::fs::read(office.path("store.snapshot")).unwrap(), before);
}

#[test]
fn a_copy_with_a_changed_byte_is_refused_as_a_whole_and_never_shows_anybody_as_another_person() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let sealer = office.opens().sealer;
    let path = snapshot_file(&office.path("store"));
    let good = std::fs::read(&path).unwrap();
    let mut failed = 0;
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).unwrap();
        snapshot::check(&office.path("store"), &sealer).unwrap_err();
        let Ok(everybody) = Everybody::in_copy(&office.settings()) else {
            failed += 1;
            continue;
        };
        let mut names = Vec::new();
        let walked = everybody.walk(MODEL, |sealed| {
            names.push(everybody.open(&sealed)?.0.name.reveal().to_owned());
            Ok(())
        });
        failed += usize::from(walked.is_err());
        assert!(walked.is_err() || names.len() == 2, "byte {at}: nobody is left out without a word");
        assert!(names.iter().all(|name| ["Chen Wei", "Li Na"].contains(&name.as_str())), "byte {at}: {names:?}");
    }
    assert!(failed > 10, "{failed}");
    std::fs::rename(office.path("store"), office.path("lost")).unwrap();
    std::fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert!(matches!(Store::open(&office.settings()), Err(StoreError::Unrecoverable { .. })));
    assert!(!office.path("store").exists() && !office.path("store.new").exists(), "nothing is moved");
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let office = Office::with_people(&["Chen Wei"]);
    let store = office.opens();
    store.engine.apply(vec![(layout::META_SCHEMA.to_vec(), Some(4u32.to_be_bytes().to_vec()))]).unwrap();
    store.engine.make_durable().unwrap();
    drop(store);
    let error = Store::open(&office.settings()).err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 4, known: 3, .. }), "{error}");
    assert!(error.to_string().contains("newer greeter"), "{error}");
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone_and_an_empty_one_is_taken() {
    let office = Office::new();
    std::fs::create_dir(office.path("store")).unwrap();
    std::fs::write(office.path("store/holiday.jpg"), "x").unwrap();
    assert!(matches!(Store::open(&office.settings()), Err(StoreError::NotAStore { .. })));
    std::fs::remove_file(office.path("store/holiday.jpg")).unwrap();
    assert!(names(&office.opens()).is_empty());
}

#[test]
fn a_first_start_that_was_cut_short_begins_anew() {
    let office = Office::new();
    std::fs::create_dir(office.path("store.new")).unwrap();
    std::fs::write(office.path("store.new/db"), "half").unwrap();
    assert!(names(&office.opens()).is_empty());
    assert!(!office.path("store.new").exists());
}

#[test]
fn a_record_that_somebody_exchanged_is_noticed_at_the_start_and_the_store_rebuilt() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let store = office.opens();
    let of_chen = store.engine.get(&layout::person(RecordNumber(1))).unwrap();
    store.engine.apply(vec![(layout::person(RecordNumber(2)), of_chen)]).unwrap();
    store.engine.make_durable().unwrap();
    assert!(matches!(store.enrolled(), Err(StoreError::Damaged { .. })));
    drop(store);
    let opened = Store::open(&office.settings()).unwrap();
    assert!(opened.rebuilt.unwrap().damaged.unwrap().is_dir());
    assert_eq!(names(&opened.store), ["Chen Wei", "Li Na"]);
}

#[test]
fn a_snapshot_that_falsely_claims_to_be_newer_does_not_keep_a_good_store_shut() {
    let office = Office::with_people(&["Chen Wei"]);
    let mut snapshot = std::fs::read(office.path("store.snapshot")).unwrap();
    snapshot[12] = 7;
    std::fs::write(office.path("store.snapshot"), snapshot).unwrap();
    let mut store = office.opens();
    assert_eq!(names(&store), ["Chen Wei"]);
    store.write_snapshot().unwrap();
    drop(store);
    std::fs::rename(office.path("store"), office.path("lost")).unwrap();
    assert_eq!(names(&Store::open(&office.settings()).unwrap().store), ["Chen Wei"], "the snapshot was renewed");
}

/// Who is in the copy, and whether it is up to date.
fn read(office: &Office) -> (bool, Vec<String>) {
    let everybody = Everybody::in_copy(&office.settings()).unwrap();
    let mut names = Vec::new();
    let walked = everybody.walk(MODEL, |sealed| {
        let (taxpayer, templates) = everybody.open(&sealed)?;
        names.push(format!("{} {}", taxpayer.name.reveal(), templates.len()));
        Ok(())
    });
    walked.unwrap();
    (everybody.is_current(), names)
}

#[test]
fn an_older_copy_has_nobody_who_was_erased_since_and_is_read_while_staff_have_the_store_open() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let mut store = office.opens();
    assert_eq!(read(&office), (true, vec!["Chen Wei 1".into(), "Li Na 1".into()]), "without the store's lock");
    let new = person(&mut store, "Wang Fang");
    store.commit(vec![Change::Remove(RecordNumber(2)), Change::Put(Box::new(new))]).unwrap();
    assert_eq!(read(&office), (false, vec!["Chen Wei 1".into()]));
    let everybody = Everybody::now(&office.settings()).unwrap();
    assert!(!everybody.is_current() && !everybody.has(RecordNumber(2)), "the store is in use");
    drop(store);
    assert!(Everybody::now(&office.settings()).unwrap().is_current());
    assert_eq!(read(&office), (true, vec!["Chen Wei 1".into(), "Wang Fang 1".into()]));
}

#[test]
fn what_a_cut_left_half_done_is_finished_at_the_next_start() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let mut store = office.opens();
    // A key that was given, and a photo that was written, for somebody who never came.
    let seal = store.ring.give(RecordNumber(3), &store.sealer).unwrap();
    store.photos.write(&seal, b"photo").unwrap();
    store.engine.apply(vec![([layout::FORMER_INDEX, b"1"].concat(), Some(Vec::new()))]).unwrap();
    store.engine.make_durable().unwrap();
    drop(store);
    let Opened { mut store, mended, .. } = Store::open(&office.settings()).unwrap();
    assert_eq!(mended, Mended::default());
    assert!(store.engine.keys(layout::FORMER_INDEX).unwrap().is_empty());
    assert_eq!(store.photos.names().unwrap().len(), 2);
    assert_eq!(store.new_record(), RecordNumber(4), "no number is given twice");
    for (record, name) in [(1, "Chen Wei"), (2, "Li Na")] {
        let id = IdNumber::new(format!("ID of {name}"));
        assert_eq!(store.find_by_id(&id).unwrap(), Some(RecordNumber(record)));
    }
}

#[test]
fn an_empty_store_has_an_empty_copy() {
    let office = Office::with_people(&[]);
    assert_eq!(read(&office), (true, Vec::new()));
}

#[test]
fn a_version_changes_when_anything_of_the_person_is_written_and_only_then() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let versions = || {
        let mut versions = Vec::new();
        let everybody = Everybody::now(&office.settings()).unwrap();
        let mut note = |sealed: SealedPerson| versions.push(sealed.version);
        everybody
            .walk(MODEL, |sealed| {
                note(sealed);
                Ok(())
            })
            .unwrap();
        versions
    };
    let before = versions();
    assert_eq!(before, versions());
    let mut store = office.opens();
    let mut changed = person(&mut store, "Chen Wei");
    changed.record = RecordNumber(1);
    store.commit(vec![Change::Put(Box::new(changed))]).unwrap();
    drop(store);
    let after = versions();
    assert!(before[0] != after[0] && before[1] == after[1]);
}

#[test]
fn whoever_is_erased_while_staff_have_the_store_open_is_gone_for_them_too_and_wholly_at_the_next_start() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let mut store = office.opens();
    let erase = |record| crate::keys::Keys::erase(&office.settings(), &[RecordNumber(record)]).unwrap();
    let hold = crate::hold::HoldFile::beside(&office.path("store"));
    hold.hold(RecordNumber(2)).unwrap();
    assert!(erase(2));
    assert!(erase(2), "what was cut is done again");
    assert!(!erase(9));
    assert_eq!((names(&store), store.templates(MODEL).unwrap().len()), (vec!["Chen Wei".to_owned()], 1));
    assert!(store.person(RecordNumber(2)).unwrap().is_none());
    let new = person(&mut store, "Wang Fang");
    store.commit(vec![Change::Put(Box::new(new))]).unwrap();
    store.write_snapshot().unwrap();
    drop(store);
    assert_eq!(read(&office).1, ["Chen Wei 1", "Wang Fang 1"]);
    let opened = Store::open(&office.settings()).unwrap();
    assert_eq!((opened.mended.erased, opened.store.photos.names().unwrap().len()), (1, 2));
    assert!(hold.read().unwrap().is_empty(), "their number is in no file any more");
}

#[test]
fn a_copy_that_is_damaged_is_written_anew_by_whoever_reads_everybody_next() {
    let office = Office::with_people(&["Chen Wei"]);
    let path = snapshot_file(&office.path("store"));
    let good = std::fs::read(&path).unwrap();
    for (what, at) in [("magic", 0), ("key's check", 30)] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).unwrap();
        assert!(Everybody::now(&office.settings()).unwrap().has(RecordNumber(1)), "{what}");
        assert_eq!(read(&office), (true, vec!["Chen Wei 1".into()]), "{what}");
    }
}

/// The store's copy, entry by entry, without what says when it was written.
fn copied(office: &Office) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut reader = &std::fs::read(snapshot_file(&office.path("store"))).unwrap()[..];
    std::io::copy(&mut std::io::Read::take(&mut reader, 16), &mut std::io::sink()).unwrap();
    let check = u32::from_le_bytes(*reader.first_chunk().unwrap());
    reader = &reader[4 + check as usize..];
    std::iter::from_fn(|| snapshot::entry(&mut reader).unwrap()).collect()
}

#[test]
fn a_copy_that_is_made_from_the_former_one_is_the_one_that_is_made_from_the_store() {
    let office = Office::with_people(&["Chen Wei", "Li Na", "Wang Fang"]);
    let mut store = office.opens();
    assert!(store.since_copy.is_some());
    let mut changed = person(&mut store, "Li Na");
    changed.record = RecordNumber(2);
    let new = person(&mut store, "Zhao Yun");
    let changes = vec![Change::Remove(RecordNumber(1)), Change::Put(Box::new(changed)), Change::Put(Box::new(new))];
    store.commit(changes).unwrap();
    // What the store cannot open would keep a copy from being made of it.
    let wang = layout::person(RecordNumber(3));
    let sound = store.engine.get(&wang).unwrap();
    store.engine.apply(vec![(wang.clone(), Some(vec![7; 90]))]).unwrap();
    store.write_snapshot().unwrap();
    let merged = copied(&office);
    store.since_copy = None;
    assert!(matches!(snapshot::write(&store), Err(StoreError::Damaged { .. })));
    store.engine.apply(vec![(wang, sound)]).unwrap();
    snapshot::write(&store).unwrap();
    assert_eq!(merged, copied(&office));
    assert_eq!(read(&office).1, ["Li Na 1", "Wang Fang 1", "Zhao Yun 1"]);
}

#[test]
fn what_was_written_without_being_acknowledged_reaches_the_copy_too() {
    let office = Office::with_people(&["Chen Wei"]);
    let mut store = office.opens();
    // As a cut leaves it: in the tree, under the former generation.
    store.apply(vec![(layout::photo(RecordNumber(1), 9), Some(Vec::new()))]).unwrap();
    drop(store);
    let mut store = office.opens();
    store.make_newer().unwrap();
    store.write_snapshot().unwrap();
    assert!(copied(&office).iter().any(|(key, _)| *key == layout::photo(RecordNumber(1), 9)));
}

#[test]
fn a_damaged_copy_is_no_ground_for_the_next_one() {
    let office = Office::with_people(&["Chen Wei", "Li Na"]);
    let path = snapshot_file(&office.path("store"));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut store = office.opens();
    store.commit(vec![Change::Remove(RecordNumber(2))]).unwrap();
    store.write_snapshot().unwrap();
    assert_eq!(read(&office), (true, vec!["Chen Wei 1".into()]));
    snapshot::check(&office.path("store"), &store.sealer).unwrap();
}
