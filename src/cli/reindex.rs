//! `greeter reindex`: everybody's templates anew, from the stored photos.

use anyhow::Context as _;

use super::{Context, Exit, switching};
use crate::{
    face::{
        enrol::{self, PhotoEnroller},
        manifest::Manifest,
        networks::Networks,
    },
    reindex::{Coverage, Reindexed, reindex},
    store::Store,
};

/// Make everybody's templates with other networks, from the photos in the store; no roster is needed.
///
/// The robot goes on with the templates it has, and `greeter sync` may run meanwhile. The new ones are kept beside the old ones: killed at
/// any time, the same command does the rest. When all are there, `greeter models use PACK` (or --use) switches, and the old ones are
/// erased.
///
/// Exit code: 0 when everybody has a template, 3 when there are people of whom no photo can be used, 1 when not all was done.
#[derive(Debug, clap::Args)]
pub struct ReindexArgs {
    /// The pack of `greeter models list` whose templates are wanted [default: the one in use]
    #[arg(long, value_name = "NAME")]
    pub pack: Option<String>,
    /// Use the pack from now on when all templates are there: writes `face.pack` into the configuration
    #[arg(long = "use", conflicts_with = "check")]
    pub use_it: bool,
    /// Keep the templates of other networks although these are in use
    #[arg(long)]
    pub keep_old: bool,
    /// Switch without asking, also if people have no photo that the pack can use
    #[arg(long)]
    pub yes: bool,
    /// Only say how far it is; change nothing
    #[arg(long)]
    pub check: bool,
}

/// Does it.
///
/// # Errors
/// For the operator.
pub fn run(args: &ReindexArgs, context: &Context) -> anyhow::Result<Exit> {
    let manifest = Manifest::load(&context.installation.models())?;
    let name = args.pack.as_ref().unwrap_or(&context.config.face.pack);
    let model = &manifest.pack(name)?.recogniser;
    if args.check {
        let coverage = Coverage::of(&Store::open(&context.config.store)?.store.enrolled()?, model);
        anstream::println!("{coverage}");
        switching::demand_complete(&coverage, name)?;
        return Ok(switching::exit(&coverage));
    }
    let bar = bar();
    let enroller = || -> Result<Box<dyn crate::face::Enroller + Send>, crate::face::ModelError> {
        let networks = Networks::load(&context.installation, name, enrol::MIN_FACE_PX)?;
        Ok(Box::new(PhotoEnroller::new(networks)))
    };
    let done = reindex(&context.config.store, model, enroller, &bar);
    bar.finish_and_clear();
    let Reindexed { mut store, coverage, looked_at } = done?;
    if looked_at > 0 {
        store.make_newer()?;
    }
    anstream::println!("{looked_at} photos were looked at. {coverage}");

    let mut in_use = *name == context.config.face.pack;
    if !in_use && args.use_it && switching::agreed(coverage.left_out.len(), args.yes)? {
        switching::write_pack(context, name)?;
        switching::say_restart();
        in_use = true;
    } else if !in_use {
        let serving = &context.config.face.pack;
        anstream::println!("Pack {serving} stays in use. Switch with: greeter models use {name}");
    }
    if in_use && !args.keep_old {
        switching::erase_others(&mut store, model)?;
    }
    store.write_snapshot().context("the templates are in the store, but its copy still has to be renewed")?;
    Ok(switching::exit(&coverage))
}

/// On the error output; hidden where that is no terminal.
fn bar() -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(0);
    if let Ok(style) = indicatif::ProgressStyle::with_template("{bar:32} {human_pos} of {human_len} photos, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}
