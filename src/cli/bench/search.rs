//! `greeter bench search`: how long a search takes, against the floor and against other engines.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::{
    bench::{
        figures::Origin,
        search::{Row, Search, agreement, in_turn},
        search_data::SearchData,
        search_peers::{PeerError, Peers, Vectors},
        temporary::TemporaryFolder,
    },
    cli::{Context, Exit},
};

/// How long a search takes, against the floor and against faiss and usearch.
///
/// The floor is a plain sum over the same bytes: no search that reads them all can be faster. faiss (flat) and usearch (exact) take part
/// when scripts/bench/setup.sh has installed them; all engines have the same vectors and processors and take turns.
#[derive(clap::Args)]
pub struct SearchArgs {
    /// People enrolled, all made up
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    people: Vec<usize>,
    /// Numbers a template
    #[arg(long, value_delimiter = ',', default_values_t = [128, 192, 512])]
    dims: Vec<usize>,
    /// Processors
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    cores: Vec<usize>,
    /// Probes for which the best is compared with that of an exact search; half of them are strangers'
    #[arg(long, default_value_t = 10_000)]
    queries: usize,
    /// Where the temporary folder is made: where there is room for the vectors
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(args: &SearchArgs, context: &Context) -> anyhow::Result<Exit> {
    let positive = [&args.people, &args.dims].iter().all(|list| list.iter().all(|value| *value > 0));
    ensure!(positive && args.queries > 0, "--people, --dims and --queries must be at least 1");
    ensure!(args.cores.iter().all(|cores| [1, 2].contains(cores)), "--cores can be 1, 2 or 1,2");
    let mut peers = match Peers::start(&context.installation) {
        Ok(peers) => Some((peers, Vec::new())),
        Err(PeerError::Absent) => {
            anstream::println!("{}; they are skipped.", PeerError::Absent);
            None
        }
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    for dims in &args.dims {
        for people in &args.people {
            let size = (*people, *dims);
            if let Some(reason) = too_large(size, peers.is_some()) {
                anstream::println!("{people} people with {dims} numbers each are skipped: {reason}.");
                continue;
            }
            rows.extend(one_gallery(args, size, peers.as_mut())?);
        }
    }
    let figures = Search { origin: Origin::here(&context.config.face.pack, args.seed), rows };
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

/// Measures one gallery with each number of cores, and prints it.
fn one_gallery(
    args: &SearchArgs,
    (people, dims): (usize, usize),
    mut peers: Option<&mut (Peers, Vec<(String, f64)>)>,
) -> anyhow::Result<Vec<Row>> {
    let folder = TemporaryFolder::make(args.folder.as_deref()).context("cannot make a temporary folder")?;
    let bar = indicatif::ProgressBar::new_spinner().with_message(format!("{people} people, {dims} numbers each"));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let data = SearchData::make(&folder, (people, dims), args.queries, args.seed)?;
    let truth = data.truth(&|done| bar.inc(done as u64))?;
    let agreement = agreement(&data, &truth, &|done| bar.inc(done as u64));
    if let Some((peers, names)) = peers.as_deref_mut() {
        let vectors = Vectors { vectors: &data.vectors, queries: &data.queries, people, dims };
        *names = peers.open(&vectors)?.into_iter().collect();
    }
    let mut rows = Vec::new();
    for cores in &args.cores {
        rows.extend(in_turn(&data, &truth, agreement, *cores, peers.as_deref_mut(), &|| bar.inc(1))?);
    }
    bar.finish_and_clear();
    print(&rows);
    Ok(rows)
}

/// Why a gallery cannot be measured here.
fn too_large((people, dims): (usize, usize), with_peers: bool) -> Option<String> {
    // The small rows, and the vectors in the system's cache; with peers their two copies and a small one.
    let needed = people * dims * (1 + 8 + if with_peers { 9 } else { 0 });
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available = line.trim().split(' ').next()?.parse::<usize>().ok()? * 1024;
    (needed > available)
        .then(|| format!("{} MB of memory are needed and {} MB are free", needed >> 20, available >> 20))
}

fn print(rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    anstream::println!("\n{} people, {} numbers a template", first.people, first.dims);
    anstream::println!(
        "{:12} {:>5} {:>15} {:>10} {:>10} {:>10} {:>22}",
        "engine",
        "cores",
        "bytes/template",
        "p50 ms",
        "p95 ms",
        "of floor",
        "same best as exact"
    );
    for row in rows {
        let floor = rows.iter().find(|it| it.engine == "floor" && it.cores == row.cores).map_or(0.0, |it| it.p50_ms);
        let agreement = row
            .top1_agreement
            .map_or(String::new(), |share| format!("{:.2} % of {}", 100.0 * share, row.agreement_queries));
        anstream::println!(
            "{:12} {:5} {:15.1} {:10.4} {:10.4} {:10.2} {:>22}",
            row.engine,
            row.cores,
            row.bytes_per_template,
            row.p50_ms,
            row.p95_ms,
            row.p50_ms / floor.max(f64::MIN_POSITIVE),
            agreement
        );
    }
}
