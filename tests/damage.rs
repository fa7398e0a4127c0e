//! Bits flip, files are cut off, lost, or put back from an earlier day: the robot serves within five seconds, what is lost is told, nobody is
//! shown as another person, and what the message names brings everything back.
//!
//! Everyday a few people and forty bits; `--long damage` flips five hundred among a thousand people. GREETER_SEED chooses other places.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/roster.rs"]
mod roster;
#[path = "support/spoilt.rs"]
mod spoilt;

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use desk::Answer;
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use roster::{id, letters};
use spoilt::{Damage, Hall, OBJECTS};

/// Whether an answer tells that something is wrong.
fn tells(answer: &Answer) -> bool {
    let words = [" WARN ", " ERROR ", "has been rebuilt", "is older than", "lost", "cannot be read"];
    answer.code != Some(0) || words.iter().any(|word| answer.err.contains(word))
}

/// What became of a damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Everything is as it was.
    Harmless,
    /// It was told and put right by what was said, or by itself.
    Mended,
    /// It was told that a file has to come back from a backup, and then everything was as it was.
    Restored,
}

fn judge(hall: &Hall, file: &Path, watched: bool, random: &mut ChaCha8Rng, slowest: &mut Duration) -> Fate {
    let mut answers = Vec::new();
    if watched {
        let (served, took, answer) = hall.serves();
        *slowest = took.max(*slowest);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(served == hall.people - OBJECTS.len() || tells(&answer), "serves {served} without a word: {answer:?}");
        answers.push(answer);
    }
    let some = hall.people - random.random_range(0..3);
    answers.push(hall.does(&["people", "show", &some.to_string(), "--reveal"]));
    let shown = &answers.last().unwrap().out;
    assert!(
        shown.is_empty() || shown.contains(&id(some)) && shown.contains(&letters(some)),
        "another person's: {shown}"
    );
    answers.push(hall.does(&["store", "check"]));
    answers.push(hall.does(&["audit", "verify"]));
    if file.starts_with("store.objections") || file.ends_with("store.key.objections") {
        answers.push(hall.syncs("roster.csv"));
    }
    if file.starts_with("store.hold") {
        answers.push(hall.does(&["people", "list"]));
    }
    for answer in &answers {
        assert!(matches!(answer.code, Some(0 | 1 | 3)), "{answer:?}");
        for word in ["panicked", "Os {", "os error"] {
            assert!(!answer.err.contains(word), "{answer:?}");
        }
    }
    let told = answers.iter().any(tells);
    let Err(wrong) = hall.is_whole() else {
        return if told { Fate::Mended } else { Fate::Harmless };
    };
    assert!(told, "nobody says that {wrong}: {answers:#?}");
    let said = answers.iter().map(|answer| answer.err.as_str()).collect::<String>();
    if said.contains("backup") || said.contains("Put the newest one back") || said.contains("people hold") {
        let kept = hall.desk.at("now").join(file);
        let _ = fs::remove_file(hall.desk.at("data").join(file));
        fs::copy(kept, hall.desk.at("data").join(file)).unwrap();
        hall.is_whole().unwrap_or_else(|wrong| panic!("after the backup {wrong}: {answers:#?}"));
        return Fate::Restored;
    }
    let cures = [hall.does(&["store", "repair"]), hall.syncs("roster.csv")];
    hall.is_whole().unwrap_or_else(|wrong| panic!("after repair and sync {wrong}: {answers:#?}{cures:#?}"));
    Fate::Mended
}

#[test]
fn whatever_file_is_damaged_lost_or_older_is_told_or_harmless_and_the_robot_serves_everybody_as_themselves() {
    let seed = std::env::var("GREETER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(24);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let long = std::env::var_os("GREETER_LONG").is_some();
    let (people, flips) = if long { (1000, 500) } else { (9, 40) };
    let hall = Hall::with_people(people);
    let files = hall.files(&mut random);
    let cuts = [Damage::CutTo(0, 1), Damage::CutTo(1, 2), Damage::LosesItsLastByte];
    let mut damages: Vec<(PathBuf, Damage)> = Vec::new();
    for file in &files {
        let some = if long { &cuts[..] } else { std::slice::from_ref(cuts.choose(&mut random).unwrap()) };
        let all = some.iter().copied().chain([Damage::Removed, Damage::OfAnEarlierDay]);
        // Who removes that file releases everybody, as its message says.
        let all = all.filter(|damage| {
            !file.ends_with("store.hold") || !matches!(damage, Damage::Removed | Damage::OfAnEarlierDay)
        });
        damages.extend(all.map(|damage| (file.clone(), damage)));
    }
    for flip in 0..flips {
        // The photo is another one each time.
        let files = hall.files(&mut random);
        damages.push((files[flip % files.len()].clone(), Damage::Flip));
    }
    let (mut fates, mut slowest, mut wrong, mut done) = (BTreeMap::new(), Duration::ZERO, Vec::new(), 0);
    for (number, (file, damage)) in damages.iter().enumerate() {
        hall.is_restored();
        if !hall.damages(file, *damage, &mut random) {
            continue;
        }
        done += 1;
        let watched = long || number % 8 == 0;
        match catch_unwind(AssertUnwindSafe(|| judge(&hall, file, watched, &mut random, &mut slowest))) {
            Ok(fate) => *fates.entry(fate).or_insert(0) += 1,
            Err(_) => wrong.push(format!("{} {damage:?}", file.display())),
        }
    }
    println!("measured: {done} damages among {people} people: {fates:?}; serving after {slowest:?} at most");
    assert!(wrong.is_empty(), "{} of {done}: {wrong:#?}", wrong.len());
    assert!(fates.len() == 3, "{fates:?}");
}

#[test]
fn a_store_of_an_earlier_day_is_told_until_a_sync_and_the_newest_one_may_still_come_back() {
    let hall = Hall::with_people(9);
    for newest_comes_back in [true, false] {
        hall.is_restored();
        hall.puts_back_the_store("earlier");
        let (served, _, robot) = hall.serves();
        assert_eq!(served, hall.people - OBJECTS.len() - 1);
        assert!(robot.err.contains("is older than the last change") && robot.err.contains("greeter sync"), "{robot:?}");
        for _ in 0..2 {
            let doctor = hall.does(&["doctor", "store"]);
            doctor.says("the store is older than the last change that was acknowledged");
            let check = hall.does(&["store", "check"]);
            assert_eq!(check.code, Some(3), "{check:?}");
            check.says("whoever was enrolled since this store was kept is not in it");
        }
        if newest_comes_back {
            hall.puts_back_the_store("now");
            hall.syncs("roster.csv").is_done().says("0 added, 0 changed, 7 unchanged");
        } else {
            hall.syncs("roster.csv").is_done().says("1 added, 1 changed, 5 unchanged");
        }
        hall.is_whole().unwrap();
        let doctor = hall.does(&["doctor", "store"]);
        assert!(!doctor.out.contains("older"), "{}", doctor.out);
    }
}

#[test]
fn with_all_keys_of_an_earlier_day_nobody_is_taken_for_erased_and_nothing_is_touched_until_the_newest_come_back() {
    let hall = Hall::with_people(9);
    let puts_back = |kept: &str| {
        for name in ["keys/store.key.people", "keys/store.key.people.copy"] {
            fs::copy(hall.desk.at(kept).join(name), hall.desk.at("data").join(name)).unwrap();
        }
    };
    puts_back("earlier");
    hall.does(&["store", "check"]).fails_with(&[
        "is older than the store",
        "Nothing was changed",
        "Put the newest one back",
    ]);
    puts_back("now");
    hall.is_whole().unwrap();
}
