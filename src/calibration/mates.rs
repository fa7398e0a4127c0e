//! How many enrolled visitors would be named: photos of people who have several, against the others of the same person and everybody else.
//!
//! Photos of a roster stand in for views of the camera. A *look* is one photo, left out of its person's row in turn; a *visit* is the mean of
//! three photos against a row of the others, of people who have four and more. A robot decides from several views, so a look is the harder
//! test, and photos of different days are a harder one than a visit's views.

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::census::Rows;
use crate::face::Template;

/// People who are looked at, at most: each look searches the whole gallery.
const PEOPLE: usize = 1000;
/// Looks of a person, at most.
const LOOKS: usize = 3;
/// Photos of a visit.
const VISIT: usize = 3;
/// Draws of the people for the interval.
const DRAWS: usize = 500;

/// One probe of an enrolled person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mate {
    /// Index of the person.
    pub person: usize,
    /// Score with the person's own row.
    pub score: f32,
    /// The best score with anybody else's.
    pub next: f32,
}

/// All probes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mates {
    /// Single photos.
    pub looks: Vec<Mate>,
    /// Three photos as one.
    pub visits: Vec<Mate>,
}

/// A share of the people with its interval by resampling them.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Share {
    /// Each person weighing the same.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// People it rests on.
    pub people: usize,
    /// Probes it rests on.
    pub probes: usize,
}

/// Compares. `rows`: everybody's row; `photos`: their templates, in the same order. At most 1,000 people are drawn by `seed`.
pub fn mates(rows: &Rows, photos: &[Vec<Template>], seed: u64) -> Mates {
    let mut with_several: Vec<usize> = (0..photos.len()).filter(|person| photos[*person].len() > 1).collect();
    with_several.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (mut looks, mut visits) = (Probes::default(), Probes::default());
    for person in with_several.into_iter().take(PEOPLE) {
        let own = &photos[person];
        for at in 0..own.len().min(LOOKS) {
            let others = own.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            looks.add(person, &own[at], others);
        }
        if own.len() > VISIT {
            let visit = Template::mean(own[own.len() - VISIT..].iter().map(|photo| (photo, 1.0)));
            visit.iter().for_each(|visit| visits.add(person, visit, own[..own.len() - VISIT].iter()));
        }
    }
    Mates { looks: looks.compared(rows), visits: visits.compared(rows) }
}

/// Probes with their person, and their scores with that person's other photos.
#[derive(Default)]
struct Probes {
    probes: Vec<(usize, Template)>,
    scores: Vec<f32>,
}

impl Probes {
    fn add<'t>(&mut self, person: usize, photo: &Template, others: impl Iterator<Item = &'t Template>) {
        let probe = photo.direction();
        if let Some(row) = Template::mean(others.map(|other| (other, 1.0))) {
            self.scores.push(probe.score(&row));
            self.probes.push((person, probe));
        }
    }

    fn compared(&self, rows: &Rows) -> Vec<Mate> {
        let next = rows.best_of_others(&self.probes);
        let all = self.probes.iter().zip(&self.scores).zip(next);
        all.map(|(((person, _), score), next)| Mate { person: *person, score: *score, next }).collect()
    }
}

/// The share of the probes that would be named: `min_score` reached, and everybody else `min_margin` behind. `None` without probes.
pub fn named(probes: &[Mate], min_score: f32, min_margin: f32) -> Option<Share> {
    let is_named = |mate: &Mate| mate.score >= min_score && mate.score - mate.next >= min_margin;
    let people: Vec<f64> = probes
        .chunk_by(|a, b| a.person == b.person)
        .map(|of_one| of_one.iter().filter(|mate| is_named(mate)).count() as f64 / of_one.len() as f64)
        .collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / people.len() as f64;
    let mut draw = ChaCha8Rng::seed_from_u64(1);
    let mut draws: Vec<f64> = (0..if people.is_empty() { 0 } else { DRAWS })
        .map(|_| mean(&mut (0..people.len()).map(|_| people[draw.random_range(0..people.len())])))
        .collect();
    draws.sort_by(f64::total_cmp);
    let (low, high) = (*draws.get(DRAWS / 40)?, *draws.get(DRAWS - 1 - DRAWS / 40)?);
    Some(Share { value: mean(&mut people.iter().copied()), low, high, people: people.len(), probes: probes.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(values: &[f32]) -> Template {
        Template::from_output(values.to_vec()).unwrap()
    }

    #[test]
    fn a_photo_is_compared_with_the_others_of_its_person_and_never_with_itself() {
        let photos = [
            vec![photo(&[1.0, 0.0, 0.0]), photo(&[0.6, 0.8, 0.0])],
            vec![photo(&[0.0, 0.0, 1.0])],
            vec![photo(&[0.0, 1.0, 0.0]); 5],
        ];
        let rows: Vec<Template> =
            photos.iter().map(|own| Template::mean(own.iter().map(|it| (it, 1.0))).unwrap()).collect();
        let found = mates(&Rows::deal(&rows, 1), &photos, 1);
        assert_eq!((found.looks.len(), found.visits.len()), (5, 1));
        let first: Vec<_> = found.looks.iter().filter(|mate| mate.person == 0).collect();
        assert!((first[0].score - 0.6).abs() < 1e-6 && first[0].next.abs() < 1e-6);
        assert!((first[1].score - 0.6).abs() < 1e-6 && (first[1].next - 0.8).abs() < 1e-6);
        assert!(found.visits[0].score > 0.999 && found.visits[0].person == 2);
    }

    #[test]
    fn a_visitor_is_named_only_above_the_score_and_with_the_margin_and_each_person_counts_the_same() {
        let mate = |person, score, next| Mate { person, score, next };
        let probes = [mate(0, 0.9, 0.2), mate(0, 0.5, 0.2), mate(1, 0.8, 0.78), mate(2, 0.8, 0.1)];
        let share = named(&probes, 0.7, 0.05).unwrap();
        assert!((share.value - 0.5).abs() < 1e-9 && share.low < 0.5 && share.high > 0.5);
        assert_eq!((share.people, share.probes), (3, 4));
        assert_eq!(named(&[], 0.7, 0.05), None);
    }
}
