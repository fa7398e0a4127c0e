//! `greeter bench identify`: who is recognised, who is missed, who is called by another's name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Context as _, ensure};

use crate::{
    bench::{
        dataset,
        figures::Origin,
        identify::{
            Question, answer,
            figures::{Counted, Group, Identify, Spread},
            photos::study,
            plots,
            rates::Interval,
            shipped::Outcomes,
        },
    },
    cli::{Context, Exit},
    face::{
        enrol::{MIN_FACE_PX, PhotoEnroller},
        manifest::Manifest,
        networks::Networks,
        quality::{Demands, MAX_YAW_DEGREES},
    },
    roll::Reader,
};

/// Who is recognised, on photos of people who are known.
///
/// Enrols some photos of each person who has more, probes with their other photos and with everybody else as strangers, by the program's
/// own detection, quality, embedding and decision. Half of the people only freeze thresholds; the figures are the other half's.
#[derive(clap::Args)]
pub struct IdentifyArgs {
    /// A folder with a folder of photos (JPEG or PNG) a person
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Photos to enrol of each person
    #[arg(long, value_name = "K", default_value_t = 3)]
    enrol: usize,
    /// People enrolled; those whom the dataset does not have are made up
    #[arg(long, value_name = "N", default_value_t = 0)]
    people: usize,
    /// The pack of networks; the configured one otherwise
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// Reports a group of people beside the whole; FILE has a folder's name a line
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file)]
    group: Vec<(String, PathBuf)>,
    /// The most alike pairs of people to look at
    #[arg(long, value_name = "N", default_value_t = 500)]
    pairs: usize,
    /// Pairs to look at in any case; FILE has two names a line, with a comma between them
    #[arg(long, value_name = "FILE")]
    siblings: Option<PathBuf>,
    /// Further draws of which photos are enrolled, for which TPIR at FPIR 0.1 % is counted, too
    #[arg(long, value_name = "N", default_value_t = 20)]
    draws: u64,
    /// Seed of the halves and of the random order of photos
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also draw them: det.svg, threshold.svg, discarding.svg
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE, such as elderly=elderly.txt")?;
    Ok((name.to_owned(), PathBuf::from(file)))
}

/// Counts and prints.
pub fn run(args: &IdentifyArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.enrol >= 1, "--enrol must be at least 1");
    let mut config = context.config.clone();
    config.face.pack = args.pack.clone().unwrap_or(config.face.pack);
    let people = dataset::people(&args.dataset)?;
    let names: BTreeSet<&str> = people.iter().map(|person| person.name.as_str()).collect();
    let mut groups = BTreeMap::new();
    for (name, file) in &args.group {
        let members = dataset::group(file)?;
        ensure!(
            members.iter().any(|member| names.contains(member.as_str())),
            "{} names nobody of the dataset",
            file.display()
        );
        groups.insert(name.clone(), members);
    }
    let siblings = args.siblings.as_deref().map(dataset::pairs).transpose()?.unwrap_or_default();
    let reader = Reader::new(&config, &Manifest::load(&context.installation.models())?)?;

    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let networks = || Networks::load(&context.installation, &config.face.pack, MIN_FACE_PX).map(PhotoEnroller::new);
    let enrollers = (0..workers).map(|_| networks()).collect::<Result<Vec<_>, _>>()?;
    let views = Demands { min_eye_distance_px: config.face.min_eye_distance_px, max_yaw_degrees: MAX_YAW_DEGREES };
    let bar = indicatif::ProgressBar::new(people.len() as u64);
    let subjects = study(&people, enrollers, &views, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();

    let question = Question {
        enrol: args.enrol,
        people: args.people,
        seed: args.seed,
        demands: &|people| reader.demands(people),
        draws: args.draws,
        pairs: args.pairs,
        siblings: &siblings,
        groups: &groups,
    };
    let figures = answer(&subjects, &question, Origin::here(&config.face.pack, args.seed))?;
    ensure!(figures.enrolled > 0, "nobody of the tested half has more than {} usable photos", args.enrol);
    print(&figures);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(folder) = &args.plots {
        plots::draw(&figures, folder)?;
        anstream::println!("\nplots: {}", folder.display());
    }
    Ok(Exit::Done)
}

