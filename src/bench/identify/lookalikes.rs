//! The pairs of people who look most alike: is one ever called by the other's name?
//!
//! Pure.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{
    cast::{Probe, VISIT, is_taken},
    photos::Subject,
    shipped,
};
use crate::{
    calibration::group::Photo,
    face::Template,
    gallery::{
        Gallery,
        decision::{Decision, Demands},
    },
    person::RecordNumber,
};

/// What became of the most alike pairs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Lookalikes {
    /// Pairs of people.
    pub pairs: usize,
    /// The lowest score of a pair.
    pub from_score: f32,
    /// Visits of one of a pair, everybody enrolled.
    pub visits: usize,
    /// … in which the other's name was said.
    pub confused: Vec<Confused>,
    /// Visits of one of a pair who is not enrolled, everybody else enrolled.
    pub not_enrolled_visits: usize,
    /// … in which the other's name was said.
    pub not_enrolled_named: Vec<Confused>,
}

/// Somebody who was called by another's name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confused {
    /// Who came; the dataset's name.
    pub came: String,
    /// Who was named.
    pub named: String,
}

/// One person's photos, divided.
struct Divided<'s> {
    enrolled: Vec<&'s Template>,
    left: Vec<&'s Photo>,
    all: Vec<&'s Photo>,
}

/// Enrols everybody who can be by up to `enrol` photos, and looks at the `count` most alike pairs and at those of `extra`.
///
/// Whoever has photos left visits while both are enrolled. Everybody of a pair also visits while they themselves are not enrolled.
pub fn audit(
    subjects: &[Subject],
    (enrol, count): (usize, usize),
    extra: &[(String, String)],
    demands: &dyn Fn(usize) -> Demands,
    seed: u64,
) -> Lookalikes {
    let divided: Vec<Divided<'_>> = subjects.iter().enumerate().map(|(at, it)| divide(at, it, enrol, seed)).collect();
    let mut pairs = most_alike(&divided, count);
    let mut audit = Lookalikes { from_score: pairs.last().map_or(0.0, |pair| pair.2), ..Lookalikes::default() };
    let place = |name: &str| subjects.iter().position(|subject| subject.name == name);
    for (one, other) in extra {
        let Some((one, other)) = place(one).zip(place(other)) else { continue };
        let (one, other) = (one.min(other), one.max(other));
        if pairs.iter().all(|pair| (pair.0, pair.1) != (one, other)) {
            pairs.push((one, other, 0.0));
        }
    }
    audit.pairs = pairs.len();
    let everybody = rows(&divided, None);
    let demands = demands(everybody.people());
    let confused =
        |came: usize, named: usize| Confused { came: subjects[came].name.clone(), named: subjects[named].name.clone() };
    for (one, other, _) in pairs {
        for (came, named) in [(one, other), (other, one)] {
            let decide = |views: &[&Photo], gallery: &Gallery| {
                let probe = Probe { person: came, views: views.to_vec(), share: 1.0 };
                shipped::decide(&probe, gallery, &demands) == Decision::Identified(RecordNumber(named as u64))
            };
            for visit in divided[came].left.chunks(VISIT) {
                audit.visits += 1;
                audit.confused.extend(decide(visit, &everybody).then(|| confused(came, named)));
            }
            let without = rows(&divided, Some(came));
            for visit in divided[came].all.chunks(VISIT) {
                audit.not_enrolled_visits += 1;
                audit.not_enrolled_named.extend(decide(visit, &without).then(|| confused(came, named)));
            }
        }
    }
    audit
}

/// The first usable photos of a random order are enrolled.
fn divide(at: usize, subject: &Subject, enrol: usize, seed: u64) -> Divided<'_> {
    let mut order: Vec<_> = subject.photos.iter().collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ (at as u64) << 20));
    let mut divided = Divided { enrolled: Vec::new(), left: Vec::new(), all: Vec::new() };
    for photo in order {
        divided.all.extend(&photo.view);
        match &photo.enrolled {
            Some(template) if divided.enrolled.len() < enrol && is_taken(&divided.enrolled, template, enrol) => {
                divided.enrolled.push(template);
            }
            _ => divided.left.extend(&photo.view),
        }
    }
    divided
}

fn rows(divided: &[Divided<'_>], without: Option<usize>) -> Gallery {
    let people = divided.iter().enumerate().filter(|(at, _)| Some(*at) != without);
    let templates =
        people.flat_map(|(at, it)| it.enrolled.iter().map(move |t| (RecordNumber(at as u64), (*t).clone())));
    Gallery::new(templates.collect())
}

/// The pairs with the highest scores, the most alike first.
fn most_alike(divided: &[Divided<'_>], count: usize) -> Vec<(usize, usize, f32)> {
    let mean = |it: &Divided<'_>| Template::mean(it.enrolled.iter().map(|template| (*template, 1.0)));
    let rows: Vec<(usize, Template)> =
        divided.iter().enumerate().filter_map(|(at, it)| mean(it).map(|mean| (at, mean))).collect();
    let mut best: Vec<(usize, usize, f32)> = Vec::new();
    for (k, (one, row)) in rows.iter().enumerate() {
        best.extend(rows[k + 1..].iter().map(|(other, other_row)| (*one, *other, row.score(other_row))));
        // Everything would be millions of pairs: only the best go on.
        best.sort_by(|a, b| b.2.total_cmp(&a.2));
        best.truncate(count);
    }
    best
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::identify::photos::Studied;

    fn photo(values: [f32; 3]) -> Studied {
        let template = Template::from_output(values.to_vec()).unwrap();
        Studied {
            enrolled: Some(template.clone()),
            view: Some(Photo { template: template.clone(), quality: 0.9, portrait: Some(template) }),
        }
    }

    fn person(name: &str, photos: &[[f32; 3]]) -> Subject {
        Subject { name: name.into(), photos: photos.iter().map(|values| photo(*values)).collect() }
    }

    fn demands(_: usize) -> Demands {
        Demands {
            min_score_to_name: 0.6,
            min_score_from: crate::calibration::in_force::ScoreSource::Shipped,
            min_margin: 0.05,
            min_views: 3,
            decide_within: Duration::from_millis(240),
            patience: Duration::ZERO,
            expected: None,
            non_mates: Default::default(),
        }
    }

    #[test]
    fn a_twin_who_is_enrolled_too_is_not_confused_and_one_who_is_not_enrolled_is_told_about() {
        let crowd = [
            person("one", &[[1.0, 0.3, 0.0], [1.0, 0.28, 0.0]]),
            person("twin", &[[1.0, 0.0, 0.3]]),
            person("else", &[[0.0, 0.0, 1.0]]),
        ];
        let audit = audit(&crowd, (1, 1), &[], &demands, 1);
        assert_eq!((audit.pairs, audit.visits, audit.confused.len()), (1, 1, 0));
        assert_eq!(audit.not_enrolled_visits, 2);
        let named = Confused { came: "twin".into(), named: "one".into() };
        assert!(audit.not_enrolled_named.contains(&named), "{audit:?}");
    }

    #[test]
    fn pairs_of_a_list_are_looked_at_even_if_others_are_more_alike() {
        let crowd = [
            person("a", &[[1.0, 0.0, 0.0]]),
            person("b", &[[0.9, 0.1, 0.0]]),
            person("sister", &[[0.0, 1.0, 0.0]]),
            person("brother", &[[0.0, 0.0, 1.0]]),
        ];
        let list = [("sister".to_owned(), "brother".to_owned()), ("nobody".to_owned(), "a".to_owned())];
        assert_eq!(audit(&crowd, (1, 1), &list, &demands, 1).pairs, 2);
    }
}
