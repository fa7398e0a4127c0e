//! A silent pilot: names that were decided and not said, and what somebody who was there says of them.
//!
//! A name is known by its place among those of its day. Ticks lie beside the events, by time and visitor: without a record number.

use std::{
    collections::BTreeMap,
    fmt,
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    disk::{self, DiskError},
    person::RecordNumber,
};

const FILE: &str = "pilot.jsonl";
/// How sure the bound is.
const CONFIDENCE: f64 = 0.95;

/// A name that was decided.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Decided {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Who of those in front of the robot.
    pub visitor: u64,
    /// Whose name.
    pub person: RecordNumber,
    /// The comparison score.
    pub score: f32,
    /// The score that was demanded.
    pub min_score_to_name: f32,
}

impl Decided {
    /// Which of all names it is, whatever day.
    pub fn place(&self) -> (u64, u64) {
        (self.at_ms, self.visitor)
    }
}

/// The names among a day's events, in their order.
pub fn decided(events: &str) -> Vec<Decided> {
    #[derive(Deserialize)]
    struct Kind {
        event: String,
    }
    let is_name = |line: &&str| serde_json::from_str::<Kind>(line).is_ok_and(|kind| kind.event == "identified");
    events.lines().filter(is_name).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What somebody who was there says of a name.
#[derive(Serialize, Deserialize)]
struct Tick {
    at_ms: u64,
    visitor: u64,
    right: bool,
}

/// What was said of names: by time and visitor, whether it was right.
pub type Ticks = BTreeMap<(u64, u64), bool>;

/// The file of ticks.
pub struct TickFile(PathBuf);

impl TickFile {
    /// The one in the folder of the events.
    pub fn within(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// All ticks; of two for one name the later one counts.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn read(&self) -> Result<Ticks, DiskError> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(disk::at(&self.0)(error)),
        };
        // A line that a power cut has torn says nothing.
        let ticks = text.lines().filter_map(|line| serde_json::from_str::<Tick>(line).ok());
        Ok(ticks.map(|tick| ((tick.at_ms, tick.visitor), tick.right)).collect())
    }

    /// Notes ticks; they last when this returns.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn note<'d>(&self, names: impl IntoIterator<Item = &'d Decided>, right: bool) -> Result<(), DiskError> {
        let line = |it: &Decided| {
            let tick = Tick { at_ms: it.at_ms, visitor: it.visitor, right };
            serde_json::to_string(&tick).unwrap_or_default() + "\n"
        };
        // The first line ends one that a power cut has torn.
        let text: String = std::iter::once("\n".to_owned()).chain(names.into_iter().map(line)).collect();
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(&self.0);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(disk::at(&self.0))
    }
}

/// How many names were right, of those that were ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Right ones.
    pub right: u64,
    /// Wrong ones.
    pub wrong: u64,
}

impl Sum {
    /// Of these ticks.
    pub fn of(ticks: &Ticks) -> Self {
        let right = ticks.values().filter(|right| **right).count() as u64;
        Self { right, wrong: ticks.len() as u64 - right }
    }

    /// The share of wrong names that is not exceeded with a confidence of 95 %: the exact bound for a binomial proportion (Clopper and
    /// Pearson 1934).
    pub fn wrong_at_most(self) -> f64 {
        let all = self.right + self.wrong;
        // So many wrong ones or fewer, where each is wrong with this probability.
        let so_few = |share: f64| {
            let mut term = (all as f64 * f64::ln_1p(-share)).exp();
            let mut sum = term;
            for wrong in 0..self.wrong {
                term *= (all - wrong) as f64 / (wrong + 1) as f64 * share / (1.0 - share);
                sum += term;
            }
            sum
        };
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if so_few(middle) > 1.0 - CONFIDENCE { low = middle } else { high = middle }
        }
        high
    }
}

/// For the office.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.right + self.wrong;
        if all == 0 {
            return f.write_str("No name has been ticked yet.");
        }
        write!(
            f,
            "Of {all} names that were ticked, {} were right and {} wrong. With a confidence of 95 % at most {:.1} % of the names are wrong.",
            self.right,
            self.wrong,
            100.0 * self.wrong_at_most()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: &str = r#"{"at_ms":1000,"event":"identified","visitor":4,"person":7,"score":0.83,"min_score_to_name":0.7}
{"at_ms":2000,"event":"unsure","visitor":5,"score":0.6}
{"at_ms":2500,"event":"identi
{"at_ms":3000,"event":"identified","visitor":6,"person":8,"score":0.9,"min_score_to_name":0.7}
"#;

    #[test]
    fn the_names_of_a_day_are_found_and_a_torn_line_says_nothing() {
        let names = decided(EVENTS);
        assert_eq!(
            names.iter().map(|it| (it.place(), it.person.0)).collect::<Vec<_>>(),
            [((1000, 4), 7), ((3000, 6), 8)]
        );
    }

    #[test]
    fn a_tick_may_be_changed_and_holds_no_record_number() {
        let folder = tempfile::tempdir().unwrap();
        let (file, names) = (TickFile::within(folder.path()), decided(EVENTS));
        assert_eq!(Sum::of(&file.read().unwrap()).to_string(), "No name has been ticked yet.");
        file.note(&names, true).unwrap();
        std::fs::write(
            folder.path().join(FILE),
            std::fs::read_to_string(folder.path().join(FILE)).unwrap() + "{\"at_ms\":30",
        )
        .unwrap();
        file.note(&names[1..], false).unwrap();
        let ticks = file.read().unwrap();
        assert_eq!(Sum::of(&ticks), Sum { right: 1, wrong: 1 });
        assert!(ticks[&names[0].place()]);
        assert!(!std::fs::read_to_string(folder.path().join(FILE)).unwrap().contains("person"));
    }

    #[test]
    fn the_bound_is_the_one_of_the_tables() {
        for (right, wrong, most) in [(40, 0, 0.0722), (0, 3, 1.0), (299, 0, 0.00997), (98, 2, 0.0616), (10, 10, 0.6980)]
        {
            let found = Sum { right, wrong }.wrong_at_most();
            assert!((found - most).abs() < 2e-4, "{right} {wrong}: {found}");
        }
        let sum = Sum { right: 40, wrong: 0 }.to_string();
        assert!(sum.ends_with("at most 7.2 % of the names are wrong."), "{sum}");
    }
}
