//! `greeter pilot`: names that were decided, whether they were said or not, and whether they were right.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use jiff::civil::Date;

use super::Exit;
use crate::{
    config::Config,
    journal::{
        DayFiles,
        pilot::{Decided, Sum, TickFile, Ticks, decided},
    },
    store::{Everybody, StoreError},
};

/// List the names that were decided on a day, and note which of them were right.
///
/// With `decision.announce = false` names are decided and nobody is named. Somebody who stands beside the robot ticks what they saw; the sum says how often
/// names would be wrong in this hall.
#[derive(clap::Args)]
pub struct PilotArgs {
    /// The day; today otherwise
    #[arg(long, value_name = "DAY")]
    day: Option<Date>,
    /// Numbers of the list that were right, with commas between them
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    right: Vec<usize>,
    /// Numbers of the list that were wrong
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    wrong: Vec<usize>,
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &PilotArgs, config: &Config) -> anyhow::Result<Exit> {
    let Some(days) = DayFiles::of(&config.journal) else {
        bail!("no events are kept (`journal.keep_days` is 0), so there is nothing to list");
    };
    let day = args.day.unwrap_or_else(|| jiff::ZonedDateTime::now().date());
    let path = days.file_of(day);
    let events = match std::fs::read(&path) {
        Ok(events) => String::from_utf8_lossy(&events).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let (names, file) = (decided(&events), TickFile::within(days.folder()));
    for (numbers, right) in [(&args.right, true), (&args.wrong, false)] {
        let of = |number: &usize| number.checked_sub(1).and_then(|at| names.get(at));
        let unknown = numbers.iter().find(|number| of(number).is_none());
        ensure!(unknown.is_none(), "there is no name {} on {day}; `greeter pilot` lists them", unknown.unwrap_or(&0));
        if !numbers.is_empty() {
            file.note(numbers.iter().filter_map(of), right)?;
        }
    }
    let ticks = file.read()?;
    let everybody = match Everybody::in_copy(&config.store) {
        Err(StoreError::NoCopy { .. }) => Vec::new(),
        everybody => everybody?.enrolled()?,
    };
    let who = everybody.into_iter().map(|it| (it.record, it.person.name.to_string())).collect();
    let local = |ms: u64| {
        let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let zone = jiff::tz::TimeZone::system();
        at.map_or(String::new(), |at| at.to_zoned_datetime(zone).strftime("%H:%M:%S").to_string())
    };
    anstream::print!("{}", list(day, &names, &who, &ticks, local));
    Ok(Exit::Done)
}

fn list(
    day: Date,
    names: &[Decided],
    who: &BTreeMap<crate::person::RecordNumber, String>,
    ticks: &Ticks,
    local: impl Fn(u64) -> String,
) -> String {
    let mut text = format!("Names that were decided on {day}\n\n");
    if names.is_empty() {
        text += "  none\n";
    } else {
        text += "   no  time      record   score  demanded  tick   who\n";
    }
    for (number, name) in (1..).zip(names) {
        let tick = match ticks.get(&name.place()) {
            Some(true) => "right",
            Some(false) => "wrong",
            None => "",
        };
        text += &format!(
            "{number:>5}  {:8}  {:<7}  {:>5.2}  {:>8.2}  {tick:<5}  {}\n",
            local(name.at_ms),
            name.person.to_string(),
            name.score,
            name.min_score_to_name,
            who.get(&name.person).map_or("no longer enrolled", String::as_str)
        );
    }
    let open = names.iter().filter(|name| !ticks.contains_key(&name.place())).count();
    if open > 0 {
        text += &format!(
            "\n{open} of them are not ticked. Whoever was there says: greeter pilot --day {day} --right 1,2 --wrong 3\n"
        );
    }
    text + &format!("\n{}\n", Sum::of(ticks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{PersonName, RecordNumber};

    #[test]
    fn the_office_reads_who_was_recognised_and_how_often_it_was_right() {
        let name = |at_ms, person| Decided {
            at_ms,
            visitor: 4,
            person: RecordNumber(person),
            score: 0.834,
            min_score_to_name: 0.7,
        };
        let names = [name(1000, 1), name(2000, 17), name(3000, 100_000), name(4000, 9)];
        let who = [(1, "Barack Obama"), (17, "欧阳震骅"), (100_000, "陈伟")];
        let who = who.map(|(record, name)| (RecordNumber(record), PersonName::new(name).to_string())).into();
        // Those of other days count as well.
        let ticks: Ticks = (0..38).map(|at| ((at, 1), true)).chain([((1000, 4), true), ((2000, 4), false)]).collect();
        let day = jiff::civil::date(2026, 11, 29);
        let text = list(day, &names, &who, &ticks, |ms| format!("10:00:{:02}", ms / 1000))
            + &list(day, &[], &who, &Ticks::new(), |_| String::new());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pilot.txt");
        if std::env::var_os("GREETER_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap());
    }
}
