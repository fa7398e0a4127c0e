//! `greeter receipt`: whether the receipt of an erasure is this office's own.

use std::path::PathBuf;

use super::Exit;
use crate::{config::Config, rights::receipt::Receipt};

/// Check the receipt of an erasure.
#[derive(Debug, clap::Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Whether it was signed with this store's key, and not altered since
    ///
    /// Exit code: 0 when it is as it was given, 3 when it is not.
    Verify {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &ReceiptArgs, config: &Config) -> anyhow::Result<Exit> {
    let Command::Verify { file } = &args.command;
    let receipt = Receipt::read(file)?;
    if receipt.is_ours(&config.store)? {
        anstream::println!("{receipt}\nThis receipt is as it was given.");
        return Ok(Exit::Done);
    }
    anstream::println!("This receipt was altered, or was not signed with the key of this store.");
    Ok(Exit::Attention)
}
