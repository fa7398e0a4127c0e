//! The hall's own thresholds, from the people who are enrolled in it; and who of them looks like whom.
//!
//! The fit is that of [`super::group`], over all pairs of enrolled people. What differs:
//!
//! - **One person in two records** would pass for two people as alike as no others are. Pairs whose scores the fit cannot explain are left
//!   out of it: those that Benjamini and Hochberg's procedure picks at a rate of 1 in 100 (JRSS B 57(1), 1995: the `k` most alike of `m`
//!   pairs, if the fit gives the `k`-th score the probability `k/m/100` at most), beginning with a fit without the topmost hundredth of the
//!   scores. They are listed. Where they are many (more than one pair, and more than a tenth of the people) the fit is wrong, not the
//!   records: then none is left out, and the shipped scores are the least that is demanded.
//! - **Where the hall's own pairs reach far enough**, at least twenty beyond the score, the score that so many have counts beside the fit:
//!   the higher of the two holds.
//! - **Few people** do not loosen anything: below [`ENOUGH`] the higher of shipped and own score holds, below
//!   [`FEWEST_PEOPLE`] the shipped one.
//!
//! Tried on halls drawn from 2,738 people of LFW, enrolled with all their photos, the visits of all others as strangers (FPIR 0.1 %). The
//! share of strangers who were named, relative to the wanted one, on average (in the worst hall):
//!
//! | people | halls | as they are | by their own scores only | 2 % twice | with two sisters |
//! |---|---|---|---|---|---|
//! | 20 | 200 | 0.01 (0.4) | 0.57 (25) | | 0.00 (0.4) |
//! | 50 | 150 | 0.01 (0.4) | 0.19 (4.8) | 0.01 (0.4) | 0.00 (0.4) |
//! | 100 | 100 | 0.18 (1.1) | | 0.18 (0.8) | 0.14 (0.8) |
//! | 300 | 30 | 0.18 (0.8) | | 0.19 (0.8) | 0.05 (0.4) |
//! | 1,000 | 10 | 0.35 (1.2) | | 0.34 (1.1) | 0.17 (0.6) |
//!
//! The sisters were left out and listed in all halls. Of people enrolled twice, by other photos, 88 % were left out among 100 people, 78 % among
//! 300, 68 % among 1,000 (whose other pairs reach further); a pair was left out wrongly in 1 hall of 490 that had none.

use super::{
    CalibrationError, FEWEST_PEOPLE, GALLERIES,
    census::{Census, HALF_INTERVAL, Pair},
    tail::{Tail, deviate, jackknife_error, match_rate},
};
use crate::face::manifest::{GalleryThreshold, Thresholds};

/// From so many people on the hall's own scores hold even where they are lower than the shipped ones.
pub const ENOUGH: usize = 100;
/// So many pairs beyond a score make it one that the hall has shown.
const SHOWN_BY: f64 = 20.0;
/// Of the pairs that are left out, one in so many is left out wrongly.
const WRONGLY_LEFT_OUT: f64 = 0.01;
/// The share of the scores that the first fit does without.
const TOPMOST: f64 = 0.01;
/// More people than this share in pairs that no fit explains: the fit is wrong.
const TOO_MANY: f64 = 0.1;
/// The share of strangers for which the shipped scores were computed.
const SHIPPED_FPIR: f64 = 0.001;

/// Where a score comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The hall's own pairs, the tail of their scores continued.
    Tail,
    /// The hall's own pairs, counted.
    Pairs,
    /// The table in models.toml.
    Shipped,
}

/// The scores for one size of the gallery.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Row {
    /// People enrolled.
    pub gallery: usize,
    /// As shipped, for the same share of strangers.
    pub shipped: Option<f32>,
    /// By the hall's own tail.
    pub tail: Option<f32>,
    /// By the hall's own pairs.
    pub pairs: Option<f32>,
    /// The one that holds.
    pub min_score: f32,
    /// Which of them it is.
    pub from: Origin,
}

/// Two people who look more alike than a visitor must look like themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// Who.
    pub pair: Pair,
    /// No two different people were expected to be as alike, so the pair was left out of the fit.
    pub beyond_chance: bool,
}

/// What a hall's census says.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// The wanted share of strangers.
    pub fpir: f64,
    /// Enrolled.
    pub people: usize,
    /// Pairs of people.
    pub pairs: u64,
    /// Those that were looked at.
    pub looked_at: u64,
    /// For galleries of 2 to 100,000 people.
    pub rows: Vec<Row>,
    /// The score for the hall as it is.
    pub min_score: f32,
    /// Pairs who look like one person, and those whose score reaches `min_score`, the most alike first.
    pub alike: Vec<Alike>,
    /// So many people are in pairs that no fit explains that the fit is not trusted.
    pub fit_is_wrong: bool,
    /// Each person in turn as a stranger to all others; `None` where not all pairs were looked at.
    pub in_turn: Option<InTurn>,
    /// The non-mates' scores: middle of an interval and pairs, the highest first, without the pairs that were left out.
    pub scores: Vec<(f64, f64)>,
    pub(super) tail: Option<Tail>,
}

