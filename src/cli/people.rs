//! `greeter people`: who is preloaded, one person in full, removing somebody, and who must not be named.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};

use super::Exit;
use crate::{
    config::{Config, StoreSettings},
    person::{RecordNumber, Taxpayer},
    store::{Change, Enrolled, Everybody, HoldFile, OnHold, Store, StoreError},
};

/// Show, hold or remove preloaded people. Names, identity numbers and phone numbers are masked.
#[derive(Debug, clap::Args)]
pub struct PeopleArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List everybody
    List,
    /// Show one person
    Show {
        /// The record number, from `greeter people list`
        #[arg(value_parser = record)]
        record: RecordNumber,
        /// Show name, pronunciation, identity number, year of birth and phone number in full
        #[arg(long)]
        reveal: bool,
    },
    /// Let the robot name somebody no longer, at once, also while a sync runs
    ///
    /// For somebody whose name was said to another person: they are recognised and counted, and greeted as a visitor without a name.
    Hold {
        /// The record number, from `greeter people list` or the events
        #[arg(value_parser = record)]
        record: RecordNumber,
    },
    /// Let the robot name somebody again who is on hold
    Release {
        /// The record number, from `greeter people list`
        #[arg(value_parser = record)]
        record: RecordNumber,
    },
    /// Erase one person: record, photos and templates
    ///
    /// The next `greeter sync` adds them again if they are still in its roster.
    Remove {
        /// The record number, from `greeter people list`
        #[arg(value_parser = record)]
        record: RecordNumber,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn record(text: &str) -> Result<RecordNumber, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map(RecordNumber).map_err(|_| "a record number is a figure such as 17".into())
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &PeopleArgs, config: &Config) -> anyhow::Result<Exit> {
    let settings = &config.store;
    match args.command {
        Command::List => anstream::print!("{}", table(&open(settings)?.enrolled()?, &on_hold(settings))),
        Command::Show { record, reveal } => {
            let person = open(settings)?.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
            anstream::print!("{}", sheet(&person, on_hold(settings).contains(record), reveal));
        }
        Command::Hold { record } => hold(record, settings)?,
        Command::Release { record } => {
            let released = HoldFile::beside(&settings.folder).release(&[record])?;
            anstream::println!(
                "{}",
                if released {
                    format!("Record {record} is on hold no longer.")
                } else {
                    format!("Record {record} was not on hold. Nothing was changed.")
                }
            );
        }
        Command::Remove { record, yes } => {
            let mut store = open(settings)?;
            let person = store.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
            if !yes && !agreed(&person.taxpayer)? {
                anstream::println!("Nothing was changed.");
                return Ok(Exit::Done);
            }
            store.commit(vec![Change::Remove(record)])?;
            store.write_snapshot().context("the person is erased, but the store's copy still has to be renewed")?;
            anstream::println!(
                "Record {record} is erased. Take the person out of the roster too, or the next sync adds them again."
            );
        }
    }
    Ok(Exit::Done)
}

fn open(settings: &StoreSettings) -> Result<Store, StoreError> {
    let opened = Store::open(settings)?;
    if let Some(rebuilt) = &opened.rebuilt {
        anstream::eprintln!("{rebuilt}");
    }
    if opened.outdated {
        anstream::eprintln!("The store's last changes are missing: run `greeter sync` again.");
    }
    Ok(opened.store)
}

/// Holds first and asks afterwards whether there is such a person: that may have to wait for a sync, and the robot must not.
fn hold(record: RecordNumber, settings: &StoreSettings) -> anyhow::Result<()> {
    let file = HoldFile::beside(&settings.folder);
    let new = file.hold(record)?;
    let told = if new { "is on hold from now on" } else { "was on hold already" };
    match Everybody::now(settings).and_then(|everybody| everybody.has(record)) {
        Ok(true) => anstream::println!("Record {record} {told}: the robot does not name them."),
        Ok(false) => {
            file.release(&[record])?;
            return Err(StoreError::UnknownRecord(record).into());
        }
        Err(StoreError::Locked { holder, .. }) => anstream::println!(
            "Record {record} {told}: the robot does not name them. Whether there is such a record is not known while the store is in use by {holder}."
        ),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("record {record} {told}, but whether there is such a record is not known"));
        }
    }
    Ok(())
}

/// Who is on hold; the list is shown even where that cannot be read.
fn on_hold(settings: &StoreSettings) -> OnHold {
    HoldFile::beside(&settings.folder).read().map_or_else(
        |error| {
            anstream::eprintln!("{error}");
            OnHold::Everybody
        },
        OnHold::These,
    )
}

fn agreed(person: &Taxpayer) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; add --yes to erase record {}", person.record);
    }
    anstream::print!("Erase record {} ({} {})? [y/N] ", person.record, person.name, person.id_number);
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "是"))
}

const COLUMNS: [&str; 7] = ["record", "name", "identity number", "language", "photos", "hold", "services"];

