//! All templates in memory and exact search: who of the enrolled is most like a probe, and who comes second.
//!
//! Pure. Whether the first is like enough to be named is decided in [`decision`].

pub mod decision;

use multiversion::multiversion;

use crate::{face::Template, person::RecordNumber};

/// A person and how alike they are to the probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Who.
    pub person: RecordNumber,
    /// Comparison score, -1 to 1; higher is more alike.
    pub score: f32,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BestTwo {
    /// The most alike person; absent in an empty gallery.
    pub first: Option<Candidate>,
    /// The next person.
    pub second: Option<Candidate>,
}

/// Everybody, each as one template: the mean of those of their photos.
///
/// Measured on visits of three views with three photos enrolled, at the score that lets 0.1 % of the strangers through 500 people: the
/// mean of a person's templates missed 1.6 % of the visits where the best of them missed 5.5 %.
#[derive(Debug, Clone, Default)]
pub struct Gallery {
    dims: usize,
    /// One template after the other.
    rows: Vec<f32>,
    /// Whose each row is.
    owners: Vec<RecordNumber>,
    templates: usize,
}

impl Gallery {
    /// Takes everybody's templates, in any order. Those whose length differs from the first one's are left out: they are another
    /// network's.
    pub fn new(mut templates: Vec<(RecordNumber, Template)>) -> Self {
        templates.sort_by_key(|(person, _)| *person);
        let dims = templates.first().map_or(0, |(_, template)| template.0.len());
        templates.retain(|(_, template)| template.0.len() == dims);
        let mut gallery = Self { dims, templates: templates.len(), ..Self::default() };
        for of_one in templates.chunk_by(|(a, _), (b, _)| a == b) {
            if let Some(mean) = Template::mean(of_one.iter().map(|(_, template)| (template, 1.0))) {
                gallery.rows.extend_from_slice(&mean.0);
                gallery.owners.push(of_one[0].0);
            }
        }
        gallery
    }

    /// How many people are enrolled: what the threshold depends on.
    pub fn people(&self) -> usize {
        self.owners.len()
    }

    /// How many templates they have.
    pub fn templates(&self) -> usize {
        self.templates
    }

    /// Compares a probe with everybody.
    pub fn search(&self, probe: &Template) -> BestTwo {
        let mut best = BestTwo::default();
        if self.dims == 0 || probe.0.len() != self.dims {
            return best;
        }
        for (person, row) in self.owners.iter().zip(self.rows.chunks_exact(self.dims)) {
            let score = dot(row, &probe.0);
            let beats = |known: &Option<Candidate>| known.is_none_or(|known| score > known.score);
            if beats(&best.first) {
                best.second = best.first.replace(Candidate { person: *person, score });
            } else if beats(&best.second) {
                best.second = Some(Candidate { person: *person, score });
            }
        }
        best
    }
}

/// The comparison score of two templates of one network, -1 to 1.
pub fn score(a: &Template, b: &Template) -> f32 {
    dot(&a.0, &b.0)
}

/// The dot product of two templates of one length. Sixteen sums at a time, so that the compiler uses the widest registers.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+avx", "aarch64+neon"))]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let (a_blocks, b_blocks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for k in 0..16 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn random(generator: &mut impl Rng, dims: usize) -> Template {
        Template::from_output((0..dims).map(|_| generator.random::<f32>() - 0.5).collect()).unwrap()
    }

    #[test]
    fn search_finds_the_same_two_people_as_the_definition() {
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        // 150 people with one to three templates, in no order.
        let mut enrolled = Vec::new();
        for at in 0..300_u64 {
            enrolled.push((RecordNumber(at * 7 % 150), random(&mut generator, 37)));
        }
        let gallery = Gallery::new(enrolled.clone());
        assert_eq!((gallery.people(), gallery.templates()), (150, 300));
        for _ in 0..200 {
            let probe = random(&mut generator, 37);
            let mut order: Vec<(RecordNumber, f32)> = (0..150)
                .map(|person| {
                    let own = enrolled.iter().filter(|(owner, _)| owner.0 == person);
                    let mean = Template::mean(own.map(|(_, template)| (template, 1.0))).unwrap();
                    (RecordNumber(person), mean.0.iter().zip(&probe.0).map(|(x, y)| x * y).sum())
                })
                .collect();
            order.sort_by(|a, b| b.1.total_cmp(&a.1));
            let found = gallery.search(&probe);
            let (first, second) = (found.first.unwrap(), found.second.unwrap());
            assert_eq!((first.person, second.person), (order[0].0, order[1].0));
            assert!((first.score - order[0].1).abs() < 1e-5 && (second.score - order[1].1).abs() < 1e-5);
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
}
