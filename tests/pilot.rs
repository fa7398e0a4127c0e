//! A silent pilot: names are decided and written down, nobody is named, and a clerk who was there says which were right.

#[path = "support/desk.rs"]
mod desk;

use std::{fs, time::Duration};

use desk::Desk;
use rustix::process::Signal;

/// The longest that a visit may take on a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(60);
/// Of each of the demo's two people, and what would be said of them.
const NAMES: [&str; 4] = ["Obama", "Collins", "Barack", "Eileen"];

#[test]
fn in_a_silent_pilot_nobody_is_named_and_the_office_learns_how_often_a_name_would_have_been_wrong() {
    let visits = if std::env::var_os("GREETER_LONG").is_some() { 40 } else { 4 };
    let desk = Desk::new();
    desk.configures("\n[decision]\nannounce = false\n[visit]\ncool_down_s = 1\n");
    desk.preloads_the_demo();
    let recording = desk.recording(&["100-", "obama@", "200-", "collins@"]).display().to_string();
    let mut robot = desk.starts(&["run", "--looped", "--camera", &recording]);
    for _ in 0..visits {
        robot.says("says: ", WITHIN);
    }
    robot.gets(Signal::INT);
    assert!(robot.ends_within(WITHIN).success());
    let (screen, log) = robot.everything();
    assert!(screen.contains("a silent pilot") && screen.matches("says: ").count() >= visits, "{screen}");
    let events: String = fs::read_dir(desk.at("data/events"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for name in NAMES {
        assert!(
            ![&screen, &log, &events].iter().any(|text| text.contains(name)),
            "{name} in\n{screen}\n{log}\n{events}"
        );
    }
    let decided = events.matches("\"event\":\"identified\"").count();
    assert!(decided * 4 >= visits * 3, "{decided} of {visits} visitors were recognised: {screen}");
    assert!(events.lines().filter(|line| line.contains("greeting_started")).all(|line| line.contains("\"people\":[]")));

    desk.does(&["doctor", "models"]).says("a silent pilot");
    let listed = desk.does(&["pilot"]);
    listed
        .is_done()
        .says("B***")
        .says("No name has been ticked yet.")
        .says(&format!("{decided} of them are not ticked"));
    desk.does(&["pilot", "--right", "1,2", "--wrong", "3"])
        .is_done()
        .says("Of 3 names that were ticked, 2 were right and 1 wrong.");
    let all: Vec<String> = (1..=decided).map(|number| number.to_string()).collect();
    let none_wrong = desk.does(&["pilot", "--right", &all.join(",")]);
    none_wrong.is_done().says(&format!("{decided} were right and 0 wrong")).says("at most");
    desk.does(&["pilot", "--right", "1000"]).fails_with(&["there is no name 1000"]);
    desk.does(&["audit", "show"]).is_done().says("  pilot  all");
}
