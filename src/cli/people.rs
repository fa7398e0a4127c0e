//! `greeter people`: who is preloaded, one person in full, removing somebody, and who must not be named.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use serde_json::Value;

use super::Exit;
use crate::{
    config::{Config, StoreSettings},
    hold::{HoldFile, OnHold},
    keys::Keys,
    person::RecordNumber,
    rights::{
        access::{self, All, Whose},
        export::{Beside, export},
        objections::Objections,
        receipt::Erased,
    },
    store::{Change, Everybody, Store, StoreError, Taxpayer, commit_upgrade},
};

/// Show, hold or remove preloaded people. What is known of them is masked.
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
        /// Show all that is known of them in full
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
    /// Write everything that is kept of somebody into a folder: a page, the same as JSON, and their photos
    ///
    /// It is in the clear, for that person. Delete it when they have it.
    Export {
        /// The record number, from `greeter people list`
        #[arg(value_parser = record)]
        record: RecordNumber,
        /// The folder, which is made
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Erase one person: their key first, so that nothing that is left of them anywhere can be read, then record, photos and templates
    ///
    /// The next `greeter sync` adds them again if they are still in its roster.
    #[command(visible_alias = "remove")]
    Erase {
        /// The record number, from `greeter people list`
        #[arg(value_parser = record)]
        record: RecordNumber,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// They objected: no roster brings them back until `greeter people withdraw-objection`
        #[arg(long)]
        objection: bool,
        /// Who asked for it, for the receipt
        #[arg(long, value_name = "WHO", default_value = "the person")]
        asked_by: String,
        /// Write the receipt to this new file, which `greeter receipt verify` checks
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// Let rosters enrol somebody again who objected; their identity number is read from the standard input
    WithdrawObjection,
}

pub(super) fn record(text: &str) -> Result<RecordNumber, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map(RecordNumber).map_err(|_| "a record number is a figure such as 17".into())
}

