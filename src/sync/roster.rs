//! Reads the roster: which people it names, with which photos, and which rows make no sense.
//!
//! Rows are counted as a spreadsheet shows them: the column names are row 1, and blank rows count.

use std::{collections::HashMap, path::Path};

use jiff::civil::Date;

use super::{
    SyncError,
    basis::Said,
    fields,
    header::{self, Column, Header},
    id_number, phone,
    text::{self, NoText},
};
use crate::{
    greeting::names,
    person::{IdNumber, Person, PersonName, PhoneNumber, Pronunciation},
};

/// Longer names than this are a mistake in the columns.
const MAX_NAME: usize = 60;

/// What a roster says.
#[derive(Debug, Default)]
pub struct Roster {
    /// Rows that make sense.
    pub rows: Vec<Row>,
    /// Rows that do not.
    pub rejected: Vec<RejectedRow>,
    /// About the file, such as columns that are not read.
    pub notes: Vec<String>,
}

impl Roster {
    /// Rejects the rows of these people, for this reason.
    pub fn refuse(&mut self, whom: impl Fn(&Person) -> bool, reason: &str) {
        let refused = self.rows.extract_if(.., |row| whom(&row.person));
        self.rejected.extend(refused.map(|row| RejectedRow::of(row, reason.to_owned())));
        self.rejected.sort_by_key(|row| row.number);
    }
}

/// A row that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As a spreadsheet shows it.
    pub number: usize,
    /// Who.
    pub person: Person,
    /// Paths under the photo folder.
    pub photos: Vec<String>,
    /// Optional values that were passed over.
    pub notes: Vec<String>,
    /// What it says of the person's basis, which with what is known of them makes [`Person::basis`].
    pub basis: Said,
}

/// A row that makes no sense, with as much as is known of whom it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// As a spreadsheet shows it.
    pub number: usize,
    /// Where it can be read.
    pub id_number: Option<IdNumber>,
    /// Where there is one.
    pub name: Option<PersonName>,
    /// Where it can be read.
    pub phone: Option<PhoneNumber>,
    /// A sentence or several.
    pub reason: String,
    /// Whether it says that this person must not be kept any longer.
    pub ends: bool,
}

impl RejectedRow {
    /// For this reason.
    pub fn of(row: Row, reason: String) -> Self {
        let Person { id_number, name, phone, .. } = row.person;
        let (id_number, name, phone) = (Some(id_number), Some(name), Some(phone));
        Self { number: row.number, id_number, name, phone, reason, ends: false }
    }
}

/// Whether the roster should say how somebody's name is read. Whoever is greeted in Cantonese is not read in pinyin.
pub fn is_read_in_doubt(person: &Person) -> bool {
    let cantonese = person.language.as_ref().is_some_and(|language| language.tag() == "yue");
    person.pronunciation.is_none() && !cantonese && names::is_in_doubt(&person.name)
}

/// Reads the roster at `path`; nobody is born after `today`.
///
/// # Errors
/// When the file as a whole is no roster; single rows are in [`Roster::rejected`] instead.
pub fn read(path: &Path, today: Date) -> Result<Roster, SyncError> {
    let bytes = std::fs::read(path).map_err(|cause| SyncError::Unreadable { path: path.into(), cause })?;
    let text = text::decode(&bytes).map_err(|no_text| match no_text {
        NoText::Workbook => SyncError::Workbook { path: path.into() },
        NoText::Unknown => SyncError::Encoding { path: path.into() },
    })?;
    let mut records = records(&text).into_iter();
    let Some((_, names)) = records.next() else { return Err(SyncError::Empty { path: path.into() }) };
    let header = Header::read(&names.iter().collect::<Vec<_>>())
        .map_err(|problem| SyncError::Columns { path: path.into(), problem })?;

    let mut roster = Roster { notes: header.notes.clone(), ..Roster::default() };
    let mut taken = HashMap::new();
    for (number, record) in records {
        match row(number, &record, &header, today).and_then(|row| unless_taken(&roster, &taken, row)) {
            Ok(Some(row)) => {
                taken.insert(row.person.id_number.clone(), roster.rows.len());
                roster.rows.push(row);
            }
            Ok(None) => {}
            Err(rejected) => roster.rejected.push(*rejected),
        }
    }
    if roster.rows.is_empty() && roster.rejected.is_empty() {
        return Err(SyncError::HeaderOnly { path: path.into() });
    }
    Ok(roster)
}

