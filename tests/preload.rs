//! Preloading people, told from the office's side: what a bad roster, a bad photo, a bad disk or a bad moment does, and does not do.
//!
//! Through the library, with an enroller that needs no network; the networks have their own tests.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    sync::atomic::Ordering,
    time::Duration,
};

use encoding_rs::GBK;
use greeter::{
    person::RecordNumber,
    store::{Change, Store, StoreError},
    sync::{Outcome, SyncError},
};
use image::{Rgb, RgbImage};

#[path = "support/roster.rs"]
mod roster;
use roster::*;

// --- the roster ---

#[test]
fn an_empty_roster_changes_nothing_even_with_mirror() {
    let office = Office::with_people(2);
    for text in ["", "\u{feff}", "\n\n", HEADER] {
        office.writes_roster(text.as_bytes());
        let error = office.syncs_with(Flags { mirror: true, ..Flags::default() }).unwrap_err();
        assert!(matches!(error, SyncError::Empty { .. } | SyncError::HeaderOnly { .. }), "{error}");
        assert!(
            error.to_string().contains("roster.csv") && error.to_string().contains("Nothing was changed"),
            "{error}"
        );
    }
    office.has_whole(1..=2);
}

#[test]
fn a_roster_with_a_byte_order_mark_is_read() {
    let office = Office::new();
    office.puts_photo("1.jpg", &picture(1, 64));
    office.writes_roster(format!("\u{feff}{HEADER}{}", row(1, "1.jpg")).as_bytes());
    assert_eq!(office.syncs().unwrap().count(Outcome::Added), 1);
    office.has_whole(1..=1);
}

#[test]
fn a_roster_in_gbk_with_chinese_column_names_is_read() {
    let office = Office::new();
    office.puts_photo("陈伟.jpg", &picture(1, 64));
    let text =
        format!("身份证号码,姓名,手机号,照片,语言,业务\r\n{},陈伟,13800138000,陈伟.jpg,粤语,发票；退税\r\n", id(1));
    office.writes_roster(&GBK.encode(&text).0);
    let report = office.syncs().unwrap();
    assert_eq!(report.count(Outcome::Added), 1, "{report}");
    let person = &office.people()[0].person;
    assert_eq!((person.name.reveal(), person.phone.reveal()), ("陈伟", "+8613800138000"));
    assert_eq!(person.language.as_ref().map(|language| language.tag()), Some("yue"));
    assert_eq!(person.services, ["发票", "退税"]);
}

#[test]
fn of_two_rows_with_one_identity_number_the_first_is_taken_and_the_second_named() {
    let office = Office::new();
    for n in 1..=3 {
        office.puts_photo(&format!("{n}.jpg"), &picture(n, 64));
    }
    let second = row(1, "3.jpg").replace("Visitor", "Somebody");
    office.writes_roster(format!("{HEADER}{}{}{second}", row(1, "1.jpg"), row(2, "2.jpg")).as_bytes());
    let report = office.syncs().unwrap();
    assert!(rejected(&report, 4).contains("identity number of row 2"), "{report}");
    assert_eq!(report.count(Outcome::Added), 2);
    office.has_whole(1..=2);
}

#[test]
fn a_wrong_check_digit_is_named_by_row_and_the_other_rows_go_in() {
    let office = Office::new();
    office.writes_roster_of(1..=3);
    let text = std::fs::read_to_string(office.roster()).unwrap();
    let wrong = format!("{}{}", &id(2)[..17], if id(2).ends_with('1') { '2' } else { '1' });
    office.writes_roster(text.replace(&id(2), &wrong).as_bytes());
    let report = office.syncs().unwrap();
    assert!(rejected(&report, 3).contains("wrong check digit"), "{report}");
    assert!(!report.to_string().contains(&wrong), "the number itself is not repeated");
    assert_eq!(report.count(Outcome::Added), 2);
    office.has_whole([1, 3].into_iter());
}

// --- photos ---

/// Person 1 has a photo that is made by `spoil`, person 2 a good one: 1 is rejected with these words, 2 is in.
#[track_caller]
fn a_bad_photo(name: &str, expected: &str, spoil: impl FnOnce(&Office)) {
    let office = Office::new();
    office.puts_photo("2.jpg", &picture(2, 64));
    spoil(&office);
    office.writes_roster(format!("{HEADER}{}{}", row(1, name), row(2, "2.jpg")).as_bytes());
    let report = office.syncs().unwrap();
    let reason = rejected(&report, 2);
    assert!(reason.starts_with("photo 1 ") && reason.contains(expected), "{reason}");
    assert_eq!(report.count(Outcome::Added), 1, "{report}");
    office.has_whole(2..=2);
    assert_eq!(office.people().len(), 1);
}

