//! Who is recognised: enrols some photos of people, probes with their other photos and with everybody else as strangers, and counts.
//!
//! ISO/IEC 19795-1's terms and rules: half of the people (by a seed) are only there to freeze thresholds, the figures are those of the
//! other half; intervals come from resampling people, because photos of one person are not independent.
//!
//! - [`photos`] takes every photo through the program's own detection, alignment, quality and embedding,
//! - [`cast`] says who is enrolled, who comes back and who is a stranger,
//! - [`rates`] searches and counts, [`shipped`] lets the shipped decision decide, [`lookalikes`] looks at the pairs most alike,
//! - [`groups`] counts what a group of people gets, [`plots`] draws.

pub mod cast;
pub mod figures;
pub mod groups;
pub mod lookalikes;
pub mod photos;
pub mod plots;
pub mod rates;
pub mod shipped;

use std::collections::BTreeMap;

use self::{
    cast::{Cast, Probes},
    figures::{Counted, Draws, Group, GroupCounted, Identify, Spread},
    photos::Subject,
    rates::{FPIRS, Scores},
};
use super::figures::Origin;
use crate::{
    calibration::{CalibrationError, GALLERIES},
    gallery::{Gallery, decision::Demands},
};

/// What is asked.
pub struct Question<'a> {
    /// Photos to enrol of each person.
    pub enrol: usize,
    /// People enrolled altogether; those who are missing are made up.
    pub people: usize,
    /// Seed of the halves and of all drawing.
    pub seed: u64,
    /// What a visitor must reach among so many people.
    pub demands: &'a dyn Fn(usize) -> Demands,
    /// Further draws of everybody's photos for which the chief figures are counted: how much hangs on which photos are enrolled.
    pub draws: u64,
    /// How many of the most alike pairs to look at.
    pub pairs: usize,
    /// Pairs that are looked at in any case.
    pub siblings: &'a [(String, String)],
    /// Groups with the names of their people.
    pub groups: &'a BTreeMap<String, std::collections::BTreeSet<String>>,
}

/// Shares of the worst views that are left out in turn.
const LEFT_OUT: [f64; 8] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];
/// Points of a DET curve.
const DET_POINTS: usize = 200;

/// Answers it from photos that have been studied.
///
/// # Errors
/// When a group is too small to set a threshold.
pub fn answer(subjects: &[Subject], question: &Question<'_>, origin: Origin) -> Result<Identify, CalibrationError> {
    let cast = cast::cast(subjects, question.enrol, question.seed, 0);
    let gallery = gallery(&cast, question);
    let scores = |probes: &Probes<'_>| rates::search(probes, &gallery);
    let (single, visits) = (scores(&cast.single), scores(&cast.visits));
    let ask = |probes: &Probes<'_>, scores: &Scores| counted(probes, scores, &gallery, question);
    let mut groups = BTreeMap::new();
    for (name, members) in question.groups {
        let member = |person: usize| members.contains(&subjects[person].name);
        let of_group =
            |scores: &Scores, probes: &Probes<'_>| group_counted(scores, probes, &member, &gallery, question);
        let group = Group {
            people: cast.tested.iter().filter(|person| member(**person)).count(),
            enrolled: cast.gallery.iter().filter(|one| member(one.person)).count(),
            population: groups::population(subjects, &|name| members.contains(name), question.seed)?,
            single: of_group(&single, &cast.single),
            visit: of_group(&visits, &cast.visits),
        };
        groups.insert(name.clone(), group);
    }
    let (failed_to_enrol, failed_to_acquire) = figures::failures(&cast);
    let Cast { tested, others, gallery: enrolled, .. } = &cast;
    Ok(Identify {
        origin,
        people: tested.len(),
        frozen_on: others.len(),
        enrol: question.enrol,
        enrolled: enrolled.len(),
        made_up: made_up(&cast, question),
        failed_to_enrol,
        failed_to_acquire,
        draws: draws(subjects, question, [&single, &visits]),
        single: ask(&cast.single, &single),
        visit: ask(&cast.visits, &visits),
        lookalikes: lookalikes::audit(
            subjects,
            (question.enrol, question.pairs),
            question.siblings,
            question.demands,
            question.seed,
        ),
        groups,
    })
}

