//! What the office must know about the people whom it keeps: their legal basis, how many they are, and who goes next for their age.

use jiff::{ToSpan, ZonedDateTime};

use super::Finding;
use crate::{
    config::{BasisRule, Config},
    rights::{
        clock::{ClockFile, Trust},
        filing, forgetting,
        retention::Due,
    },
};

/// Days ahead that are told.
const AHEAD: i64 = 30;
/// Records that a line names, at most.
const NAMED: usize = 20;

/// Looks without a trace.
pub fn privacy(config: &Config) -> Vec<Finding> {
    let people = match forgetting::people(&config.store) {
        Ok(0) => return vec![Finding::fine("nobody is enrolled")],
        Ok(people) => people,
        Err(error) => return vec![Finding::of(&error, "see docs/troubleshooting.md")],
    };
    let mut findings = vec![basis(config)];
    findings.extend(filing::notice(people).map(|notice| Finding::problem(notice.what, notice.then)));
    let now = ZonedDateTime::now();
    findings.push(match forgetting::due(&config.store, now.date().saturating_add(AHEAD.days())) {
        Ok(due) => Finding::fine(goes(&due, config.store.keep_people_days)),
        Err(error) => Finding::of(&error, "run `greeter sync` again"),
    });
    match ClockFile::beside(&config.store.folder).peek(now.timestamp()) {
        Ok(Trust::Steady) => {}
        Ok(Trust::Jumped(last)) => findings.push(Finding::problem(
            forgetting::waiting(last, &now),
            "look at the clock; when it is right: greeter store retention --confirm",
        )),
        Err(error) => findings.push(Finding::of(&error, "greeter store retention --confirm")),
    }
    findings
}

fn basis(config: &Config) -> Finding {
    match (config.enrolment.basis, config.enrolment.confirmed.0) {
        (BasisRule::Column, _) => Finding::fine("each row of a roster names its legal basis"),
        (BasisRule::PublicDuty, Some(day)) => {
            Finding::fine(format!("rows without a legal basis are on the public duty, confirmed on {day}"))
        }
        (BasisRule::PublicDuty, None) => Finding::problem(
            "rows without a legal basis are enrolled on the office's public duty, and nobody has confirmed that this is its basis",
            "let whoever answers for data protection decide (docs/impact-assessment.md); then write `confirmed = 2026-11-29`, the day, below [enrolment] into greeter.toml, or `basis = \"column\"`",
        ),
    }
}

fn goes(due: &[Due], keep_days: u32) -> String {
    let rule = match keep_days {
        0 => "people who are in no roster any more are kept for ever".to_owned(),
        days => format!("people who are in no roster any more are kept for {days} days"),
    };
    if due.is_empty() {
        return format!("{rule}; nobody goes within {AHEAD} days");
    }
    let named: Vec<String> = due.iter().take(NAMED).map(|due| format!("{} on {}", due.record, due.on)).collect();
    let more = match due.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{rule}; {} go within {AHEAD} days: {}{more}", due.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{person::RecordNumber, rights::retention::Why};

    #[test]
    fn the_office_is_reminded_of_its_basis_until_it_is_confirmed_or_each_row_has_one() {
        let finding = |text: &str| basis(&Config::parse(text).unwrap());
        assert!(matches!(finding(""), Finding::Problem { cure, .. } if cure.contains("confirmed = 2026-11-29")));
        assert!(
            matches!(finding("[enrolment]\nconfirmed = 2026-11-29\n"), Finding::Fine(what) if what.ends_with("2026-11-29"))
        );
        assert!(matches!(finding("[enrolment]\nbasis = \"column\"\n"), Finding::Fine(_)));
    }

    #[test]
    fn who_goes_is_told_beforehand_with_the_day() {
        let due = |record| Due { record: RecordNumber(record), on: date(2026, 12, 3), why: Why::InNoRoster };
        assert_eq!(
            goes(&[due(7)], 400),
            "people who are in no roster any more are kept for 400 days; 1 go within 30 days: #7 on 2026-12-03"
        );
        assert!(goes(&(1..=25).map(due).collect::<Vec<_>>(), 1).ends_with("#20 on 2026-12-03 and 5 more"));
        assert!(goes(&[], 0).contains("for ever; nobody goes"));
    }
}