/// Each person as a stranger to all others, but for those who look like one person with another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct InTurn {
    /// People who were strangers.
    pub strangers: usize,
    /// Those whom somebody else's row reaches with the demanded score.
    pub named: usize,
}

/// Computes the thresholds. `shipped`: the recogniser's table, where there is one.
///
/// # Errors
/// [`CalibrationError::Share`]; [`CalibrationError::TooFewPeople`] and [`CalibrationError::NoSpread`] where nothing is shipped to lean on.
pub fn findings(mut census: Census, fpir: f64, shipped: Option<&Thresholds>) -> Result<Findings, CalibrationError> {
    if !(fpir > 0.0 && fpir <= 0.1) {
        return Err(CalibrationError::Share(fpir));
    }
    let people = census.nearest().len();
    let looked_at = census.looked_at();
    let most_alike = census.most_alike();
    let (mut left_out, mut fit_is_wrong, mut own) = (0, false, None);
    if people >= FEWEST_PEOPLE {
        left_out = beyond_chance(&census, &most_alike).ok_or(CalibrationError::NoSpread)?;
        let touched: std::collections::BTreeSet<usize> =
            most_alike[..left_out].iter().flat_map(|pair| [pair.a, pair.b]).collect();
        fit_is_wrong = left_out > 1 && touched.len() as f64 > TOO_MANY * people as f64;
        if fit_is_wrong {
            left_out = 0;
        }
        most_alike[..left_out].iter().for_each(|pair| census.leave_out(pair));
        own = Some(Own::of(&census).ok_or(CalibrationError::NoSpread)?);
    } else if shipped.is_none() {
        return Err(CalibrationError::TooFewPeople { found: people });
    }
    let alone = people >= ENOUGH && !fit_is_wrong;
    let mut rows: Vec<Row> = Vec::new();
    for gallery in GALLERIES {
        let rate = match_rate(fpir, gallery);
        let shipped = shipped.and_then(|table| shipped_score(table, fpir, gallery));
        let tail = own.as_ref().map(|own| upwards(own.tail_score(rate)));
        let pairs = own.as_ref().and_then(|own| own.pairs_score(rate)).map(upwards);
        let leaning = shipped.filter(|_| !alone);
        let candidates = [(tail, Origin::Tail), (pairs, Origin::Pairs), (leaning, Origin::Shipped)];
        let best = candidates.into_iter().filter_map(|(score, from)| Some((score?, from)));
        let best = best.max_by(|a, b| a.0.total_cmp(&b.0)).ok_or(CalibrationError::TooFewPeople { found: people })?;
        // A larger gallery never asks for less.
        let (min_score, from) = match rows.last() {
            Some(before) if before.min_score > best.0 => (before.min_score, before.from),
            _ => best,
        };
        rows.push(Row { gallery, shipped, tail, pairs, min_score, from });
    }
    let min_score = thresholds(&rows, people).unwrap_or(1.0);
    let alike = most_alike.iter().enumerate().map(|(at, pair)| Alike { pair: *pair, beyond_chance: at < left_out });
    let alike = alike.take_while(|alike| alike.beyond_chance || alike.pair.score >= min_score).collect();
    let pairs = people as u64 * (people as u64).saturating_sub(1) / 2;
    Ok(Findings {
        fpir,
        people,
        pairs,
        looked_at,
        min_score,
        alike,
        fit_is_wrong,
        in_turn: (looked_at == pairs).then(|| in_turn(&census, &most_alike[..left_out], min_score)),
        scores: census.counts(None),
        tail: own.map(|own| own.tail),
        rows,
    })
}

impl Findings {
    /// Where the score for the hall as it is comes from.
    pub fn from(&self) -> Origin {
        let above = self.rows.iter().find(|row| row.gallery >= self.people).or(self.rows.last());
        above.map_or(Origin::Shipped, |row| row.from)
    }

    #[cfg(test)]
    pub(super) fn for_tests(fpir: f64, people: usize, min_score: f32) -> Self {
        let pairs = people as u64 * (people as u64 - 1) / 2;
        let tail = Tail::fit((0..100).map(|k| (0.5 - f64::from(k) / 500.0, f64::from(k))), 30_000.0, 0.0);
        Self {
            fpir,
            people,
            pairs,
            looked_at: pairs,
            rows: Vec::new(),
            min_score,
            alike: Vec::new(),
            fit_is_wrong: false,
            in_turn: None,
            scores: Vec::new(),
            tail,
        }
    }

    /// The score for another share of strangers, by the fit alone and without its standard error.
    pub fn tail_at(&self, fpir: f64) -> Option<f64> {
        self.tail.map(|tail| tail.at(deviate(match_rate(fpir, self.people))))
    }
}

