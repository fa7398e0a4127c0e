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

/// The demo's two people with what a roster's further columns say of them.
fn roster(desk: &Desk, columns: &str, obama: &str, collins: &str) {
    let text = format!(
        "id_number,name,phone,photos{columns}\n{ID_NUMBER},Barack Obama,13800138000,enrol/barack-obama.jpg{obama}\n110199197001020025,Eileen Collins,13800138001,enrol/eileen-collins.png{collins}\n"
    );
    fs::write(desk.at("november.csv"), text).unwrap();
}

fn syncs(desk: &Desk) -> desk::Answer {
    desk.does(&["sync", "november.csv", "--photos", tree().join("assets/demo").to_str().unwrap()])
}

#[test]
fn each_person_has_a_legal_basis_with_its_day_and_source_which_a_later_roster_without_it_keeps() {
    let desk = Desk::new();
    roster(&desk, ",依据,依据日期,来源", ",同意识别,2026-11-02,登记台", ",,,");
    syncs(&desk).is_done().says("2 added");
    let consent = "consent to recognition on sight, since 2026-11-02, from 登记台";
    desk.does(&["people", "show", "1", "--reveal"]).is_done().says(consent);
    let today = jiff::ZonedDateTime::now().date();
    let duty = format!("public duty, since {today}, from november.csv");
    desk.does(&["people", "show", "2", "--reveal"]).is_done().says(&duty);
    roster(&desk, "", "", "");
    syncs(&desk).is_done().says("0 added, 0 changed, 2 unchanged");
    desk.does(&["people", "show", "1", "--reveal"]).is_done().says(consent);
    desk.does(&["people", "export", "1", "--to", "theirs"]).is_done();
    for file in ["theirs/person.json", "theirs/person.html"] {
        let text = fs::read_to_string(desk.at(file)).unwrap();
        for kept in ["consent-to-recognition", "2026-11-02", "登记台"] {
            assert!(text.contains(kept), "{kept} in {file}");
        }
    }
}

#[test]
fn an_office_that_wants_a_basis_in_each_row_refuses_rows_without_and_the_doctor_reminds_the_others() {
    let desk = Desk::new();
    roster(&desk, "", "", "");
    syncs(&desk).is_done();
    let doctor = desk.does(&["doctor", "privacy"]);
    assert_eq!(doctor.code, Some(3));
    doctor.says("nobody has confirmed that this is its basis").says("confirmed = 2026-11-29");
    desk.configures("\n[enrolment]\nconfirmed = 2026-11-29\n");
    desk.does(&["doctor", "privacy"]).is_done().says("on the public duty, confirmed on 2026-11-29");
    let text = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    fs::write(desk.at("greeter.toml"), text.replace("[enrolment]\n", "[enrolment]\nbasis = \"column\"\n")).unwrap();
    let refused = syncs(&desk);
    assert_eq!(refused.code, Some(3));
    refused.says("rejected: there is no basis").says("Record #1 stays as it was").says("2 rejected");
}

#[test]
fn whoever_agrees_to_verification_only_is_erased_and_not_recognised_on_sight() {
    let (desk, _) = office();
    roster(&desk, ",basis,basis_date", ",consent-verification,2026-11-02", ",public-duty,");
    let answer = syncs(&desk);
    assert_eq!(answer.code, Some(3));
    answer.says("agreed to verification only").says("Record #1 must not be kept").says("1 removed, 1 rejected");
    desk.does(&["people", "show", "1"]).fails_with(&["no record #1"]);
    desk.does(&["people", "list"]).is_done().says("1 person");
}

#[test]
fn an_access_log_that_was_cut_off_is_noticed() {
    let (desk, _) = office();
    desk.does(&["people", "list"]).is_done();
    let log = fs::read_to_string(desk.at("store.access")).unwrap();
    let (kept, _) = log.trim_end().rsplit_once('\n').unwrap();
    fs::write(desk.at("store.access"), format!("{kept}\n")).unwrap();
    let verified = desk.does(&["audit", "verify"]);
    assert_eq!(verified.code, Some(3));
    verified.says("2 lines were written, and 1 are there");
}