#[test]
fn a_missing_photo_is_named() {
    a_bad_photo("1.jpg", "is missing", |_| {});
}

#[test]
fn a_photo_of_0_bytes_is_named() {
    a_bad_photo("1.jpg", "is empty", |office| office.puts_photo("1.jpg", b""));
}

#[test]
fn a_truncated_photo_is_named() {
    let whole = picture(1, 200);
    a_bad_photo("1.jpg", "is cut off", |office| office.puts_photo("1.jpg", &whole[..whole.len() * 2 / 3]));
}

#[test]
fn a_photo_of_20000_by_20000_pixels_is_named_and_never_decoded() {
    a_bad_photo("1.jpg", "is 20000x20000 pixels", |office| {
        let mut bytes = picture(1, 64);
        let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0x4E, 0x20, 0x4E, 0x20]);
        office.puts_photo("1.jpg", &bytes);
    });
}

#[test]
fn a_text_file_named_jpg_is_named() {
    a_bad_photo("1.jpg", "is not a picture", |office| {
        office.puts_photo("1.jpg", b"Dear colleague, the photo is attached.")
    });
}

#[test]
fn a_photo_of_two_people_is_named() {
    a_bad_photo("1.jpg", "shows 2 faces", |office| office.puts_photo("1.jpg", &picture_of_two()));
}

/// A photo of somebody of this colour, and not the same picture as another `n`.
fn coloured(colour: [u8; 3], n: u8) -> Vec<u8> {
    jpeg(&RgbImage::from_fn(64, 64, |x, _| Rgb(if x == 0 { [n; 3] } else { colour })))
}

/// A row for person 1 whose photos are `photos`: two letters each, the first one's colour (blue, green, or dark: blue without light), the
/// second which picture.
fn office_with_row_of(photos: &[&str]) -> Office {
    let mut office = Office::new();
    office.same_person = Some(0.9);
    takes_row_of(&office, photos);
    office
}

fn takes_row_of(office: &Office, photos: &[&str]) {
    for photo in photos {
        let (colour, n) = photo.split_at(1);
        let colour = match colour {
            "b" => [10, 20, 200],
            "d" => [2, 4, 40],
            _ => [20, 200, 10],
        };
        office.puts_photo(&format!("{photo}.jpg"), &coloured(colour, n.parse::<u8>().unwrap() * 20));
    }
    let names: Vec<String> = photos.iter().map(|photo| format!("{photo}.jpg")).collect();
    office.writes_roster(format!("{HEADER}{}", row(1, &names.join(";"))).as_bytes());
}

#[test]
fn of_three_photos_the_one_of_somebody_else_is_named_and_the_person_is_in_without_it() {
    let office = office_with_row_of(&["b1", "g1", "b2"]);
    let report = office.syncs().unwrap();
    assert_eq!(report.count(Outcome::Added), 1, "{report}");
    let [warning] = &report.rows[0].warnings[..] else { panic!("{report}") };
    assert!(warning.starts_with("photo 2 is unlike the other photos of this row (score 0."), "{warning}");
    assert!(warning.ends_with("Take it out of the row, or put the right photo in its place"), "{warning}");
    assert_eq!(office.people()[0].photos.len(), 2);
    // It is not looked at again, and said again.
    office.embedded_since();
    let again = office.syncs().unwrap();
    assert_eq!((again.count(Outcome::Unchanged), again.rows[0].warnings.len(), office.embedded_since()), (1, 1, 0));
    // Put the right photo in its place.
    takes_row_of(&office, &["b1", "b3", "b2"]);
    let mended = office.syncs().unwrap();
    assert_eq!((mended.count(Outcome::Changed), mended.rows[0].warnings.len()), (1, 0), "{mended}");
    assert_eq!(office.people()[0].photos.len(), 3);
}

