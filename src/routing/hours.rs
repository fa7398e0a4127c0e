//! When a counter is open: spans of the clock for each day of the week.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Weekday};

/// Minutes after midnight, from and to (not included), for each day from Monday on; `None`: always open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hours(Option<[Vec<(u16, u16)>; 7]>);

/// Keys of an `hours` table and the days that they stand for, the more general first: a later one wins.
const DAYS: [(&str, &[usize]); 10] = [
    ("daily", &[0, 1, 2, 3, 4, 5, 6]),
    ("weekdays", &[0, 1, 2, 3, 4]),
    ("weekend", &[5, 6]),
    ("monday", &[0]),
    ("tuesday", &[1]),
    ("wednesday", &[2]),
    ("thursday", &[3]),
    ("friday", &[4]),
    ("saturday", &[5]),
    ("sunday", &[6]),
];

impl Hours {
    /// Reads a table such as `{ weekdays = "09:00-12:00,13:30-17:00" }`; a day that it does not name is closed.
    ///
    /// # Errors
    /// A clause for the operator, such as `hours "9-12" of monday are no span such as 09:00-12:00`.
    pub fn parse(table: Option<&BTreeMap<String, String>>) -> Result<Self, String> {
        let Some(table) = table else { return Ok(Self(None)) };
        if let Some(unknown) = table.keys().find(|key| DAYS.iter().all(|(day, _)| day != key)) {
            let nearest = super::file::nearest_name(unknown, DAYS.iter().map(|(day, _)| *day));
            return Err(format!("hours know no day `{unknown}`{nearest}"));
        }
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for (day, indexes) in DAYS {
            let Some(text) = table.get(day) else { continue };
            let spans = spans(text).ok_or_else(|| {
                format!("hours \"{text}\" of {day} are no spans such as \"09:00-12:00,13:30-17:00\" or \"closed\"")
            })?;
            for index in indexes {
                week[*index].clone_from(&spans);
            }
        }
        Ok(Self(Some(week)))
    }

    pub fn open_at(&self, now: DateTime) -> bool {
        let Some(week) = &self.0 else { return true };
        let minute = now.hour() as u16 * 60 + now.minute() as u16;
        week[day(now.weekday())].iter().any(|(from, to)| (*from..*to).contains(&minute))
    }
}

fn day(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs())
}

fn spans(text: &str) -> Option<Vec<(u16, u16)>> {
    if text.trim() == "closed" {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|span| {
            let (from, to) = span.split_once('-')?;
            let (from, to) = (minute(from)?, minute(to)?);
            (from < to).then_some((from, to))
        })
        .collect()
}

fn minute(clock: &str) -> Option<u16> {
    let (hour, minute) = clock.trim().split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let since_midnight = hour * 60 + minute;
    (minute < 60 && since_midnight <= 24 * 60).then_some(since_midnight)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn hours(table: &[(&str, &str)]) -> Result<Hours, String> {
        Hours::parse(Some(&table.iter().map(|(day, text)| ((*day).to_owned(), (*text).to_owned())).collect()))
    }

    /// 2026-11-23 is a Monday.
    fn open(hours: &Hours, day: i8, hour: i8, minute: i8) -> bool {
        hours.open_at(date(2026, 11, day).at(hour, minute, 0, 0))
    }

    #[test]
    fn a_counter_is_open_from_its_first_minute_until_just_before_its_last() {
        let hours = hours(&[("weekdays", "09:00-12:00, 13:30-17:00")]).unwrap();
        let seen = [(8, 59), (9, 0), (11, 59), (12, 0), (13, 29), (13, 30), (16, 59), (17, 0)]
            .map(|(hour, minute)| open(&hours, 23, hour, minute));
        assert_eq!(seen, [false, true, true, false, false, true, true, false]);
        assert!(!open(&hours, 28, 10, 0), "Saturday is not named, so it is closed");
    }

    #[test]
    fn a_single_day_overrides_the_general_hours() {
        let hours = hours(&[("daily", "08:00-18:00"), ("weekend", "closed"), ("sunday", "10:00-11:00")]).unwrap();
        assert!(open(&hours, 23, 17, 0));
        assert!(!open(&hours, 28, 10, 30));
        assert!(open(&hours, 29, 10, 30));
    }

    #[test]
    fn a_counter_can_be_open_all_day_and_all_night() {
        let all_day = hours(&[("daily", "00:00-24:00")]).unwrap();
        assert!(open(&all_day, 28, 23, 59) && open(&all_day, 29, 0, 0));
        assert!(open(&Hours::parse(None).unwrap(), 29, 3, 0));
    }

    #[test]
    fn hours_that_make_no_sense_are_refused() {
        for wrong in ["9-12", "12:00-09:00", "09:00-25:00", "09:60-10:00", "", "09:00", "9:00-12:00", "09:00-09:00"] {
            assert!(hours(&[("monday", wrong)]).unwrap_err().contains("of monday"), "{wrong}");
        }
        assert_eq!(hours(&[("mondays", "closed")]).unwrap_err(), "hours know no day `mondays`; did you mean `monday`?");
    }
}
