//! Somebody who walks up to the robot: what counts is how long they have been near, not for how long they could be seen coming.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use greeter::{
    bench::staged_camera::framed,
    camera::{Frame, photo},
    config::Config,
    face::{eyes::Eyes, manifest::Manifest, networks::Networks},
    gallery::decision::Demands,
    installation::Installation,
    pipeline::{
        roll::{CurrentRoll, Roll},
        vision::Vision,
    },
    visit::hall::{Hall, VisitEvent},
};

/// A webcam's pace.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

#[test]
fn somebody_who_was_seen_coming_is_not_addressed_before_they_have_stood_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (installation, config) = (Installation::at(root), Config::default());
    let smallest = Eyes::min_face_px(&config.face, config.camera.height);
    let networks = Networks::load(&installation, &config.face.pack, smallest).unwrap();
    let manifest = Manifest::load(&installation.models()).unwrap();
    let thresholds = &manifest.thresholds[networks.recogniser.name()];
    let demands = |people| Demands::new(&config.decision, thresholds.min_score(people).unwrap_or(1.0), None);
    let roll = CurrentRoll::new(Roll::new(Vec::new(), Vec::new(), demands));
    let (mut vision, mut hall) = (Vision::new(networks, roll, &config), Hall::new(&config.visit));

    let portrait = photo::read_photo(&root.join("assets/demo/enrol/barack-obama.jpg")).unwrap();
    let seen_at = |share| Arc::new(photo::read_photo_bytes(&framed(&portrait, share).unwrap()).unwrap());
    let (far, near) = (seen_at(0.27), seen_at(0.3));
    let mut now = Instant::now();
    let (mut came_at, mut from_afar, mut face_at) = (None, 0, None);
    for step in 0..120 {
        now += FRAME;
        let rgb = if step < 60 { far.clone() } else { near.clone() };
        let sighting = vision.on_frame(&Frame { rgb, captured_at: now, seq: step }).unwrap();
        from_afar += sighting.faces.iter().filter(|face| !face.near).count();
        if sighting.faces.iter().any(|face| face.near) {
            came_at.get_or_insert(now);
        }
        face_at = face_at.or(sighting.decided.first().map(|decision| decision.face_at));
        let events = hall.on_faces(now, sighting.faces, &sighting.gone);
        if events.iter().any(|event| matches!(event, VisitEvent::Greet(_))) {
            break;
        }
    }
    let came_at = came_at.expect("they were near in the end");
    assert!(from_afar > 30, "this test saw them from afar in {from_afar} frames only");
    assert!(
        face_at.expect("it was decided who they are") >= came_at,
        "decided on the time in which they were far away"
    );
    let stood = now - came_at;
    let attention = Duration::from_millis(config.visit.attention_ms);
    assert!(stood >= attention, "addressed after {stood:?}");
    assert!(stood < Duration::from_secs(2), "not addressed");
}
