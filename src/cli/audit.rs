//! `greeter audit`: who looked at people or changed them.

use super::Exit;
use crate::{
    config::Config,
    rights::access::{AccessLog, Verified, Whose},
};

/// Show who looked at people or changed them, and check that nothing of it was altered.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Command {
    /// A line for each access: when, which user, who became that user with sudo, which command, whose record
    Show,
    /// Whether all lines are as they were written
    ///
    /// Exit code: 0 when they are, 3 when one was altered, taken out or cut off.
    Verify,
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &AuditArgs, config: &Config) -> anyhow::Result<Exit> {
    let Some(log) = AccessLog::of(&config.store)? else {
        anstream::println!("There is no store key yet, so nobody could look at anybody.");
        return Ok(Exit::Done);
    };
    let (all, verified) = log.read()?;
    if let Command::Show = args.command {
        for access in all {
            let whose = match access.records {
                Whose::One(record) => record.to_string(),
                Whose::Everybody(_) => "all".into(),
            };
            let sudo = access.sudo_user.map(|user| format!(" ({user})")).unwrap_or_default();
            anstream::println!("{}  {}{sudo}  {}  {whose}", access.at, access.user, access.command);
        }
    }
    match verified {
        Verified::Whole(lines) => anstream::println!("All {lines} lines are as they were written."),
        Verified::Altered(line) => {
            anstream::println!("Line {line} is not as it was written, or not the one that followed.")
        }
        Verified::CutOff(lines, written) => anstream::println!("{written} lines were written, and {lines} are there."),
    }
    Ok(if matches!(verified, Verified::Whole(_)) { Exit::Done } else { Exit::Attention })
}
