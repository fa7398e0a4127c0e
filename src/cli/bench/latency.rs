//! `greeter bench latency`: how long visitors wait.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::ensure;

use crate::{
    bench::spread::Spread,
    bench::{
        cast::roll,
        company::Measured,
        figures::Origin,
        latency::{Latency, cast, measure},
        staged_camera::{Scene, StagedCamera},
    },
    cli::{Context, Exit, run as run_command},
    face::{
        enrol::{self, PhotoEnroller},
        manifest::Manifest,
        networks::Networks,
    },
    pipeline::{
        Pipeline,
        vision::{Times, Vision},
    },
    roll::{CurrentRoll, Reader},
};

/// How long visitors wait for the first sound of their greeting.
///
/// People come one after the other, or in groups that stand side by side, before a staged camera (1280x720, MJPG, 30 frames/s) and go through the whole pipeline of
/// `greeter run`, voices included. Where there is no loudspeaker, scripts/with-virtual-loudspeaker.sh gives it one.
#[derive(clap::Args)]
pub struct LatencyArgs {
    /// Visits to measure
    #[arg(long, default_value_t = 40)]
    visits: usize,
    /// People who come together, each time others
    #[arg(long, default_value_t = 1)]
    faces: usize,
    /// People enrolled; those who do not visit are made up
    #[arg(long, default_value_t = 1000)]
    people: usize,
    /// Of them, expected today; the visitors first
    #[arg(long, value_name = "N", default_value_t = 0)]
    expected: usize,
    /// Photos enrolled of each, and anybody who has more may visit; without it up to three, and whoever has most visits
    #[arg(long, value_name = "K")]
    enrol: Option<usize>,
    /// Photos to visit with, one folder a person; the demo's two people otherwise
    #[arg(long, value_name = "DIR")]
    dataset: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The pack of networks; the configured one otherwise
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// The language of the greetings, such as `zh-CN`; that of `greeting.language` otherwise
    #[arg(long, value_name = "LANG")]
    language: Option<String>,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(args: &LatencyArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.visits > 0 && args.faces > 0, "--visits and --faces must be at least 1");
    ensure!(args.expected <= args.people, "--expected must be at most --people");
    ensure!(args.people >= args.faces, "--people must be at least as many as come together (--faces)");
    let mut config = context.config.clone();
    config.face.pack = args.pack.clone().unwrap_or(config.face.pack);
    if let Some(tag) = &args.language {
        config.greeting.language = tag.as_str().into();
    }
    // Everybody may come again at once, and leaves quickly: neither is in the measured time.
    config.visit.cool_down_s = 0;
    config.visit.gone_after_ms = 600;
    // People in photos seldom look straight at a robot; those who come to one do.
    config.visit.max_yaw_degrees = 90.0;
    let context = Context { config, config_file: None, installation: context.installation.clone() };
    let config = &context.config;

    let networks = Networks::load(&context.installation, &config.face.pack, enrol::MIN_FACE_PX)?;
    let demo = context.installation.assets().join("demo");
    let counts = (args.visits.saturating_mul(args.faces), args.people);
    let mut enroller = PhotoEnroller::new(networks);
    let mut cast = cast(args.dataset.as_deref(), &demo, counts, args.enrol, args.seed, &mut enroller)?;
    ensure!(!cast.actors.is_empty(), "nobody can visit: each person needs a photo to enrol and another one to show");
    ensure!(
        cast.actors.len() >= args.faces,
        "{} are to come together, but {} {} can visit: name a folder with more of them, --dataset DIR",
        args.faces,
        if args.dataset.is_some() { "of --dataset only" } else { "only the demo's" },
        cast.actors.len()
    );
    drop(enroller);