/// All rows that are not blank, with their numbers.
fn records(text: &str) -> Vec<(usize, csv::StringRecord)> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let delimiter = [',', ';', '\t'].into_iter().max_by_key(|mark| {
        // Of delimiters that tell the same, the comma.
        (header::count_known(first.split(*mark)), *mark == ',')
    });
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.map_or(b',', |mark| mark as u8))
        .from_reader(text.as_bytes());
    let (mut all, mut inner_line_ends) = (Vec::new(), 0);
    // Reading text from memory cannot fail: it is UTF-8, and rows may be of any length.
    for record in reader.records().flatten() {
        let (line, at) =
            record.position().map_or((0, 0), |position| (position.line() as usize, position.byte() as usize));
        // The reader passes over empty lines without counting them into the place of the row behind them.
        let empty = text.get(at..).map_or(0, |rest| rest.len() - rest.trim_start_matches('\n').len());
        if !record.iter().all(|value| value.trim().is_empty()) {
            all.push((line + empty - inner_line_ends, record.clone()));
        }
        inner_line_ends += record.iter().map(|value| value.matches('\n').count()).sum::<usize>();
    }
    all
}

fn row(number: usize, record: &csv::StringRecord, header: &Header, today: Date) -> Result<Row, Box<RejectedRow>> {
    let value = |column| header.value(record, column);
    let id_number = id_number::parse(value(Column::IdNumber), today);
    let phone = phone::parse(value(Column::Phone));
    let name = name(value(Column::Name));
    let photos = fields::list(value(Column::Photos));
    let no_photo = if photos.is_empty() { Err("photos are missing: name at least one") } else { Ok(()) };
    let (id_number, name, phone) = match (id_number, name, phone, no_photo) {
        (Ok(id_number), Ok(name), Ok(phone), Ok(())) => (id_number, name, phone),
        (id_number, name, phone, photos) => {
            let reasons = [
                id_number.as_ref().err().map(|fault| format!("identity number {fault}")),
                name.as_ref().err().map(|fault| format!("name {fault}")),
                phone.as_ref().err().map(|fault| format!("phone number {fault}")),
                photos.err().map(str::to_owned),
            ];
            let reason = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
            let (id_number, name, phone) = (id_number.ok(), name.ok(), phone.ok());
            return Err(Box::new(RejectedRow { number, id_number, name, phone, reason, ends: false }));
        }
    };
    let mut notes = Vec::new();
    let pronunciation = pronunciation(value(Column::Pronunciation), &name, &mut notes);
    let language =
        optional(value(Column::Language), fields::language, "language", "the robot's own is used", &mut notes);
    let salutation = optional(
        value(Column::Salutation),
        fields::salutation,
        "salutation",
        "the identity number decides",
        &mut notes,
    );
    let appointment = optional(
        value(Column::Appointment),
        fields::appointment,
        "appointment",
        "none is stored; write it like 2026-11-24 09:30",
        &mut notes,
    );
    let expected = optional(
        value(Column::Expected),
        fields::day,
        "expected",
        "none is stored; write it like 2026-11-24",
        &mut notes,
    );
    let salutation = salutation.or_else(|| id_number::salutation(&id_number));
    let category = Some(value(Column::Category)).filter(|text| !text.is_empty()).map(str::to_owned);
    let services = fields::list(value(Column::Services));
    let basis = Said::read(record, header, today).map_err(|fault| (fault.to_string(), fault.ends()));
    let valid_until = match (value(Column::ValidUntil), fields::day(value(Column::ValidUntil))) {
        ("", _) => Ok(None),
        (_, None) => Err(("valid_until is no day; write it like 2026-11-29".into(), false)),
        (_, Some(day)) if day < today => Err(("valid_until is over".into(), true)),
        (_, day) => Ok(day),
    };
    let person = Person {
        id_number,
        name,
        pronunciation,
        phone,
        language,
        salutation,
        category,
        services,
        appointment,
        expected,
        basis: None,
        valid_until: valid_until.as_ref().ok().copied().flatten(),
    };
    let fault = basis.as_ref().err().cloned().or(valid_until.err());
    let row = Row { number, person, photos, notes, basis: basis.unwrap_or_default() };
    match fault {
        Some((reason, ends)) => Err(Box::new(RejectedRow { ends, ..RejectedRow::of(row, reason) })),
        None => Ok(row),
    }
}

