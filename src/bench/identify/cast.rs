//! Who is enrolled, who comes back, who is a stranger.
//!
//! Pure: the same seed gives the same cast.

use std::borrow::Borrow;

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::photos::Subject;
use crate::{
    calibration::group::Photo,
    face::{Template, enrol::suffice},
};

/// Photos that make one visit.
pub const VISIT: usize = 3;

/// One presentation to the robot: a photo, or several as the views of one visit.
#[derive(Debug, Clone)]
pub struct Probe<'s> {
    /// Whose: an index of the subjects.
    pub person: usize,
    /// What is seen.
    pub views: Vec<&'s Photo>,
    /// One over the number of this person's probes, where people weigh the same.
    pub share: f64,
}

impl Probe<'_> {
    /// All views as one template, the better ones weighing more, as a visitor's are.
    pub fn template(&self) -> Option<Template> {
        Template::mean(self.views.iter().map(|view| (&view.template, view.quality.max(0.05))))
    }

    /// The mean quality of the views.
    pub fn quality(&self) -> f32 {
        self.views.iter().map(|view| view.quality).sum::<f32>() / self.views.len().max(1) as f32
    }
}

/// Somebody enrolled.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// An index of the subjects.
    pub person: usize,
    /// One template a photo.
    pub templates: Vec<Template>,
}

/// Probes of one kind, photo by photo or visit by visit.
#[derive(Debug, Clone, Default)]
pub struct Probes<'s> {
    /// Of enrolled people.
    pub mates: Vec<Probe<'s>>,
    /// Of the test's other people.
    pub strangers: Vec<Probe<'s>>,
    /// Of people who are not in the test: thresholds are frozen on them.
    pub frozen: Vec<Probe<'s>>,
}

/// Everybody's part.
#[derive(Debug, Clone, Default)]
pub struct Cast<'s> {
    /// Who is in the test: indices of the subjects.
    pub tested: Vec<usize>,
    /// Who freezes thresholds.
    pub others: Vec<usize>,
    /// Who is enrolled.
    pub gallery: Vec<Enrolled>,
    /// Photos that could not be enrolled, of those that were tried.
    pub failed_to_enrol: usize,
    /// Photos that were tried.
    pub tried_to_enrol: usize,
    /// Photos without a usable view, of all that were to be probes of the tested people.
    pub failed_to_acquire: usize,
    /// Photo by photo.
    pub single: Probes<'s>,
    /// Visits of up to [`VISIT`] photos; an enrolled person's have exactly so many.
    pub visits: Probes<'s>,
}

/// In which half somebody is: `true` is the tested one. Depends on seed and name only, not on who else is there.
pub fn tested(name: &str, seed: u64) -> bool {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(name.as_bytes()).finalize();
    digest[0] & 1 == 1
}

/// Gives everybody a part: whoever of the tested half has more than `enrol` photos is enrolled by the first `enrol` usable ones of a
/// random order and comes back with the others. The seed says who is in which half, seed and `draw` what the order is.
pub fn cast(subjects: &[Subject], enrol: usize, seed: u64, draw: u64) -> Cast<'_> {
    let mut cast = Cast::default();
    for (person, subject) in subjects.iter().enumerate() {
        let mut generator = ChaCha8Rng::seed_from_u64((seed + draw) ^ (person as u64) << 20);
        let mut order: Vec<usize> = (0..subject.photos.len()).collect();
        order.shuffle(&mut generator);
        if !tested(&subject.name, seed) {
            cast.others.push(person);
            let views = order.iter().filter_map(|&at| subject.photos[at].view.as_ref()).collect();
            add(&mut cast.single.frozen, &mut cast.visits.frozen, person, views, false);
            continue;
        }
        cast.tested.push(person);
        let rest = if order.len() > enrol { cast.enrol(person, subject, order, enrol) } else { Some(order) };
        let enrolled = cast.gallery.last().is_some_and(|last| last.person == person);
        let Some(rest) = rest else { continue };
        let views: Vec<&Photo> = rest.iter().filter_map(|&at| subject.photos[at].view.as_ref()).collect();
        cast.failed_to_acquire += rest.len() - views.len();
        if enrolled {
            add(&mut cast.single.mates, &mut cast.visits.mates, person, views, true);
        } else {
            add(&mut cast.single.strangers, &mut cast.visits.strangers, person, views, false);
        }
    }
    cast
}

impl Cast<'_> {
    /// Enrols somebody and gives the photos that are left, or all of them if no photo could be enrolled.
    fn enrol(&mut self, person: usize, subject: &Subject, order: Vec<usize>, enrol: usize) -> Option<Vec<usize>> {
        let mut templates = Vec::new();
        let mut left = Vec::new();
        for at in order {
            if templates.len() == enrol {
                left.push(at);
                continue;
            }
            self.tried_to_enrol += 1;
            match &subject.photos[at].enrolled {
                Some(template) if is_taken(&templates, template, enrol) => templates.push(template.clone()),
                // Refused for enrolment; the visitor may still be seen so.
                _ => {
                    self.failed_to_enrol += 1;
                    left.push(at);
                }
            }
        }
        if templates.len() == enrol {
            self.gallery.push(Enrolled { person, templates });
        }
        Some(left)
    }
}

/// Whether an office that wants `wanted` photos takes this one beside those it has: the last one must be clear if none before was.
pub fn is_taken<T: Borrow<Template>>(so_far: &[T], next: &Template, wanted: usize) -> bool {
    so_far.len() + 1 < wanted || suffice(so_far.iter().map(Borrow::borrow).chain([next]))
}