#[test]
fn two_photos_unlike_each_other_keep_a_person_out_because_one_is_somebody_elses() {
    let office = office_with_row_of(&["b1", "g1"]);
    let report = office.syncs().unwrap();
    let reason = rejected(&report, 2);
    assert!(reason.starts_with("photos 1 and 2 are unlike each other (score 0."), "{reason}");
    assert!(reason.contains("Keep the right ones in the row"), "{reason}");
    assert!(office.people().is_empty());
    takes_row_of(&office, &["g1"]);
    assert_eq!(office.syncs().unwrap().count(Outcome::Added), 1);
}

#[test]
fn whoever_is_in_stays_as_they_were_when_a_new_photo_is_unlike_the_old_one() {
    let office = office_with_row_of(&["b1"]);
    office.syncs().unwrap();
    takes_row_of(&office, &["b1", "g1"]);
    let report = office.syncs().unwrap();
    let reason = rejected(&report, 2);
    assert!(reason.contains("photos 1 and 2 are unlike") && reason.ends_with("Record #1 stays as it was"), "{reason}");
    assert_eq!(office.people()[0].photos.len(), 1);
    // A third one shows who is right, also if that is the new photo.
    takes_row_of(&office, &["b1", "g1", "g2"]);
    let report = office.syncs().unwrap();
    assert!(report.rows[0].warnings[0].starts_with("photo 1 is unlike"), "{report}");
    let store = office.store();
    assert_eq!(store.templates(MODEL).unwrap().len(), 2);
    assert!(store.templates(MODEL).unwrap().iter().all(|(_, template)| template.0[1] > 0.9), "green");
}

#[test]
fn nobody_is_enrolled_by_photos_that_are_hard_to_make_out_until_a_clearer_one_is_in_the_row() {
    let office = office_with_row_of(&["d1", "d2"]);
    let report = office.syncs().unwrap();
    assert_eq!(
        rejected(&report, 2),
        "photos 1, 2 show a face that is hard to make out (dark glasses, closed eyes, a hat, a hand, blur?), and no clearer one is in the row; put a better photo into it"
    );
    assert!(office.people().is_empty());
    takes_row_of(&office, &["d1", "b1"]);
    let report = office.syncs().unwrap();
    assert_eq!((report.count(Outcome::Added), report.rows[0].warnings.len()), (1, 0), "{report}");
    assert_eq!(office.people()[0].photos.len(), 2);
    // As clear as before, and one more.
    takes_row_of(&office, &["d1", "b1", "d3"]);
    assert_eq!(office.syncs().unwrap().count(Outcome::Changed), 1);
}

#[test]
fn whoever_is_in_stays_as_they_were_when_only_a_photo_that_is_hard_to_make_out_would_be_left() {
    let office = office_with_row_of(&["b1"]);
    office.syncs().unwrap();
    takes_row_of(&office, &["d1"]);
    let report = office.syncs().unwrap();
    let reason = rejected(&report, 2);
    assert!(reason.starts_with("photo 1 shows a face that is hard to make out"), "{reason}");
    assert!(reason.ends_with("Record #1 stays as it was"), "{reason}");
    assert_eq!(office.people()[0].photos.len(), 1);
    // Nor does it do when the clear one leaves the row.
    takes_row_of(&office, &["b1", "d1"]);
    assert_eq!(office.syncs().unwrap().count(Outcome::Changed), 1);
    takes_row_of(&office, &["d1"]);
    let reason = rejected(&office.syncs().unwrap(), 2);
    assert!(reason.ends_with("Record #1 stays as it was"), "{reason}");
    assert_eq!(office.people()[0].photos.len(), 2);
}

#[test]
fn a_photo_outside_of_the_photo_folder_is_never_read() {
    for name in ["../1.jpg", "sub/../../1.jpg", "..\\1.jpg"] {
        a_bad_photo(name, "leads out of the photo folder", |office| {
            std::fs::create_dir(office.photo_path("sub")).unwrap();
            std::fs::write(office.root.join("1.jpg"), picture(1, 64)).unwrap();
        });
    }
}

#[test]
fn a_symbolic_link_is_never_followed() {
    a_bad_photo("1.jpg", "is a symbolic link", |office| {
        std::fs::write(office.root.join("outside.jpg"), picture(1, 64)).unwrap();
        symlink("../outside.jpg", office.photo_path("1.jpg")).unwrap();
    });
    a_bad_photo("way/1.jpg", "is a symbolic link", |office| {
        std::fs::create_dir(office.photo_path("real")).unwrap();
        office.puts_photo("real/1.jpg", &picture(1, 64));
        symlink("real", office.photo_path("way")).unwrap();
    });
}

