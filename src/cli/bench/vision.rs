//! `greeter bench vision`: what each stage of seeing costs, beside OpenCV.

use std::{path::PathBuf, time::Duration};

use anyhow::ensure;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::silent_robot;
use crate::{
    bench::{
        cast::Cast,
        crowd::{Cutout, wall},
        figures::Origin,
        pinned::Pinned,
        staged_camera::{SIZE, Scene},
        vision::{Cost, Figures, Greeter, Row, cpu_share},
        vision_peer::{Peer, PeerError, PeerSetup},
        visits::Visit,
    },
    cli::{Context, Exit, run as run_command},
    config::Config,
    face::{eyes::Eyes, manifest::Manifest},
    journal::Event,
    pipeline::{host::Told, vision::Vision},
    roll::{CurrentRoll, Reader},
};

/// Sizes of frames.
const SIZES: [(u32, u32); 2] = [(640, 480), (1280, 720)];
/// Enrolled people; those who do not visit are made up.
const PEOPLE: usize = 1000;
/// Faces to cut out.
const CUTOUTS: usize = 60;
/// An empty hall is known after so long.
const WARM_UP: Duration = Duration::from_secs(3);

/// What each stage of seeing costs, a frame, beside OpenCV's detector with the same recogniser.
///
/// Faces cut from photos come nearer, stay and go before walls made of the photos' corners, as JPEG frames; every second one is enrolled, by another
/// photo where there is one. OpenCV (scripts/bench/setup.sh) sees the same visits in turn with us, detects in every frame and embeds as many views as we did.
/// The stage `idle` is the whole robot but its voices before a staged camera (1280x720, MJPG, 30 frames/s) in real time, while nobody comes.
#[derive(clap::Args)]
pub struct VisionArgs {
    /// Visits of each kind
    #[arg(long, default_value_t = 6)]
    visits: usize,
    /// Faces in a frame
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4])]
    faces: Vec<usize>,
    /// Processors
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    cores: Vec<usize>,
    /// Seconds of an empty hall; it is not measured with 0
    #[arg(long, default_value_t = 20)]
    idle_seconds: u64,
    /// Photos to visit with, one folder a person; the demo's two people otherwise
    #[arg(long, value_name = "DIR")]
    dataset: Option<PathBuf>,
    /// OpenCV's detector network; that of the optional pack `yunet` otherwise
    #[arg(long, value_name = "FILE")]
    yunet: Option<PathBuf>,
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

/// One kind of visit.
#[derive(Clone, Copy)]
struct Kind {
    size: (u32, u32),
    faces: usize,
    cores: usize,
}

