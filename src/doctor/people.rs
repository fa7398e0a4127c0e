//! The store with the people in it, its key and its copy, and whether there are counters for what they come for.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::Finding;
use crate::{
    calibration::{FEWEST_PEOPLE, file::Calibration, hall::ENOUGH},
    config::{Config, StoreSettings},
    face::manifest::Manifest,
    hold::{HoldFile, OnHold},
    installation::Installation,
    person::RecordNumber,
    reindex::Coverage,
    routing::Routing,
    store::{Everybody, Taxpayer, damaged_stores, older_store_kept_for, snapshot_file},
};

/// In seconds.
const DAY: u64 = 24 * 3600;

/// Says who is in the store, from the copy beside it: that changes nothing, and staff and the robot can go on meanwhile.
pub fn store(installation: &Installation, config: &Config) -> Vec<Finding> {
    let settings = &config.store;
    if let Some(finding) = not_to_be_read(settings) {
        return vec![finding];
    }
    let mut findings: Vec<Finding> = on_hold(&HoldFile::beside(&settings.folder)).into_iter().collect();
    let read = Everybody::in_copy(settings).and_then(|everybody| {
        findings.push(copy(settings, everybody.is_current()));
        if everybody.is_outdated() {
            let what =
                "the store is older than the last change that was acknowledged, as after an older backup was put back";
            findings.push(Finding::problem(what, "run `greeter sync` again, or put the newest store back"));
        }
        everybody.enrolled()
    });
    match read {
        Ok(enrolled) => findings.extend(templates(&enrolled, installation, config)),
        Err(error) => findings.push(Finding::of(&error, "see docs/troubleshooting.md")),
    }
    findings.extend(left_behind(&settings.folder));
    findings.extend(beside_its_key(settings));
    findings
}

/// Store and key in one folder end up in one backup.
fn beside_its_key(settings: &StoreSettings) -> Option<Finding> {
    let key_file = settings.key_file.display();
    (settings.folder.parent() == settings.key_file.parent() && settings.key_file.exists()).then(|| {
        Finding::fine(format!(
            "the key lies beside the store, so one backup may take both: with the robot stopped, move {key_file} and all files whose names begin with it to a folder of their own, and set `store.key_file`"
        ))
    })
}

/// Older and damaged stores beside this one.
fn left_behind(folder: &Path) -> Vec<Finding> {
    let older = older_store_kept_for(folder).map(|kept| {
        let days = kept.as_secs() / DAY;
        Finding::fine(format!(
            "the store of the older greeter has been kept for {days} days, for `greeter store undo-upgrade`; `greeter store commit-upgrade` removes it"
        ))
    });
    let damaged = damaged_stores(folder).into_iter().map(|path| {
        let what = format!("a damaged store was set aside: {}", path.display());
        Finding::problem(what, format!("when all is well, remove it: rm -r {}", path.display()))
    });
    older.into_iter().chain(damaged).collect()
}

/// Who is on hold, if anybody is or it cannot be read.
fn on_hold(file: &HoldFile) -> Option<Finding> {
    match file.read() {
        Ok(records) if records.is_empty() => None,
        Ok(records) => Some(Finding::fine(OnHold::These(records).to_string())),
        Err(error) => Some(Finding::of(&error, "see docs/troubleshooting.md")),
    }
}

/// Where there is nothing to read, or it is not ours to read.
fn not_to_be_read(settings: &StoreSettings) -> Option<Finding> {
    let folder = &settings.folder;
    let empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if empty && !snapshot_file(folder).exists() {
        let place = folder.display();
        return Some(match fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => foreign(folder),
            _ => Finding::fine(format!("none yet; `greeter sync` makes it in {place} and preloads people")),
        });
    }
    let owner = fs::metadata(folder).map_or(0, |found| found.uid());
    (owner != rustix::process::geteuid().as_raw()).then(|| foreign(folder))
}

fn foreign(folder: &Path) -> Finding {
    Finding::problem(
        format!("{} belongs to another user, so it was not read", folder.display()),
        format!("run this as that user: sudo -u \"$(stat -c %U {})\" greeter doctor", folder.display()),
    )
}

