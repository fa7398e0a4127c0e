//! `greeter store`: looking after the store.

use indicatif::ProgressBar;
use jiff::{ToSpan, ZonedDateTime};

use super::Exit;
use crate::{
    config::Config,
    rights::{
        clock::{ClockFile, Trust},
        forgetting,
    },
    store::{self, Checked, Store},
};

/// Check and repair the store, see how long what is kept, and end or undo the upgrade from an older greeter.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Command {
    /// Open every record, photo and template, and the copy beside the store
    ///
    /// Exit code: 0 when everything can be read, 3 when something cannot.
    Check,
    /// Take out photos that cannot be read, and write the copy anew
    ///
    /// `greeter sync` brings the photos back. Records that cannot be read are taken from the copy whenever the store is opened.
    Repair,
    /// Say how long what is kept, who is erased next for their age, and whether the clock can be trusted
    ///
    /// A robot does it by itself, and `greeter sync`; not after the clock has jumped by more than a day, or everything was off for longer.
    Retention {
        /// The clock is right: erase what is due
        #[arg(long)]
        confirm: bool,
    },
    /// Remove the store that an older greeter left; there is no way back afterwards
    ///
    /// It is removed by itself after 14 days, and when somebody is erased.
    CommitUpgrade,
    /// Go back to the store that an older greeter left; what was changed since is lost
    UndoUpgrade,
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: StoreArgs, config: &Config) -> anyhow::Result<Exit> {
    let settings = &config.store;
    match args.command {
        Command::Check => Ok(tell(&check(&super::people::open(settings)?)?)),
        Command::Repair => {
            let mut store = super::people::open(settings)?;
            let found = check(&store)?;
            store.repair(&found)?;
            anstream::println!("{} photos that could not be read are taken out; the copy is new.", found.lost.len());
            Ok(if found.lost.is_empty() { Exit::Done } else { Exit::Attention })
        }
        Command::Retention { confirm } => retention(confirm, config),
        Command::CommitUpgrade => {
            let there = store::commit_upgrade(&settings.folder)?;
            anstream::println!(
                "{}",
                if there { "The older store is removed." } else { "There is no older store. Nothing was changed." }
            );
            Ok(Exit::Done)
        }
        Command::UndoUpgrade => {
            let there = store::undo_upgrade(settings)?;
            anstream::println!(
                "{}",
                if there {
                    "The older store is back. Run the older greeter again: this one would take the store over anew."
                } else {
                    "There is no older store to go back to. Nothing was changed."
                }
            );
            Ok(if there { Exit::Done } else { Exit::Failed })
        }
    }
}

/// Days ahead that are told.
const AHEAD: i64 = 30;

fn retention(confirm: bool, config: &Config) -> anyhow::Result<Exit> {
    let (settings, now) = (&config.store, jiff::ZonedDateTime::now());
    let days = |days: u32| if days == 0 { "for ever".to_owned() } else { format!("{days} days") };
    anstream::println!("people who are in no roster: {}", days(settings.keep_people_days));
    anstream::println!("events: {} days", config.journal.keep_days);
    anstream::println!("damaged stores that were set aside: {}", days(settings.keep_damaged_days));
    anstream::println!(
        "photos: {}",
        if settings.keep_photos { "as long as the person" } else { "until their templates are made" }
    );
    if confirm {
        ClockFile::beside(&settings.folder).confirm(now.timestamp())?;
        retain(config, &now)?;
    }
    for due in forgetting::due(settings, now.date().saturating_add(AHEAD.days()))? {
        anstream::println!("record {} goes on {}: {}", due.record, due.on, due.why);
    }
    match ClockFile::beside(&settings.folder).peek(now.timestamp())? {
        Trust::Steady => Ok(Exit::Done),
        Trust::Jumped(last) => {
            anstream::println!("{}: greeter store retention --confirm", forgetting::waiting(last, &now));
            Ok(Exit::Attention)
        }
    }
}

/// Erases what is due, or says why not.
pub(super) fn retain(config: &Config, now: &ZonedDateTime) -> anyhow::Result<()> {
    if let Trust::Jumped(last) = ClockFile::beside(&config.store.folder).look(now.timestamp())? {
        anstream::println!(
            "note: {}. If the clock is right: greeter store retention --confirm",
            forgetting::waiting(last, now)
        );
        return Ok(());
    }
    let gone = forgetting::carry_out(config, now)?;
    for due in &gone {
        anstream::println!("{due}");
    }
    if !gone.is_empty() && !forgetting::finish(&config.store)? {
        anstream::println!("What is left of them is removed when the store is opened next.");
    }
    Ok(())
}

fn check(store: &Store) -> anyhow::Result<Checked> {
    let bar = ProgressBar::no_length();
    let checked = store.check(&|people| bar.set_position(people as u64));
    bar.finish_and_clear();
    Ok(checked?)
}

fn tell(checked: &Checked) -> Exit {
    anstream::println!("{} people and {} photos can be read.", checked.people, checked.photos);
    for (record, number) in &checked.lost {
        anstream::println!("photo {} of record {record} cannot be read", number + 1);
    }
    if let Some(fault) = &checked.copy {
        anstream::println!("the copy beside the store does not help: {fault}");
    }
    if checked.is_whole() {
        return Exit::Done;
    }
    anstream::println!("Run `greeter store repair`, then `greeter sync`.");
    Exit::Attention
}
