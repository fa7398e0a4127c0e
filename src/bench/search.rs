//! How long a search takes, against the least that reading its bytes takes and against other engines, all in turn on the same processors.

use std::{ops::Range, thread, time::Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use super::{
    figures::Origin,
    search_data::SearchData,
    search_peers::{PeerError, Peers, Turn},
};
use crate::{
    bench::spread::Spread,
    face::Template,
    gallery::{BestTwo, Gallery, Shortlist, kernel},
};

/// Engines alternate so many times.
const ROUNDS: usize = 20;
/// Bytes of small rows that one engine goes through in one turn: about a fifth of a second of reading, or enough queries to count.
const TURN_BYTES: usize = 640 << 20;
const TURN_QUERIES: Range<usize> = 5..200;
/// Probes compared in one pass where only the result counts.
const PROBES_A_PASS: usize = 16;

/// Everything measured.
#[derive(Debug, Serialize)]
pub struct Search {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// One an engine, gallery and number of cores.
    pub rows: Vec<Row>,
}

/// One engine with one gallery.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Enrolled, one row each.
    pub people: usize,
    /// Numbers a row.
    pub dims: usize,
    /// Processors.
    pub cores: usize,
    /// `greeter`, `floor` (a plain sum over greeter's bytes) or a peer.
    pub engine: String,
    /// Of memory.
    pub bytes_per_template: f64,
    /// Median of one search.
    pub p50_ms: f64,
    /// 95 of 100 searches were no longer.
    pub p95_ms: f64,
    /// Share of the queries whose best is that of an exact search; absent for the floor.
    pub top1_agreement: Option<f64>,
    /// Queries that share is of.
    pub agreement_queries: usize,
}

/// The share of all probes for which the robot finds whom the exact search found.
pub fn agreement(data: &SearchData, truth: &[u32], progress: &dyn Fn(usize)) -> f64 {
    let mut agreeing = 0;
    for (probes, truth) in data.probes.chunks(PROBES_A_PASS).zip(truth.chunks(PROBES_A_PASS)) {
        let found = data.gallery.search_many(probes);
        agreeing += found.iter().zip(truth).filter(|(found, truth)| first(found) == Some(**truth)).count();
        progress(probes.len());
    }
    agreeing as f64 / data.probes.len().max(1) as f64
}

fn first(found: &BestTwo) -> Option<u32> {
    found.first.and_then(|first| u32::try_from(first.person.0).ok())
}

/// Lets all engines search in turn on `cores` processors. `agreement` is the robot's, over all probes.
///
/// # Errors
/// When a peer fails.
pub fn in_turn(
    data: &SearchData,
    truth: &[u32],
    agreement: f64,
    cores: usize,
    mut peers: Option<&mut (Peers, Vec<(String, f64)>)>,
    progress: &dyn Fn(),
) -> Result<Vec<Row>, PeerError> {
    let pinned = Pinned::to(cores);
    let names: Vec<(String, f64)> = peers.as_ref().map(|(_, names)| names.clone()).unwrap_or_default();
    let bytes = data.gallery.small_rows().len();
    let queries = (TURN_BYTES / bytes.max(1)).clamp(TURN_QUERIES.start, TURN_QUERIES.end).min(data.probes.len());
    let mut own: [Vec<f64>; 2] = Default::default();
    let mut others: Vec<(Vec<f64>, usize)> = vec![Default::default(); names.len()];
    thread::scope(|scope| {
        let mut both = Both::start(scope, &data.gallery, cores);
        for round in 0..ROUNDS {
            let from = round * queries % (data.probes.len() - queries + 1);
            for probe in &data.probes[from..from + queries] {
                own[0].push(timed(|| both.search(probe)));
            }
            for _ in 0..queries {
                own[1].push(timed(|| both.sum()));
            }
            let Some((peers, _)) = peers.as_deref_mut() else { continue };
            for ((engine, _), (times, agreeing)) in names.iter().zip(&mut others) {
                let found = peers.run(&Turn { engine, cpus: &pinned.cpus, from, count: queries })?;
                *agreeing += found.found.iter().zip(&truth[from..]).filter(|(found, truth)| found == truth).count();
                times.extend(found.ms);
            }
            progress();
        }
        Ok::<(), PeerError>(())
    })?;
    let row = |engine: &str, bytes: f64, times: Vec<f64>, agreement: Option<f64>, of: usize| {
        let spread = Spread::of(times).unwrap_or(Spread { p50: 0.0, p95: 0.0, p99: 0.0, max: 0.0 });
        Row {
            people: data.people,
            dims: data.dims,
            cores,
            engine: engine.to_owned(),
            bytes_per_template: bytes,
            p50_ms: spread.p50,
            p95_ms: spread.p95,
            top1_agreement: agreement,
            agreement_queries: of,
        }
    };
    let [searches, sums] = own;
    let each = data.gallery.bytes() as f64 / data.people.max(1) as f64;
    let mut rows =
        vec![row("greeter", each, searches, Some(agreement), data.probes.len()), row("floor", each, sums, None, 0)];
    for ((engine, bytes), (times, agreeing)) in names.iter().zip(others) {
        let asked = times.len();
        rows.push(row(engine, *bytes, times, Some(agreeing as f64 / asked.max(1) as f64), asked));
    }
    Ok(rows)
}