#[test]
fn one_good_photo_is_enough_and_the_bad_ones_are_warnings_that_are_examined_once() {
    let office = Office::new();
    office.puts_photo("good.jpg", &picture(1, 64));
    office.puts_photo("two.jpg", &picture_of_two());
    office.writes_roster(format!("{HEADER}{}", row(1, "two.jpg;good.jpg;none.jpg")).as_bytes());
    let first = office.syncs().unwrap();
    assert_eq!(first.count(Outcome::Added), 1, "{first}");
    assert_eq!(first.rows[0].warnings.len(), 2, "{first}");
    assert_eq!(office.embedded_since(), 2);
    let second = office.syncs().unwrap();
    assert_eq!(second.count(Outcome::Unchanged), 1, "{second}");
    assert_eq!(second.rows[0].warnings, first.rows[0].warnings);
    assert_eq!(office.embedded_since(), 0);
}

// --- again, mirror, dry run ---

#[test]
fn the_same_sync_again_changes_nothing_and_embeds_nothing() {
    let office = Office::with_people(5);
    assert_eq!(office.embedded_since(), 5);
    let loaded = office.loaded.load(Ordering::SeqCst);
    let (before, generation) = (office.people(), Store::generation(&office.settings()));
    let report = office.syncs().unwrap();
    assert_eq!(report.count(Outcome::Unchanged), 5, "{report}");
    assert_eq!(office.embedded_since(), 0);
    assert_eq!(office.loaded.load(Ordering::SeqCst), loaded, "the second time, no network was even loaded");
    assert_eq!(office.people(), before);
    assert_eq!(Store::generation(&office.settings()), generation);
}

#[test]
fn a_new_phone_number_and_a_new_photo_change_that_person_only() {
    let office = Office::with_people(3);
    office.embedded_since();
    let text = std::fs::read_to_string(office.roster()).unwrap();
    office.writes_roster(text.replace("13800130002", "13900130002").as_bytes());
    office.puts_photo("3.jpg", &picture(33, 64));
    let report = office.syncs().unwrap();
    let reasons: Vec<_> = report.rows.iter().map(|row| (row.outcome, row.reason.as_str())).collect();
    let expected = [(Outcome::Unchanged, ""), (Outcome::Changed, "phone"), (Outcome::Changed, "photos")];
    assert_eq!(reasons, expected);
    assert_eq!(office.embedded_since(), 1);
    office.has_whole(1..=3);
    assert_eq!(office.store().photo(RecordNumber(3), 1).unwrap().as_slice(), picture(33, 64));
}

#[test]
fn mirror_removes_people_who_left_and_nobody_whose_row_is_bad() {
    let office = Office::with_people(4);
    office.writes_roster_of(1..=3);
    std::fs::write(office.photo_path("2.jpg"), "no picture").unwrap();
    let text = std::fs::read_to_string(office.roster()).unwrap();
    office.writes_roster(text.replace(&id(3), "110105194912310021").as_bytes());
    assert_eq!(office.syncs().unwrap().count(Outcome::Removed), 0);
    office.has_whole(1..=4);

    let report = office.syncs_with(Flags { mirror: true, ..Flags::default() }).unwrap();
    assert_eq!(report.count(Outcome::Removed), 1, "{report}");
    assert_eq!(report.count(Outcome::Rejected), 2, "{report}");
    assert!(rejected(&report, 3).contains("Record #2 stays as it was"), "{report}");
    assert!(rejected(&report, 4).contains("Record #3 stays as it was"), "{report}");
    office.has_whole(1..=3);
    assert_eq!(office.people().len(), 3);
}

#[test]
fn a_roster_that_lost_most_of_its_rows_does_not_empty_the_store() {
    let office = Office::with_people(30);
    office.writes_roster_of(1..=10);
    let error = office.syncs_with(Flags { mirror: true, ..Flags::default() }).unwrap_err();
    assert!(
        error.to_string().contains("20 of the 30") && error.to_string().contains("--allow-mass-removal"),
        "{error}"
    );
    office.has_whole(1..=30);
}

