//! Stories about searching: what is found is what a search over the templates themselves would find.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn random(generator: &mut impl Rng, dims: usize) -> Template {
    Template::from_output((0..dims).map(|_| generator.random::<f32>() - 0.5).collect()).unwrap()
}

fn generator() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

/// People, best first, with the score of the best of their rows.
fn by_definition(rows: &[(RecordNumber, Template)], probe: &Template) -> Vec<(RecordNumber, f32)> {
    let mut best: std::collections::BTreeMap<RecordNumber, f32> = Default::default();
    for (person, row) in rows {
        let score = row.0.iter().zip(&probe.0).map(|(x, y)| x * y).sum::<f32>();
        let known = best.entry(*person).or_insert(score);
        *known = known.max(score);
    }
    let mut order: Vec<_> = best.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order
}

fn agrees(found: BestTwo, order: &[(RecordNumber, f32)]) {
    for (found, place) in [found.first.unwrap(), found.second.unwrap()].iter().zip(order) {
        // Two who are equally alike to the fourth digit may change places.
        let theirs = order.iter().find(|(person, _)| *person == found.person).unwrap().1;
        assert!((found.score - theirs).abs() < 1e-4 && (theirs - place.1).abs() < 2e-4, "{found:?}, {place:?}");
    }
}

#[test]
fn search_finds_the_same_two_people_as_the_definition() {
    let mut generator = generator();
    for dims in [37, 128, 192] {
        // 1,500 people with one to three templates, in no order.
        let mut enrolled = Vec::new();
        for at in 0..3_000_u64 {
            enrolled.push((RecordNumber(at * 7 % 1_500), random(&mut generator, dims)));
        }
        let gallery = Gallery::new(enrolled.clone());
        assert_eq!((gallery.people(), gallery.templates(), gallery.rows()), (1_500, 3_000, 1_500));
        let means: Vec<_> = (0..1_500)
            .map(RecordNumber)
            .map(|person| {
                let own = enrolled.iter().filter(|(owner, _)| *owner == person);
                (person, Template::mean(own.map(|(_, template)| (template, 1.0))).unwrap())
            })
            .collect();
        for _ in 0..200 {
            let probe = random(&mut generator, dims);
            agrees(gallery.search(&probe), &by_definition(&means, &probe));
        }
    }
}

#[test]
fn people_who_look_almost_the_same_are_told_apart_as_an_exact_search_would() {
    let mut generator = generator();
    let face = random(&mut generator, 128);
    // Differences far below what 8 bits can show.
    let lookalikes: Vec<_> = (0..400)
        .map(|at| {
            let values = face.0.iter().map(|value| value + 3e-3 * (generator.random::<f32>() - 0.5)).collect();
            (RecordNumber(at), Template::from_output(values).unwrap())
        })
        .collect();
    let gallery = Gallery::new(lookalikes.clone());
    for (person, own) in &lookalikes {
        assert_eq!(gallery.search(own).first.unwrap().person, *person);
    }
}

#[test]
fn several_probes_in_one_pass_and_rows_shared_out_find_the_same() {
    let mut generator = generator();
    let people = (0..1_000).map(|at| (RecordNumber(at), random(&mut generator, 64))).collect();
    let gallery = Gallery::new(people);
    let probes: Vec<Template> = (0..9).map(|_| random(&mut generator, 64)).collect();
    let together = gallery.search_many(&probes);
    assert_eq!(together, probes.iter().map(|probe| gallery.search(probe)).collect::<Vec<_>>());
    let parts = [gallery.shortlist(0..333, &probes), gallery.shortlist(333..1_000, &probes)];
    assert_eq!(gallery.settle(&probes, parts), together);
}

#[test]
fn somebody_with_several_rows_is_one_person_and_never_second_to_themselves() {
    let mut generator = generator();
    let mut rows = Vec::new();
    for at in 0..900 {
        rows.push((RecordNumber(at / 3), random(&mut generator, 64)));
    }
    let mut gallery = Gallery::default();
    gallery.update(
        rows.chunks(3).map(|own| Entry::each(own[0].0, own.iter().map(|(_, row)| row.clone()).collect())).collect(),
    );
    assert_eq!((gallery.people(), gallery.rows(), gallery.templates()), (300, 900, 900));
    for _ in 0..100 {
        let near = &rows[generator.random_range(0..900)].1;
        let noise = random(&mut generator, 64);
        let probe = Template::mean([(near, 1.0), (&noise, 0.7)]).unwrap();
        agrees(gallery.search(&probe), &by_definition(&rows, &probe));
    }
}

