//! Where people are looked at and where not: of whoever is elsewhere nothing is embedded, and nothing remembered.

use std::path::Path;

use greeter::{
    bench::staged_camera::Standing,
    camera::photo,
    config::Config,
    visit::hall::{Answer, VisitEvent},
};
use image::{Rgb, RgbImage, imageops};

#[path = "support/seeing.rs"]
mod seeing;
use seeing::{Empty, portrait};

/// Two seconds.
const FRAMES: usize = 60;

/// What is known of those who stood there for [`FRAMES`].
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    /// Views that were embedded.
    embedded: usize,
    /// Visitors of whom there is a record.
    visitors: usize,
    /// People who were here lately.
    lately: usize,
    /// Visitors who were seen, by the events.
    seen: usize,
    /// Things that were to be said.
    said: usize,
    /// Frames that said how light a face is.
    lit: usize,
}

impl Known {
    fn of(settings: &str, somebody: &Standing) -> Self {
        let mut robot = Empty::configured(Config::parse(&format!("[camera]\n{settings}\n")).unwrap());
        let mut known = Self::default();
        for _ in 0..FRAMES {
            let sighting = robot.sees(somebody);
            known.embedded += sighting.embedded;
            known.lit += usize::from(sighting.lighting.is_some_and(|light| light.face.is_some()));
            for answer in &sighting.answers {
                known.seen += usize::from(matches!(answer, Answer::Event(VisitEvent::FaceSeen(_))));
                known.said += usize::from(matches!(answer, Answer::Say(_)));
            }
        }
        (known.visitors, known.lately) = robot.vision.remembered();
        known
    }

    /// Whether somebody was looked at and spoken to.
    fn is_of_one_visitor(&self) -> bool {
        self.embedded > 3 && self.visitors == 1 && self.seen == 1 && self.said > 0 && self.lit > FRAMES / 2
    }
}

/// Their eyes are a little above the picture's middle.
fn in_the_middle() -> Standing {
    portrait(0.5)
}

#[test]
fn of_a_face_outside_the_zone_nothing_is_embedded_and_nothing_remembered() {
    for zone in ["zone = [0.0, 0.0, 0.45, 1.0]", "zone = [0.0, 0.6, 1.0, 0.4]", "zone = [0.56, 0.0, 0.44, 1.0]"] {
        assert_eq!(Known::of(zone, &in_the_middle()), Known::default(), "{zone}");
    }
    for zone in ["", "zone = [0.4, 0.3, 0.2, 0.3]"] {
        let known = Known::of(zone, &in_the_middle());
        assert!(known.is_of_one_visitor(), "{zone}: {known:?}");
    }
}

#[test]
fn of_a_face_in_a_blank_place_nothing_is_embedded_and_nothing_remembered() {
    let blank = "blank = [[0.0, 0.0, 0.1, 0.1], [0.4, 0.3, 0.2, 0.3]]";
    assert_eq!(Known::of(blank, &in_the_middle()), Known::default());
    let known = Known::of("blank = [[0.65, 0.0, 0.35, 1.0], [0.0, 0.7, 1.0, 0.3]]", &in_the_middle());
    assert!(known.is_of_one_visitor(), "{known:?}");
}

/// Two people, left and right.
fn left_and_right() -> Standing {
    let mut hall = RgbImage::from_pixel(1280, 720, Rgb([124; 3]));
    for (name, left) in [("barack-obama.jpg", 120), ("eileen-collins.png", 840)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/enrol").join(name);
        let photo = photo::read_photo(&path).unwrap();
        let height = photo.height() * 320 / photo.width();
        let photo = imageops::resize(&photo, 320, height, imageops::FilterType::Triangle);
        imageops::overlay(&mut hall, &photo, left, 160);
    }
    Standing::of([&hall], 1.0, 0)
}

#[test]
fn beside_somebody_who_is_not_looked_at_a_visitor_is_served_as_if_alone() {
    for settings in ["zone = [0.5, 0.0, 0.5, 1.0]", "zone = [0.0, 0.0, 0.5, 1.0]", "blank = [[0.5, 0.0, 0.5, 1.0]]"] {
        let known = Known::of(settings, &left_and_right());
        assert!(known.is_of_one_visitor(), "{settings}: {known:?}");
    }
    let known = Known::of("", &left_and_right());
    assert_eq!((known.visitors, known.seen), (2, 2), "this test shows two people: {known:?}");
}
