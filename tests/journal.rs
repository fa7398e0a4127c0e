//! Events without being asked for: where the robot writes them, who may read them, and that they cost no greeting.

#[path = "support/desk.rs"]
mod desk;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use desk::Desk;

/// The longest that a visit may take on a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(60);

/// A visit of Mr Obama, with these lines of configuration; what the robot logged.
fn a_visit(desk: &Desk, settings: &str) -> String {
    desk.configures(settings);
    desk.preloads_the_demo();
    let recording = desk.recording(&["100-", "obama@", "200-"]);
    let mut robot = desk.starts(&["run", "--camera", recording.to_str().unwrap()]);
    assert!(robot.says("says: ", WITHIN).contains("Mr Obama"));
    assert!(robot.ends_within(WITHIN).success());
    robot.everything().1
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn without_being_asked_the_robot_writes_the_days_events_and_explain_reads_them() {
    let desk = Desk::new();
    let events = desk.at("data/events");
    fs::create_dir_all(&events).unwrap();
    // It may run over midnight, so an older day is far away.
    let older = r#"{"at_ms":1,"event":"unsure","visitor":77,"score":0.5}"#;
    fs::write(events.join("events-2001-01-01.jsonl"), older).unwrap();
    a_visit(&desk, "");
    let written = files(&events);
    assert!(
        !written.is_empty() && !events.join("events-2001-01-01.jsonl").exists(),
        "too old days are gone: {written:?}"
    );
    let mut all = String::new();
    for path in &written {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640, "{}", path.display());
        all += &fs::read_to_string(path).unwrap();
    }
    for kind in ["serving", "identified", "greeting_started", "left", "recording_over"] {
        assert!(all.contains(&format!("\"event\":\"{kind}\"")), "no {kind} in {all}");
    }
    assert!(!all.contains("Obama"), "{all}");
    desk.does(&["explain", "last"]).is_done().says("was named: #1").says("sent to counter 3");
    desk.does(&["explain", "77"]).fails_with(&["data/events", "there is no decision about visitor 77"]);
}

#[test]
fn an_older_days_visitor_is_explained_where_no_newer_one_had_the_number() {
    let desk = Desk::new();
    desk.does(&["explain", "last"]).fails_with(&["there are no events in", "data/events", "--events FILE"]);
    let day = |name: &str, visitor: u64, person: u64| {
        let line = format!(
            r#"{{"at_ms":1,"event":"identified","visitor":{visitor},"person":{person},"score":0.8,"second":0.1,"min_score_to_name":0.7,"min_score_from":"shipped","min_margin":0.05,"views":3,"min_views":3,"quality":0.9,"each_view":[],"passed_over":{{}},"people":2,"watched_ms":1,"wait_at_most_ms":2,"missing":[],"ended_by":"named","face_to_decision_ms":1}}"#
        );
        fs::create_dir_all(desk.at("data/events")).unwrap();
        fs::write(desk.at(&format!("data/events/{name}")), line + "\n{\"torn \u{5149}").unwrap();
    };
    day("events-2026-11-27.jsonl", 4, 12);
    day("events-2026-11-28.jsonl", 4, 13);
    day("events-2026-11-29.jsonl", 5, 14);
    desk.does(&["explain", "4"]).is_done().says("was named: #13");
    desk.does(&["explain", "5"]).is_done().says("was named: #14");
    desk.does(&["explain", "line:1"]).is_done().says("was named: #14");
}

#[test]
fn an_operator_who_wants_no_events_gets_none() {
    let desk = Desk::new();
    a_visit(&desk, "\n[journal]\nkeep_days = 0\n");
    assert!(!desk.at("data").exists());
    desk.does(&["explain", "last"]).fails_with(&["`journal.keep_days` is 0", "--events FILE"]);
}

#[test]
fn a_folder_that_cannot_be_written_costs_no_greeting_and_is_told_once() {
    let desk = Desk::new();
    let log = a_visit(&desk, "\n[journal]\nfolder = \"/proc/nowhere/events\"\n");
    assert_eq!(log.matches("events are no longer written to /proc/nowhere/events").count(), 1, "{log}");
}
