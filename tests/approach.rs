//! The first moments of a visit: from when on somebody counts as being there, and how closely they are looked at.

use std::time::Duration;

use greeter::visit::{
    hall::{Answer, VisitEvent},
    turn::Kind,
};

#[path = "support/seeing.rs"]
mod seeing;
use seeing::{Empty, FRAME, portrait};

#[test]
fn somebody_who_was_seen_coming_is_not_addressed_before_they_have_stood_there() {
    let mut robot = Empty::new();
    let (far, near) = (portrait(0.27), portrait(0.3));
    let (mut came_at, mut from_afar, mut face_at) = (None, 0, None);
    for step in 0..120 {
        let sighting = robot.sees(if step < 60 { &far } else { &near });
        match sighting.in_sight.is_empty() {
            // The light on a face is told of every face that is found.
            true => from_afar += usize::from(sighting.lighting.is_some_and(|light| light.face.is_some())),
            false => drop(came_at.get_or_insert(robot.now)),
        }
        let answered = |answer: &Answer| matches!(answer, Answer::Say(say) if say.kind == Kind::Greeting);
        for answer in &sighting.answers {
            if let Answer::Event(VisitEvent::Decided(_, _, times)) = answer {
                face_at = face_at.or(Some(times.face_at));
            }
        }
        if sighting.answers.iter().any(answered) {
            break;
        }
    }
    let came_at = came_at.expect("they were near in the end");
    assert!(from_afar > 30, "this test saw them from afar in {from_afar} frames only");
    assert!(face_at.expect("it was decided who they are") >= came_at, "the time in which they were far away counted");
    let stood = robot.now - came_at;
    assert!(stood >= Duration::from_millis(robot.config.visit.attention_ms), "addressed after {stood:?}");
    assert!(stood < Duration::from_secs(2), "not addressed");
}

#[test]
fn who_is_not_named_when_the_time_is_up_is_looked_at_in_every_frame_for_a_moment_and_then_as_before() {
    let mut robot = Empty::new();
    let near = portrait(0.5);
    let decides_at = Duration::from_millis(robot.config.decision.decide_within_ms);
    let mut found_at = None;
    let (mut last_chance, mut afterwards) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let sighting = robot.sees(&near);
        // The frame before the first one that counts showed them, too.
        let Some(since) = sighting.in_sight.first().map(|_| *found_at.get_or_insert(robot.now - FRAME)) else {
            continue;
        };
        let watched = robot.now - since;
        if watched > decides_at + FRAME && watched < decides_at + Duration::from_millis(150) {
            last_chance.push(sighting.embedded);
        } else if watched > decides_at + Duration::from_millis(250) {
            afterwards.push(sighting.embedded);
        }
    }
    assert!(last_chance.len() >= 2 && last_chance.iter().all(|embedded| *embedded == 1), "{last_chance:?}");
    let share = afterwards.iter().sum::<usize>() as f32 / afterwards.len() as f32;
    assert!(share > 0.4 && share < 0.6, "{afterwards:?}");
}
