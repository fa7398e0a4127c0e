//! `greeter bench finding`: which faces are found, how soon, and what is taken for one.

use std::path::PathBuf;

use anyhow::ensure;
use serde::Serialize;

use crate::{
    bench::{
        cast::Cast,
        figures::Origin,
        finding::{Finding, SIZES, WITHIN, measure},
    },
    cli::{Context, Exit, run as run_command},
    config::FaceSettings,
    face::{
        eyes::{Eyes, Pace},
        manifest::Manifest,
    },
};

/// People whose photos faces and walls are cut from.
const PEOPLE: usize = 150;

/// Which faces are found, how soon, and what is taken for one.
///
/// Faces cut from the photos of DIR (one folder a person) are pasted at several sizes before walls made of the photos' corners, one to four
/// a frame of 1280x720, and walk slowly. A face counts as the program counts it: when it has been found in two frames.
#[derive(clap::Args)]
pub struct FindingArgs {
    /// Photos, one folder a person
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Halls of each size
    #[arg(long, default_value_t = 30)]
    scenes: usize,
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

#[derive(Serialize)]
struct Figures {
    #[serde(flatten)]
    origin: Origin,
    ways: Vec<Finding>,
}

/// Measures and prints.
pub fn run(args: &FindingArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.scenes > 0, "--scenes must be at least 1");
    let mut config = context.config.clone();
    config.face.pack = args.pack.clone().unwrap_or(config.face.pack);
    (config.camera.width, config.camera.height) = (1280, 720);
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let mut networks = run_command::networks(&context)?;
    let cast = Cast::from_dataset(&args.dataset, PEOPLE, args.seed, &mut networks)?;
    let config = &context.config;
    let finder = Manifest::load(&context.installation.models())?.pack(&config.face.pack)?.finder.clone();
    let with = |pace: Pace, find_every_ms: u64| {
        let settings = FaceSettings { find_every_ms, ..config.face.clone() };
        move || Eyes::new(&settings).at_pace(pace)
    };
    let (usual, alone) = (Pace::default(), Pace { confirms: false, ..Pace::default() });
    let nothing = Pace { idle: 0, busy: 0, confirms: false, searches_when_busy: true };
    let ways: [(String, Box<dyn Fn() -> Eyes>); 4] = [
        ("squares alone".to_owned(), Box::new(with(alone, 0))),
        (format!("squares, {finder} confirms"), Box::new(with(usual, 0))),
        (format!("squares, {finder} confirms and searches every 500 ms"), Box::new(with(usual, 500))),
        (format!("{finder} alone, every frame"), Box::new(with(nothing, 1))),
    ];
    let bar = indicatif::ProgressBar::new((ways.len() * args.scenes * (SIZES.len() + 10)) as u64);
    let mut measured = Vec::new();
    for (way, eyes) in &ways {
        let amount = (args.scenes, args.seed);
        measured
            .push(measure(&mut networks, (way, eyes.as_ref()), &cast.photos, &cast.cutouts, amount, &|| bar.inc(1))?);
        bar.suspend(|| measured.last().map(print));
    }
    bar.finish_and_clear();
    if let Some(path) = &args.json {
        let figures = Figures { origin: Origin::here(&config.face.pack, args.seed), ways: measured };
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

fn print(finding: &Finding) {
    anstream::println!("{}", finding.way);
    let head: Vec<String> = WITHIN.iter().map(|frames| format!("{:>9}", format!("{frames} frames"))).collect();
    anstream::println!("{:>12} {:>6} {} {:>11}", "eyes apart", "faces", head.join(" "), "false faces");
    for of_size in &finding.sizes {
        let shares: Vec<String> = of_size.found.iter().map(|share| format!("{:>7.1} %", 100.0 * share)).collect();
        let size = format!("{} px", of_size.eye_distance_px);
        anstream::println!("{size:>12} {:>6} {} {:>11}", of_size.faces, shares.join(" "), of_size.false_faces);
    }
    anstream::println!(
        "{} empty frames: {:.2} false faces a thousand, followed in {:.1} frames a thousand",
        finding.empty_frames,
        finding.false_faces_per_1000,
        finding.false_frames_per_1000
    );
    let ((empty, empty_most), (busy, busy_most)) = (finding.empty_ms, finding.busy_ms);
    anstream::println!(
        "looking at an empty frame {empty:.1} ms (p95 {empty_most:.1}), at one with faces {busy:.1} ms (p95 {busy_most:.1})"
    );
}