fn optional<T>(
    text: &str,
    read: impl Fn(&str) -> Option<T>,
    what: &str,
    instead: &str,
    notes: &mut Vec<String>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let value = read(text);
    if value.is_none() {
        // The value may have got into the wrong column: it is not repeated.
        notes.push(format!("{what} is not known; {instead}"));
    }
    value
}

/// The value is a name in other letters, so a note does not repeat it.
fn pronunciation(text: &str, name: &PersonName, notes: &mut Vec<String>) -> Option<Pronunciation> {
    if text.is_empty() {
        return None;
    }
    let read = fields::pronunciation(text, name);
    if let Err(fault) = &read {
        notes.push(format!("pronunciation {fault}; the name is read without it"));
    }
    read.ok()
}

fn name(text: &str) -> Result<PersonName, &'static str> {
    let tidy = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match tidy.chars().count() {
        0 => Err("is missing"),
        length if length > MAX_NAME => Err("is longer than 60 characters; are the columns in place?"),
        _ if tidy.chars().any(char::is_control) => Err("has control characters"),
        _ if !tidy.chars().any(char::is_alphabetic) => Err("has no letters; are the columns in place?"),
        _ => Ok(PersonName::new(tidy)),
    }
}

/// `None` for a row that says the same as an earlier one; `taken` has the earlier ones' places in the roster.
fn unless_taken(roster: &Roster, taken: &HashMap<IdNumber, usize>, row: Row) -> Result<Option<Row>, Box<RejectedRow>> {
    let Some(first) = taken.get(&row.person.id_number).and_then(|at| roster.rows.get(*at)) else {
        return Ok(Some(row));
    };
    if first.person == row.person && first.photos == row.photos && first.basis == row.basis {
        return Ok(None);
    }
    let reason = format!(
        "has the identity number of row {0} and says something else; row {0} was taken. Keep one row a person",
        first.number
    );
    Err(Box::new(RejectedRow::of(row, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{Language, Salutation};

    const HEADER: &str = "id_number,name,phone,photos,language,salutation,services,appointment,expected\n";

    fn roster(text: &str) -> Result<Roster, SyncError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, jiff::civil::date(2026, 11, 24))
    }

    fn chen(rest: &str) -> String {
        format!("11010519491231002X,陈伟,13800138000,{rest}\n")
    }

    #[test]
    fn a_full_row_is_read_with_all_it_says() {
        let roster =
            roster(&format!("{HEADER}{}", chen("a.jpg; b.jpg,英语,博士,vat;invoice,2026-11-24 09:30,2026年11月25日")))
                .unwrap();
        let row = &roster.rows[0];
        assert_eq!((row.number, row.photos.len()), (2, 2));
        let person = &row.person;
        assert_eq!(person.name.reveal(), "陈伟");
        assert_eq!(person.language, Some(Language::from("en")));
        assert_eq!(person.salutation, Some(Salutation::Dr));
        assert_eq!(person.services, ["vat", "invoice"]);
        assert!(person.appointment.is_some() && row.notes.is_empty());
        assert_eq!(person.expected, Some(jiff::civil::date(2026, 11, 25)));
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_shows_them() {
        let bad = "1,x,1,\n";
        let text = format!("{HEADER}\n{bad},,,\n\n\"1\",\"two\nlines\",1,\n{bad}");
        let numbers: Vec<_> = roster(&text).unwrap().rejected.iter().map(|row| row.number).collect();
        // 1 names, 2 blank, 3 bad, 4 empty values, 5 blank, 6 bad and two lines high, 7 bad.
        assert_eq!(numbers, [3, 6, 7]);
    }

    #[test]
    fn all_that_is_wrong_with_a_row_is_said_at_once() {
        let roster = roster(&format!("{HEADER}110105194912310021,,12,\n")).unwrap();
        let reason = &roster.rejected[0].reason;
        for part in [
            "identity number has a wrong check digit",
            "name is missing",
            "phone number is neither",
            "photos are missing",
        ] {
            assert!(reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn an_optional_value_that_is_not_known_does_not_keep_anybody_out() {
        let roster = roster(&format!("{HEADER}{}", chen("a.jpg,gibberish words,Sir,,tomorrow,soon"))).unwrap();
        assert_eq!(roster.rows[0].person.salutation, Some(Salutation::Ms));
        assert_eq!(roster.rows[0].notes.len(), 4, "{:?}", roster.rows[0].notes);
    }

    #[test]
    fn a_pronunciation_is_taken_in_one_form_and_a_wrong_one_is_told_without_the_name() {
        let read = |name: &str, pinyin: &str| {
            let text =
                format!("身份证号,姓名,手机号,照片,读音\n11010519491231002X,{name},13800138000,a.jpg,{pinyin}\n");
            let row = roster(&text).unwrap().rows.remove(0);
            (row.person.pronunciation.map(|read| read.reveal().to_owned()), row.notes)
        };
        assert_eq!(read("单雄信", "Shàn Xióngxìn"), (Some("shan4 xiong2 xin4".into()), vec![]));
        assert_eq!(read("单雄信", ""), (None, vec![]));
        assert_eq!(read("阿里木·买买提", "ā lǐ mù mǎi mǎi tí").0.as_deref(), Some("a1 li3 mu4 mai3 mai3 ti2"));
        for (name, pinyin, note) in [
            (
                "单雄信",
                "shan4 xiong2",
                "pronunciation has 2 syllables for 3 Chinese characters; the name is read without it",
            ),
            (
                "单雄信",
                "shan4 xiong2 qxin4",
                "pronunciation is not right: syllable 3 is no syllable of pinyin; the name is read without it",
            ),
            (
                "Barack Obama",
                "ao4 ba1 ma3",
                "pronunciation is for names in Chinese characters alone; the name is read without it",
            ),
        ] {
            assert_eq!(read(name, pinyin), (None, vec![note.to_owned()]));
        }
    }

    #[test]
    fn a_name_with_several_readings_is_in_doubt_until_the_roster_says_one() {
        let doubt = |name: &str, language: &str, pinyin: &str| {
            let header = "id_number,name,phone,photos,language,pronunciation";
            let text = format!("{header}\n11010519491231002X,{name},13800138000,a.jpg,{language},{pinyin}\n");
            is_read_in_doubt(&roster(&text).unwrap().rows.remove(0).person)
        };
        assert!(doubt("王乐", "", "") && doubt("王乐", "en", ""));
        assert!(!doubt("王乐", "", "wang2 yue4") && !doubt("王乐", "yue", "") && !doubt("单伟", "", ""));
        assert!(doubt("王乐", "", "wang2"), "a wrong one says nothing");
    }

    #[test]
    fn the_first_row_of_a_person_counts_and_an_exact_repetition_is_no_fault() {
        let roster = roster(&format!("{HEADER}{0}{0}{1}", chen("a.jpg"), chen("b.jpg"))).unwrap();
        assert_eq!(roster.rows.len(), 1);
        assert_eq!(roster.rejected.len(), 1);
        let rejected = &roster.rejected[0];
        assert_eq!(rejected.number, 4);
        assert!(rejected.reason.contains("identity number of row 2"), "{}", rejected.reason);
    }

    #[test]
    fn semicolons_and_tabs_separate_columns_too() {
        for mark in [";", "\t"] {
            let text = ["id_number,name,phone,photos\n", &chen("a.jpg")].concat().replace(',', mark);
            assert_eq!(roster(&text).unwrap().rows.len(), 1, "{mark:?}");
        }
    }

    #[test]
    fn a_file_without_people_is_refused_as_a_whole() {
        assert!(matches!(roster(""), Err(SyncError::Empty { .. })));
        assert!(matches!(roster("\n \n"), Err(SyncError::Empty { .. })));
        assert!(matches!(roster(HEADER), Err(SyncError::HeaderOnly { .. })));
        assert!(matches!(roster("hello\nworld\n"), Err(SyncError::Columns { .. })));
    }
}