#[test]
fn a_dry_run_examines_every_photo_and_changes_nothing() {
    let office = Office::with_people(2);
    office.embedded_since();
    office.writes_roster_of(2..=3);
    office.puts_photo("2.jpg", &picture_of_two());
    let report = office.syncs_with(Flags { dry_run: true, mirror: true }).unwrap();
    assert_eq!(office.embedded_since(), 2);
    assert!(rejected(&report, 2).contains("shows 2 faces"), "{report}");
    assert_eq!((report.count(Outcome::Added), report.count(Outcome::Removed)), (1, 1), "{report}");
    office.has_whole(1..=2);
    assert_eq!(office.people().len(), 2);
    assert_eq!(Store::generation(&office.settings()), 1);
}

#[test]
fn the_report_file_names_each_row_and_nobody() {
    let office = Office::with_people(2);
    office.writes_roster(format!("{HEADER}{}{}", row(1, "1.jpg"), row(2, "none.jpg")).as_bytes());
    let path = office.root.join("report.csv");
    office.syncs().unwrap().write(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        text,
        "\u{feff}row,record,outcome,reason\n2,1,unchanged,\"\"\n3,2,rejected,\"photo 1 is missing from the photo folder. Record #2 stays as it was\"\n"
    );
}

// --- the store ---

#[test]
fn a_wrong_key_is_said_and_the_store_stays_as_it_is() {
    let office = Office::with_people(2);
    let right = std::fs::read(office.data.join("store.key")).unwrap();
    std::fs::write(office.data.join("store.key"), [1; 32]).unwrap();
    let error = office.syncs().unwrap_err().to_string();
    let (key, store) = (office.data.join("store.key"), office.data.join("store"));
    assert!(
        error.starts_with(&format!("the key in {} does not open the store in {}", key.display(), store.display())),
        "{error}"
    );
    std::fs::write(key, right).unwrap();
    office.has_whole(1..=2);
}

#[test]
fn a_store_that_somebody_else_has_open_is_said_with_who_has_it() {
    let office = Office::with_people(2);
    let held = office.store();
    let error = office.syncs().unwrap_err().to_string();
    assert!(error.contains("is in use by process ") && error.contains("try again"), "{error}");
    drop(held);
    office.has_whole(1..=2);
}

#[test]
fn a_store_that_is_freed_within_three_seconds_is_waited_for() {
    let office = Office::with_people(2);
    let held = office.store();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        drop(held);
    });
    assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 2);
    other.join().unwrap();
}

/// Copies a store and what lies beside it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            assert!(std::fs::copy(entry.path(), target).is_ok())
        }
    }
}

#[test]
fn a_store_with_a_flipped_bit_anywhere_is_rebuilt_with_everyone_in_it() {
    let office = Office::new();
    office.puts_photo("1.jpg", &picture(1, 64));
    for n in 2..=12 {
        office.puts_photo(&format!("{n}.jpg"), &picture(n, 400));
    }
    office.writes_roster_of(1..=12);
    office.syncs().unwrap();
    let db = std::fs::read(office.data.join("store/db")).unwrap();
    let used = db.iter().rposition(|byte| *byte != 0).unwrap();
    let mut rebuilt = 0;
    for at in (0..used).step_by(used / 60) {
        let hurt = Office::at(&office.root.join(format!("hurt-{at}")));
        copy(&office.data, &hurt.data);
        let mut bytes = db.clone();
        bytes[at] ^= 0x10;
        std::fs::write(hurt.data.join("store/db"), bytes).unwrap();
        let opened = hurt.opens().unwrap_or_else(|error| panic!("byte {at}: {error}"));
        if let Some(note) = opened.rebuilt {
            rebuilt += 1;
            assert!(!opened.outdated && note.damaged.unwrap().is_dir(), "byte {at}: the damaged store is kept");
        }
        drop(opened.store);
        hurt.has_whole(1..=12);
        std::fs::remove_dir_all(&hurt.root).unwrap();
    }
    println!("{rebuilt} of 61 damaged stores had to be rebuilt, the others held everyone all the same");
    assert!(rebuilt > 20);
}

