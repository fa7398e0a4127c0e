//! Makes the differences between photos of one person count less than those between people.
//!
//! Where photos of one person differ more than elsewhere (by light, age, pose), a difference says less. So templates are multiplied by the
//! inverse square root of the covariance within people, which is first drawn most of the way to that of templates that differ alike in every
//! direction. Hatch, Kajarekar, Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", Interspeech 2006.
//!
//! Before it a part of what the people who will come have in common is taken away. Templates of people with Chinese, Korean or Japanese names
//! are much alike to these networks; what they share says nothing of who somebody is.
//!
//! What it is worth, counted on six halves of LFW's people while the others were used for fitting: of people with one photo, 21 draws of which, visits
//! missed at FPIR 0.1 % 1.29 -> 1.17 %, with the networks of the pack `both` 0.81 -> 0.70 %. Of the East Asian group, single photos against three,
//! at the scores that its non-mates' tail gives for 5,000 people 34.9 -> 28.6 % (`both` 7.1 -> 6.3 %), for 100,000 people 88 -> 82 % (28 -> 25 %).

use std::path::Path;

use nalgebra::{DMatrix, DVector};

use super::{ModelError, Template, template::dot};

/// How far the covariance is drawn to one that is alike in all directions. At 0.9 people who were not used for fitting gain hardly more, at 0.7
/// less; and scores of the East Asian group's strangers rise.
const SHRINKAGE: f64 = 0.95;

/// Which share of the group's mean is taken away. More takes too much of those whose mean it was not: at 0.4 strangers of the group whose
/// mean was not used pass a score set on the others 1.5 times as often as they should, at 0.2 1.3 times, without it 1.2 times.
const CENTRING: f32 = 0.2;

/// What is taken away from templates, and the symmetric matrix that they are multiplied by then.
#[derive(Debug, Clone, PartialEq)]
pub struct Whitening {
    /// Row by row.
    matrix: Vec<f32>,
    centre: Vec<f32>,
}

impl Whitening {
    /// Fits it to photos of people, a list of templates a person; `group` are people like those who will come. Each person counts the same;
    /// for the differences those of one photo say nothing. `None` if nobody has two, or the templates are not all of one size.
    pub fn fit(people: &[Vec<Template>], group: &[Vec<Template>]) -> Option<Self> {
        let size = people.iter().flatten().next()?.0.len();
        if people.iter().chain(group).flatten().any(|photo| photo.0.len() != size) {
            return None;
        }
        let centre = centre(group, size);
        let mut within = DMatrix::<f64>::zeros(size, size);
        let mut counted = 0.0;
        for photos in people {
            let photos: Vec<DVector<f64>> = photos
                .iter()
                .filter_map(|photo| less(&photo.direction(), &centre))
                .map(|photo| DVector::from_iterator(size, photo.0.into_iter().map(f64::from)))
                .collect();
            if photos.len() < 2 {
                continue;
            }
            let mean = photos.iter().sum::<DVector<f64>>() / photos.len() as f64;
            for photo in &photos {
                within.syger(1.0 / (photos.len() - 1) as f64, &(photo - &mean), &(photo - &mean), 1.0);
            }
            counted += 1.0;
        }
        within.fill_upper_triangle_with_lower_triangle();
        let usual = within.trace() / size as f64;
        if counted == 0.0 || usual <= 0.0 {
            return None;
        }
        let shrunk = within * ((1.0 - SHRINKAGE) / usual) + DMatrix::identity(size, size) * SHRINKAGE;
        let mut parts = shrunk.symmetric_eigen();
        parts.eigenvalues.apply(|value| *value = value.sqrt().recip());
        // Symmetric, so rows are columns.
        Some(Self { matrix: parts.recompose().iter().map(|value| *value as f32).collect(), centre })
    }

    /// Reads one for templates of `size` numbers: little-endian f32, the matrix row by row, then what is taken away.
    ///
    /// # Errors
    /// When the file cannot be read or is for another size.
    pub fn load(path: &Path, size: usize) -> Result<Self, ModelError> {
        let fault = |cause: String| ModelError::Manifest { path: path.to_owned(), cause };
        let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        if numbers.len() != (size + 1) * size || !rest.is_empty() {
            return Err(fault(format!("it does not whiten templates of {size} numbers")));
        }
        let mut matrix: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
        let centre = matrix.split_off(size * size);
        Ok(Self { matrix, centre })
    }

