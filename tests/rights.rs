//! What a person may ask of the office, and what the office can prove, by the program itself.

#[path = "support/desk.rs"]
mod desk;

use std::{fs, io::Write, process::Stdio};

use desk::{Desk, tree};

/// Of Barack Obama in the demo's roster.
const ID_NUMBER: &str = "110199197001010011";

fn office() -> (Desk, String) {
    let desk = Desk::new();
    desk.preloads_the_demo();
    (desk, tree().join("assets/demo/roster.csv").display().to_string())
}

#[test]
fn whoever_objects_is_erased_with_a_receipt_and_tomorrows_roster_does_not_bring_them_back() {
    let (desk, roster) = office();
    let erased = desk.does(&["people", "erase", "1", "--yes", "--objection", "--receipt", "receipt.json"]);
    erased.is_done().says("Receipt: record #1, erased").says("No roster brings them back");
    desk.does(&["receipt", "verify", "receipt.json"]).is_done().says("as it was given");
    let forged = fs::read_to_string(desk.at("receipt.json")).unwrap().replace("the person", "the office");
    fs::write(desk.at("forged.json"), forged).unwrap();
    assert_eq!(desk.does(&["receipt", "verify", "forged.json"]).code, Some(3));

    let again = desk.does(&["sync", &roster]);
    assert_eq!(again.code, Some(3));
    again.says("this person asked not to be enrolled").says("0 added, 0 changed, 1 unchanged, 0 removed, 1 rejected");
    desk.does(&["people", "list"]).is_done().says("1 person");

    let mut withdraw = desk.command(&["people", "withdraw-objection"]).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(withdraw.stdin.take().unwrap(), "{ID_NUMBER}").unwrap();
    assert!(withdraw.wait().unwrap().success());
    desk.does(&["sync", &roster]).is_done().says("1 added");
    desk.does(&["people", "show", "3"]).is_done();
    desk.does(&["people", "show", "1"]).fails_with(&["no record #1"]);
}

#[test]
fn a_person_gets_everything_that_is_kept_of_them() {
    let (desk, _) = office();
    desk.does(&["people", "export", "1", "--to", "for-them"]).is_done().says("1 photos among it");
    let photo = fs::read(tree().join("assets/demo/enrol/barack-obama.jpg")).unwrap();
    assert_eq!(fs::read(desk.at("for-them/photo-1.jpg")).unwrap(), photo);
    let text = fs::read_to_string(desk.at("for-them/person.json")).unwrap();
    for kept in [ID_NUMBER, "Barack Obama", "13800138000", "mobilefacenet-192-whitened", "declaration"] {
        assert!(text.contains(kept), "{kept}");
    }
    assert!(!text.contains("Collins"));
    desk.does(&["people", "export", "1", "--to", "for-them"]).fails_with(&["exists"]);
}

#[test]
fn every_look_at_people_is_written_down_without_their_data_and_an_altered_line_is_noticed() {
    let (desk, roster) = office();
    desk.does(&["people", "list"]).is_done();
    desk.does(&["people", "show", "2", "--reveal"]).is_done();
    desk.does(&["people", "hold", "2"]).is_done();
    desk.does(&["sync", &roster]).is_done();
    let shown = desk.does(&["audit", "show"]);
    let commands: Vec<String> =
        shown.is_done().out.lines().filter_map(|line| line.split("  ").nth(2)).map(str::to_owned).collect();
    assert_eq!(commands, ["sync", "people list", "people show", "people hold", "sync"], "{}", shown.out);
    desk.does(&["audit", "verify"]).is_done().says("lines are as they were written");
    let log = fs::read_to_string(desk.at("store.access")).unwrap();
    for secret in [ID_NUMBER, "Obama", "Collins", "13800138", "roster"] {
        assert!(!log.contains(secret), "{secret}");
    }
    fs::write(desk.at("store.access"), log.replacen("#2", "#1", 1).replacen("\"records\":2", "\"records\":1", 1))
        .unwrap();
    assert_eq!(desk.does(&["audit", "verify"]).code, Some(3));
}
