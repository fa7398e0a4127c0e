//! `greeter bench quality`: whether the quality score notices what is wrong with a view.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::{
    bench::{
        dataset,
        degrade::Kind,
        figures::Origin,
        quality::{NOTICED, QualityFigures, figures, judge},
    },
    cli::{Context, Exit},
    face::{enrol::MIN_FACE_PX, networks::Networks},
};

/// Whether the quality score falls when a view gets worse.
///
/// Spoils one photo each of many people in twelve ways and five strengths and judges them by the program's own path. A way counts as
/// noticed if the mean over faces of the rank correlation between score and strength is -0.9 or less.
#[derive(clap::Args)]
pub struct QualityArgs {
    /// A folder with a folder of photos (JPEG or PNG) a person
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Faces to spoil, one a person
    #[arg(long, value_name = "N", default_value_t = 200)]
    faces: usize,
    /// The pack of networks; the configured one otherwise
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// Seed of the choice of people and of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Judges and prints.
pub fn run(args: &QualityArgs, context: &Context) -> anyhow::Result<Exit> {
    let pack = args.pack.as_ref().unwrap_or(&context.config.face.pack);
    let people = dataset::people(&args.dataset)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let networks = (0..workers).map(|_| Networks::load(&context.installation, pack, MIN_FACE_PX));
    let networks = networks.collect::<Result<Vec<_>, _>>()?;
    let bar = indicatif::ProgressBar::new(args.faces as u64);
    let judged = judge(&people, args.faces, networks, args.seed, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    ensure!(!judged.is_empty(), "no photo of {} shows a face good enough to be spoilt", args.dataset.display());
    let figures = figures(&judged, Origin::here(pack, args.seed));
    print(&figures);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

fn print(figures: &QualityFigures) {
    anstream::println!(
        "{} faces; mean score at strength 0 (the photo as it is) to 5, faces lost at 5, rank correlation\n",
        figures.faces
    );
    for kind in Kind::ALL {
        let Some(it) = figures.kinds.get(kind.name()) else { continue };
        let means: String = it.mean_score.iter().map(|mean| format!("{mean:>7.3}")).collect();
        let reason = it
            .reason
            .as_ref()
            .map_or(String::new(), |(reason, share)| format!("\"{reason}\" for {:.0} %", 100.0 * share));
        let lost = 100.0 * it.lost[it.lost.len() - 1];
        anstream::println!("{:15}{means} {lost:>5.0} % {:>7.3}   {reason}", kind.name(), it.spearman);
    }
    anstream::println!(
        "\n{} of {} kinds are noticed (correlation {NOTICED} or less); the reason is that of most faces at strength 5",
        figures.noticed,
        figures.kinds.len()
    );
}