fn add<'s>(
    single: &mut Vec<Probe<'s>>,
    visits: &mut Vec<Probe<'s>>,
    person: usize,
    views: Vec<&'s Photo>,
    whole_only: bool,
) {
    let chunks: Vec<&[&Photo]> = views.chunks(VISIT).filter(|chunk| !whole_only || chunk.len() == VISIT).collect();
    let share = 1.0 / chunks.len().max(1) as f64;
    visits.extend(chunks.iter().map(|chunk| Probe { person, views: chunk.to_vec(), share }));
    let share = 1.0 / views.len().max(1) as f64;
    single.extend(views.iter().map(|view| Probe { person, views: vec![*view], share }));
}

/// Made-up people's templates: random directions.
pub fn made_up(count: usize, dims: usize, seed: u64) -> impl Iterator<Item = Template> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    (0..count).filter_map(move |_| {
        Template::from_output((0..dims).map(|_| generator.random::<f32>() + generator.random::<f32>() - 1.0).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::identify::photos::Studied;

    fn photo(at: usize) -> Studied {
        let template = Template::from_output(vec![1.0, at as f32]).unwrap();
        Studied {
            enrolled: Some(template.clone()),
            view: Some(Photo { template: template.clone(), quality: 0.5, portrait: Some(template) }),
        }
    }

    fn crowd() -> Vec<Subject> {
        (0..60).map(|k| Subject { name: format!("person {k}"), photos: (0..k % 9 + 1).map(photo).collect() }).collect()
    }

    #[test]
    fn nobody_is_both_in_the_test_and_among_those_on_whom_thresholds_are_frozen() {
        let crowd = crowd();
        let cast = cast(&crowd, 3, 1, 0);
        assert_eq!(cast.tested.len() + cast.others.len(), 60);
        assert!(cast.tested.iter().all(|person| !cast.others.contains(person)));
        assert!(cast.single.frozen.iter().all(|probe| cast.others.contains(&probe.person)));
        assert!(cast.single.strangers.iter().all(|probe| cast.tested.contains(&probe.person)));
        let enrolled: Vec<usize> = cast.gallery.iter().map(|it| it.person).collect();
        assert!(!enrolled.is_empty() && enrolled.iter().all(|person| crowd[*person].photos.len() > 3));
        assert!(cast.single.strangers.iter().all(|probe| !enrolled.contains(&probe.person)));
    }

    #[test]
    fn an_enrolled_person_comes_back_with_other_photos_than_the_enrolled_ones() {
        let crowd = crowd();
        let cast = cast(&crowd, 3, 2, 0);
        for enrolled in &cast.gallery {
            assert_eq!(enrolled.templates.len(), 3);
            let back = cast.single.mates.iter().filter(|probe| probe.person == enrolled.person);
            let back: Vec<_> = back.map(|probe| &probe.views[0].template).collect();
            assert_eq!(back.len() + 3, crowd[enrolled.person].photos.len());
            assert!(back.iter().all(|template| !enrolled.templates.contains(template)));
        }
        assert!(cast.visits.mates.iter().all(|visit| visit.views.len() == VISIT));
    }

    #[test]
    fn a_photo_that_cannot_be_enrolled_is_counted_and_the_next_one_taken() {
        let mut crowd = crowd();
        crowd
            .iter_mut()
            .for_each(|subject| subject.photos.iter_mut().step_by(2).for_each(|photo| photo.enrolled = None));
        let cast = cast(&crowd, 2, 3, 0);
        assert!(cast.failed_to_enrol > 0 && cast.tried_to_enrol > cast.failed_to_enrol);
        assert!(cast.gallery.iter().all(|enrolled| enrolled.templates.len() == 2));
    }

    #[test]
    fn photos_that_are_hard_to_make_out_are_enrolled_beside_clearer_ones_only() {
        let mut crowd = crowd();
        let unclear = |template: &Template| template.length() > 1.1;
        crowd.iter_mut().for_each(|subject| {
            subject.photos.iter_mut().step_by(2).for_each(|photo| {
                photo.enrolled = photo.enrolled.take().map(|template| template.longer(1.2));
            });
        });
        let one = cast(&crowd, 1, 4, 0);
        assert!(one.failed_to_enrol > 0 && !one.gallery.is_empty());
        assert!(!one.gallery.iter().any(|enrolled| unclear(&enrolled.templates[0])));
        let three = cast(&crowd, 3, 4, 0);
        assert!(three.gallery.iter().all(|enrolled| !enrolled.templates.iter().all(unclear)));
        assert!(three.gallery.iter().any(|enrolled| enrolled.templates.iter().any(unclear)));
    }

    #[test]
    fn the_same_seed_gives_the_same_cast_and_another_one_other_halves() {
        let crowd = crowd();
        let (one, again, other) = (cast(&crowd, 1, 5, 0), cast(&crowd, 1, 5, 0), cast(&crowd, 1, 6, 0));
        assert_eq!((&one.tested, one.gallery.len()), (&again.tested, again.gallery.len()));
        assert_ne!(one.tested, other.tested);
    }

    #[test]
    fn another_draw_enrols_other_photos_of_the_same_halves() {
        let crowd = crowd();
        let (one, other) = (cast(&crowd, 1, 5, 0), cast(&crowd, 1, 5, 1));
        assert_eq!((&one.tested, &one.others), (&other.tested, &other.others));
        let enrolled = |cast: &Cast<'_>| cast.gallery.iter().map(|it| it.templates.clone()).collect::<Vec<_>>();
        assert_ne!(enrolled(&one), enrolled(&other));
    }
}
