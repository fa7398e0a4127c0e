//! Halls of made-up people whose scores are known.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    CalibrationError,
    census::{Census, Rows, Take},
    hall::{Alike, ENOUGH, Findings, Origin, findings, thresholds},
};
use crate::face::{
    Template,
    manifest::{GalleryThreshold, Thresholds},
};

/// So many directions that two people's scores are normal with a spread of about 0.13.
const DIMS: usize = 60;

/// Made-up people, each a random direction.
struct World(ChaCha8Rng);

impl World {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn normal(&mut self) -> f32 {
        let (u, v): (f32, f32) = (1.0 - self.0.random::<f32>(), self.0.random());
        (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
    }

    fn person(&mut self) -> Template {
        Template::from_output((0..DIMS).map(|_| self.normal()).collect()).unwrap()
    }

    fn people(&mut self, count: usize) -> Vec<Template> {
        (0..count).map(|_| self.person()).collect()
    }

    /// Another photo of them, `alike` so much.
    fn again(&mut self, of: &Template, alike: f32) -> Template {
        let (random, mut other) = (self.person(), of.clone());
        // What of it is not `of`.
        let along = random.score(of);
        other.0.iter_mut().zip(&random.0).for_each(|(other, random)| *other = random - along * *other);
        let other = Template::from_output(other.0).unwrap();
        Template::mean([(of, alike), (&other, (1.0 - alike * alike).sqrt())]).unwrap()
    }
}

fn census(people: &[Template]) -> Census {
    let take = Take { share: 1.0, seed: 1, part: 0, parts: 1 };
    Census::take(&Rows::deal(people, 5), take, |_| {})
}

fn found(people: &[Template], shipped: Option<&Thresholds>) -> Findings {
    findings(census(people), 0.001, shipped).unwrap()
}

fn shipped(lift: f32) -> Thresholds {
    let scores = [(2, 0.45), (100, 0.6), (1000, 0.65), (100_000, 0.75)];
    let row = |(gallery, score)| GalleryThreshold { gallery, min_score: score + lift };
    Thresholds {
        population: "others".into(),
        method: "counted".into(),
        mates_median: None,
        scores: scores.map(row).into(),
    }
}

fn doubles(findings: &Findings) -> Vec<(usize, usize)> {
    let beyond = findings.alike.iter().filter(|alike| alike.beyond_chance);
    beyond.map(|Alike { pair, .. }| (pair.a.min(pair.b), pair.a.max(pair.b))).collect()
}

/// How often fresh strangers reach `min_score` with somebody of a hall.
fn named(world: &mut World, people: &[Template], min_score: f32, strangers: usize) -> usize {
    let reaches = |stranger: &Template| people.iter().any(|row| row.score(stranger) >= min_score);
    (0..strangers).filter(|_| reaches(&world.person())).count()
}

#[test]
fn no_more_strangers_are_named_than_was_asked_for_in_nineteen_halls_of_twenty() {
    let (halls, strangers, fpir) = (20_u64, 200, 0.02);
    let (mut all, mut too_many) = (0, 0);
    for seed in 0..halls {
        let mut world = World::new(seed);
        let people = world.people(ENOUGH);
        let found = findings(census(&people), fpir, None).unwrap();
        let wrong = named(&mut world, &people, found.min_score, strangers as usize);
        all += wrong;
        // More than chance explains: 4 are expected, and 9 or more come once in 50.
        too_many += u64::from(wrong > 8);
    }
    let nominal = fpir * (halls * strangers) as f64;
    assert!((all as f64) < nominal, "{all} of {nominal}");
    assert!(all > 4, "{all}: so strict that nobody would be named");
    assert!(too_many <= halls / 20, "{too_many} halls of {halls}");
}

#[test]
fn the_score_follows_the_galleries_size_and_the_share_asked_for() {
    let census = census(&World::new(1).people(150));
    let (usual, strict) = (findings(census.clone(), 0.001, None).unwrap(), findings(census, 0.0001, None).unwrap());
    assert!(usual.rows.is_sorted_by(|a, b| a.gallery < b.gallery && a.min_score < b.min_score));
    assert!(usual.rows.iter().zip(&strict.rows).all(|(usual, strict)| usual.min_score < strict.min_score));
    let between = thresholds(&usual.rows, 150).unwrap();
    assert!(usual.rows[5].min_score < between && between < usual.rows[6].min_score && between == usual.min_score);
    assert!(usual.tail_at(0.01).unwrap() < usual.tail_at(0.001).unwrap());
}

#[test]
fn a_handful_of_people_loosens_nothing_and_enough_of_them_do() {
    let mut world = World::new(2);
    let strict = shipped(0.2);
    let few = found(&world.people(ENOUGH - 1), Some(&strict));
    assert!(few.rows.iter().all(|row| row.from == Origin::Shipped && Some(row.min_score) == row.shipped));
    let own = found(&world.people(ENOUGH), Some(&strict));
    assert!(own.rows.iter().all(|row| row.from != Origin::Shipped && Some(row.min_score) < row.shipped));
    // Who are more alike than the shipped group tighten it, however few they are.
    let tightened = found(&world.people(25), Some(&shipped(-0.3)));
    assert!(tightened.rows.iter().all(|row| row.from == Origin::Tail && Some(row.min_score) > row.shipped));
}

#[test]
fn too_few_people_lean_on_the_shipped_scores_or_get_none() {
    let people = World::new(3).people(19);
    let found = found(&people, Some(&shipped(0.0)));
    assert!(found.rows.iter().all(|row| row.tail.is_none() && Some(row.min_score) == row.shipped));
    assert_eq!(findings(census(&people), 0.001, None), Err(CalibrationError::TooFewPeople { found: 19 }));
    assert_eq!(findings(census(&[]), 0.001, None), Err(CalibrationError::TooFewPeople { found: 0 }));
    assert_eq!(self::found(&[], Some(&shipped(0.0))).min_score, shipped(0.0).min_score(0).unwrap());
}

#[test]
fn the_shipped_scores_serve_another_share_of_strangers_too() {
    let people = World::new(3).people(5);
    let at = |fpir| findings(census(&people), fpir, Some(&shipped(0.0))).unwrap().rows;
    let (usual, stricter, looser) = (at(0.001), at(0.0001), at(0.01));
    assert_eq!(usual[8].min_score, stricter[5].min_score, "1,000 people at 0.1 % are 100 people at 0.01 %");
    assert_eq!(looser[8].min_score, usual[5].min_score);
    assert!(stricter[14].min_score > usual[14].min_score, "it goes on beyond the table");
}

#[test]
fn a_person_in_two_records_is_listed_and_does_not_raise_the_score() {
    for (people, twice) in [(20, 1), (100, 2), (300, 6)] {
        let mut world = World::new(people as u64);
        let once = world.people(people);
        let mut some_twice = once.clone();
        for at in 0..twice {
            some_twice[people - 1 - at] = world.again(&once[at], 0.93);
        }
        let (clean, found) = (found(&once, None), found(&some_twice, None));
        let mut expected: Vec<_> = (0..twice).map(|at| (at, people - 1 - at)).collect();
        let mut listed = doubles(&found);
        expected.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, expected, "{people} people");
        assert!(!found.fit_is_wrong && (found.min_score - clean.min_score).abs() < 0.05, "{people} people");
        let in_turn = found.in_turn.unwrap();
        assert_eq!((in_turn.strangers, in_turn.named), (people - 2 * twice, 0));
    }
}

