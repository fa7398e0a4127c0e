//! `greeter bench finding`: which faces are found, how soon, and what is taken for one.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use rand::{SeedableRng, seq::SliceRandom};
use serde::Serialize;

use crate::{
    bench::{
        crowd::Cutout,
        figures::Origin,
        finding::{Finding, SIZES, WITHIN, measure},
    },
    camera::photo::read_photo,
    cli::{Context, Exit, run as run_command},
    face::eyes::Eyes,
};

/// Photos that walls and faces are cut from.
const PHOTOS: usize = 150;

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
    #[serde(flatten)]
    finding: Finding,
}

/// Measures and prints.
pub fn run(args: &FindingArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.scenes > 0, "--scenes must be at least 1");
    let mut config = context.config.clone();
    config.face.pack = args.pack.clone().unwrap_or(config.face.pack);
    (config.camera.width, config.camera.height) = (1280, 720);
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let mut networks = run_command::networks(&context)?;
    let unreadable = || format!("cannot read {}", args.dataset.display());
    let mut people: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(&args.dataset).with_context(unreadable)? {
        people.push(entry.with_context(unreadable)?.path());
    }
    people.sort();
    people.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(args.seed));
    let (mut photos, mut cutouts) = (Vec::new(), Vec::new());
    for person in people {
        if cutouts.len() >= PHOTOS {
            break;
        }
        let Ok(mut files) = std::fs::read_dir(&person) else { continue };
        let Some(Ok(file)) = files.next() else { continue };
        let Ok(photo) = read_photo(&file.path()) else { continue };
        if let Some(cutout) = Cutout::of(&photo, &mut networks)? {
            cutouts.push(cutout);
            photos.push(photo);
        }
    }
    ensure!(!cutouts.is_empty(), "no photo in {} shows one face", args.dataset.display());
    let bar = indicatif::ProgressBar::new((args.scenes * (SIZES.len() + 10)) as u64);
    let settings = context.config.face.clone();
    let eyes = || Eyes::new(&settings);
    let finding = measure(&mut networks, &eyes, &photos, &cutouts, (args.scenes, args.seed), &|| bar.inc(1))?;
    bar.finish_and_clear();
    print(&finding);
    if let Some(path) = &args.json {
        let figures = Figures { origin: Origin::here(&context.config.face.pack, args.seed), finding };
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

fn print(finding: &Finding) {
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