fn templates(enrolled: &[Taxpayer], installation: &Installation, config: &Config) -> Vec<Finding> {
    let people = enrolled.len();
    let made_by = || enrolled.iter().flat_map(|person| &person.photos).flat_map(|photo| &photo.models);
    let now = jiff::ZonedDateTime::now().datetime();
    let expected = enrolled.iter().filter(|person| person.person.is_expected(now.date())).count();
    let templates = made_by().count();
    let in_store = Finding::fine(format!("{people} people, {templates} templates; {expected} are expected today"));
    let manifest = Manifest::load(&installation.models());
    let recogniser = manifest.and_then(|manifest| manifest.pack(&config.face.pack).map(|pack| pack.recogniser.clone()));
    // The models' own check says what is wrong with them.
    let Ok(recogniser) = recogniser else { return vec![in_store] };
    let mut findings = vec![in_store];
    findings.extend(unrecognised(&Coverage::of(enrolled, &recogniser), &recogniser));
    let others = made_by().filter(|model| **model != recogniser).count();
    if others > 0 {
        findings.push(Finding::fine(format!(
            "{others} templates beside them are by other networks than {recogniser}, which is in use; `greeter reindex` erases them"
        )));
    }
    let read = Calibration::load(&config.store.folder);
    findings.push(read.map_or_else(
        |error| Finding::of(&error, "run `greeter calibrate`"),
        |found| calibration(found.as_ref(), people, &recogniser, now),
    ));
    findings
}

/// Whether the hall's own scores are there and still true.
fn calibration(found: Option<&Calibration>, people: usize, recogniser: &str, now: jiff::civil::DateTime) -> Finding {
    let cure = "run `greeter calibrate`";
    let Some(found) = found else {
        return if people < ENOUGH {
            Finding::fine(format!(
                "the shipped scores hold; from {ENOUGH} people on `greeter calibrate` measures this hall's own"
            ))
        } else {
            Finding::problem(
                format!("{people} people are enrolled and their scores were never measured: the shipped ones hold"),
                cure,
            )
        };
    };
    let made = format!("calibrated on {} on {} people", found.made.date(), found.people);
    if found.recogniser != recogniser {
        return Finding::problem(
            format!("{made}, but for {}: {recogniser} is in use, with the shipped scores", found.recogniser),
            cure,
        );
    }
    if people >= 2 * found.people.max(1) && people >= FEWEST_PEOPLE {
        return Finding::problem(format!("{made}; now {people} are enrolled: measure them too"), cure);
    }
    let days = found.made.until(now).map_or(0, |age| age.get_days());
    Finding::fine(format!("{made}, {days} days ago: FPIR {} %", found.fpir * 100.0))
}

/// People whom the recogniser in use cannot know.
fn unrecognised(coverage: &Coverage, recogniser: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if coverage.waiting > 0 {
        let what = format!(
            "{} photos have no template by {recogniser}, the recogniser in use: whoever has no other photo is not recognised",
            coverage.waiting
        );
        findings.push(Finding::problem(what, "run `greeter reindex`: it makes them from the stored photos"));
    }
    if !coverage.left_out.is_empty() {
        let records: Vec<String> = coverage.left_out.iter().map(ToString::to_string).collect();
        let what = format!(
            "{recogniser}, the recogniser in use, cannot use any photo of {} people: they are not recognised ({})",
            records.len(),
            records.join(", ")
        );
        findings.push(Finding::problem(what, "put another photo into their rows of the roster and run `greeter sync`"));
    }
    findings
}

fn copy(settings: &StoreSettings, current: bool) -> Finding {
    let written = fs::metadata(snapshot_file(&settings.folder)).and_then(|found| found.modified());
    let age = written.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
    let age = format!("its copy is {}", old(age.as_secs()));
    if current {
        return Finding::fine(age);
    }
    Finding::problem(
        format!("{age} and has not got the last changes: a sync is under way, or was cut"),
        "run `greeter sync` again, if none is under way",
    )
}

fn old(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{} min old", seconds / 60),
        3600..DAY => format!("{} h old", seconds / 3600),
        _ => format!("{} days old", seconds / DAY),
    }
}

