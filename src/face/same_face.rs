//! One face of all that a network saw of it (non-maximum suppression).

use super::FaceBox;

/// Boxes that overlap more than this are of one face.
const OVERLAP: f32 = 0.3;

impl FaceBox {
    /// Whether two boxes are so much in one place that they are of one face.
    pub fn is_of_one_face_with(&self, other: &Self) -> bool {
        self.overlap(other) > OVERLAP
    }
}

/// What was seen, sorted into faces: each begins with the surest look, the surest face first. Boxes without an area are of no face.
///
/// `about` tells a look's box and how sure it is.
pub fn by_face<L>(mut looks: Vec<L>, about: impl Fn(&L) -> (FaceBox, f32)) -> Vec<Vec<L>> {
    looks.retain(|look| about(look).0.is_of_one_face_with(&about(look).0));
    looks.sort_by(|a, b| about(b).1.total_cmp(&about(a).1));
    let mut faces = Vec::new();
    while let Some(best) = looks.first().map(|look| about(look).0) {
        let (same, others) = looks.into_iter().partition(|look| best.is_of_one_face_with(&about(look).0));
        faces.push(same);
        looks = others;
    }
    faces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, width: f32) -> FaceBox {
        FaceBox { x, y: 0.0, width, height: 10.0 }
    }

    #[test]
    fn looks_at_one_face_stand_together_the_surest_first_and_a_box_without_area_is_no_face() {
        let looks = [(face(0.0, 10.0), 0.5), (face(40.0, 10.0), 0.8), (face(2.0, 10.0), 0.9), (face(70.0, 0.0), 1.0)];
        // Each of a row overlaps the next one; the last is too far from the surest to be the same face.
        let row = [(face(44.0, 10.0), 0.7), (face(47.0, 10.0), 0.6)];
        let faces = by_face([&looks[..], &row[..]].concat(), |look| *look);
        let sure: Vec<Vec<f32>> = faces.iter().map(|face| face.iter().map(|look| look.1).collect()).collect();
        assert_eq!(sure, [vec![0.9, 0.5], vec![0.8, 0.7], vec![0.6]]);
    }
}