fn print(figures: &Identify) {
    anstream::println!(
        "{} people in the test, {} of them enrolled by {} photos each{}; thresholds frozen on {} others",
        figures.people,
        figures.enrolled,
        figures.enrol,
        if figures.made_up > 0 { format!(" beside {} made-up people", figures.made_up) } else { String::new() },
        figures.frozen_on
    );
    anstream::println!(
        "failure to enrol {}, failure to acquire {} of the photos\n",
        percent(figures.failed_to_enrol),
        percent(figures.failed_to_acquire)
    );
    anstream::println!("{:34}{:>24}{:>24}", "", "single photos", "visits");
    let kinds = [&figures.single, &figures.visit];
    line("probes of enrolled people", kinds.map(|kind| kind.mate_probes.to_string()));
    line("probes of strangers", kinds.map(|kind| kind.stranger_probes.to_string()));
    line("rank-1", kinds.map(|kind| percent(kind.rank1)));
    line("median score of enrolled people", kinds.map(|kind| format!("{:.3}", kind.mates_median)));
    for fpir in ["0.01", "0.003", "0.001"] {
        let name = format!("TPIR at FPIR {}", percent(fpir.parse().unwrap_or(0.0)));
        line(&name, kinds.map(|kind| kind.tpir.get(fpir).map_or(String::new(), with_interval)));
        line(
            "  FPIR of the test's strangers",
            kinds.map(|kind| kind.fpir_reached.get(fpir).map_or(String::new(), |it| percent(*it))),
        );
    }
    if let (Some(single), Some(visit)) = (&figures.draws.single, &figures.draws.visit) {
        let show =
            |it: &Spread| format!("{:.2} % ({:.1}-{:.1})", 100.0 * it.median, 100.0 * it.lowest, 100.0 * it.highest);
        let name = format!("… median of {} draws of photos", single.draws);
        line(&name, [show(single), show(visit)]);
    }
    anstream::println!("\nFNIR at FPIR 0.1 % with the worst views left out (single photos):");
    for (share, fnir) in &figures.single.discarding {
        anstream::println!("  {:>6} left out: {}", percent(*share), percent(*fnir));
    }
    decisions("single photos", &figures.single);
    decisions("visits", &figures.visit);
    let pairs = &figures.lookalikes;
    anstream::println!(
        "\nThe {} most alike pairs (scores from {:.3}): {} visits with both enrolled, {} confused; {} visits of one who is not enrolled, {} called by the other's name",
        pairs.pairs,
        pairs.from_score,
        pairs.visits,
        pairs.confused.len(),
        pairs.not_enrolled_visits,
        pairs.not_enrolled_named.len()
    );
    for it in pairs.confused.iter().chain(&pairs.not_enrolled_named) {
        anstream::println!("  {} was called {}", it.came, it.named);
    }
    for (name, group) in &figures.groups {
        print_group(name, group);
    }
}

fn decisions(name: &str, counted: &Counted) {
    anstream::println!(
        "\nThe shipped decision, {name}:\n{:>10} {:>6} {:>7} {:>6} {:>7} {:>7} | strangers {:>6} {:>9}",
        "gallery",
        "score",
        "right",
        "wrong",
        "unsure",
        "missed",
        "named",
        "not named"
    );
    let row = |size: String, score: String, it: &Outcomes| {
        anstream::println!(
            "{size:>10} {score:>6} {:>7} {:>6} {:>7} {:>7} |           {:>6} {:>9}",
            it.right,
            it.wrong,
            it.unsure,
            it.missed,
            it.stranger_named,
            it.stranger_not_named
        );
    };
    row("this one".into(), String::new(), &counted.shipped);
    for it in &counted.by_gallery {
        row(it.gallery.to_string(), format!("{:.3}", it.min_score), &it.outcomes);
    }
}

fn print_group(name: &str, group: &Group) {
    anstream::println!("\nGroup {name}: {} people in the test, {} enrolled", group.people, group.enrolled);
    for (nominal, got) in &group.population.fmr {
        let nominal: f64 = nominal.parse().unwrap_or(0.0);
        anstream::println!(
            "  set on the others, a nominal FMR of {nominal} is really {} times as high",
            times(got, nominal)
        );
    }
    for (nominal, got) in &group.population.calibrated {
        let nominal: f64 = nominal.parse().unwrap_or(0.0);
        anstream::println!(
            "  calibrated on the group's own untested half ({:.3}), a nominal FMR of {nominal} is {} times in its other half, {} times among the others",
            got.min_score,
            times(&got.other_half, nominal),
            times(&got.everybody_else, nominal)
        );
    }
    for (kind, counted) in [("single photos", &group.single), ("visits", &group.visit)] {
        let it = &counted.shipped;
        let tpir = counted.tpir.get("0.001").map_or(String::new(), with_interval);
        anstream::println!(
            "  {kind}: {} probes of enrolled people, {} of strangers; TPIR at FPIR 0.1 % {tpir}; shipped: {} right, {} wrong, {} unsure, {} missed, {} strangers named",
            counted.mate_probes,
            counted.stranger_probes,
            it.right,
            it.wrong,
            it.unsure,
            it.missed,
            it.stranger_named
        );
    }
}

fn line(name: &str, [single, visit]: [String; 2]) {
    anstream::println!("{name:34}{single:>24}{visit:>24}");
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn with_interval(it: &Interval) -> String {
    format!("{:.2} % ({:.1}-{:.1})", 100.0 * it.value, 100.0 * it.low, 100.0 * it.high)
}

fn times(it: &Interval, nominal: f64) -> String {
    format!("{:.2} ({:.2}-{:.2})", it.value / nominal, it.low / nominal, it.high / nominal)
}
