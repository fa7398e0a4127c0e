//! `greeter calibrate`: from which score a visitor is named in this hall, measured on the people who are enrolled in it.

use std::{path::PathBuf, thread};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Context, Exit};
use crate::{
    bench::figures::Origin as Made,
    calibration::{
        census::{Census, Rows, Take},
        file::{Calibration, Score},
        hall::{self, Findings},
        in_force::InForce,
        mates::{Mates, mates, named},
        page::page,
        words::Story,
    },
    face::{Template, manifest::Manifest},
    person::RecordNumber,
    store::Store,
};

/// Measure from which score a visitor is named in this hall, and use it from then on.
///
/// Compares the people who are enrolled with each other: what makes two of them alike makes a stranger like one of them. Writes the scores
/// beside the store, for this recogniser; `greeter run` takes them up at once, and follows them as people come and go. Lists who looks
/// like whom, by record number. Run it after the first sync, and again when the hall has doubled; `greeter doctor` reminds you.
#[derive(Debug, clap::Args)]
pub struct CalibrateArgs {
    /// The share of strangers who may be taken for somebody
    #[arg(long, value_name = "SHARE", default_value_t = 0.001)]
    fpir: f64,
    /// Write a page with plots for the office
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Change nothing: only say what would be written
    #[arg(long)]
    dry_run: bool,
    /// Pairs of people to compare at most; of more, a random share is (100,000 people make five thousand million pairs)
    #[arg(long, value_name = "N", default_value_t = 6_000_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    max_pairs: u64,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Everybody who can be recognised: record, row, photos' templates.
struct Hall {
    records: Vec<RecordNumber>,
    rows: Vec<Template>,
    photos: Vec<Vec<Template>>,
}

impl Hall {
    /// As [`crate::gallery::Gallery::new`] makes its rows: each person the mean of their templates.
    fn of(mut templates: Vec<(RecordNumber, Template)>) -> Self {
        templates.sort_by_key(|(record, _)| *record);
        let dims = templates.first().map_or(0, |(_, template)| template.0.len());
        templates.retain(|(_, template)| template.0.len() == dims);
        let mut hall = Self { records: Vec::new(), rows: Vec::new(), photos: Vec::new() };
        for (record, template) in templates {
            match hall.photos.last_mut() {
                Some(photos) if hall.records.last() == Some(&record) => photos.push(template),
                _ => {
                    hall.records.push(record);
                    hall.photos.push(vec![template]);
                }
            }
        }
        let row = |photos: &Vec<Template>| {
            Template::mean(photos.iter().map(|photo| (photo, 1.0))).unwrap_or_else(|| photos[0].clone())
        };
        hall.rows = hall.photos.iter().map(row).collect();
        hall
    }
}

/// Measures, prints and writes.
///
/// # Errors
/// For the operator.
pub fn run(args: &CalibrateArgs, context: &Context) -> anyhow::Result<Exit> {
    let config = &context.config;
    let manifest = Manifest::load(&context.installation.models())?;
    let recogniser = manifest.pack(&config.face.pack)?.recogniser.clone();
    // The store is open no longer than it takes to read it, so that `greeter sync` need not wait.
    let hall = Hall::of(Store::open(&config.store)?.store.templates(&recogniser)?);
    let configured = config.decision.min_score_to_name;
    let shipped = manifest.thresholds.get(&recogniser);
    let before = InForce::find(&config.store.folder, configured, shipped, &recogniser).min_score(hall.rows.len());

    let rows = Rows::deal(&hall.rows, args.seed);
    let census = census(&rows, args);
    let findings = hall::findings(census, args.fpir, shipped)?;
    let mates = mates(&rows, &hall.photos, args.seed);
    let margin = config.decision.min_margin;
    let share = |probes| named(probes, findings.min_score, margin);
    let story = Story {
        findings: &findings,
        records: &hall.records,
        photos: hall.photos.iter().map(Vec::len).sum(),
        looks: share(&mates.looks),
        visits: share(&mates.visits),
        before,
    };
    anstream::print!("{}", story.text());

    let now = jiff::ZonedDateTime::now().datetime();
    if let Some(path) = &args.report {
        let day = now.date().to_string();
        std::fs::write(path, page(&story, &mates, margin, &recogniser, &day))
            .with_context(|| format!("cannot write the report {}", path.display()))?;
        anstream::println!("The report is in {}.", path.display());
    }
    if let Some(path) = &args.json {
        let made = Made::here(&config.face.pack, args.seed);
        let figures = figures(&story, made, &mates);
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.dry_run {
        anstream::println!("Nothing was changed.");
    } else {
        let calibration = calibration(&findings, recogniser, now.round(jiff::Unit::Second)?);
        let path = calibration.write(&config.store.folder)?;
        anstream::println!("Written to {}; `greeter run` uses it from now on.", path.display());
        if configured > 0.0 {
            anstream::println!(
                "But `decision.min_score_to_name` is {configured} and still holds: set it to 0 to use what was measured."
            );
        }
    }
    let attention = story.caution().is_some() || findings.alike.iter().any(|alike| alike.beyond_chance);
    Ok(if attention { Exit::Attention } else { Exit::Done })
}

/// Compares everybody with everybody on all cores, behind the robot's own work.
fn census(rows: &Rows, args: &CalibrateArgs) -> Census {
    // Only politeness: where the system refuses, it is as fast as ever.
    let _ = rustix::process::nice(10);
    let share = args.max_pairs as f64 / rows.pairs().max(1) as f64;
    let parts = thread::available_parallelism().map_or(1, usize::from);
    let bar = ProgressBar::new((rows.pairs() as f64 * share.min(1.0)) as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent} % of the pairs, {eta} left") {
        bar.set_style(style);
    }
    let take = |part| Census::take(rows, Take { share, seed: args.seed, part, parts }, |more| bar.inc(more));
    let take = &take;
    let census = thread::scope(|scope| {
        let others: Vec<_> = (1..parts).map(|part| scope.spawn(move || take(part))).collect();
        let mut census = take(0);
        for other in others {
            match other.join() {
                Ok(part) => census = census.merge(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        census
    });
    bar.finish_and_clear();
    census
}

fn calibration(findings: &Findings, recogniser: String, made: jiff::civil::DateTime) -> Calibration {
    let scores = findings.rows.iter();
    Calibration {
        recogniser,
        fpir: findings.fpir,
        made,
        people: findings.people,
        pairs: findings.looked_at,
        method: "greeter calibrate: normal tail of the upper fifth of all pairs of people plus one standard error over people; pairs that look like one person left out; own pairs where 20 reach the score; the shipped score where it is higher and people are few".into(),
        scores: scores.map(|row| Score { gallery: row.gallery, min_score: row.min_score, from: row.from }).collect(),
    }
}

#[derive(serde::Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    made: Made,
    people: usize,
    photos: usize,
    pairs: u64,
    looked_at: u64,
    fpir: f64,
    min_score_to_name: f32,
    min_score_before: f32,
    from: hall::Origin,
    rows: &'a [hall::Row],
    in_turn: Option<hall::InTurn>,
    named_by_single_photos: Option<crate::calibration::mates::Share>,
    named_by_visits: Option<crate::calibration::mates::Share>,
    probes: Probes,
    fit_is_wrong: bool,
    alike: Vec<AlikeFigures>,
    sentence: String,
}

#[derive(serde::Serialize)]
struct Probes {
    single_photos: usize,
    visits: usize,
}

#[derive(serde::Serialize)]
struct AlikeFigures {
    records: [RecordNumber; 2],
    score: f32,
    beyond_chance: bool,
}

fn figures<'a>(story: &Story<'a>, made: Made, mates: &Mates) -> Figures<'a> {
    let found = story.findings;
    let alike = found.alike.iter().map(|alike| {
        let (a, b, score) = story.ordered(&alike.pair);
        AlikeFigures { records: [a, b], score, beyond_chance: alike.beyond_chance }
    });
    Figures {
        made,
        people: found.people,
        photos: story.photos,
        pairs: found.pairs,
        looked_at: found.looked_at,
        fpir: found.fpir,
        min_score_to_name: found.min_score,
        min_score_before: story.before,
        from: found.from(),
        rows: &found.rows,
        in_turn: found.in_turn,
        named_by_single_photos: story.looks,
        named_by_visits: story.visits,
        probes: Probes { single_photos: mates.looks.len(), visits: mates.visits.len() },
        fit_is_wrong: found.fit_is_wrong,
        alike: alike.collect(),
        sentence: story.sentence(),
    }
}