/// The score for a gallery of `people`.
pub fn thresholds(rows: &[Row], people: usize) -> Option<f32> {
    let scores = rows.iter().map(|row| GalleryThreshold { gallery: row.gallery, min_score: row.min_score }).collect();
    Thresholds { population: String::new(), method: String::new(), mates_median: None, scores }.min_score(people)
}

/// The hall's own tail and what it is without each group of people.
struct Own {
    tail: Tail,
    without: Vec<Tail>,
    /// The scores' upper edges and the pairs at or above them.
    reached: Vec<(f64, f64)>,
    pairs: f64,
}

impl Own {
    fn of(census: &Census) -> Option<Self> {
        let counts = census.counts(None);
        let without = (0..census.groups()).map(|group| fit(&census.counts(Some(group)), 0.0));
        let mut above = 0.0;
        let reached = counts.iter().map(|(middle, count)| {
            let before = above;
            above += count;
            (middle + HALF_INTERVAL, before)
        });
        Some(Self {
            tail: fit(&counts, 0.0)?,
            reached: reached.collect(),
            without: without.flatten().collect(),
            pairs: census.looked_at() as f64,
        })
    }

    /// The score that one comparison reaches with this probability, and one standard error.
    fn tail_score(&self, rate: f64) -> f64 {
        let beyond = deviate(rate);
        self.tail.at(beyond) + jackknife_error(self.without.iter().map(|tail| tail.at(beyond)))
    }

    /// The score that this share of the pairs reaches, if enough do.
    fn pairs_score(&self, rate: f64) -> Option<f64> {
        let most = rate * self.pairs;
        let lowest = self.reached.iter().take_while(|(_, above)| *above <= most).last();
        lowest.filter(|_| most >= SHOWN_BY).map(|(edge, _)| *edge)
    }
}

fn fit(counts: &[(f64, f64)], without: f64) -> Option<Tail> {
    let total = counts.iter().map(|(_, count)| count).sum();
    Tail::fit(counts.iter().copied(), total, without)
}

/// How many of the most alike pairs are more alike than chance makes two people. `None` where the scores have no spread.
fn beyond_chance(census: &Census, most_alike: &[Pair]) -> Option<usize> {
    let picked = |tail: &Tail| {
        let share = WRONGLY_LEFT_OUT / census.looked_at() as f64;
        let explained = |(at, pair): (usize, &Pair)| tail.reached(f64::from(pair.score)) > share * (at + 1) as f64;
        let last = most_alike.iter().enumerate().rposition(|at_and_pair| !explained(at_and_pair));
        last.map_or(0, |last| last + 1)
    };
    let mut left_out = picked(&fit(&census.counts(None), TOPMOST)?);
    // It settles in two or three rounds; where it swings between two numbers, the smaller one.
    for _ in 0..8 {
        let again = picked(&fit(&without(census.counts(None), &most_alike[..left_out]), 0.0)?);
        if again == left_out {
            return Some(left_out);
        }
        left_out = again;
    }
    Some(left_out)
}

/// Counts without some of the pairs that were counted.
fn without(mut counts: Vec<(f64, f64)>, pairs: &[Pair]) -> Vec<(f64, f64)> {
    for pair in pairs {
        let at = counts.partition_point(|(middle, _)| middle - HALF_INTERVAL > f64::from(pair.score));
        counts.get_mut(at).into_iter().for_each(|(_, count)| *count = (*count - 1.0).max(0.0));
    }
    counts
}

/// The shipped score for another share of strangers: that share in a gallery is the shipped one in another gallery, larger or smaller by as
/// much. Beyond the table its last step goes on.
fn shipped_score(table: &Thresholds, fpir: f64, gallery: usize) -> Option<f32> {
    let equivalent = gallery as f64 * SHIPPED_FPIR / fpir;
    let [.., before, last] = table.scores.as_slice() else { return table.min_score(gallery) };
    if equivalent <= last.gallery as f64 {
        return table.min_score(equivalent.ceil() as usize);
    }
    let step = f64::from(last.min_score - before.min_score) / (last.gallery as f64 / before.gallery as f64).ln();
    Some((f64::from(last.min_score) + step * (equivalent / last.gallery as f64).ln()).min(1.0) as f32)
}

fn in_turn(census: &Census, left_out: &[Pair], min_score: f32) -> InTurn {
    let doubles: std::collections::BTreeSet<usize> = left_out.iter().flat_map(|pair| [pair.a, pair.b]).collect();
    let strangers = census.nearest().iter().enumerate().filter(|(person, _)| !doubles.contains(person));
    let nearest: Vec<f32> = strangers.filter_map(|(_, nearest)| nearest.map(|pair| pair.score)).collect();
    InTurn { strangers: nearest.len(), named: nearest.iter().filter(|score| **score >= min_score).count() }
}

/// Never looser than computed.
fn upwards(score: f64) -> f32 {
    ((score * 1000.0).ceil() / 1000.0).min(1.0) as f32
}