#[test]
fn somebody_with_several_photos_is_one_person_between_them() {
    let photos = [[1.0, 0.0], [0.0, 1.0]].map(|values| (RecordNumber(5), Template(values.to_vec())));
    let gallery = Gallery::new(photos.to_vec());
    assert_eq!((gallery.people(), gallery.templates()), (1, 2));
    let found = gallery.search(&Template(vec![0.6, 0.8]));
    assert!((found.first.unwrap().score - 1.4 / 2.0_f32.sqrt()).abs() < 1e-6 && found.second.is_none());
}

#[test]
fn whoever_is_added_changed_or_removed_is_searched_as_they_are_now() {
    let mut generator = generator();
    let mut known: std::collections::BTreeMap<RecordNumber, Template> = Default::default();
    let mut gallery = Gallery::default();
    for _ in 0..60 {
        let mut changed: std::collections::BTreeMap<RecordNumber, Option<Template>> = Default::default();
        for _ in 0..20 {
            let person = RecordNumber(generator.random_range(0..200));
            let new = generator.random_bool(0.6).then(|| random(&mut generator, 32));
            changed.insert(person, new);
        }
        let entries = changed.iter().map(|(person, new)| match new {
            Some(template) => Entry::mean(*person, std::slice::from_ref(template)),
            None => Entry::gone(*person),
        });
        gallery.update(entries.collect());
        for (person, new) in changed {
            match new {
                Some(template) => drop(known.insert(person, template)),
                None => drop(known.remove(&person)),
            }
        }
        assert_eq!((gallery.people(), gallery.templates(), gallery.rows()), (known.len(), known.len(), known.len()));
        let rows: Vec<_> = known.iter().map(|(person, row)| (*person, row.clone())).collect();
        let probe = random(&mut generator, 32);
        agrees(gallery.search(&probe), &by_definition(&rows, &probe));
    }
    gallery.update(known.keys().map(|person| Entry::gone(*person)).collect());
    assert_eq!((gallery.people(), gallery.search(&random(&mut generator, 32))), (0, BestTwo::default()));
}

#[test]
fn of_two_people_with_the_same_photo_the_lower_record_comes_first() {
    let same = Template(vec![0.6, 0.8]);
    let gallery = Gallery::new(vec![(RecordNumber(9), same.clone()), (RecordNumber(4), same.clone())]);
    let found = gallery.search(&same);
    assert_eq!((found.first.unwrap().person, found.second.unwrap().person), (RecordNumber(4), RecordNumber(9)));
    assert_eq!(found.first.unwrap().score, found.second.unwrap().score);
}

#[test]
fn a_row_takes_three_bytes_a_number_and_fourteen_more() {
    let mut generator = generator();
    let people: Vec<_> = (0..20_000).map(|at| Entry::mean(RecordNumber(at), &[random(&mut generator, 32)])).collect();
    let mut gallery = Gallery::default();
    for batch in people.chunks(500) {
        gallery.update(batch.to_vec());
    }
    let each = gallery.bytes() as f64 / 20_000.0;
    assert!((110.0..110.0 * 17.0 / 16.0).contains(&each), "{each}");
}

#[test]
fn an_empty_gallery_knows_nobody() {
    assert_eq!(Gallery::new(Vec::new()).search(&Template(vec![1.0])), BestTwo::default());
}

#[test]
fn templates_of_another_network_are_never_compared() {
    let gallery = Gallery::new(vec![
        (RecordNumber(1), Template(vec![1.0, 0.0])),
        (RecordNumber(2), Template(vec![1.0, 0.0, 0.0])),
    ]);
    assert_eq!(gallery.people(), 1);
    assert_eq!(gallery.search(&Template(vec![1.0, 0.0, 0.0])), BestTwo::default());
}
