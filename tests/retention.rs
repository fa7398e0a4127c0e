//! How long people are kept, by the program itself on a moved clock (Debian's faketime).

#[path = "support/desk.rs"]
mod desk;

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use desk::{Answer, Desk, Running, tree};
use jiff::{ToSpan, ZonedDateTime, civil::Date};

/// A robot loads its networks and looks at the clock.
const WITHIN: Duration = Duration::from_secs(40);
/// Of the demo's roster.
const HEADER: &str = "id_number,name,phone,photos,valid_until\n";

/// An office that opened today; all its days are counted from today on.
struct Office {
    desk: Desk,
    today: Date,
    library: String,
}

impl Office {
    /// The demo's two people are enrolled today: Barack Obama for 20 days.
    fn opens() -> Self {
        let library = Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
        let library = library.expect("faketime is missing; run scripts/setup.sh --tests").stdout;
        let library = String::from_utf8(library).unwrap().trim().to_owned();
        let office = Self { desk: Desk::new(), today: ZonedDateTime::now().date(), library };
        office.writes_roster(&[office.obama(), office.collins()]);
        office.on(0, &["sync", "roster.csv", "--photos", &photos()]).is_done().says("2 added");
        office
    }

    fn obama(&self) -> String {
        format!("110199197001010011,Barack Obama,13800138000,enrol/barack-obama.jpg,{}\n", self.day(20))
    }

    fn collins(&self) -> String {
        "110199197001020025,Eileen Collins,13800138001,enrol/eileen-collins.png,\n".into()
    }

    fn writes_roster(&self, rows: &[String]) {
        fs::write(self.desk.at("roster.csv"), [HEADER, &rows.concat()].concat()).unwrap();
    }

    fn day(&self, days: i64) -> Date {
        self.today.saturating_add(days.days())
    }

    /// A command on a day, at this hour.
    fn command(&self, days: i64, hour: u8, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(arguments);
        command.env("FAKETIME", format!("@{} {hour:02}:00:00", self.day(days)));
        self.moves_the_clock_of(&mut command);
        command
    }

    fn moves_the_clock_of(&self, command: &mut Command) {
        let fake = [("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"), ("NO_FAKE_STAT", "1")];
        command.env("LD_PRELOAD", &self.library).envs(fake);
    }

