//! Whether the quality score falls when a view gets worse, on thirty faces spoilt in twelve ways and five strengths. `greeter bench
//! quality` does the same on more.
//!
//! Needs photos of many people, which are not in the box: skipped, saying so, where they are absent.

use std::path::Path;

use greeter::{
    bench::{
        dataset,
        degrade::Kind,
        figures::Origin,
        quality::{NOTICED, figures, judge},
    },
    face::{enrol::MIN_FACE_PX, networks::Networks},
    installation::Installation,
};

const FACES: usize = 30;

#[test]
fn the_score_falls_with_every_fault_and_the_operator_is_told_which_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let photos = root.join("../shared/eval/lfw-dev");
    if !photos.is_dir() {
        println!("skipped: photos of many people are not here");
        return;
    }
    let networks = Networks::load(&Installation::at(root), "default", MIN_FACE_PX).unwrap();
    let judged = judge(&dataset::people(&photos).unwrap(), FACES, vec![networks], 1, &|_| ()).unwrap();
    let figures = figures(&judged, Origin::here("default", 1));
    assert_eq!(figures.faces, FACES);
    for (name, kind) in &figures.kinds {
        println!("measured: {name}: {:?}, correlation {:.3}, {:?}", kind.mean_score, kind.spearman, kind.reason);
    }
    assert!(figures.noticed >= 10, "only {} of 12 kinds lower the score by {NOTICED} or less", figures.noticed);
    let reason = |kind: Kind| figures.kinds[kind.name()].reason.as_ref().map(|(reason, _)| reason.as_str());
    assert_eq!(reason(Kind::Dark), Some("too dark"));
    assert_eq!(reason(Kind::Blur), Some("blurred"));
    assert_eq!(reason(Kind::Eyes), Some("covered at the eyes"));
    assert_eq!(reason(Kind::Mouth), Some("covered at the mouth"));
    assert_eq!(reason(Kind::Yaw), Some("turned aside"));
}
