//! `greeter bench`: measure the program on this machine.

mod identify;
mod latency;
mod quality;
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
    Identify(identify::IdentifyArgs),
    Quality(quality::QualityArgs),
    Thresholds(thresholds::ThresholdsArgs),
}

/// Runs the command.
pub fn run(args: &BenchArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        BenchCommand::Latency(args) => latency::run(args, context),
        BenchCommand::Identify(args) => identify::run(args, context),
        BenchCommand::Quality(args) => quality::run(args, context),
        BenchCommand::Thresholds(args) => {
            thresholds::run(args, &context.installation)?;
            Ok(Exit::Done)
        }
    }
}
