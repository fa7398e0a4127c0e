//! `greeter store`: looking after the store.

use indicatif::ProgressBar;

use super::Exit;
use crate::{
    config::Config,
    store::{self, Checked, Store},
};

/// Check and repair the store, and end or undo the upgrade from an older greeter.
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