/// Reads the counters, and compares what they serve with what people come for.
pub fn routing(installation: &Installation, config: &Config) -> Vec<Finding> {
    let own = &config.routing.file;
    let file = if own.is_file() { own.clone() } else { installation.assets().join("routing.toml") };
    let routing = match Routing::load(&file) {
        Ok(routing) => routing,
        Err(error) => return vec![Finding::of(&error, "correct it")],
    };
    let (counters, services) = (routing.counters().len(), routing.services().count());
    let mut findings = vec![Finding::fine(format!("{}: {counters} counters, {services} services", file.display()))];
    if !own.is_file() {
        let what = format!("{} does not exist, so visitors are sent to the counters of the example", own.display());
        let cure = format!("cp {} {} and write your own counters into it", file.display(), own.display());
        findings.push(Finding::problem(what, cure));
    }
    if not_to_be_read(&config.store).is_none() {
        findings.extend(services_without_counter(&config.store, &routing));
    }
    findings
}

fn services_without_counter(settings: &StoreSettings, routing: &Routing) -> Option<Finding> {
    // What is wrong with the store is said by its own check.
    let people = Everybody::in_copy(settings).ok()?.enrolled().ok()?;
    let known: Vec<&str> = routing.services().collect();
    let unknown = |it: &&Taxpayer| it.person.services.iter().any(|service| !known.contains(&service.as_str()));
    let without: Vec<RecordNumber> = people.iter().filter(unknown).map(|it| it.record).collect();
    let first = without.first()?;
    // By record number: what somebody comes for is shown by `--reveal` only.
    let what = format!(
        "routing.toml has no service that {} people come for, record {first} among them: they are sent to reception",
        without.len()
    );
    let cure = format!(
        "see it with `greeter people show {} --reveal`; add it to routing.toml, or correct the roster's column `services`",
        first.0
    );
    Some(Finding::problem(what, cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_whom_the_recogniser_in_use_cannot_know_are_noticed_with_what_to_do() {
        let people = |waiting, left_out: &[u64]| Coverage {
            people: 4,
            waiting,
            left_out: left_out.iter().map(|record| RecordNumber(*record)).collect(),
            ..Coverage::default()
        };
        assert!(unrecognised(&people(0, &[]), "new").is_empty());
        let found = unrecognised(&people(3, &[7, 9]), "new");
        let [Finding::Problem { what: waiting, cure: reindex }, Finding::Problem { what: left_out, cure: sync }] =
            &found[..]
        else {
            panic!("{} findings", found.len())
        };
        assert!(waiting.starts_with("3 photos have no template by new") && reindex.contains("greeter reindex"));
        assert!(left_out.contains("any photo of 2 people") && left_out.ends_with("(#7, #9)"), "{left_out}");
        assert!(sync.contains("greeter sync"));
    }

    #[test]
    fn a_calibration_grows_old_when_the_hall_doubles_or_the_recogniser_changes() {
        let made = jiff::civil::date(2026, 11, 20).at(9, 0, 0, 0);
        let own = Calibration {
            recogniser: "new".into(),
            fpir: 0.001,
            made,
            people: 200,
            pairs: 19_900,
            method: String::new(),
            scores: Vec::new(),
        };
        let now = jiff::civil::date(2026, 11, 25).at(9, 30, 0, 0);
        let says = |found: Option<&Calibration>, people, recogniser| calibration(found, people, recogniser, now);
        let fine = says(Some(&own), 399, "new");
        assert_eq!(fine, Finding::fine("calibrated on 2026-11-20 on 200 people, 5 days ago: FPIR 0.1 %"));
        for (found, people, recogniser, words) in [
            (Some(&own), 400, "new", "now 400 are enrolled"),
            (Some(&own), 200, "newer", "but for new: newer is in use"),
            (None, 100, "new", "were never measured"),
        ] {
            let found = says(found, people, recogniser);
            assert!(matches!(&found, Finding::Problem { what, .. } if what.contains(words)), "{found:?}");
        }
        assert!(matches!(says(None, 99, "new"), Finding::Fine(_)));
    }

    #[test]
    fn looking_for_a_store_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            folder: folder.path().join("store"),
            key_file: folder.path().join("store.key"),
            ..StoreSettings::default()
        };
        assert!(matches!(not_to_be_read(&settings), Some(Finding::Fine(what)) if what.starts_with("none yet")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_age_is_said_in_the_unit_that_fits() {
        assert_eq!([59, 7200, 3 * DAY].map(old), ["0 min old", "2 h old", "3 days old"]);
    }
}
