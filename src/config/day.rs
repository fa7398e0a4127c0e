//! Times of day in the configuration: when the robot is quiet, and how loud it is otherwise. Pure.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::GreetingSettings;

/// A time of day such as `08:30`, to the minute; `24:00` is the day's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayTime {
    minutes: i32,
}

/// From one time of day to another, such as `12:30-13:30`; `22:00-06:00` goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    from: DayTime,
    to: DayTime,
}

impl DayTime {
    fn of(time: Time) -> Self {
        Self { minutes: i32::from(time.hour()) * 60 + i32::from(time.minute()) }
    }
}

impl Span {
    fn holds(self, now: DayTime) -> bool {
        if self.from < self.to { self.from <= now && now < self.to } else { self.from <= now || now < self.to }
    }
}

impl GreetingSettings {
    /// How loud the robot is at a local time, 0 to 1; `None` in quiet hours.
    pub fn volume_at(&self, now: Time) -> Option<f32> {
        let now = DayTime::of(now);
        if self.quiet_hours.iter().any(|span| span.holds(now)) {
            return None;
        }
        // Before the day's first entry the last one of the day before holds.
        let since = self.volume_by_time.range(..=now).next_back().or_else(|| self.volume_by_time.last_key_value());
        Some(since.map_or(self.volume, |(_, volume)| *volume))
    }

    /// Whether somebody born in a year is to be given more time in another.
    pub fn takes_time_for(&self, born: Option<i16>, year: i16) -> bool {
        born.is_some_and(|born| year - born >= self.care_from_age)
    }
}

impl TryFrom<String> for DayTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time of day; write it as 08:30");
        let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
        let digits = |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten();
        match (digits(hours), digits(minutes)) {
            (Some(hours @ 0..24), Some(minutes @ 0..60)) | (Some(hours @ 24), Some(minutes @ 0)) => {
                Ok(Self { minutes: i32::from(hours) * 60 + i32::from(minutes) })
            }
            _ => Err(wrong()),
        }
    }
}

impl From<DayTime> for String {
    fn from(time: DayTime) -> Self {
        format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no span of the day; write it as 12:30-13:30");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let span = Self { from: from.to_owned().try_into()?, to: to.to_owned().try_into()? };
        if span.from == span.to {
            Err(format!("`{text}` has no length; write the whole day as 00:00-24:00"))
        } else {
            Ok(span)
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        format!("{}-{}", String::from(span.from), String::from(span.to))
    }
}

#[cfg(test)]
mod tests {
    use super::GreetingSettings;
    use crate::config::Config;

    fn volume(greeting: &str, at: &str) -> Option<f32> {
        Config::parse(&format!("[greeting]\n{greeting}")).unwrap().greeting.volume_at(at.parse().unwrap())
    }

    fn error(greeting: &str) -> String {
        Config::parse(&format!("[greeting]\n{greeting}")).unwrap_err()
    }

    #[test]
    fn the_robot_is_quiet_in_quiet_hours_also_over_midnight() {
        let hours = "volume = 0.5\nquiet_hours = [\"12:30-13:30\", \"22:00-06:00\"]\n";
        for (at, quiet) in [
            ("12:29", false),
            ("12:30", true),
            ("13:29:59", true),
            ("13:30", false),
            ("21:59", false),
            ("22:00", true),
            ("00:00", true),
            ("05:59", true),
            ("06:00", false),
        ] {
            assert_eq!(volume(hours, at), (!quiet).then_some(0.5), "{at}");
        }
        assert_eq!(volume("quiet_hours = [\"00:00-24:00\"]\n", "23:59:59"), None);
    }

    #[test]
    fn the_volume_of_a_time_holds_until_the_next_one_and_the_last_one_through_the_night() {
        let by_time = "volume_by_time = { \"08:00\" = 0.6, \"10:00\" = 1.0, \"17:30\" = 0.4 }\n";
        for (at, wanted) in [("08:00", 0.6), ("09:59", 0.6), ("10:00", 1.0), ("23:00", 0.4), ("07:59", 0.4)] {
            assert_eq!(volume(by_time, at), Some(wanted), "{at}");
        }
        assert_eq!(volume("volume = 0.3\n", "12:00"), Some(0.3));
    }

    #[test]
    fn who_is_old_enough_by_the_year_of_birth_is_given_more_time() {
        let greeting = GreetingSettings::default();
        assert!(greeting.takes_time_for(Some(1961), 2026) && greeting.takes_time_for(Some(1940), 2026));
        assert!(!greeting.takes_time_for(Some(1962), 2026) && !greeting.takes_time_for(None, 2026));
    }

    #[test]
    fn a_time_that_is_none_is_refused_with_line_key_and_the_right_form() {
        assert_eq!(
            error("quiet_hours = [\"12:30\"]\n"),
            "line 2: greeting.quiet_hours[0]: `12:30` is no span of the day; write it as 12:30-13:30"
        );
        assert!(error("quiet_hours = [\"12:30-25:00\"]\n").ends_with("`25:00` is no time of day; write it as 08:30"));
        assert!(error("quiet_hours = [\"9:00-10:00\"]\n").contains("`9:00` is no time of day"));
        assert!(error("quiet_hours = [\"09:00-09:00\"]\n").contains("has no length"));
        assert!(error("volume_by_time = { noon = 0.5 }\n").contains("`noon` is no time of day; write it as 08:30"));
        assert_eq!(error("volume_by_time = { \"08:00\" = 1.5 }\n"), "greeting.volume_by_time lies between 0 and 1");
    }
}
