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

use super::{Context, Exit, run as run_command};
use crate::{
    bench::staged_camera::{Scene, StagedCamera},
    config::GreetingSettings,
    pipeline::{Pipeline, vision::Vision},
    roll::CurrentRoll,
};

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

/// The robot at work before `scene`, which greets nobody aloud.
fn silent_robot(context: &Context, roll: CurrentRoll, scene: Scene) -> anyhow::Result<Pipeline> {
    let mut config = context.config.clone();
    config.greeting = GreetingSettings {
        voices: Vec::new(),
        voices_by_language: Default::default(),
        chime: false,
        ..config.greeting
    };
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let vision = Vision::new(run_command::networks(&context)?, roll.clone(), &context.config);
    let camera = Box::new(StagedCamera::new(scene));
    Ok(Pipeline::start(camera, vision, run_command::means(&context, roll)?, &context.config)?)
}