/// Measures and prints.
pub fn run(args: &VisionArgs, context: &Context) -> anyhow::Result<Exit> {
    let positive = [&args.faces, &args.cores].iter().all(|list| list.iter().all(|value| *value > 0));
    ensure!(positive && args.visits > 0, "--visits, --faces and --cores must be at least 1");
    let mut config = context.config.clone();
    config.face.pack = args.pack.clone().unwrap_or(config.face.pack);
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let mut networks = run_command::networks(&context)?;
    let demo = context.installation.assets().join("demo");
    let cast = match &args.dataset {
        Some(dataset) => Cast::from_dataset(dataset, CUTOUTS, args.seed, &mut networks)?,
        None => Cast::from_demo(&demo, &mut networks)?,
    };
    let manifest = Manifest::load(&context.installation.models())?;
    let reader = Reader::new(&context.config, &manifest)?;
    let roll = CurrentRoll::new(cast.roll(PEOPLE, args.seed, &mut networks, |people| reader.demands(people))?);
    drop(networks);
    let peer = peer_setup(args, &manifest, &context)?;
    if peer.is_none() {
        anstream::eprintln!(
            "OpenCV is not measured: it is absent (scripts/bench/setup.sh), or its detector network (`greeter models install yunet`, or --yunet FILE)"
        );
    }
    let kinds = SIZES.into_iter().flat_map(|size| {
        args.faces.iter().flat_map(move |&faces| args.cores.iter().map(move |&cores| Kind { size, faces, cores }))
    });
    let kinds: Vec<Kind> = kinds.collect();
    let bar = indicatif::ProgressBar::new((kinds.len() * args.visits) as u64);
    let told = |line: Option<String>| match line {
        Some(line) => bar.suspend(|| anstream::eprintln!("{line}")),
        None => bar.inc(1),
    };
    let mut rows = Vec::new();
    for kind in kinds {
        let Some(pinned) = Pinned::to(kind.cores) else {
            bar.suspend(|| anstream::eprintln!("{} cores are not measured: there are fewer", kind.cores));
            continue;
        };
        rows.extend(measure(args, kind, &context, &roll, &cast, peer.as_ref(), &told)?);
        drop(pinned);
    }
    for &cores in args.cores.iter().filter(|_| args.idle_seconds > 0) {
        let Some(pinned) = Pinned::to(cores) else { continue };
        rows.push(idle(args, cores, &context, &roll, &cast, &told)?);
        drop(pinned);
    }
    bar.finish_and_clear();
    let figures = Figures { origin: Origin::here(&context.config.face.pack, args.seed), visits: args.visits, rows };
    print(&figures);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

/// All visits of one kind, greeter and its peers in turn.
fn measure(
    args: &VisionArgs,
    kind: Kind,
    context: &Context,
    roll: &CurrentRoll,
    cast: &Cast,
    peer: Option<&PeerSetup>,
    progress: &dyn Fn(Option<String>),
) -> anyhow::Result<Vec<Row>> {
    let Kind { size, faces, cores } = kind;
    let mut config: Config = context.config.clone();
    (config.camera.width, config.camera.height) = size;
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let vision = Vision::new(run_command::networks(&context)?, roll.clone(), &context.config);
    let mut greeter = Greeter::new(vision, Eyes::new(&context.config.face), run_command::networks(&context)?);
    let python = python(&context);
    let script = context.installation.root().join("scripts/bench/vision_peer.py");
    let start = |(name, reduce): (&'static str, u32), setup: &PeerSetup| -> Result<(&'static str, Peer), PeerError> {
        let mut setup = setup.clone();
        (setup.threads, setup.reduce) = (cores, reduce);
        Ok((name, Peer::start(&python, &script, &setup)?))
    };
    let mut peers = Vec::new();
    for engine in [("opencv", 1), ("opencv-half", 2)] {
        if let Some(setup) = peer {
            peers.push(start(engine, setup)?);
        }
    }
    // The same visits on one core and on two.
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    for _ in 0..args.visits {
        let wall = wall(&cast.photos, size, &mut random);
        let mut people: Vec<&Cutout> = cast.cutouts.iter().collect();
        people.shuffle(&mut random);
        let people: Vec<&Cutout> = people.into_iter().cycle().take(faces).collect();
        let visit = Visit::of(&people, &wall, &mut random);
        let embedded = greeter.visit(&visit, faces, cores)?;
        for (_, peer) in &mut peers {
            peer.visit(&visit, &embedded, faces)?;
        }
        greeter.alone(&visit, faces)?;
        progress(None);
    }
    let mut engines = vec![("greeter", greeter.stages)];
    engines.extend(peers.into_iter().map(|(name, mut peer)| (name, std::mem::take(&mut peer.stages))));
    let mut rows = Vec::new();
    for (name, stages) in engines {
        let (frames, complete) = stages.complete;
        progress(Some(format!(
            "{}x{}, {faces} face(s), {cores} core(s), {name}: everybody found in {complete} of {frames} frames, 10 of 85 being empty",
            size.0, size.1
        )));
        rows.extend(stages.rows(size, faces, cores, name));
    }
    Ok(rows)
}

/// An empty hall in real time.
fn idle(
    args: &VisionArgs,
    cores: usize,
    context: &Context,
    roll: &CurrentRoll,
    cast: &Cast,
    progress: &dyn Fn(Option<String>),
) -> anyhow::Result<Row> {
    let scene = Scene::before(&wall(&cast.photos, SIZE, &mut ChaCha8Rng::seed_from_u64(args.seed)));
    let mut config: Config = context.config.clone();
    (config.camera.width, config.camera.height) = SIZE;
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let robot = silent_robot(&context, roll.clone(), scene)?;
    std::thread::sleep(WARM_UP);
    let before = robot.frames();
    let cpu_share = cpu_share(Duration::from_secs(args.idle_seconds));
    let after = robot.frames();
    let is_face = |told: &Told| matches!(told, Told::Event(entry) if matches!(entry.event, Event::FaceSeen { .. }));
    progress(Some(format!(
        "an empty hall, {cores} core(s): {} of {} frames seen, {} faces where there are none",
        after.processed - before.processed,
        after.captured - before.captured,
        robot.told().try_iter().filter(is_face).count()
    )));
    let ((width, height), engine) = (SIZE, "greeter".to_owned());
    Ok(Row { width, height, faces: 0, cores, engine, stage: "idle", cost: Cost::Lasting { cpu_share } })
}

fn python(context: &Context) -> PathBuf {
    context.installation.root().join(".runtime/bench-python/bin/python")
}

/// What OpenCV runs: the detector, and the pack's recogniser. `None` where nobody asks for it and it or the detector's file is absent.
fn peer_setup(args: &VisionArgs, manifest: &Manifest, context: &Context) -> anyhow::Result<Option<PeerSetup>> {
    let detector = match &args.yunet {
        Some(file) => {
            ensure!(file.is_file(), "{} is no file", file.display());
            file.clone()
        }
        None => match manifest.resolve("yunet") {
            Ok(network) if python(context).is_file() => network.only_file().to_owned(),
            _ => return Ok(None),
        },
    };
    Ok(Some(PeerSetup::new(&detector, manifest, &context.config.face.pack)?))
}

fn print(figures: &Figures) {
    let machine = &figures.origin.machine;
    anstream::println!("{} visits of each kind; {}, {} cores", figures.visits, machine.cpu, machine.cores);
    anstream::println!(
        "{:>9} {:>5} {:>5}  {:12} {:8} {:>9} {:>9} {:>9}",
        "frame",
        "faces",
        "cores",
        "engine",
        "stage",
        "median ms",
        "p95 ms",
        "frames/s"
    );
    for row in &figures.rows {
        let size = format!("{}x{}", row.width, row.height);
        let cost = match row.cost {
            Cost::Once { p50_ms, p95_ms, frames_per_s } => format!("{p50_ms:>9.2} {p95_ms:>9.2} {frames_per_s:>9.1}"),
            Cost::Lasting { cpu_share } => format!("{:>9.1} % of one core", 100.0 * cpu_share),
        };
        anstream::println!("{size:>9} {:>5} {:>5}  {:12} {:8} {cost}", row.faces, row.cores, row.engine, row.stage);
    }
}
