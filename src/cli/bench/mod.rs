//! `greeter bench`: measure the program on this machine.

mod latency;
mod memory;
mod search;
mod thresholds;

use super::{Context, Exit};

/// Measure the program on this machine.
#[derive(clap::Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(clap::Subcommand)]
enum BenchCommand {
    /// How long visitors wait for the first sound of their greeting.
    Latency(latency::LatencyArgs),
    Memory(memory::MemoryArgs),
    Search(search::SearchArgs),
    Thresholds(thresholds::ThresholdsArgs),
}

/// Runs the command.
pub fn run(args: &BenchArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        BenchCommand::Latency(args) => latency::run(args, context),
        BenchCommand::Memory(args) => memory::run(args, context),
        BenchCommand::Search(args) => search::run(args, context),
        BenchCommand::Thresholds(args) => {
            thresholds::run(args, &context.installation)?;
            Ok(Exit::Done)
        }
    }
}
