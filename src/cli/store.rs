//! `greeter store`: looking after the store.

use std::path::PathBuf;

use indicatif::ProgressBar;
use jiff::{ToSpan, ZonedDateTime};

use super::Exit;
use crate::{
    backup::{self, Found, Sizes},
    config::Config,
    keys::KeyRing,
    rights::{
        clock::{ClockFile, Trust},
        forgetting,
    },
    store::{self, Checked, Store},
};

/// Check, repair, back up and restore the store, see how long what is kept, and end or undo the upgrade from an older greeter.
#[derive(Debug, clap::Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Open every record, photo and template, and the copy beside the store
    ///
    /// Exit code: 0 when everything can be read, 3 when something cannot.
    Check,
    /// Take out photos that cannot be read, and write the copy anew
    ///
    /// `greeter sync` brings the photos back. Records that cannot be read are taken from the copy whenever the store is opened.
    Repair,
    /// Copy records and photos to a folder, or bring the backup there up to date, also while the robot runs
    ///
    /// People's keys are not in it. Copy them apart, and keep the newest copy only: an older one still reads who was erased since.
    Backup {
        /// A folder of its own, best on another disk
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Go back to a backup, with the keys that are here now: who was erased since stays erased
    ///
    /// Everything in the backup is opened first. What would go is said, and goes only with --yes; the records that are here now are set aside.
    Restore {
        /// The folder that was given to `greeter store backup --to`
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
        /// Let go who was enrolled or changed since
        #[arg(long)]
        yes: bool,
    },
    /// Give the store another key, because others may know the one it has
    ///
    /// It answers a key file that others could read. Where they could read the file of people's keys as well, everybody has to be enrolled anew.
    Rekey,
    /// Give back the room of records that were replaced or erased, which sled keeps
    Compact,
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

impl StoreArgs {
    /// The command, for the access log; it touches everybody's records.
    pub fn touches(&self) -> &'static str {
        match self.command {
            Command::Check => "store check",
            Command::Repair => "store repair",
            Command::Backup { .. } => "store backup",
            Command::Restore { .. } => "store restore",
            Command::Rekey => "store rekey",
            Command::Compact => "store compact",
            Command::Retention { .. } => "store retention",
            Command::CommitUpgrade => "store commit-upgrade",
            Command::UndoUpgrade => "store undo-upgrade",
        }
    }
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &StoreArgs, config: &Config) -> anyhow::Result<Exit> {
    let settings = &config.store;
    match &args.command {
        Command::Check => Ok(tell(&check(&super::people::open(settings)?)?)),
        Command::Repair => {
            let mut store = super::people::open(settings)?;
            let found = check(&store)?;
            store.repair(&found)?;
            anstream::println!("{} photos that could not be read are taken out; the copy is new.", found.lost.len());
            Ok(if found.lost.is_empty() { Exit::Done } else { Exit::Attention })
        }
        Command::Backup { to } => {
            let made = backup::back_up(settings, to)?;
            let [keys, _] = KeyRing::paths(&settings.key_file);
            anstream::println!(
                "The backup in {} is complete: all records and {} photos, {} of them new.\nThe keys are not in it, and without them nobody can read it. Copy {} and {} to another place, over the copy that is there: an older one still reads who was erased since.",
                to.display(),
                made.photos,
                made.new,
                settings.key_file.display(),
                keys.display()
            );
            Ok(Exit::Done)
        }
        Command::Restore { from, yes } => {
            let found = Found::of(settings, from)?;
            anstream::println!("{found}");
            if found.takes_something() && !yes {
                anstream::println!("Nothing was changed. Add --yes to restore it all the same.");
                return Ok(Exit::Attention);
            }
            backup::restore(settings, from, &found)?;
            anstream::println!("The backup is restored. Run `greeter sync` to bring in what was changed since.");
            Ok(Exit::Done)
        }
        Command::Rekey => {
            store::rekey(settings)?;
            anstream::println!(
                "The store has another key in {}. Copy it and the file beside it whose name ends in .people to where you keep the keys, over what is there, make a new backup (the former ones do not open any more), and start the service anew.",
                settings.key_file.display()
            );
            Ok(Exit::Done)
        }
        Command::Compact => {
            let Sizes { before, after } = backup::compact(settings)?;
            anstream::println!("The records take {} kB instead of {} kB.", after.div_ceil(1024), before.div_ceil(1024));
            Ok(Exit::Done)
        }
        Command::Retention { confirm } => retention(*confirm, config),
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
    if checked.outdated {
        anstream::println!("whoever was enrolled since this store was kept is not in it");
    }
    if checked.is_whole() {
        return Exit::Done;
    }
    anstream::println!("Run `greeter store repair`, then `greeter sync`.");
    Exit::Attention
}