    /// As [`Self::load`] reads it.
    pub fn bytes(&self) -> Vec<u8> {
        self.matrix.iter().chain(&self.centre).flat_map(|value| value.to_le_bytes()).collect()
    }

    /// A template of length 1 whitened, of length 1. `None` if nothing is left of it, or it is of another size.
    pub fn apply(&self, template: &Template) -> Option<Template> {
        if template.0.len() != self.centre.len() {
            return None;
        }
        let centred = less(template, &self.centre)?;
        let row = |row: &[f32]| dot(row, &centred.0);
        Template::from_output(self.matrix.chunks_exact(self.centre.len()).map(row).collect())
    }
}

/// A share of the mean of people's means.
fn centre(group: &[Vec<Template>], size: usize) -> Vec<f32> {
    let mut sum = vec![0.0; size];
    let people = group.iter().filter(|photos| !photos.is_empty()).count().max(1) as f32;
    for photos in group {
        for photo in photos {
            let share = CENTRING / (photos.len() as f32 * people);
            sum.iter_mut().zip(photo.direction().0).for_each(|(total, value)| *total += share * value);
        }
    }
    sum
}

fn less(template: &Template, centre: &[f32]) -> Option<Template> {
    Template::from_output(template.0.iter().zip(centre).map(|(value, common)| value - common).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(values: [f32; 3]) -> Template {
        Template::from_output(values.to_vec()).unwrap()
    }

    /// People who lie far apart in the first number, and whose photos differ in the third only.
    fn people() -> Vec<Vec<Template>> {
        let person = |at: f32| [-0.5, 0.0, 0.5].map(|by| template([at, 1.0, by])).to_vec();
        [-2.0, -1.0, 0.0, 1.0, 2.0].map(person).to_vec()
    }

    #[test]
    fn photos_of_one_person_become_more_alike_and_those_of_different_people_hardly() {
        let whitening = Whitening::fit(&people(), &[]).unwrap();
        let score = |a: [f32; 3], b: [f32; 3]| {
            let (a, b) = (template(a), template(b));
            (a.score(&b), whitening.apply(&a).unwrap().score(&whitening.apply(&b).unwrap()))
        };
        let (before, after) = score([1.0, 1.0, -0.5], [1.0, 1.0, 0.5]);
        assert!(after > before + 0.02, "{before} {after}");
        let (before, after) = score([1.0, 1.0, 0.0], [-1.0, 1.0, 0.0]);
        assert!((after - before).abs() < 0.02, "{before} {after}");
    }

    #[test]
    fn people_of_the_group_become_less_alike() {
        let group = [-0.5, 0.5].map(|at| vec![template([0.2 * at, 1.0, at])]);
        let (plain, whitening) = (Whitening::fit(&people(), &[]).unwrap(), Whitening::fit(&people(), &group).unwrap());
        let score = |whitening: &Whitening| {
            let [a, b] = [[-0.3, 1.0, 0.1], [0.3, 1.0, -0.1]].map(|values| whitening.apply(&template(values)).unwrap());
            a.score(&b)
        };
        assert!(score(&whitening) < score(&plain) - 0.05, "{} {}", score(&whitening), score(&plain));
    }

    #[test]
    fn what_was_fitted_is_read_as_it_was_written() {
        let whitening = Whitening::fit(&people(), &people()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whitening.f32");
        std::fs::write(&path, whitening.bytes()).unwrap();
        assert_eq!(Whitening::load(&path, 3).unwrap(), whitening);
        let error = Whitening::load(&path, 4).unwrap_err().to_string();
        assert!(error.contains("whitening.f32") && error.contains("templates of 4 numbers"), "{error}");
        assert!(Whitening::load(&folder.path().join("none"), 3).is_err());
    }

    #[test]
    fn one_photo_a_person_says_nothing_and_other_templates_are_refused() {
        let alone: Vec<Vec<Template>> = people().into_iter().map(|photos| photos[..1].to_vec()).collect();
        assert_eq!(Whitening::fit(&alone, &people()), None);
        assert_eq!(Whitening::fit(&[], &[]), None);
        let whitening = Whitening::fit(&people(), &[]).unwrap();
        assert_eq!(whitening.apply(&Template(vec![1.0, 0.0])), None);
    }
}
