//! How long people are kept: who goes on which day, and why. Pure.

use std::{collections::BTreeMap, fmt};

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::person::RecordNumber;

/// How long somebody is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// The last day on which a roster had them.
    pub seen: Date,
    /// The last day that their row allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// Why somebody goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// They have been in no roster for `store.keep_people_days`.
    InNoRoster,
    /// Their row's `valid_until` is over.
    Over,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InNoRoster => "in no roster any more",
            Self::Over => "valid_until is over",
        })
    }
}

/// Somebody who goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub record: RecordNumber,
    /// On this day, the first on which they are not kept.
    pub on: Date,
    /// Why.
    pub why: Why,
}

/// When it is done.
impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} is erased: {}", self.record, self.why)
    }
}

/// Everybody's stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stays(BTreeMap<RecordNumber, Stay>);

/// People with neighbouring numbers and the same stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    first: u64,
    last: u64,
    #[serde(flatten)]
    stay: Stay,
}

impl Stays {
    /// Of these runs.
    pub fn of(runs: &[Run]) -> Self {
        let each =
            |run: &Run| (run.first..=run.last).map(RecordNumber).map(|record| (record, run.stay)).collect::<Vec<_>>();
        Self(runs.iter().flat_map(each).collect())
    }

    /// As few runs as say the same of everybody; numbers that nobody has are among them.
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (record, stay) in &self.0 {
            match runs.last_mut() {
                Some(run) if run.stay == *stay => run.last = record.0,
                _ => runs.push(Run { first: record.0, last: record.0, stay: *stay }),
            }
        }
        runs
    }

    /// Only `everybody` is here; whoever was never noted is from this day on.
    pub fn keep(&mut self, everybody: impl Iterator<Item = RecordNumber>, today: Date) {
        let new = |record| (record, self.0.get(&record).copied().unwrap_or(Stay { seen: today, until: None }));
        self.0 = everybody.map(new).collect();
    }

    /// A roster has somebody today.
    pub fn seen(&mut self, record: RecordNumber, today: Date) {
        if let Some(stay) = self.0.get_mut(&record) {
            stay.seen = stay.seen.max(today);
        }
    }

    /// Their row names this last day, or none.
    pub fn limit(&mut self, record: RecordNumber, until: Option<Date>) {
        if let Some(stay) = self.0.get_mut(&record) {
            stay.until = until;
        }
    }

    /// Who of `everybody` is not kept on the day `by`, the first to go first. `keep_days`: for so many days after the last roster; 0 is for ever.
    pub fn due(&self, everybody: impl Iterator<Item = RecordNumber>, keep_days: u32, by: Date) -> Vec<Due> {
        let goes = |record| {
            let stay = self.0.get(&record)?;
            let rosters = (keep_days > 0).then(|| (after(stay.seen, keep_days), Why::InNoRoster));
            let own = stay.until.map(|until| (after(until, 0), Why::Over));
            let (on, why) = rosters.into_iter().chain(own).min()?;
            (on <= by).then_some(Due { record, on, why })
        };
        let mut due: Vec<Due> = everybody.filter_map(goes).collect();
        due.sort_by_key(|due| (due.on, due.record));
        due
    }
}

/// The first day on which what was last wanted on `day` is not kept.
pub fn after(day: Date, keep_days: u32) -> Date {
    day.saturating_add((i64::from(keep_days) + 1).days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const MONDAY: Date = date(2026, 11, 30);

    fn everybody() -> impl Iterator<Item = RecordNumber> {
        (1..=3).map(RecordNumber)
    }

    fn office() -> Stays {
        let mut stays = Stays::default();
        stays.keep(everybody(), MONDAY);
        stays
    }

    fn gone(stays: &Stays, keep_days: u32, by: Date) -> Vec<(u64, Date, Why)> {
        stays.due(everybody(), keep_days, by).iter().map(|due| (due.record.0, due.on, due.why)).collect()
    }

    #[test]
    fn whoever_is_in_no_roster_goes_on_their_day_and_not_the_day_before() {
        let mut stays = office();
        stays.seen(RecordNumber(1), date(2026, 12, 7));
        let day = date(2026, 12, 11);
        assert_eq!(gone(&stays, 10, date(2026, 12, 10)), []);
        assert_eq!(gone(&stays, 10, day), [2, 3].map(|record| (record, day, Why::InNoRoster)));
        assert_eq!(gone(&stays, 10, date(2026, 12, 18)).len(), 3);
        assert_eq!(gone(&stays, 0, date(2099, 1, 1)), [], "0 keeps for ever");
    }

    #[test]
    fn a_rows_own_last_day_is_kept_wholly_and_a_later_row_may_move_it() {
        let mut stays = office();
        stays.limit(RecordNumber(2), Some(date(2026, 12, 2)));
        assert_eq!(gone(&stays, 400, date(2026, 12, 2)), []);
        assert_eq!(gone(&stays, 400, date(2026, 12, 3)), [(2, date(2026, 12, 3), Why::Over)]);
        stays.limit(RecordNumber(2), None);
        assert_eq!(gone(&stays, 400, date(2026, 12, 3)), []);
    }

    #[test]
    fn a_clock_that_was_put_back_takes_no_day_from_anybody() {
        let mut stays = office();
        stays.seen(RecordNumber(1), date(2010, 1, 1));
        assert_eq!(stays, office());
    }

    #[test]
    fn who_was_erased_is_forgotten_and_who_is_new_begins_today() {
        let mut stays = office();
        let now = [1, 3, 4].map(RecordNumber);
        stays.keep(now.into_iter(), date(2026, 12, 1));
        assert_eq!(stays.due(now.into_iter(), 1, date(2026, 12, 2)).len(), 2);
        assert_eq!(stays.due(now.into_iter(), 1, date(2026, 12, 3)).len(), 3);
    }

    #[test]
    fn a_hundred_thousand_people_of_one_roster_are_one_line() {
        let mut stays = Stays::default();
        stays.keep((1..=100_000).filter(|record| record % 7 != 0).map(RecordNumber), MONDAY);
        assert_eq!(stays.runs().len(), 1);
        stays.limit(RecordNumber(50_000), Some(MONDAY));
        let runs = stays.runs();
        assert_eq!(runs.len(), 3);
        assert_eq!(
            serde_json::to_string(&runs[1]).unwrap(),
            r#"{"first":50000,"last":50000,"seen":"2026-11-30","until":"2026-11-30"}"#
        );
        let read = Stays::of(&runs);
        assert!(stays.0.iter().all(|(record, stay)| read.0.get(record) == Some(stay)));
    }
}