    let reader = Reader::new(config, &Manifest::load(&context.installation.models())?)?;
    let (mut people, templates) = (std::mem::take(&mut cast.people), std::mem::take(&mut cast.templates));
    let (today, demands) = (jiff::ZonedDateTime::now().date(), |people| reader.demands(people));
    people.iter_mut().take(args.expected).for_each(|(_, person)| person.expected = Some(today));
    let mut roll = roll(people, templates, demands);
    roll.begin_day(today, demands);
    let roll = CurrentRoll::new(roll);
    let vision = Vision::new(run_command::networks(&context)?, roll.clone(), config);
    let scene = Scene::empty();
    let camera = Box::new(StagedCamera::new(scene.clone()));
    let pipeline = Pipeline::start(camera, vision, run_command::means(&context, roll)?, config)?;
    // Voices open in the background; visitors come to a robot that has been running.
    std::thread::sleep(Duration::from_secs(15));

    let bar = indicatif::ProgressBar::new(args.visits as u64);
    let measured = measure(&pipeline, &scene, &cast, (args.visits, args.faces), &|done| bar.set_position(done as u64));
    bar.finish_and_clear();
    let figures = figures(args, &config.face.pack, &pipeline, measured);
    print(&figures);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

fn figures(args: &LatencyArgs, pack: &str, pipeline: &Pipeline, measured: Measured) -> Latency {
    let [recognise, attend, speak] = measured.stages.map(Spread::of);
    let mut stages_ms = BTreeMap::from([("recognise", recognise), ("attend", attend), ("speak", speak)]);
    let times = pipeline.health().times();
    // Frames in which a part had nothing to do do not count for it.
    let spread = |part: fn(&Times) -> Duration| {
        let series = times.iter().map(|times| part(times).as_secs_f64() * 1000.0);
        Spread::of(series.filter(|ms| *ms > 0.02).collect())
    };
    stages_ms.extend([
        ("frame_wait", spread(|times| times.wait)),
        ("frame_find", spread(|times| times.find)),
        ("frame_align", spread(|times| times.align)),
        ("frame_embed", spread(|times| times.embed)),
        ("frame_search", spread(|times| times.search)),
    ]);
    let [right, wrong, unsure, stranger] = measured.outcomes;
    Latency {
        origin: Origin::here(pack, args.seed),
        people: args.people,
        expected: args.expected.min(args.people),
        visits: args.visits,
        faces: args.faces,
        right,
        wrong,
        unsure,
        stranger,
        frames: pipeline.frames(),
        face_to_decision_ms: Spread::of(measured.decided),
        face_to_audible_ms: Spread::of(measured.audible),
        face_to_greeting_ms: Spread::of(measured.greeted),
        hellos: measured.hellos,
        stages_ms,
    }
}

fn print(figures: &Latency) {
    let machine = &figures.origin.machine;
    anstream::println!(
        "{} people enrolled, {} of them expected, {} visits of {} each; {}, {} cores",
        figures.people,
        figures.expected,
        figures.visits,
        figures.faces,
        machine.cpu,
        machine.cores
    );
    anstream::println!(
        "named rightly {}, wrongly {}, unsure {}, taken for strangers {}; {} heard a hello first",
        figures.right,
        figures.wrong,
        figures.unsure,
        figures.stranger,
        figures.hellos
    );
    let frames = &figures.frames;
    anstream::println!("frames captured {}, seen {}, dropped {}", frames.captured, frames.processed, frames.dropped);
    anstream::println!("\n{:24} {:>8} {:>8} {:>8} {:>8}", "milliseconds", "median", "p95", "p99", "max");
    let row = |name: &str, spread: &Option<Spread>| match spread {
        Some(spread) => anstream::println!("{name:24} {spread}"),
        None => {
            anstream::println!("{name:24} nothing was heard: no voice or no loudspeaker; `greeter doctor` says which")
        }
    };
    row("face to decision", &figures.face_to_decision_ms);
    row("face to audible", &figures.face_to_audible_ms);
    row("face to the greeting", &figures.face_to_greeting_ms);
    let whole = figures.face_to_audible_ms.map_or(0.0, |spread| spread.p50);
    for (name, spread) in &figures.stages_ms {
        let Some(spread) = spread else { continue };
        let sequential = ["recognise", "attend", "speak"].contains(name);
        let share = if sequential && whole > 0.0 {
            format!("  {:3.0} % of the median", 100.0 * spread.p50 / whole)
        } else {
            String::new()
        };
        anstream::println!("{:24} {spread}{share}", format!("  {name}"));
    }
}
