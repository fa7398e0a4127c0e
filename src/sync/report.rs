//! What a sync did, for the person who ran it: a summary on the terminal and a CSV file. Names and identity numbers are masked.

use std::{fmt, io::Write, path::Path};

use jiff::civil::Date;

use super::SyncError;
use crate::person::{IdNumber, PersonName, RecordNumber};

/// What became of a row, or of a person who left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// New in the store.
    Added,
    /// Something is different.
    Changed,
    /// Store and row said the same.
    Unchanged,
    /// No longer in the store.
    Removed,
    /// Nothing was taken from the row.
    Rejected,
}

impl Outcome {
    /// As in the report file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Rejected => "rejected",
        }
    }
}

/// One row's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    /// As a spreadsheet shows it; `None` for people who left the roster.
    pub row: Option<usize>,
    /// The person's record, where there is one.
    pub record: Option<RecordNumber>,
    /// Name and identity number, masked.
    pub who: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, or what is different; empty where there is nothing to say.
    pub reason: String,
    /// What was passed over although the row was taken.
    pub warnings: Vec<String>,
    /// Whether the name may be read in several ways, and the roster does not say in which.
    pub reading_in_doubt: bool,
    /// The last day on which the person may be kept; only where the row was taken.
    pub valid_until: Option<Date>,
}

/// In the report file, for each name that may be read in several ways.
const IN_DOUBT: &str = "the name may be read in several ways; say in the column pronunciation how";
/// How many rows with such names the summary lists; the report file has all.
const LISTED: usize = 20;

/// Name and identity number, masked, as far as they are known.
pub(super) fn who(name: Option<&PersonName>, id_number: Option<&IdNumber>) -> String {
    let parts = [name.map(ToString::to_string), id_number.map(ToString::to_string)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A sync's fate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// All rows, then the people who were removed.
    pub rows: Vec<RowReport>,
    /// About the roster as a whole.
    pub notes: Vec<String>,
    /// Whether this is only what would be done.
    pub dry_run: bool,
}

impl Report {
    /// How many had this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }

    /// Everybody in the roster who is in the store, each with the last day on which they may be kept, where their row was taken and says so.
    pub fn in_roster(&self) -> impl Iterator<Item = (RecordNumber, Option<Option<Date>>)> {
        let limit = |row: &RowReport| (row.outcome != Outcome::Rejected).then_some(row.valid_until);
        self.rows.iter().filter(|row| row.row.is_some()).filter_map(move |row| Some((row.record?, limit(row))))
    }

    /// Writes the CSV: row, record, outcome, reason.
    ///
    /// # Errors
    /// [`SyncError::Report`].
    pub fn write(&self, path: &Path) -> Result<(), SyncError> {
        let lines = self.to_csv();
        // The mark tells spreadsheet programs that this is UTF-8.
        let written = std::fs::File::create(path)
            .and_then(|mut file| file.write_all("\u{feff}".as_bytes()).and_then(|()| file.write_all(lines.as_bytes())));
        written.map_err(|cause| SyncError::Report { path: path.into(), cause })
    }

    /// By row, without the names: whoever has the roster sees them there.
    fn list_doubts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<usize> = self.rows.iter().filter(|row| row.reading_in_doubt).filter_map(|row| row.row).collect();
        let listed = rows.iter().take(LISTED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = match rows.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {} more (--report FILE lists all)", thousands(more)),
        };
        match rows.len() {
            0 => Ok(()),
            1 => writeln!(
                f,
                "pronunciation in doubt: the name in row {listed} may be read in several ways and is said in the commonest. Say how in the column pronunciation (读音), such as `shan4 xiong2 xin4`"
            ),
            count => writeln!(
                f,
                "pronunciation in doubt: {} names may be read in several ways and are said in the commonest: rows {listed}{more}. Say how in the column pronunciation (读音), such as `shan4 xiong2 xin4`",
                thousands(count)
            ),
        }
    }

    fn to_csv(&self) -> String {
        let mut lines = String::from("row,record,outcome,reason\n");
        for row in &self.rows {
            let reason: Vec<_> = Some(&row.reason)
                .filter(|reason| !reason.is_empty())
                .into_iter()
                .chain(&row.warnings)
                .map(String::as_str)
                .chain(row.reading_in_doubt.then_some(IN_DOUBT))
                .collect();
            let number = row.row.map(|row| row.to_string()).unwrap_or_default();
            let record = row.record.map(|record| record.0.to_string()).unwrap_or_default();
            lines += &format!("{number},{record},{},{}\n", row.outcome.word(), quoted(&reason.join("; ")));
        }
        lines
    }
}

