//! Counts the comparison scores of all pairs of enrolled people, or of a random share of them.
//!
//! Each person is one row: the mean of their templates, as the running program compares them. So a pair of rows is what happens when one of
//! them comes to a hall where only the other is enrolled. (Measured on 135 people of LFW with six photos and more: the scores of
//! visits of three photos against others' rows of three exceed those of row against row by 0.002 at a false match rate of 1e-4, and single
//! photos stay 0.01 below; where one photo a person is enrolled, visits exceed row against row by 0.01.)
//!
//! People are dealt at random into groups, and the scores of each two groups are counted apart, so that the fit can be repeated without
//! each group in turn. A census may be taken in parts, on several threads, and merged.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    ops::Range,
};

use multiversion::multiversion;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::face::{Template, template::dot_inlined};

/// Score intervals from -1 to 1.
const BINS: usize = 4096;
/// Groups of people, at most.
const GROUPS: usize = 40;
/// Rows that are compared with as many others while all of them are in the processor's cache.
const BLOCK: usize = 64;
/// Most alike pairs that are remembered.
const REMEMBERED: usize = 20_000;

/// Everybody as one row, in random order, cut into groups.
pub struct Rows {
    dims: usize,
    /// Each as long as the root of what it is in the gallery: a pair's product is then the mean of what one of the two would score as a
    /// visitor, whose template has length 1, with the other.
    values: Vec<f32>,
    /// What each is to be multiplied by to be as long as in the gallery.
    roots: Vec<f32>,
    /// Which of the given rows each one is.
    given: Vec<usize>,
    blocks: Vec<(usize, Range<usize>)>,
    groups: usize,
}

/// Two people and how alike they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Comparison score.
    pub score: f32,
    /// Index of one of them.
    pub a: usize,
    /// Index of the other one.
    pub b: usize,
}

impl Eq for Pair {}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then((other.a, other.b).cmp(&(self.a, self.b)))
    }
}

impl Rows {
    /// Deals `rows`, all of one length, into groups; the seed repeats the order.
    pub fn deal(rows: &[Template], seed: u64) -> Self {
        let dims = rows.first().map_or(0, |row| row.0.len());
        let mut given: Vec<usize> = (0..rows.len()).collect();
        given.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let roots: Vec<f32> = given.iter().map(|at| rows[*at].length().max(1e-6).sqrt()).collect();
        let shortened = |(at, root): (&usize, &f32)| rows[*at].0.iter().map(|value| value / root).collect::<Vec<f32>>();
        let values = given.iter().zip(&roots).flat_map(shortened).collect();
        let groups = rows.len().clamp(1, GROUPS);
        let start = |group: usize| group * rows.len() / groups;
        let blocks = (0..groups).flat_map(|group| {
            let (from, to) = (start(group), start(group + 1));
            (from..to).step_by(BLOCK).map(move |at| (group, at..to.min(at + BLOCK)))
        });
        Self { dims, values, roots, given, blocks: blocks.collect(), groups }
    }

    /// How many people.
    pub fn people(&self) -> usize {
        self.given.len()
    }

    /// How many pairs of people there are.
    pub fn pairs(&self) -> u64 {
        let people = self.people() as u64;
        people * people.saturating_sub(1) / 2
    }

    /// The best score of each probe with the rows of all people but its own (an index into the rows as given).
    pub fn best_of_others(&self, probes: &[(usize, Template)]) -> Vec<f32> {
        let mut best = vec![-1.0_f32; probes.len()];
        let mut found = vec![0.0; BLOCK * BLOCK];
        for (probes, best) in probes.chunks(BLOCK).zip(best.chunks_mut(BLOCK)) {
            let values: Vec<f32> = probes.iter().flat_map(|(_, probe)| probe.0.iter().copied()).collect();
            for (_, block) in &self.blocks {
                compare(&values, self.of(block), self.dims, &mut found);
                for (((person, _), best), line) in probes.iter().zip(&mut *best).zip(found.chunks_exact(block.len())) {
                    let rows = self.given[block.clone()].iter().zip(&self.roots[block.clone()]).zip(line);
                    let others = rows.filter(|((given, _), _)| *given != person);
                    *best = others.map(|((_, root), score)| score * root).fold(*best, f32::max);
                }
            }
        }
        best
    }

    fn of(&self, block: &Range<usize>) -> &[f32] {
        &self.values[block.start * self.dims..block.end * self.dims]
    }
}

/// How the census is taken.
#[derive(Debug, Clone, Copy)]
pub struct Take {
    /// The share of the pairs that is looked at, 0 to 1.
    pub share: f64,
    /// Of the draw of that share.
    pub seed: u64,
    /// This part of all parts, from 0.
    pub part: usize,
    /// How many parts.
    pub parts: usize,
}

/// Counted scores.
#[derive(Clone)]
pub struct Census {
    groups: usize,
    /// For each two groups one after the other, the intervals.
    counts: Vec<u64>,
    /// The intervals of all together.
    all: Vec<u64>,
    looked_at: u64,
    most_alike: BinaryHeap<Reverse<Pair>>,
    /// For each person, whom they are most like.
    nearest: Vec<Option<Pair>>,
    group_of: Vec<usize>,
}

