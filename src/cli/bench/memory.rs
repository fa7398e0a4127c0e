//! `greeter bench memory`: what a gallery costs in memory, and how long the program needs to start with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use rand::SeedableRng;

use crate::{
    bench::{
        figures::Origin,
        made_up::{self, Made},
        memory::{Memory, Upkeep, run as run_once},
        spread::Spread,
        temporary::TemporaryFolder,
    },
    cli::{Context, Exit},
    config::StoreSettings,
    face::manifest::Manifest,
};

/// What a gallery costs: memory above the empty program's, the time until it serves, and how long staff wait for its store.
///
/// Makes a store of made-up people in a temporary folder, starts `greeter run` before a recorded visitor with it and with an empty store
/// in turn, and watches both from outside. Then it opens the store, and does what a sync does that changes nobody, and one. Nothing is said aloud.
#[derive(clap::Args)]
pub struct MemoryArgs {
    /// People enrolled, all made up
    #[arg(long, default_value_t = 100_000)]
    people: usize,
    /// Bytes of each one's photo in the store
    #[arg(long, value_name = "BYTES", default_value_t = 8_000)]
    photo_bytes: usize,
    /// Starts with each store
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the temporary folder is made: where there is room for the photos
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The pack of networks; the configured one otherwise
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(args: &MemoryArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let pack = args.pack.clone().unwrap_or_else(|| context.config.face.pack.clone());
    let folder = TemporaryFolder::make(args.folder.as_deref()).context("cannot make a temporary folder")?;

    let manifest = Manifest::load(&context.installation.models())?;
    let model = manifest.pack(&pack)?.recogniser.clone();
    let dims = manifest.template_size(&model);
    let dims = dims.with_context(|| format!("models.toml does not say how long the templates of {model} are"))?;
    let mut configs = Vec::new();
    for (name, people) in [("empty", 0), ("full", args.people)] {
        let settings = settings(folder.path(), name);
        let made = Made { people, photo_bytes: args.photo_bytes, model: model.clone(), dims };
        let bar = indicatif::ProgressBar::new(people as u64).with_message("made up");
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(args.seed);
        made_up::fill(&settings, &made, &mut generator, &|done| bar.set_position(done as u64))?;
        bar.finish_and_clear();
        configs.push(configured(folder.path(), name, &settings, &pack)?);
    }

    let program = std::env::current_exe()?;
    let camera = visitor(&context.installation.assets().join("demo/visits"), folder.path())?;
    let mut runs = [Vec::new(), Vec::new()];
    let bar = indicatif::ProgressBar::new(2 * args.rounds as u64);
    for _ in 0..args.rounds {
        for (config, runs) in configs.iter().zip(&mut runs) {
            runs.push(run_once(&program, config, &camera, folder.path())?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let [empty, full] = runs;
    let store = settings(folder.path(), "full");
    let upkeep = (0..args.rounds).map(|_| Upkeep::of(&store)).collect::<Result<Vec<_>, _>>()?;
    let figures = Memory {
        origin: Origin::here(&pack, args.seed),
        people: args.people,
        photo_bytes: args.photo_bytes,
        rounds: args.rounds,
        start_to_first_face_s: spread(&full, |run| run.start_s),
        empty_start_to_first_face_s: spread(&empty, |run| run.start_s),
        mb_above_empty: median(&full, |run| run.memory_mb) - median(&empty, |run| run.memory_mb),
        empty_mb: median(&empty, |run| run.memory_mb),
        peak_mb: median(&full, |run| run.peak_mb),
        open_s: median(&upkeep, |it| it.open_s),
        no_op_s: median(&upkeep, |it| it.no_op_s),
        change_one_s: median(&upkeep, |it| it.change_one_s),
    };
    print(&figures);
    if let Some(path) = &args.json {
        fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

/// A recording of one visitor of the demo, who is there from its first frame on.
fn visitor(visits: &Path, folder: &Path) -> std::io::Result<PathBuf> {
    let recording = folder.join("visitor");
    fs::create_dir(&recording)?;
    for entry in fs::read_dir(visits)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains("-obama@") {
            fs::copy(entry.path(), recording.join(entry.file_name()))?;
        }
    }
    Ok(recording)
}

fn settings(folder: &Path, name: &str) -> StoreSettings {
    StoreSettings {
        folder: folder.join(name),
        key_file: folder.join(format!("{name}.key")),
        ..StoreSettings::default()
    }
}

/// The configuration of one of the two programs: no voice, no chime, the rest by default.
fn configured(folder: &Path, name: &str, store: &StoreSettings, pack: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{name}.toml"));
    let mut config = crate::config::Config { store: store.clone(), ..Default::default() };
    config.face.pack = pack.to_owned();
    config.greeting.voices = Vec::new();
    config.greeting.chime = false;
    fs::write(&path, toml::to_string(&config)?)?;
    Ok(path)
}

fn spread<T>(runs: &[T], of: impl Fn(&T) -> f64) -> Option<Spread> {
    Spread::of(runs.iter().map(of).collect())
}

fn median<T>(runs: &[T], of: impl Fn(&T) -> f64) -> f64 {
    spread(runs, of).map_or(0.0, |spread| spread.p50)
}

fn print(figures: &Memory) {
    let machine = &figures.origin.machine;
    anstream::println!(
        "{} people with a photo of {} bytes each, {} starts; {}, {} cores",
        figures.people,
        figures.photo_bytes,
        figures.rounds,
        machine.cpu,
        machine.cores
    );
    anstream::println!("\n{:34} {:>10} {:>10}", "", "empty", "full");
    let start = |spread: &Option<Spread>| spread.map_or((0.0, 0.0), |spread| (spread.p50, spread.max));
    let (empty, full) = (start(&figures.empty_start_to_first_face_s), start(&figures.start_to_first_face_s));
    let full_mb = figures.empty_mb + figures.mb_above_empty;
    anstream::println!("{:34} {:10.2} {:10.2}", "start to first face, median, s", empty.0, full.0);
    anstream::println!("{:34} {:10.2} {:10.2}", "start to first face, longest, s", empty.1, full.1);
    anstream::println!("{:34} {:10.1} {:10.1}", "memory, MB", figures.empty_mb, full_mb);
    anstream::println!("{:34} {:>10} {:10.1}", "the most that was needed, MB", "", figures.peak_mb);
    anstream::println!("{:34} {:>10} {:10.1}", "above the empty program, MB", "", figures.mb_above_empty);
    anstream::println!("{:34} {:>10} {:10.2}", "opening the store, s", "", figures.open_s);
    anstream::println!("{:34} {:>10} {:10.2}", "a sync that changes nobody, s", "", figures.no_op_s);
    anstream::println!("{:34} {:>10} {:10.2}", "a sync that changes one, s", "", figures.change_one_s);
}