    fn on(&self, days: i64, arguments: &[&str]) -> Answer {
        let output = self.command(days, 9, arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Somebody looks at the clock and confirms it.
    fn confirms(&self, days: i64) -> Answer {
        let answer = self.on(days, &["store", "retention", "--confirm"]);
        answer.is_done();
        answer
    }

    /// It is switched on before the office opens.
    fn robot(&self, days: i64) -> Running {
        Running::start(self.command(days, 8, &["run", "--camera", &visit(), "--looped"]))
    }

    /// A robot that runs on a day until `done`.
    fn runs_until(&self, days: i64, done: impl Fn() -> bool) {
        let mut robot = self.robot(days);
        let until = Instant::now() + WITHIN;
        while !done() {
            assert!(robot.is_running() && Instant::now() < until, "{:?}", {
                robot.gets(rustix::process::Signal::TERM);
                robot.everything()
            });
            std::thread::sleep(Duration::from_millis(20));
        }
        robot.gets(rustix::process::Signal::INT);
        assert!(robot.ends_within(WITHIN).success());
    }

    fn has(&self, record: &str) -> bool {
        self.desk.does(&["people", "show", record]).code == Some(0)
    }

    fn erasures(&self) -> Vec<String> {
        let shown = self.desk.does(&["audit", "show"]);
        shown.is_done();
        shown.out.lines().filter_map(|line| Some(line.split_once("retention: ")?.1.to_owned())).collect()
    }

    /// A damaged store of today, the store of an older greeter and a day's events.
    fn has_left_behind(&self) -> [PathBuf; 3] {
        let damaged = format!("store.damaged-{}T010000Z", self.today.strftime("%Y%m%d"));
        let [damaged, older] = [damaged.as_str(), "store.before-upgrade"].map(|name| self.desk.at(name));
        fs::create_dir_all(&damaged).unwrap();
        fs::create_dir_all(&older).unwrap();
        fs::create_dir_all(self.desk.at("data/events")).unwrap();
        let events = self.desk.at(&format!("data/events/events-{}.jsonl", self.today));
        fs::write(&events, "").unwrap();
        [damaged, older, events]
    }
}

fn photos() -> String {
    tree().join("assets/demo").display().to_string()
}

fn visit() -> String {
    tree().join("assets/demo/visits").display().to_string()
}

#[test]
fn everything_goes_on_its_day_by_the_robot_itself_and_not_the_day_before() {
    let office = Office::opens();
    let [damaged, older, events] = office.has_left_behind();

    office.confirms(14).says("people who are in no roster: 400 days").says(&format!("#1 goes on {}", office.day(21)));
    assert!(damaged.exists() && older.exists());
    office.runs_until(15, || !damaged.exists() && !older.exists());

    office.confirms(20);
    assert!(office.has("1"));
    office.runs_until(21, || !office.has("1"));
    assert_eq!(office.erasures(), ["valid_until is over  #1"]);
    office.desk.does(&["people", "list"]).is_done().says("1 person");

    office.confirms(30);
    assert!(events.exists());
    office.runs_until(31, || !events.exists());

    office.confirms(400);
    assert!(office.has("2"));
    office.on(400, &["doctor", "privacy"]).says(&format!("1 go within 30 days: #2 on {}", office.day(401)));
    office.runs_until(401, || !office.has("2"));
    assert_eq!(office.erasures(), ["valid_until is over  #1", "in no roster any more  #2"]);
    office.desk.does(&["audit", "verify"]).is_done();
    office.desk.does(&["store", "check"]).is_done().says("0 people and 0 photos");
}

#[test]
fn after_a_jump_of_the_clock_nothing_goes_until_somebody_confirms_it() {
    let office = Office::opens();
    let left_behind = office.has_left_behind();
    let mut robot = office.robot(500);
    let told = robot.says("nothing is erased for its age until it is confirmed", WITHIN);
    assert!(told.contains("the clock was last known to be right at"), "{told}");
    office.writes_roster(&[office.collins()]);
    let synced = office.on(500, &["sync", "roster.csv", "--photos", &photos()]);
    synced.is_done().says("If the clock is right: greeter store retention --confirm");
    let doctor = office.on(500, &["doctor", "privacy"]);
    assert_eq!(doctor.code, Some(3));
    doctor.says("look at the clock; when it is right: greeter store retention --confirm");
    assert_eq!(office.on(500, &["store", "retention"]).code, Some(3));
    assert!(left_behind.iter().all(|path| path.exists()) && office.has("1") && office.has("2"));

    office.confirms(500).says("record #1 is erased: valid_until is over").says("record #2 is erased");
    assert!(!left_behind.iter().any(|path| path.exists()) && !office.has("1") && !office.has("2"));
    assert!(robot.is_running());
}

#[test]
fn a_robot_whose_clock_jumps_while_it_runs_erases_nobody() {
    let office = Office::opens();
    let clock = office.desk.at("clock");
    fs::write(&clock, "+0").unwrap();
    let mut command = office.desk.command(&["run", "--camera", &visit(), "--looped"]);
    command.env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
    office.moves_the_clock_of(&mut command);
    let mut robot = Running::start(command);
    robot.says("people", WITHIN);
    fs::write(&clock, "+500d").unwrap();
    robot.says("nothing is erased for its age until it is confirmed", WITHIN);
    assert!(office.has("1") && office.has("2"));
}

#[test]
fn a_roster_in_time_keeps_people_and_the_same_roster_twice_a_day_writes_nothing() {
    let office = Office::opens();
    office.confirms(300);
    assert!(!office.has("1"));
    office.writes_roster(&[office.collins()]);
    office.on(300, &["sync", "roster.csv", "--photos", &photos()]).is_done().says("1 unchanged");
    let written = || fs::metadata(office.desk.at("store.stays")).unwrap().modified().unwrap();
    let before = written();
    office.on(300, &["sync", "roster.csv", "--photos", &photos()]).is_done();
    assert_eq!(written(), before);
    office.confirms(700);
    assert!(office.has("2"));
    office.confirms(701);
    assert!(!office.has("2"));
}

#[test]
fn an_office_that_keeps_no_photos_has_templates_only() {
    let office = Office::opens();
    let files = || {
        let folders = fs::read_dir(office.desk.at("store.photos")).unwrap().flatten();
        folders.flat_map(|folder| fs::read_dir(folder.path()).unwrap()).count()
    };
    assert_eq!(files(), 2);
    let text = fs::read_to_string(office.desk.at("greeter.toml")).unwrap();
    fs::write(office.desk.at("greeter.toml"), text.replace("[store]\n", "[store]\nkeep_photos = false\n")).unwrap();
    office.on(0, &["sync", "roster.csv", "--photos", &photos()]).is_done().says("2 unchanged");
    assert_eq!(files(), 0);
    office.desk.does(&["store", "check"]).is_done().says("2 people and 0 photos can be read");
    office.desk.does(&["doctor", "store"]).is_done().says("2 people, 2 templates");
    office.desk.does(&["store", "backup", "--to", "backup"]).is_done();
    office.desk.does(&["store", "restore", "--from", "backup", "--yes"]).is_done();
    office.desk.does(&["store", "check"]).is_done().says("2 people and 0 photos can be read");
    office.desk.does(&["people", "export", "1", "--to", "theirs"]).is_done().says("0 photos among it");
    office.desk.does(&["people", "erase", "1", "--yes"]).is_done();
    office.on(0, &["sync", "roster.csv", "--photos", &photos()]).is_done().says("1 added, 0 changed, 1 unchanged");
    assert_eq!(files(), 0, "a new photo never reaches the disk");
    office.desk.does(&["reindex", "--pack", "both"]).fails_with(&["were not kept", "Run `greeter sync`"]);
}