/// How many people are missing and made up.
fn made_up(cast: &Cast<'_>, question: &Question<'_>) -> usize {
    question.people.saturating_sub(cast.gallery.len())
}

/// Whoever is enrolled, made-up people among them.
fn gallery(cast: &Cast<'_>, question: &Question<'_>) -> Gallery {
    let dims = cast.gallery.first().and_then(|one| one.templates.first()).map_or(0, |template| template.0.len());
    rates::gallery(&cast.gallery, cast::made_up(made_up(cast, question), dims, question.seed))
}

/// TPIR at FPIR 0.1 % for several draws of everybody's photos, of which the first has been searched.
fn draws(subjects: &[Subject], question: &Question<'_>, first: [&Scores; 2]) -> Draws {
    let found = |scores: &Scores| scores.found_at(scores.threshold(0.001));
    let [mut single, mut visit] = first.map(|scores| vec![found(scores)]);
    for draw in 1..=question.draws {
        let cast = cast::cast(subjects, question.enrol, question.seed, draw);
        let gallery = gallery(&cast, question);
        single.push(found(&rates::search(&cast.single, &gallery)));
        visit.push(found(&rates::search(&cast.visits, &gallery)));
    }
    Draws { single: Spread::of(single), visit: Spread::of(visit) }
}

fn counted(probes: &Probes<'_>, scores: &Scores, gallery: &Gallery, question: &Question<'_>) -> Counted {
    let shipped = |demands: &Demands| shipped::outcomes(&probes.mates, &probes.strangers, gallery, demands);
    let by_size = |&size: &usize| {
        let demands = (question.demands)(size);
        shipped::BySize { gallery: size, min_score: demands.min_score_to_name, outcomes: shipped(&demands) }
    };
    Counted {
        mate_probes: probes.mates.len(),
        stranger_probes: probes.strangers.len(),
        rank1: scores.rank1(),
        tpir: scores.tpir(question.seed),
        fpir_reached: reached(scores, scores),
        mates_median: figures::median(scores),
        shipped: shipped(&(question.demands)(gallery.people())),
        by_gallery: GALLERIES.iter().filter(|size| **size >= 100).map(by_size).collect(),
        discarding: scores.discarding(0.001, &LEFT_OUT),
        det: scores.det(DET_POINTS),
    }
}

/// Which share of some strangers passes the thresholds frozen with everybody's scores.
fn reached(everybody: &Scores, some: &Scores) -> BTreeMap<&'static str, f64> {
    FPIRS.iter().map(|(name, fpir)| (*name, some.passing(everybody.threshold(*fpir)))).collect()
}

fn group_counted(
    scores: &Scores,
    probes: &Probes<'_>,
    member: &dyn Fn(usize) -> bool,
    gallery: &Gallery,
    question: &Question<'_>,
) -> GroupCounted {
    let some = Scores {
        mates: scores.mates.iter().filter(|probe| member(probe.person)).copied().collect(),
        strangers: scores.strangers.iter().filter(|probe| member(probe.person)).copied().collect(),
        frozen: scores.frozen.clone(),
    };
    let mates: Vec<_> = probes.mates.iter().filter(|probe| member(probe.person)).cloned().collect();
    let strangers: Vec<_> = probes.strangers.iter().filter(|probe| member(probe.person)).cloned().collect();
    let demands = (question.demands)(gallery.people());
    GroupCounted {
        mate_probes: some.mates.len(),
        stranger_probes: some.strangers.len(),
        rank1: some.rank1(),
        tpir: some.tpir(question.seed),
        fpir_reached: reached(scores, &some),
        shipped: shipped::outcomes(&mates, &strangers, gallery, &demands),
    }
}