impl Census {
    /// Compares; `progress` is told the number of further pairs now and then.
    pub fn take(rows: &Rows, take: Take, mut progress: impl FnMut(u64)) -> Self {
        let mut group_of = vec![0; rows.people()];
        for (group, block) in &rows.blocks {
            block.clone().for_each(|at| group_of[rows.given[at]] = *group);
        }
        let mut census = Self {
            groups: rows.groups,
            counts: vec![0; rows.groups * (rows.groups + 1) / 2 * BINS],
            all: vec![0; BINS],
            looked_at: 0,
            most_alike: BinaryHeap::new(),
            nearest: vec![None; rows.people()],
            group_of,
        };
        // One draw for each pair of blocks, whoever looks at it.
        let mut draw = ChaCha8Rng::seed_from_u64(take.seed);
        let mut found = vec![0.0; BLOCK * BLOCK];
        let mut tile = 0_usize;
        for (first, (_, block)) in rows.blocks.iter().enumerate() {
            let before = census.looked_at;
            for (_, other) in &rows.blocks[first..] {
                tile += 1;
                let drawn = take.share >= 1.0 || draw.random::<f64>() < take.share;
                if drawn && tile % take.parts.max(1) == take.part {
                    compare(rows.of(block), rows.of(other), rows.dims, &mut found);
                    census.count(rows, block, other, &found);
                }
            }
            progress(census.looked_at - before);
        }
        census
    }

    fn count(&mut self, rows: &Rows, block: &Range<usize>, other: &Range<usize>, found: &[f32]) {
        let groups = [block, other].map(|block| self.group_of[rows.given[block.start]]);
        let bins = self.bins_of(groups[0], groups[1]);
        for at in block.clone() {
            let line = &found[(at - block.start) * other.len()..][..other.len()];
            let from = if block == other { at + 1 - block.start } else { 0 };
            for (with, &score) in other.clone().zip(line).skip(from) {
                let bin = bin(score);
                self.counts[bins + bin] += 1;
                self.all[bin] += 1;
                self.looked_at += 1;
                let pair = Pair { score, a: rows.given[at], b: rows.given[with] };
                for person in [pair.a, pair.b] {
                    if self.nearest[person].is_none_or(|known| score > known.score) {
                        self.nearest[person] = Some(pair);
                    }
                }
                if self.most_alike.len() < REMEMBERED || self.most_alike.peek().is_some_and(|least| pair > least.0) {
                    self.remember(pair);
                }
            }
        }
    }

    fn remember(&mut self, pair: Pair) {
        self.most_alike.push(Reverse(pair));
        if self.most_alike.len() > REMEMBERED {
            self.most_alike.pop();
        }
    }

    /// Adds another part of the same census.
    pub fn merge(mut self, other: Self) -> Self {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count);
        self.all.iter_mut().zip(&other.all).for_each(|(sum, count)| *sum += count);
        self.looked_at += other.looked_at;
        for (mine, theirs) in self.nearest.iter_mut().zip(other.nearest) {
            *mine = (*mine).max(theirs);
        }
        other.most_alike.into_iter().for_each(|pair| self.remember(pair.0));
        self
    }

    /// Takes a pair out of the counts, as if it had not been looked at.
    pub fn leave_out(&mut self, pair: &Pair) {
        let (bins, bin) = (self.bins_of(self.group_of[pair.a], self.group_of[pair.b]), bin(pair.score));
        if self.counts[bins + bin] > 0 {
            self.counts[bins + bin] -= 1;
            self.all[bin] -= 1;
            self.looked_at -= 1;
        }
    }

    /// Pairs that were looked at.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Groups of people.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The most alike pairs, the most alike first; all there are, or 20,000.
    pub fn most_alike(&self) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = self.most_alike.iter().map(|pair| pair.0).collect();
        pairs.sort_by(|a, b| b.cmp(a));
        pairs
    }

    /// For each person, the pair with whom they are most like.
    pub fn nearest(&self) -> &[Option<Pair>] {
        &self.nearest
    }

    /// How many pairs have which score (the middle of an interval), the highest first; `without` those that touch a group.
    pub fn counts(&self, without: Option<usize>) -> Vec<(f64, f64)> {
        let mut sums = self.all.clone();
        for other in without.iter().flat_map(|_| 0..self.groups) {
            let bins = self.bins_of(without.unwrap_or(other), other);
            sums.iter_mut().zip(&self.counts[bins..bins + BINS]).for_each(|(sum, count)| *sum -= count);
        }
        let middle = |bin: usize| (bin as f64 + 0.5) * 2.0 / BINS as f64 - 1.0;
        sums.iter().enumerate().rev().map(|(bin, count)| (middle(bin), *count as f64)).collect()
    }

    /// Where the intervals of two groups begin.
    fn bins_of(&self, a: usize, b: usize) -> usize {
        let (low, high) = (a.min(b), a.max(b));
        (high * (high + 1) / 2 + low) * BINS
    }
}

