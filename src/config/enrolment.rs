//! Values of the section `enrolment`. Pure.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What becomes of rows that name no basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BasisRule {
    /// They are enrolled on the office's public duty.
    PublicDuty,
    /// They are refused.
    Column,
}

/// When something was confirmed, if it was: a day of TOML, or the same as text; empty text is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Confirmed(pub Option<Date>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Day(toml::value::Datetime),
}

impl TryFrom<Written> for Confirmed {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let text = match written {
            Written::Text(text) => text,
            Written::Day(day) => day.to_string(),
        };
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse().map(|day| Self(Some(day))).map_err(|_| format!("`{text}` is no day; write it as 2026-11-29"))
    }
}

impl From<Confirmed> for String {
    fn from(confirmed: Confirmed) -> Self {
        confirmed.0.map(|day| day.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_day_is_written_as_a_day_or_as_text_and_nothing_else_is_one() {
        let read = |value: &str| {
            Config::parse(&format!("[enrolment]\nconfirmed = {value}\n")).map(|config| config.enrolment.confirmed.0)
        };
        let day = Some(jiff::civil::date(2026, 11, 29));
        assert_eq!((read("2026-11-29"), read("\"2026-11-29\""), read("\"\"")), (Ok(day), Ok(day), Ok(None)));
        assert!(read("\"yes\"").unwrap_err().contains("`yes` is no day; write it as 2026-11-29"));
        assert!(Config::parse("[enrolment]\nbasis = \"perhaps\"\n").is_err());
    }
}
