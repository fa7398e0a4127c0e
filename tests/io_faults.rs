//! The disk fails, is full, or the program is killed: a command did all it was asked, or says what happened and what to do; the store opens,
//! nobody is lost, nobody who was erased is back, the same command again does the rest, and nothing half-made is left.
//!
//! Calls fail by `support/faults.c`, in the real program. `--long faults` does the same ten times as often; GREETER_SEED chooses other moments.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/doings.rs"]
mod doings;
#[path = "support/roster.rs"]
mod roster;

use std::{
    fs,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use desk::{Answer, Running, tree};
use doings::{Doing, Office, People, ends, is_told};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use roster::{Disk, id};
use rustix::{io::Errno, process::Signal};

/// How a call fails: as `support/faults.c` wants it, and which kinds of calls do.
const ERRORS: [(&str, &[&str]); 5] = [
    ("EIO", &["open", "read", "write", "sync", "truncate", "rename", "remove", "folder", "lock", "look"]),
    ("ENOSPC", &["open", "write", "sync", "rename", "folder"]),
    ("EROFS", &["open", "write", "truncate", "rename", "remove", "folder"]),
    ("EINTR", &["open", "read", "write", "lock", "truncate"]),
    ("short", &["read", "write"]),
];

fn number_of(error: &str) -> String {
    match error {
        "EIO" => Errno::IO.raw_os_error().to_string(),
        "ENOSPC" => Errno::NOSPC.raw_os_error().to_string(),
        "EROFS" => Errno::ROFS.raw_os_error().to_string(),
        "EINTR" => Errno::INTR.raw_os_error().to_string(),
        other => other.to_owned(),
    }
}

fn random() -> ChaCha8Rng {
    let seed = std::env::var("GREETER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(24);
    ChaCha8Rng::seed_from_u64(seed)
}

fn so_many(everyday: usize, long: usize) -> usize {
    if std::env::var_os("GREETER_LONG").is_some() { long } else { everyday }
}

/// A disk whose calls fail.
struct Failing {
    library: PathBuf,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Failing {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("faults.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(tree().join("tests/support/faults.c"));
        assert!(cc.status().unwrap().success());
        Self { library, log: folder.path().join("log"), _folder: folder }
    }

    /// Runs a command in which calls fail from a number on, and gives the kind of each call and whether it failed.
    fn runs(
        &self,
        office: &Office,
        doing: Doing,
        error: &str,
        at: usize,
        always: bool,
    ) -> (Answer, Vec<(String, bool)>) {
        let _ = fs::remove_file(&self.log);
        let mut command = office.command(doing);
        command.env("LD_PRELOAD", &self.library).env("FAULT_DIR", &office.data).env("FAULT_LOG", &self.log);
        command.env("FAULT_ERROR", number_of(error)).env("FAULT_AT", at.to_string());
        if always {
            command.env("FAULT_ALWAYS", "1");
        }
        let answer = ends(command);
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let call = |line: &str| (line.split(' ').next().unwrap().to_owned(), line.contains(" HIT "));
        (answer, log.lines().map(call).collect())
    }
}

/// What must hold after a command whatever happened to it; says whether it told that it was done.
fn judge(office: &Office, doing: Doing, answer: &Answer, what: &str) -> bool {
    let what = format!("{what}\n{answer:?}\n");
    let done = answer.code == Some(0) || doing == Doing::Repair && answer.code == Some(3);
    if done {
        assert!(!answer.err.contains("panicked"), "{what}");
        office.is_done(doing, &what);
    } else {
        is_told(answer, &what);
        office.lost_nobody(doing, &what);
        let again = office.does(doing);
        let repaired = doing == Doing::Repair && again.code == Some(3);
        assert!(again.code == Some(0) || repaired, "{what}the same command again: {again:?}");
        office.is_done(doing, &what);
    }
    let left = office.left_behind();
    let older = |name: &String| doing == Doing::Upgrade && name.contains("before-upgrade");
    assert!(left.iter().all(older), "{what}left behind: {left:?}");
    done
}

#[test]
fn whichever_call_fails_a_command_did_all_or_says_what_to_do_and_loses_nobody() {
    let (failing, mut random) = (Failing::new(), random());
    let folder = tempfile::tempdir().unwrap();
    let office = Office::with_data_in(&folder.path().join("data"));
    let calls = Doing::ALL.map(|doing| {
        office.prepare(doing);
        let (answer, calls) = failing.runs(&office, doing, "EIO", 0, false);
        assert!(judge(&office, doing, &answer, "nothing fails"), "{doing:?}");
        calls
    });
    let faults = so_many(24, 300);
    let (mut done, mut hit, mut wrong) = (0, 0, Vec::new());
    for number in 0..faults {
        let which = number % Doing::ALL.len();
        let doing = Doing::ALL[which];
        let (error, kinds) = ERRORS[number % ERRORS.len()];
        let always = number / ERRORS.len() % 2 == 1;
        let kinds: Vec<&&str> = kinds.iter().filter(|kind| calls[which].iter().any(|call| call.0 == **kind)).collect();
        let kind = **kinds.choose(&mut random).unwrap();
        let at: Vec<usize> = (0..calls[which].len()).filter(|at| calls[which][*at].0 == kind).collect();
        let at = at.choose(&mut random).unwrap() + 1;
        let what = format!("{doing:?}, {error} at call {at} ({kind}){}", if always { " and on" } else { "" });
        let judged = catch_unwind(AssertUnwindSafe(|| {
            office.prepare(doing);
            let (answer, calls) = failing.runs(&office, doing, error, at, always);
            hit += usize::from(calls.iter().any(|call| call.1));
            judge(&office, doing, &answer, &what)
        }));
        done += usize::from(matches!(judged, Ok(true)));
        if judged.is_err() {
            wrong.push(what);
        }
    }
    println!(
        "measured: {faults} faults, {hit} reached; {done} commands did all the same, {} told what to do",
        faults - done - wrong.len()
    );
    assert!(wrong.is_empty(), "{} of {faults}: {wrong:#?}", wrong.len());
    assert!(hit * 10 >= faults * 9 && done < faults);
}

/// Leaves so many bytes free on a disk until it is dropped.
struct Ballast(PathBuf);

impl Ballast {
    fn leaves(disk: &Path, bytes: u64) -> Self {
        let ballast = Self(disk.join("ballast"));
        let mut file = fs::File::create(&ballast.0).unwrap();
        while greeter::disk::free_bytes(disk).unwrap() > bytes && file.write_all(&[7; 1 << 14]).is_ok() {}
        ballast
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn on_a_full_disk_a_command_did_all_or_says_so_people_are_shown_and_room_is_all_it_needs() {
    let Some(disk) = Disk::ext4(64, "the full disk") else { return };
    let (office, mut random) = (Office::with_data_in(&disk.path.join("data")), random());
    let cycles = so_many(7, 50);
    let mut done = 0;
    for number in 0..cycles {
        let doing = Doing::ALL[number % Doing::ALL.len()];
        office.prepare(doing);
        let free = if number % 3 == 0 { 0 } else { random.random_range(0..16 << 20) };
        let ballast = Ballast::leaves(&disk.path, free);
        let answer = ends(office.command(doing));
        let what = format!("{doing:?} with {free} bytes free");
        if !matches!(doing, Doing::Create | Doing::Upgrade) {
            let list = office.desk.does(&["people", "list"]);
            assert_eq!(list.code, Some(0), "{what}: {list:?}");
        }
        drop(ballast);
        done += usize::from(judge(&office, doing, &answer, &what));
    }
    println!("measured: {cycles} full disks; {done} commands did all the same, {} told what to do", cycles - done);
}

/// What staff do again and again while the robot runs, and who is there when it is done.
fn round(office: &Office) -> [(&'static str, People); 4] {
    let (fewer, more) = office.before_and_after(Doing::Change);
    let mut without = more.clone();
    without.remove(&id(5));
    [("change", more), ("erase", without.clone()), ("hold", without), ("create", fewer)]
}

fn staff(office: &Office, doing: &str) -> Command {
    let record = |n| office.record_of(&id(n)).unwrap().0.to_string();
    match doing {
        "erase" => office.desk.command(&["people", "erase", &record(5), "--yes"]),
        "hold" => office.desk.command(&["people", "hold", &record(2)]),
        roster => office.desk.command(&["sync", "--mirror", office.roster(roster).to_str().unwrap()]),
    }
}

/// The same command once more.
fn again(office: &Office, command: &Command) -> Command {
    let arguments: Vec<&str> = command.get_args().skip(2).map(|it| it.to_str().unwrap()).collect();
    office.desk.command(&arguments)
}

#[test]
fn commands_that_are_killed_beside_a_running_robot_lose_nobody_and_the_robot_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (office, mut random) = (Office::with_data_in(&folder.path().join("data")), random());
    office.desk.configures("\n[visit]\ncool_down_s = 1\n");
    office.prepare(Doing::Hold);
    let recording = office.desk.recording(&["obama@", "200-"]);
    let mut robot = office.desk.starts(&["run", "--looped", "--camera", recording.to_str().unwrap()]);
    robot.says("serving; ", Duration::from_secs(60));
    let round = round(&office);
    let lasts = round.each_ref().map(|(doing, after)| {
        let begun = Instant::now();
        ends(staff(&office, doing)).is_done();
        assert!(office.people(doing) == *after, "{doing}");
        begun.elapsed()
    });
    let kills = so_many(4, 100);
    let mut before = round[3].1.clone();
    for number in 0..kills {
        let (doing, after) = &round[number % round.len()];
        let command = staff(&office, doing);
        // Who is erased is known by their number only.
        let once_more = again(&office, &command);
        let killed = Running::start(command);
        thread::sleep(lasts[number % round.len()].mul_f64(random.random_range(0.0..1.1)));
        drop(killed);
        let what = format!("kill {number}, {doing}");
        let there = office.people(&what);
        for (id, was) in before.iter().filter(|(id, _)| after.contains_key(*id)) {
            let now = there.get(id).unwrap_or_else(|| panic!("{what}: somebody is lost"));
            assert!(now == was || Some(now) == after.get(id), "{what}: somebody is not as they were");
        }
        ends(once_more).is_done();
        assert!(office.people(&what) == *after, "{what}: the same command again does not do the rest");
        assert_eq!(office.left_behind(), [""; 0], "{what}");
        assert!(robot.is_running(), "{what}: the robot has ended");
        before.clone_from(after);
    }
    robot.said.clear();
    robot.says("says: ", Duration::from_secs(60));
    robot.gets(Signal::INT);
    assert!(robot.ends_within(Duration::from_secs(30)).success());
    let (_, log) = robot.everything();
    assert!(!log.contains("panicked"), "{log}");
    println!("measured: {kills} kills beside a running robot");
}