#[test]
fn a_store_whose_files_are_lost_or_cut_is_rebuilt_with_everyone_in_it() {
    type Hurt = fn(&std::path::Path);
    let ways: [(&str, Hurt); 5] = [
        ("no db", |store| std::fs::remove_file(store.join("db")).unwrap()),
        ("half a db", |store| {
            let bytes = std::fs::read(store.join("db")).unwrap();
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            std::fs::write(store.join("db"), &bytes[..used / 2]).unwrap();
        }),
        ("an empty db", |store| std::fs::write(store.join("db"), "").unwrap()),
        ("no store", |store| std::fs::remove_dir_all(store).unwrap()),
        ("text for a db", |store| std::fs::write(store.join("db"), "hello ".repeat(100_000)).unwrap()),
    ];
    for (what, hurt) in ways {
        let office = Office::with_people(20);
        hurt(&office.data.join("store"));
        let opened = office.opens().unwrap_or_else(|error| panic!("{what}: {error}"));
        let rebuilt = opened.rebuilt.unwrap_or_else(|| panic!("{what}: nobody noticed"));
        assert!(rebuilt.to_string().contains("rebuilt from"), "{rebuilt}");
        drop(opened.store);
        office.has_whole(1..=20);
        assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 20, "{what}");
    }
}

#[test]
fn a_damaged_store_without_a_snapshot_says_what_to_do_and_stays_where_it_is() {
    let office = Office::with_people(3);
    std::fs::remove_file(office.data.join("store.snapshot")).unwrap();
    std::fs::write(office.data.join("store/db"), "hello ".repeat(100_000)).unwrap();
    let error = office.opens().err().unwrap();
    assert!(matches!(error, StoreError::Unrecoverable { .. }), "{error}");
    let text = error.to_string();
    for part in ["no snapshot", "from a backup", "greeter sync"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(std::fs::read(office.data.join("store/db")).unwrap().starts_with(b"hello"));
}

#[test]
fn nothing_of_a_person_is_ever_in_the_clear_and_a_removed_one_leaves_no_record() {
    let office = Office::with_people(3);
    let in_the_clear = |office: &Office| {
        let secrets = [b"Visitor".to_vec(), id(2).into_bytes(), b"1380013".to_vec(), picture(2, 64)[200..260].to_vec()];
        let mut files = Vec::new();
        gather(&office.data, &mut files);
        assert!(files.len() > 4);
        files.iter().any(|bytes| secrets.iter().any(|secret| bytes.windows(secret.len()).any(|part| part == secret)))
    };
    assert!(!in_the_clear(&office));
    let mut store = office.store();
    store.commit(vec![Change::Remove(RecordNumber(2))]).unwrap();
    store.write_snapshot().unwrap();
    assert!(store.person(RecordNumber(2)).unwrap().is_none());
    assert!(store.templates(MODEL).unwrap().iter().all(|(record, _)| *record != RecordNumber(2)));
    drop(store);
    assert!(!in_the_clear(&office));
    office.has_whole([1, 3].into_iter());
    let report = office.syncs().unwrap();
    let added = report.rows.iter().find(|row| row.outcome == Outcome::Added).unwrap();
    assert_eq!(added.record, Some(RecordNumber(4)), "the number is not given again");
}

fn gather(folder: &std::path::Path, files: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            gather(&entry.path(), files)
        } else {
            files.push(std::fs::read(entry.path()).unwrap())
        }
    }
}

// --- bad moments ---

#[test]
fn a_sync_that_is_killed_half_way_keeps_what_it_acknowledged_and_the_next_one_does_the_rest() {
    if let Some(mut office) = office_of_child() {
        office.enrolling_takes = Duration::from_millis(5);
        office.syncs().unwrap();
        return;
    }
    let office = Office::new();
    office.writes_roster_of(1..=450);
    let name = "a_sync_that_is_killed_half_way_keeps_what_it_acknowledged_and_the_next_one_does_the_rest";
    let mut child = itself_again(name, &office);
    let settings = office.settings();
    while Store::generation(&settings) == 0 {
        assert!(child.0.try_wait().unwrap().is_none(), "the sync ended by itself");
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(child);
    let kept = office.people().len();
    assert!((200..450).contains(&kept), "{kept} people were kept");
    office.has_whole(1..=200);
    let report = office.syncs().unwrap();
    assert_eq!((report.count(Outcome::Unchanged), report.count(Outcome::Added)), (kept, 450 - kept), "{report}");
    office.has_whole(1..=450);
}

#[test]
fn a_full_disk_is_said_and_whoever_was_acknowledged_stays() {
    let Some(disk) = Disk::ext4(64, "the full disk") else { return };
    let mut office = Office::new();
    office.data = disk.path.join("data");
    office.writes_roster_of(1..=20);
    office.syncs().unwrap();
    // Leaves so little that the people who are new do not fit.
    let ballast = disk.path.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[7; 1 << 16]).is_ok() {}
    drop(file);
    office.writes_roster_of(1..=25);
    let error = office.syncs().unwrap_err().to_string();
    assert!(error.contains("is full") && error.contains("MB are needed"), "{error}");
    assert!(error.contains("0 of 5 changes are in the store for good"), "{error}");
    office.has_whole(1..=20);
    std::fs::remove_file(ballast).unwrap();
    assert_eq!(office.syncs().unwrap().count(Outcome::Added), 5);
    office.has_whole(1..=25);
    drop(office);
}