/// A CSV value; a photo's name that a spreadsheet program would run as a formula is disarmed.
fn quoted(text: &str) -> String {
    let disarmed = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", disarmed.replace('"', "\"\""))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |outcome| thousands(self.count(outcome));
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for row in self.rows.iter().filter(|row| row.outcome == Outcome::Rejected) {
            writeln!(f, "{}: rejected: {}", place(row), row.reason)?;
        }
        for row in &self.rows {
            for warning in &row.warnings {
                writeln!(f, "{}: warning: {warning}", place(row))?;
            }
        }
        self.list_doubts(f)?;
        let tense = if self.dry_run { "Dry run, nothing was changed. It would be: " } else { "" };
        write!(
            f,
            "{tense}{} added, {} changed, {} unchanged, {} removed, {} rejected.",
            count(Outcome::Added),
            count(Outcome::Changed),
            count(Outcome::Unchanged),
            count(Outcome::Removed),
            count(Outcome::Rejected)
        )?;
        if self.count(Outcome::Rejected) > 0 {
            write!(f, " Correct the rejected rows and run the same sync again; the others are not touched then.")?;
        }
        Ok(())
    }
}

fn place(row: &RowReport) -> String {
    let who = if row.who.is_empty() { String::new() } else { format!(" ({})", row.who) };
    row.row.map_or_else(|| "not in the roster".to_owned(), |row| format!("row {row}")) + &who
}

/// `12,345`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = |row, outcome, reason: &str, warnings: &[&str]| RowReport {
            row: Some(row),
            record: (outcome == Outcome::Added).then_some(RecordNumber(7)),
            who: who(Some(&PersonName::new("陈伟")), Some(&IdNumber::new("11010519491231002X"))),
            outcome,
            reason: reason.into(),
            warnings: warnings.iter().map(|warning| (*warning).to_owned()).collect(),
            reading_in_doubt: false,
            valid_until: None,
        };
        Report {
            rows: vec![
                row(2, Outcome::Added, "", &["photo 2 is cut off"]),
                row(3, Outcome::Rejected, "photo 1 shows \"2\" faces", &[]),
            ],
            notes: vec!["column `remarks` is not read".into()],
            dry_run: false,
        }
    }

    #[test]
    fn the_summary_says_what_became_of_whom_without_saying_who_they_are() {
        let text = report().to_string();
        assert!(text.contains("row 3 (陈* 110*************2X): rejected: photo 1 shows \"2\" faces\n"), "{text}");
        assert!(text.contains("row 2 (陈* 110*************2X): warning: photo 2 is cut off\n"), "{text}");
        assert!(
            text.contains("\n1 added, 0 changed, 0 unchanged, 0 removed, 1 rejected. Correct the rejected rows"),
            "{text}"
        );
        assert!(!text.contains("11010519491231002X") && !text.contains("陈伟"));
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_changed() {
        let text = Report { dry_run: true, ..Report::default() }.to_string();
        assert_eq!(
            text,
            "Dry run, nothing was changed. It would be: 0 added, 0 changed, 0 unchanged, 0 removed, 0 rejected."
        );
    }

    #[test]
    fn names_whose_reading_is_in_doubt_are_listed_by_row_and_not_too_many_of_them() {
        let doubtful = |rows: std::ops::Range<usize>| {
            let template = report().rows.remove(0);
            let row = |row| RowReport { row: Some(row), reading_in_doubt: true, warnings: vec![], ..template.clone() };
            Report { rows: rows.map(row).collect(), ..Report::default() }
        };
        let first = |report: &Report| report.to_string().lines().next().unwrap().to_owned();
        assert_eq!(
            first(&doubtful(2..3)),
            "pronunciation in doubt: the name in row 2 may be read in several ways and is said in the commonest. Say how in the column pronunciation (读音), such as `shan4 xiong2 xin4`"
        );
        let many = first(&doubtful(2..2002));
        assert!(many.contains("2,000 names may be read"), "{many}");
        assert!(many.contains("20, 21 and 1,980 more (--report FILE lists all)."), "{many}");
        assert!(!many.contains("22") && !many.contains('陈'), "{many}");
        let csv = doubtful(2..2002).to_csv();
        assert_eq!(csv.matches("say in the column pronunciation how").count(), 2000);
        assert!(!report().to_string().contains("in doubt"));
    }

    #[test]
    fn the_report_file_is_a_table_that_a_spreadsheet_reads() {
        assert_eq!(
            report().to_csv(),
            "row,record,outcome,reason\n2,7,added,\"photo 2 is cut off\"\n3,,rejected,\"photo 1 shows \"\"2\"\" faces\"\n"
        );
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn large_numbers_are_readable() {
        assert_eq!(["7", "1,203", "100,000"], [7, 1203, 100_000].map(thousands).each_ref().map(String::as_str));
    }
}