#[test]
fn people_who_are_only_alike_are_listed_where_one_could_be_called_by_the_others_name() {
    let mut world = World::new(11);
    let mut people = world.people(200);
    let demanded = found(&people, None).min_score;
    people[7] = world.again(&people[3], demanded + 0.02);
    let found = found(&people, None);
    let alike = found.alike.first().unwrap();
    assert_eq!((alike.pair.a.min(alike.pair.b), alike.pair.a.max(alike.pair.b)), (3, 7));
    let at_threshold = |alike: &&Alike| alike.beyond_chance || alike.pair.score >= found.min_score;
    assert_eq!(found.alike.iter().filter(at_threshold).count(), found.alike.len());
}

#[test]
fn where_many_look_like_others_the_fit_is_mistrusted_and_nothing_is_loosened() {
    let mut world = World::new(12);
    let mut people = world.people(120);
    for at in 0..20 {
        people[100 + at] = world.again(&people[at].clone(), 0.9);
    }
    let found = found(&people, Some(&shipped(0.1)));
    assert!(found.fit_is_wrong && doubles(&found).is_empty());
    assert!(found.rows.iter().all(|row| Some(row.min_score) >= row.shipped));
    assert!(found.alike.len() >= 20, "they are listed");
}

#[test]
fn a_large_halls_own_pairs_count_where_they_reach_far_enough() {
    let mut world = World::new(13);
    // A tail that is heavier than any fit of its upper fifth: one pair of people in three thousand is much alike.
    let mut people = world.people(700);
    for at in 0..40 {
        people[at + 40] = world.again(&people[at].clone(), 0.55);
    }
    let found = found(&people, None);
    let shown: Vec<_> = found.rows.iter().filter(|row| row.pairs.is_some()).map(|row| row.gallery).collect();
    assert_eq!(shown, [2, 5, 10], "0.001 / 10 of 244,650 pairs are 24 and more, 0.001 / 20 are fewer than twenty");
    assert!(found.rows.iter().all(|row| row.pairs <= Some(row.min_score)));
    assert!(found.rows[2].from == Origin::Pairs && found.rows[14].from == Origin::Tail);
}

#[test]
fn nonsense_gives_no_threshold() {
    let mut world = World::new(14);
    let people = census(&world.people(30));
    for share in [0.0, -1.0, 0.2, f64::NAN] {
        assert!(matches!(findings(people.clone(), share, None), Err(CalibrationError::Share(_))));
    }
    let one = world.person();
    assert_eq!(findings(census(&vec![one; 30]), 0.001, None), Err(CalibrationError::NoSpread));
}