#[test]
fn a_disk_that_fills_up_during_the_sync_keeps_whoever_was_acknowledged() {
    let Some(disk) = Disk::ext4(128, "the disk that fills up") else { return };
    let mut office = Office::new();
    office.data = disk.path.join("data");
    for n in 1..=300 {
        office.puts_photo(&format!("{n}.jpg"), &large_picture(n));
    }
    office.writes_roster_of(1..=300);
    let error = office.syncs().unwrap_err();
    let SyncError::Interrupted { acknowledged, planned, .. } = &error else { panic!("{error}") };
    let (acknowledged, planned) = (*acknowledged, *planned);
    println!("{acknowledged} of {planned} were acknowledged: {error}");
    assert!(acknowledged > 0 && acknowledged < planned, "{error}");
    office.has_whole(1..=acknowledged);
    drop(office);
}

#[test]
fn a_power_cut_never_loses_an_acknowledged_person() {
    if let Some(office) = office_of_child() {
        let mut store = office.store();
        for n in store.enrolled().unwrap().len() + 1.. {
            office.commits_one(&mut store, n);
            println!("acknowledged {n}");
        }
    }
    let Some(disk) = Disk::ext4(256, "the power cut") else { return };
    let mut office = Office::new();
    office.data = disk.path.join("data");
    drop(office.store());
    let (mut rebuilt, mut total) = (0, 0);
    for round in 1..=8 {
        let mut child = itself_again("a_power_cut_never_loses_an_acknowledged_person", &office);
        let mut acknowledged = 0;
        let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let until = total + 3 + round * 2;
        while let Some(Ok(line)) = lines.next() {
            if let Some(n) = line.split("acknowledged ").nth(1) {
                acknowledged = n.trim().parse().unwrap();
            }
            if acknowledged >= until {
                break;
            }
        }
        cut_power(&disk.path);
        drop(child);
        // What it said before the power was gone counts; what it says afterwards cannot be true.
        disk.unmount();
        assert!(disk.mount(), "the file system does not come back");
        let opened = office.opens().unwrap_or_else(|error| panic!("round {round}: {error}"));
        rebuilt += usize::from(opened.rebuilt.is_some());
        drop(opened.store);
        assert!(acknowledged >= until, "round {round}: the child ended early");
        office.has_whole(1..=acknowledged);
        total = office.people().len();
    }
    println!("{total} people after 8 power cuts, the store was rebuilt {rebuilt} times");
    drop(office);
}

#[test]
fn forty_days_on_which_a_fifth_of_the_photos_change_leave_the_store_as_large_as_on_the_first() {
    fn size(folder: &std::path::Path) -> u64 {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.map(|it| if it.path().is_dir() { size(&it.path()) } else { it.metadata().unwrap().len() }).sum()
    }
    const PEOPLE: usize = 60;
    let office = Office::new();
    for n in 1..=PEOPLE {
        office.puts_photo(&format!("{n}.jpg"), &large_picture(n));
    }
    office.writes_roster_of(1..=PEOPLE);
    office.syncs().unwrap();
    let first = size(&office.data);
    let mut largest = 0;
    for day in 1..=40 {
        for n in (1..=PEOPLE).filter(|n| n % 5 == day % 5) {
            office.puts_photo(&format!("{n}.jpg"), &large_picture(n + 1000 * day));
        }
        assert_eq!(office.syncs().unwrap().count(Outcome::Changed), PEOPLE / 5);
        largest = largest.max(size(&office.data));
    }
    println!("measured: {first} bytes on the first day, {largest} at most on the forty days after it");
    assert!(largest * 10 <= first * 13, "{first} bytes on the first day, {largest} later");
    office.has_whole(1..=PEOPLE);
}
