//! `greeter bench`: measure the program on this machine.

mod finding;
mod identify;
mod latency;
mod memory;
mod quality;
mod search;
mod thresholds;
mod vision;
mod voice;
mod whitening;

use super::{Context, Exit};

/// Measure the program on this machine.
#[derive(clap::Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(clap::Subcommand)]
enum BenchCommand {
    Finding(finding::FindingArgs),
    /// How long visitors wait for the first sound of their greeting.
    Latency(latency::LatencyArgs),
    Identify(identify::IdentifyArgs),
    Memory(memory::MemoryArgs),
    Search(search::SearchArgs),
    Quality(quality::QualityArgs),
    Thresholds(thresholds::ThresholdsArgs),
    Vision(vision::VisionArgs),
    Voice(voice::VoiceArgs),
    Whitening(whitening::WhiteningArgs),
}

/// Runs the command.
pub fn run(args: &BenchArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        BenchCommand::Finding(args) => finding::run(args, context),
        BenchCommand::Latency(args) => latency::run(args, context),
        BenchCommand::Identify(args) => identify::run(args, context),
        BenchCommand::Vision(args) => vision::run(args, context),
        BenchCommand::Voice(args) => voice::run(args, context),
        BenchCommand::Memory(args) => memory::run(args, context),
        BenchCommand::Search(args) => search::run(args, context),
        BenchCommand::Quality(args) => quality::run(args, context),
        BenchCommand::Thresholds(args) => {
            thresholds::run(args, &context.installation)?;
            Ok(Exit::Done)
        }
        BenchCommand::Whitening(args) => {
            whitening::run(args, &context.installation)?;
            Ok(Exit::Done)
        }
    }
}