fn table(people: &[Enrolled], on_hold: &OnHold) -> String {
    let row = |person: &Enrolled| {
        let of = &person.taxpayer;
        [
            of.record.to_string(),
            of.name.to_string(),
            of.id_number.to_string(),
            of.language.as_ref().map(ToString::to_string).unwrap_or_default(),
            person.photos.len().to_string(),
            if on_hold.contains(of.record) { "on hold".to_owned() } else { String::new() },
            of.services.join(";"),
        ]
    };
    let rows: Vec<_> = std::iter::once(COLUMNS.map(str::to_owned)).chain(people.iter().map(row)).collect();
    let widths: Vec<_> =
        (0..COLUMNS.len()).map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let padded = row.iter().zip(&widths).map(|(text, wide)| text.clone() + &" ".repeat(wide - width(text)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let people = if people.len() == 1 { "1 person".to_owned() } else { format!("{} people", people.len()) };
    rows.iter().map(line).collect::<String>() + &format!("{people}\n")
}

fn sheet(person: &Enrolled, on_hold: bool, reveal: bool) -> String {
    let of = &person.taxpayer;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let (name, id_number, phone) = if reveal {
        (of.name.reveal().to_owned(), of.id_number.reveal().to_owned(), of.phone.reveal().to_owned())
    } else {
        (of.name.to_string(), of.id_number.to_string(), of.phone.to_string())
    };
    let read = of.pronunciation.as_ref();
    let pronunciation = read.map(|read| if reveal { read.reveal().to_owned() } else { read.to_string() });
    let born = of.id_number.born().map(|year| if reveal { year.to_string() } else { "****".into() });
    let refused =
        if person.refused.is_empty() { String::new() } else { format!(" ({} unusable)", person.refused.len()) };
    let lines = [
        ("record", of.record.to_string()),
        ("name", name),
        ("pronunciation", or_none(pronunciation)),
        ("identity number", id_number),
        ("born", or_none(born)),
        ("phone", phone),
        ("language", or_none(of.language.as_ref().map(ToString::to_string))),
        ("salutation", or_none(of.salutation.map(|salutation| format!("{salutation:?}")))),
        ("category", or_none(of.category.clone())),
        ("services", of.services.join("; ")),
        ("appointment", or_none(of.appointment.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()))),
        ("photos", format!("{}{refused}", person.photos.len())),
        ("on hold", if on_hold { "yes, never named" } else { "no" }.to_owned()),
    ];
    lines.iter().map(|(what, value)| format!("{what:<16} {value}\n")).collect()
}

/// Columns that a terminal takes: Chinese characters and full-width forms are two wide.
fn width(text: &str) -> usize {
    let wide = |letter: char| matches!(u32::from(letter), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd);
    text.chars().map(|letter| if wide(letter) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{IdNumber, Language, PersonName, PhoneNumber, Pronunciation};

    fn person(record: u64, name: &str) -> Enrolled {
        Enrolled {
            taxpayer: Taxpayer {
                record: RecordNumber(record),
                id_number: IdNumber::new("11010519491231002X"),
                name: PersonName::new(name),
                pronunciation: Some(Pronunciation::new("chen2 wei3")),
                phone: PhoneNumber::new("+8613800138000"),
                language: Some(Language::from("yue")),
                salutation: None,
                category: None,
                services: vec!["vat".into(), "invoice".into()],
                appointment: Some(jiff::civil::date(2026, 11, 24).at(9, 30, 0, 0)),
            },
            photos: Vec::new(),
            refused: Vec::new(),
        }
    }

    #[test]
    fn the_list_is_masked_and_its_columns_stand_below_each_other() {
        let text = table(&[person(1, "陈伟"), person(12, "Li Na")], &OnHold::These([RecordNumber(12)].into()));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "#1      陈*    110*************2X  yue       0                vat;invoice");
        assert_eq!(lines[2], "#12     L****  110*************2X  yue       0       on hold  vat;invoice");
        assert_eq!(lines[3], "2 people");
    }

    #[test]
    fn only_reveal_shows_who_somebody_is() {
        let (masked, shown) = (sheet(&person(1, "陈伟"), false, false), sheet(&person(1, "陈伟"), true, true));
        for secret in ["陈伟", "chen2 wei3", "1949", "11010519491231002X", "+8613800138000"] {
            assert!(!masked.contains(secret) && shown.contains(secret), "{secret}");
        }
        assert!(masked.contains("2026-11-24 09:30"));
        assert!(masked.contains("on hold          no\n") && shown.contains("on hold          yes"), "{masked}");
    }

    #[test]
    fn a_record_number_is_taken_with_and_without_its_sign() {
        assert_eq!(record("17"), Ok(RecordNumber(17)));
        assert_eq!(record("#17"), Ok(RecordNumber(17)));
        assert!(record("陈伟").is_err());
    }
}
