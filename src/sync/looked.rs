//! What became of one row's photos, which of them show somebody else than the others, and whether they suffice.

use std::collections::BTreeMap;

use super::likeness::{Likeness, judge};
use crate::{
    face::{Template, enrol::suffice},
    store::{EnrolledPhoto, PhotoDigest, RefusedPhoto},
};

/// What became of a row's photos.
#[derive(Default)]
pub struct Looked {
    /// Usable, with their places in the row, from 1.
    pub photos: Vec<(usize, EnrolledPhoto)>,
    /// Not usable, and remembered.
    pub refused: Vec<RefusedPhoto>,
    /// What is wrong, in words for the report.
    pub faults: Vec<String>,
    /// Of all new photos.
    pub bytes: usize,
}

impl Looked {
    /// Whether there is a photo that was not compared with the others yet.
    pub fn has_company_for_a_new_photo(&self) -> bool {
        self.photos.len() > 1 && self.has_a_new_photo()
    }

    /// Whether there is a photo that was not in the store yet.
    pub fn has_a_new_photo(&self) -> bool {
        self.photos.iter().any(|(_, photo)| matches!(photo, EnrolledPhoto::Embedded { .. }))
    }

    /// The photos' templates; `stored`: those of photos that were kept.
    fn templates(&self, stored: &BTreeMap<PhotoDigest, Template>) -> Option<Vec<Template>> {
        let template = |photo: &EnrolledPhoto| match photo {
            EnrolledPhoto::Kept(digest) => stored.get(digest).cloned(),
            EnrolledPhoto::Embedded { template, .. } => Some(template.clone()),
        };
        // The plan keeps only photos that have a template by the recogniser in use.
        self.photos.iter().map(|(_, photo)| template(photo)).collect()
    }

    /// Leaves none of the photos where the recogniser cannot make out the face on any of them: nobody would be known by these.
    pub fn take_out_if_all_are_unclear(&mut self, stored: &BTreeMap<PhotoDigest, Template>) {
        let Some(templates) = self.templates(stored) else { return };
        if templates.is_empty() || suffice(&templates) {
            return;
        }
        let places: Vec<String> = self.photos.iter().map(|(place, _)| place.to_string()).collect();
        let (noun, verb) = if places.len() > 1 { ("photos", "show") } else { ("photo", "shows") };
        self.faults.push(format!(
            "{noun} {} {verb} a face that is hard to make out (dark glasses, closed eyes, a hat, a hand, blur?), and no clearer one is in the row; put a better photo into it",
            places.join(", ")
        ));
        self.photos.clear();
    }

    /// Takes out what is unlike the other photos. Where nobody can tell who is right, none is left: better greet a person without a name
    /// than somebody else by theirs.
    ///
    /// `row`: all photos of the row, for which alone this holds. `stored`: the templates by `model` of photos that were kept.
    pub fn take_out_strangers(
        &mut self,
        min_score: f32,
        model: &str,
        row: &[PhotoDigest],
        stored: &BTreeMap<PhotoDigest, Template>,
    ) {
        let Some(templates) = self.templates(stored) else { return };
        match judge(&templates.iter().collect::<Vec<_>>(), min_score) {
            Likeness::Alike => {}
            Likeness::Odd(odd) => {
                for (at, score) in &odd {
                    let (place, photo) = &self.photos[*at];
                    let reason = format!(
                        "is unlike the other photos of this row (score {score:.2} at most; photos of one person reach {min_score:.2}) and probably shows somebody else. Take it out of the row, or put the right photo in its place"
                    );
                    self.faults.push(format!("photo {place} {reason}"));
                    let digest = match photo {
                        EnrolledPhoto::Kept(digest) => *digest,
                        EnrolledPhoto::Embedded { bytes, .. } => PhotoDigest::of(bytes),
                    };
                    self.refused.push(RefusedPhoto { digest, model: model.into(), reason, beside: row.into() });
                }
                let mut at = 0..;
                self.photos.retain(|_| !at.next().is_some_and(|at| odd.iter().any(|(of, _)| *of == at)));
                // As the row has them: so the next sync finds nothing new.
                self.refused.sort_by_key(|refused| row.iter().position(|digest| *digest == refused.digest));
            }
            Likeness::Undecided { groups, highest } => {
                let places =
                    |group: &Vec<usize>| group.iter().map(|at| self.photos[*at].0.to_string()).collect::<Vec<_>>();
                let groups: Vec<String> = groups.iter().map(|group| places(group).join(", ")).collect();
                self.faults.push(format!(
                    "photos {} are unlike each other (score {highest:.2} at most; photos of one person reach {min_score:.2}), and nobody here knows which of them show this person. Keep the right ones in the row",
                    groups.join(" and ")
                ));
                self.photos.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_majority_all_photos_are_named_in_their_groups() {
        let photo = |place: usize, values: [f32; 2]| {
            let (bytes, template) = (vec![place as u8], Template(values.into()));
            (place, EnrolledPhoto::Embedded { bytes, model: "net".into(), template })
        };
        let (one, other) = ([1.0, 0.0], [0.0, 1.0]);
        let photos = vec![photo(1, one), photo(2, other), photo(3, one), photo(4, other)];
        let mut looked = Looked { photos, ..Looked::default() };
        looked.take_out_strangers(0.45, "net", &[], &BTreeMap::new());
        assert!(looked.photos.is_empty() && looked.refused.is_empty());
        assert_eq!(
            looked.faults,
            [
                "photos 1, 3 and 2, 4 are unlike each other (score 0.00 at most; photos of one person reach 0.45), and nobody here knows which of them show this person. Keep the right ones in the row"
            ]
        );
    }
}