impl PeopleArgs {
    /// For the access log: what is done, and to whose record.
    pub fn touches(&self) -> (&'static str, Whose) {
        match self.command {
            Command::List => ("people list", Whose::Everybody(All::All)),
            Command::Show { record, .. } => ("people show", Whose::One(record)),
            Command::Hold { record } => ("people hold", Whose::One(record)),
            Command::Release { record } => ("people release", Whose::One(record)),
            Command::Export { record, .. } => ("people export", Whose::One(record)),
            Command::Erase { record, .. } => ("people erase", Whose::One(record)),
            Command::WithdrawObjection => ("people withdraw-objection", Whose::Everybody(All::All)),
        }
    }
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &PeopleArgs, config: &Config) -> anyhow::Result<Exit> {
    let settings = &config.store;
    match args.command {
        Command::List => {
            let enrolled = match Everybody::now(settings) {
                Ok(everybody) => everybody.enrolled()?,
                Err(StoreError::NoCopy { .. }) => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            anstream::print!("{}", table(&enrolled, &on_hold(settings)));
        }
        Command::Show { record, reveal } => {
            anstream::print!("{}", sheet(&person(record, settings)?, on_hold(settings).contains(record), reveal));
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
        Command::Export { record, ref to } => {
            let (on_hold, events) = (on_hold(settings).contains(record), events(record, config));
            let photos = export(&open(settings)?, record, &Beside { on_hold, events }, to)?;
            anstream::println!(
                "Everything that is kept of record {record}, {photos} photos among it, is in {}, in the clear. Delete it when they have it.",
                to.display()
            );
        }
        Command::Erase { record, yes, objection, ref asked_by, ref receipt } => {
            let person = match person(record, settings) {
                // An erasure that was cut: the rest of it is done now.
                Err(StoreError::UnknownRecord(_))
                    if Keys::read(&settings.key_file)?.is_some_and(|keys| keys.is_erased(record)) =>
                {
                    None
                }
                person => Some(person?),
            };
            if let Some(person) = person.as_ref().filter(|_| !yes)
                && !agreed(person)?
            {
                anstream::println!("Nothing was changed.");
                return Ok(Exit::Done);
            }
            if let Some(person) = person.as_ref().filter(|_| objection) {
                let _lock = Objections::lock(settings)?;
                let missing =
                    || StoreError::KeyMissing { file: settings.key_file.clone(), folder: settings.folder.clone() };
                Objections::of(settings)?.ok_or_else(missing)?.add(&person.person.id_number)?;
            }
            let wholly = erase(record, settings)?;
            let (user, sudo_user) = access::who();
            let erased = Erased {
                record,
                at: super::now(),
                by: sudo_user.unwrap_or(user),
                asked_by: asked_by.clone(),
                photos: person.as_ref().map_or(0, |person| person.photos.len()),
                wholly,
                objection: objection && person.is_some(),
                remains: Erased::remains(),
            };
            let signed = erased.signed(settings)?;
            anstream::println!("{signed}");
            if let Some(path) = receipt {
                signed.write(path).context("the person is erased, but the receipt could not be written")?;
            }
            if !objection {
                anstream::println!("Take the person out of the roster too, or the next sync adds them again.");
            }
        }
        Command::WithdrawObjection => {
            let mut text = String::new();
            std::io::stdin().lock().read_line(&mut text)?;
            let today = jiff::ZonedDateTime::now().date();
            let number = crate::sync::parse_id_number(&text, today)
                .map_err(|fault| anyhow::anyhow!("the identity number {fault}"))?;
            let _lock = Objections::lock(settings)?;
            let there = match Objections::of(settings)? {
                Some(mut objections) => objections.withdraw(&number)?,
                None => false,
            };
            anstream::println!(
                "{}",
                if there {
                    "They object no longer: the next sync enrols them if they are in its roster."
                } else {
                    "Nobody with this identity number had objected. Nothing was changed."
                }
            );
        }
    }
    Ok(Exit::Done)
}

pub(super) fn open(settings: &StoreSettings) -> Result<Store, StoreError> {
    let opened = Store::open(settings)?;
    if let Some(rebuilt) = &opened.rebuilt {
        anstream::eprintln!("{rebuilt}");
    }
    if opened.outdated {
        anstream::eprintln!(
            "The store is older than the last change that was acknowledged: run `greeter sync` again, or put the newest store back."
        );
    }
    Ok(opened.store)
}

/// The events that have this record number.
fn events(record: RecordNumber, config: &Config) -> Vec<Value> {
    let names = |event: &Value| {
        let one = event["person"].as_u64() == Some(record.0);
        one || event["people"].as_array().is_some_and(|people| people.iter().any(|it| it.as_u64() == Some(record.0)))
    };
    let files = std::fs::read_dir(&config.journal.folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect();
    files.sort();
    let texts = files.into_iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let events = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    events.filter_map(|line| serde_json::from_str(&line).ok()).filter(names).collect()
}

fn person(record: RecordNumber, settings: &StoreSettings) -> Result<Taxpayer, StoreError> {
    let everybody = Everybody::now(settings)?.enrolled()?;
    let person = everybody.into_iter().find(|person| person.record == record);
    person.ok_or(StoreError::UnknownRecord(record))
}

/// Erases somebody, also where the store is in use or the disk is full: then the rest of them goes when it is opened next. Says whether they
/// are gone wholly.
fn erase(record: RecordNumber, settings: &StoreSettings) -> anyhow::Result<bool> {
    match open(settings) {
        Ok(mut store) => {
            match store.commit(vec![Change::Remove(record)]) {
                // Opening the store has finished an erasure that was cut.
                Err(StoreError::UnknownRecord(_)) => {}
                committed => committed?,
            }
            store.write_snapshot().context("the person is erased, but the store's copy still has to be renewed")?;
            Ok(true)
        }
        Err(error) if error.leaves_only_keys() => {
            Keys::erase(settings, &[record])?;
            // The older store still has them.
            commit_upgrade(&settings.folder)?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Holds first and asks afterwards whether there is such a person: that may have to wait for a sync, and the robot must not.
fn hold(record: RecordNumber, settings: &StoreSettings) -> anyhow::Result<()> {
    let file = HoldFile::beside(&settings.folder);
    let new = file.hold(record)?;
    let told = if new { "is on hold from now on" } else { "was on hold already" };
    let known = Everybody::now(settings).map(|everybody| (everybody.has(record), everybody.is_current()));
    match known {
        Ok((true, _)) => anstream::println!("Record {record} {told}: the robot does not name them."),
        Ok((false, true)) => {
            file.release(&[record])?;
            return Err(StoreError::UnknownRecord(record).into());
        }
        Ok((false, false)) | Err(StoreError::Locked { .. }) => anstream::println!(
            "Record {record} {told}: the robot does not name them. Whether there is such a record is not known while the store is in use."
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

fn agreed(whose: &Taxpayer) -> anyhow::Result<bool> {
    let Taxpayer { record, person, .. } = whose;
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; add --yes to erase record {record}");
    }
    anstream::print!("Erase record {record} ({} {})? [y/N] ", person.name, person.id_number);
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "是"))
}

const COLUMNS: [&str; 7] = ["record", "name", "identity number", "language", "photos", "hold", "services"];

fn table(people: &[Taxpayer], on_hold: &OnHold) -> String {
    let row = |person: &Taxpayer| {
        let of = &person.person;
        [
            person.record.to_string(),
            of.name.to_string(),
            of.id_number.to_string(),
            of.language.as_ref().map(ToString::to_string).unwrap_or_default(),
            person.photos.len().to_string(),
            if on_hold.contains(person.record) { "on hold".to_owned() } else { String::new() },
            of.services.len().to_string(),
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

fn sheet(person: &Taxpayer, on_hold: bool, reveal: bool) -> String {
    let of = &person.person;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    // What somebody comes for, and when, is the secret of their taxes.
    let unless_masked = |text: Option<String>| or_none(text.map(|text| if reveal { text } else { "****".into() }));
    let services = if reveal { of.services.join("; ") } else { of.services.len().to_string() };
    let basis = of.basis.as_ref().map(|basis| if reveal { basis.to_string() } else { basis.ground.to_string() });
    let basis = basis.unwrap_or_else(|| "public duty, from before it was noted".into());
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
        ("record", person.record.to_string()),
        ("name", name),
        ("pronunciation", or_none(pronunciation)),
        ("identity number", id_number),
        ("born", or_none(born)),
        ("phone", phone),
        ("language", or_none(of.language.as_ref().map(ToString::to_string))),
        ("salutation", or_none(of.salutation.map(|salutation| format!("{salutation:?}")))),
        ("category", unless_masked(of.category.clone())),
        ("services", services),
        ("appointment", unless_masked(of.appointment.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()))),
        ("expected", unless_masked(of.expected.map(|day| day.to_string()))),
        ("basis", basis),
        ("valid until", unless_masked(of.valid_until.map(|day| day.to_string()))),
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
    use crate::person::{Basis, Ground, IdNumber, Language, Person, PersonName, PhoneNumber, Pronunciation};

    fn person(record: u64, name: &str) -> Taxpayer {
        Taxpayer {
            record: RecordNumber(record),
            person: Person {
                id_number: IdNumber::new("11010519491231002X"),
                name: PersonName::new(name),
                pronunciation: Some(Pronunciation::new("chen2 wei3")),
                phone: PhoneNumber::new("+8613800138000"),
                language: Some(Language::from("yue")),
                salutation: None,
                category: None,
                services: vec!["vat".into(), "invoice".into()],
                appointment: Some(jiff::civil::date(2026, 11, 24).at(9, 30, 0, 0)),
                expected: None,
                basis: Some(Basis {
                    ground: Ground::PublicDuty,
                    since: jiff::civil::date(2026, 11, 2),
                    guardian: None,
                    source: "Hall 3".into(),
                }),
                valid_until: None,
            },
            photos: Vec::new(),
            refused: Vec::new(),
        }
    }

    #[test]
    fn the_list_is_masked_and_its_columns_stand_below_each_other() {
        let text = table(&[person(1, "陈伟"), person(12, "Li Na")], &OnHold::These([RecordNumber(12)].into()));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "#1      陈*    110*************2X  yue       0                2");
        assert_eq!(lines[2], "#12     L****  110*************2X  yue       0       on hold  2");
        assert_eq!(lines[3], "2 people");
    }

    #[test]
    fn only_reveal_shows_who_somebody_is() {
        let (masked, shown) = (sheet(&person(1, "陈伟"), false, false), sheet(&person(1, "陈伟"), true, true));
        for secret in
            ["陈伟", "chen2 wei3", "1949", "11010519491231002X", "+8613800138000", "vat", "2026-11-24 09:30", "Hall 3"]
        {
            assert!(!masked.contains(secret) && shown.contains(secret), "{secret}");
        }
        assert!(masked.contains("public duty\n") && shown.contains("public duty, since 2026-11-02, from"), "{masked}");
        assert!(masked.contains("on hold          no\n") && shown.contains("on hold          yes"), "{masked}");
    }

    #[test]
    fn a_record_number_is_taken_with_and_without_its_sign() {
        assert_eq!(record("17"), Ok(RecordNumber(17)));
        assert_eq!(record("#17"), Ok(RecordNumber(17)));
        assert!(record("陈伟").is_err());
    }
}