/// Half an interval: how far a score may lie from the middle that [`Census::counts`] gives.
pub const HALF_INTERVAL: f64 = 1.0 / BINS as f64;

fn bin(score: f32) -> usize {
    (((score + 1.0) * (BINS as f32 / 2.0)) as usize).min(BINS - 1)
}

/// The scores of each row of `a` with each row of `b`, line by line.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+avx", "aarch64+neon"))]
fn compare(a: &[f32], b: &[f32], dims: usize, found: &mut [f32]) {
    let across = b.len() / dims.max(1);
    for (row, line) in a.chunks_exact(dims.max(1)).zip(found.chunks_exact_mut(across.max(1))) {
        for (other, score) in b.chunks_exact(dims.max(1)).zip(line) {
            *score = dot_inlined(row, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(people: usize, dims: usize) -> Vec<Template> {
        let mut generator = ChaCha8Rng::seed_from_u64(9);
        let row = |generator: &mut ChaCha8Rng| (0..dims).map(|_| generator.random::<f32>() - 0.4).collect();
        (0..people).map(|_| Template::from_output(row(&mut generator)).unwrap()).collect()
    }

    fn whole(part: usize, parts: usize) -> Take {
        Take { share: 1.0, seed: 1, part, parts }
    }

    #[test]
    fn every_pair_of_people_is_counted_once_however_many_share_the_work() {
        let crowd = crowd(207, 19);
        let rows = Rows::deal(&crowd, 3);
        let alone = Census::take(&rows, whole(0, 1), |_| {});
        let shared = (0..3).map(|part| Census::take(&rows, whole(part, 3), |_| {}));
        let shared = shared.reduce(Census::merge).unwrap();
        let mut known: Vec<(f32, usize, usize)> = (0..207)
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .map(|(a, b)| (crowd[a].score(&crowd[b]), b, a))
            .collect();
        known.sort_by(|x, y| y.0.total_cmp(&x.0));
        for census in [alone, shared] {
            assert_eq!((census.looked_at(), rows.pairs()), (207 * 206 / 2, 207 * 206 / 2));
            let alike = census.most_alike();
            assert_eq!(alike.len(), known.len().min(REMEMBERED));
            for (found, known) in alike.iter().zip(&known).take(50) {
                assert!((found.score - known.0).abs() < 1e-5);
                assert!((crowd[found.a].score(&crowd[found.b]) - found.score).abs() < 1e-5);
            }
            let above = known.iter().filter(|pair| pair.0 >= 0.25).count() as f64;
            let counted: f64 = census.counts(None).iter().filter(|(at, _)| *at > 0.25).map(|(_, count)| count).sum();
            assert_eq!(counted, above);
            for (person, nearest) in census.nearest().iter().enumerate() {
                let best = known.iter().find(|pair| pair.1 == person || pair.2 == person).unwrap();
                assert!((nearest.unwrap().score - best.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_visitor_scores_by_the_length_of_whoever_is_enrolled_and_a_pair_by_the_mean_of_both_ways() {
        let direction = crowd(1, 8).remove(0);
        let crowd = [direction.clone().longer(0.9), direction.clone().longer(1.1)];
        let rows = Rows::deal(&crowd, 3);
        let pair = Census::take(&rows, whole(0, 1), |_| {}).most_alike()[0];
        assert!((pair.score - (0.9_f32 * 1.1).sqrt()).abs() < 1e-5, "{}", pair.score);
        let probes = [(0, direction.clone()), (1, direction)];
        let others = rows.best_of_others(&probes);
        assert!((others[0] - 1.1).abs() < 1e-5 && (others[1] - 0.9).abs() < 1e-5, "{others:?}");
    }

    #[test]
    fn leaving_out_a_group_leaves_out_every_pair_of_its_people_and_a_pair_just_that_pair() {
        let rows = Rows::deal(&crowd(80, 8), 3);
        let mut census = Census::take(&rows, whole(0, 1), |_| {});
        let sum = |census: &Census, without| census.counts(without).iter().map(|(_, count)| count).sum::<f64>();
        assert_eq!(census.groups(), 40);
        assert_eq!((sum(&census, None), sum(&census, Some(7))), (80.0 * 79.0 / 2.0, 78.0 * 77.0 / 2.0));
        let pair = census.most_alike()[0];
        census.leave_out(&pair);
        assert_eq!((sum(&census, None), census.looked_at()), (80.0 * 79.0 / 2.0 - 1.0, 80 * 79 / 2 - 1));
    }

    #[test]
    fn a_share_of_the_pairs_is_about_that_share_and_the_same_for_the_same_seed() {
        let rows = Rows::deal(&crowd(2000, 4), 3);
        let some = |seed| Census::take(&rows, Take { share: 0.3, seed, part: 0, parts: 1 }, |_| {}).looked_at();
        let share = some(1) as f64 / rows.pairs() as f64;
        assert!((0.2..0.4).contains(&share), "{share}");
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }
}