fn timed<T>(call: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    std::hint::black_box(call());
    began.elapsed().as_secs_f64() * 1000.0
}

/// This thread, and those it starts, on some processors only, until it is dropped.
struct Pinned {
    before: Option<CpuSet>,
    cpus: Vec<usize>,
}

impl Pinned {
    /// To the last `cores` processors that it may use.
    fn to(cores: usize) -> Self {
        let Ok(before) = sched_getaffinity(None) else { return Self { before: None, cpus: (0..cores).collect() } };
        let mut cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).collect();
        cpus.drain(..cpus.len().saturating_sub(cores));
        let mut set = CpuSet::new();
        cpus.iter().for_each(|cpu| set.set(*cpu));
        let pinned = sched_setaffinity(None, &set).is_ok();
        Self { before: pinned.then_some(before), cpus }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // It was allowed a moment ago.
            let _ = sched_setaffinity(None, before);
        }
    }
}

enum Work {
    Search(Template),
    Sum,
}

enum Done {
    Found(Vec<Shortlist>),
    Summed(i64),
}

/// The gallery, its rows shared out between this thread and, for two cores, one more.
struct Both<'g> {
    gallery: &'g Gallery,
    /// This thread's share.
    own: Range<usize>,
    other: Option<(Sender<Work>, Receiver<Done>)>,
}

impl<'g> Both<'g> {
    fn start<'scope>(scope: &'scope thread::Scope<'scope, 'g>, gallery: &'g Gallery, cores: usize) -> Self {
        let all = gallery.rows();
        if cores < 2 {
            return Self { gallery, own: 0..all, other: None };
        }
        let ((give, take), (pass, receive)) = (bounded(1), bounded(1));
        let share = all / 2..all;
        scope.spawn(move || {
            for work in take {
                let done = match work {
                    Work::Search(probe) => Done::Found(gallery.shortlist(share.clone(), &[probe])),
                    Work::Sum => Done::Summed(sum(gallery, share.clone())),
                };
                if pass.send(done).is_err() {
                    return;
                }
            }
        });
        Self { gallery, own: 0..all / 2, other: Some((give, receive)) }
    }

    fn search(&mut self, probe: &Template) -> BestTwo {
        let probes = std::slice::from_ref(probe);
        let Some((give, receive)) = &self.other else { return self.gallery.search(probe) };
        let asked = give.send(Work::Search(probe.clone())).is_ok();
        let mut parts = vec![self.gallery.shortlist(self.own.clone(), probes)];
        if asked && let Ok(Done::Found(part)) = receive.recv() {
            parts.push(part);
        }
        self.gallery.settle(probes, parts).pop().unwrap_or_default()
    }

    fn sum(&mut self) -> i64 {
        let Some((give, receive)) = &self.other else { return sum(self.gallery, self.own.clone()) };
        let asked = give.send(Work::Sum).is_ok();
        let own = sum(self.gallery, self.own.clone());
        match asked.then(|| receive.recv()) {
            Some(Ok(Done::Summed(other))) => own + other,
            _ => own,
        }
    }
}

fn sum(gallery: &Gallery, rows: Range<usize>) -> i64 {
    let bytes = gallery.small_rows();
    let dims = bytes.len() / gallery.rows().max(1);
    kernel::sum(&bytes[rows.start * dims..rows.end * dims])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::temporary::TemporaryFolder;

    #[test]
    fn two_threads_find_and_sum_what_one_does_and_every_engine_gets_its_row() {
        let folder = TemporaryFolder::make(None).unwrap();
        let data = SearchData::make(&folder, (2_001, 64), 300, 5).unwrap();
        let truth = data.truth(&|_| {}).unwrap();
        assert_eq!(agreement(&data, &truth, &|_| {}), 1.0);
        thread::scope(|scope| {
            let mut both = Both::start(scope, &data.gallery, 2);
            for probe in &data.probes[..50] {
                assert_eq!(both.search(probe), data.gallery.search(probe));
            }
            assert_eq!(both.sum(), kernel::sum(data.gallery.small_rows()));
        });
        let rows = in_turn(&data, &truth, 1.0, 2, None, &|| {}).unwrap();
        let engines: Vec<(&str, usize)> = rows.iter().map(|row| (row.engine.as_str(), row.cores)).collect();
        assert_eq!(engines, [("greeter", 2), ("floor", 2)]);
        assert!(rows.iter().all(|row| row.p50_ms > 0.0 && row.p95_ms >= row.p50_ms));
    }
}
