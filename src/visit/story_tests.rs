//! Stories of visitors, as the scenes of the hall tell them. People 0 to 19 are enrolled, the others are strangers.

use super::{
    stage_tests::{Duration, Said, Story, Voice, at, one},
    turn::Kind,
    visitor::Why,
};
use crate::{
    gallery::decision::Decision,
    person::RecordNumber,
    visit::{
        VisitorId,
        hall::{About, VisitEvent},
    },
};

#[test]
fn somebody_enrolled_is_greeted_by_name_once_however_long_they_stand_there() {
    let mut story = Story::begins();
    story.show(20_000, &[one(3)]);
    assert_eq!(story.greeted(), [[Some(3)]]);
    assert_eq!((story.ways(), story.decided()), (0, vec![Decision::Identified(RecordNumber(3))]));
    assert!(story.heard(3).unwrap() < 600, "{:?}", story.said);
}

#[test]
fn whoever_comes_to_the_place_of_somebody_enrolled_never_hears_their_name() {
    for glance in [100, 200, 260] {
        for gap in [0, 100, 300, 900] {
            let mut story = Story::begins();
            story.show(glance, &[one(3)]).show(gap, &[]).show(4_000, &[one(30)]);
            assert_eq!(story.greeted(), [[None]], "{glance} ms, then {gap} ms");
        }
    }
}

#[test]
fn who_turns_aside_and_is_followed_by_somebody_who_looks_lends_them_no_name() {
    let mut story = Story::begins();
    story.show(1_200, &[one(3).turned()]).show(4_000, &[one(30)]);
    assert_eq!(story.greeted(), [[None]]);
}

#[test]
fn when_somebody_takes_the_place_of_who_is_being_greeted_it_is_noticed_at_once_and_they_are_greeted() {
    for (then, name) in [(30, None), (5, Some(5))] {
        let mut story = Story::begins();
        story.show(1_500, &[one(3)]);
        let changed = story.ms();
        story.show(6_000, &[one(then)]);
        assert_eq!(story.greeted(), [[Some(3)], [name]]);
        assert!(story.said.iter().find(|said| said.people == [Some(3)]).unwrap().ended_ms.unwrap() - changed < 1_600);
        let seen = story.events.iter().filter(|event| matches!(event, VisitEvent::FaceSeen(_))).count();
        assert_eq!(seen, 2);
        assert!(story.heard(then).unwrap() - changed < 3_000);
    }
}

#[test]
fn who_comes_while_somebody_is_being_greeted_is_greeted_next() {
    for (a, b) in [(3, 4), (30, 31), (3, 31)] {
        let mut story = Story::begins();
        story.show(1_000, &[at(a, 400.0)]).show(9_000, &[at(a, 400.0), at(b, 900.0)]);
        assert!(story.heard(a).unwrap() < 600 && story.heard(b).unwrap() < 4_500, "{:?}", story.said);
        assert_eq!(story.greeted().len(), 2);
    }
}

#[test]
fn who_steps_in_front_of_somebody_is_a_visitor_of_their_own() {
    let mut story = Story::begins();
    story.show(200, &[one(3)]);
    for x in [900.0, 860.0, 820.0, 780.0, 740.0] {
        story.frame(&[one(3), at(31, x)]);
    }
    // Their face is found where the other's was.
    story.show(4_000, &[at(31, 650.0)]);
    let to: Vec<VisitorId> =
        story.of_kind(Kind::Greeting).flat_map(|said| &said.say.guests).map(|it| it.visitor).collect();
    assert_eq!((story.greeted(), to), (vec![vec![None]], vec![VisitorId(3)]), "{:?}", story.said);
}

#[test]
fn a_stranger_who_joins_one_who_resembles_them_is_greeted_too() {
    let mut story = Story::begins();
    story.show(1_000, &[at(30, 400.0)]).show(9_000, &[at(30, 400.0), at(30, 900.0).unclear()]);
    assert_eq!((story.greeted().len(), story.returned()), (2, 0), "{:?}", story.said);
}

#[test]
fn a_group_is_greeted_together_each_language_for_itself() {
    let mut story = Story::begins();
    story.speaks(4, "en");
    story.show(12_000, &[at(3, 300.0), at(4, 640.0), at(5, 980.0)]);
    assert_eq!(story.greeted(), [vec![Some(3), Some(5)], vec![Some(4)]]);
}

#[test]
fn a_group_waits_a_moment_for_whoever_is_not_vouched_for_in_the_frame_in_which_the_others_are_ready() {
    for poor in 0..12 {
        let mut story = Story::begins();
        for frame in 0..12 {
            // One view of the second is unlike all others of theirs.
            let second = if frame == poor { 31 } else { 4 };
            story.frame(&[at(3, 400.0), at(second, 900.0)]);
        }
        story.show(3_000, &[at(3, 400.0), at(4, 900.0)]);
        assert_eq!(story.greeted(), [[Some(3), Some(4)]], "a poor view in frame {poor}");
    }
}

#[test]
fn of_two_who_come_together_who_is_nearly_recognised_has_another_moment() {
    let mut story = Story::begins();
    story.show(640, &[at(3, 400.0), at(4, 900.0).unclear()]);
    assert!(story.said.is_empty() && story.decided().contains(&Decision::Unsure), "{:?}", story.decided());
    story.show(3_000, &[at(3, 400.0), at(4, 900.0)]);
    assert_eq!(story.greeted(), [[Some(3), Some(4)]]);
    let mut story = Story::begins();
    story.show(3_000, &[at(3, 400.0), at(4, 900.0).unclear()]);
    assert_eq!(story.greeted(), [[Some(3), None]], "not for ever");
    assert!(story.heard(3).unwrap() < 950, "{:?}", story.said);
}

#[test]
fn nobody_is_greeted_who_has_left_before_it_began() {
    let mut story = Story::begins();
    story.voice = Voice::Works { begins: Duration::from_millis(700), lasts: Duration::from_secs(3) };
    story.show(450, &[one(3)]).show(5_000, &[]);
    assert_eq!(story.greeted(), Vec::<Vec<Option<u64>>>::new());
    assert!(!story.said.is_empty(), "it was on its way");
    story.show(5_000, &[one(3)]);
    assert_eq!(story.greeted(), [[Some(3)]], "who heard nothing was not greeted");
}

#[test]
fn what_is_said_ends_with_its_phrase_when_its_visitor_has_left_and_they_hear_the_way_when_they_are_back() {
    let mut story = Story::begins();
    story.show(1_000, &[one(3)]).show(5_000, &[]);
    let ended = story.said.last().unwrap().ended_ms.unwrap();
    assert!(ended < 1_000 + 700 + 1_000, "{ended}");
    story.show(3_000, &[one(3)]);
    assert_eq!((story.greeted().len(), story.ways()), (1, 1));
}

#[test]
fn who_turns_away_for_a_moment_while_they_are_told_the_way_loses_nothing_and_is_not_told_twice() {
    let mut story = Story::begins();
    story.show(1_000, &[one(3)]).show(500, &[]).show(8_000, &[one(3)]);
    let said: &Said = story.of_kind(Kind::Greeting).next().unwrap();
    assert!(said.ended_ms.unwrap() - said.heard_ms.unwrap() > 2_900, "to its end");
    assert_eq!((story.greeted().len(), story.ways(), story.returned()), (1, 0, 1));
}

#[test]
fn a_voice_that_fails_or_says_nothing_of_it_leaves_nobody_unheard() {
    for voice in [Voice::Fails, Voice::Loses] {
        let mut story = Story::begins();
        story.voice = voice;
        story.show(4_000, &[one(3)]);
        assert!(story.greeted().is_empty());
        story.voice = Voice::Works { begins: Duration::from_millis(100), lasts: Duration::from_secs(2) };
        story.show(25_000, &[one(3)]);
        assert_eq!(story.greeted(), [[Some(3)]]);
    }
}

#[test]
fn who_comes_back_is_silent_company_unless_they_look_for_two_seconds() {
    let mut story = Story::begins();
    story.show(5_000, &[one(3)]).show(6_000, &[]).show(2_000, &[one(3)]);
    assert_eq!((story.greeted().len(), story.ways(), story.returned()), (1, 0, 1));
    story.show(4_000, &[]).show(8_000, &[one(3)]);
    assert_eq!((story.greeted().len(), story.ways()), (1, 1), "asked once, told once");
}

#[test]
fn later_that_day_they_are_greeted_again_and_it_is_known_what_they_were_told() {
    let mut story = Story::begins();
    story.show(5_000, &[one(3)]).show(3_000, &[]);
    story.now += Duration::from_secs(3_600);
    story.show(5_000, &[one(3)]);
    let last = story.of_kind(Kind::Greeting).last().unwrap();
    assert_eq!((story.greeted().len(), last.say.guests[0].told.as_deref()), (2, Some("counter 3")));
}

#[test]
fn a_stranger_is_not_greeted_again_when_they_return_and_the_next_one_is() {
    let mut story = Story::begins();
    story.show(4_000, &[one(30)]).show(4_000, &[]).show(1_500, &[one(30)]).show(2_000, &[]).show(4_000, &[one(31)]);
    assert_eq!((story.greeted().len(), story.returned()), (2, 1));
}

#[test]
fn who_stands_in_the_dark_is_greeted_once_though_they_turn_away_again_and_again() {
    let mut story = Story::begins();
    for _ in 0..4 {
        story.show(2_500, &[one(30).dark()]).show(2_000, &[]);
    }
    assert_eq!(story.greeted(), [[None]]);
    story.show(5_000, &[one(31)]);
    assert_eq!(story.greeted().len(), 2, "a face that can be seen is somebody else");
}

#[test]
fn staff_are_never_addressed() {
    let mut story = Story::begins();
    story.roll.about.insert(RecordNumber(3), About { language: None, staff: true });
    for _ in 0..10 {
        story.show(2_000, &[one(3)]).show(3_000, &[]);
    }
    assert!(story.greeted().is_empty() && story.ways() == 0);
    assert_eq!(story.ignored(), [Why::Staff; 10]);
}

#[test]
fn a_poster_is_nobody_and_takes_nobodys_name() {
    let mut story = Story::begins();
    let poster = at(3, 1_000.0).small(34.0).still();
    story.show(10_000, &[poster]).show(6_000, &[one(3), poster]);
    assert_eq!(story.greeted(), [[Some(3)]]);
    assert_eq!(story.ignored(), [Why::Picture]);
    // Covered for a while, and there again.
    story.show(20_000, &[]).show(5_000, &[at(3, 1_001.0).small(34.0)]);
    assert_eq!(story.greeted().len(), 1);
}

#[test]
fn the_image_of_somebody_in_a_window_is_not_addressed_beside_them() {
    let mut story = Story::begins();
    story.show(6_000, &[at(3, 1_000.0).small(30.0), one(3)]);
    assert_eq!((story.greeted(), story.ignored()), (vec![vec![Some(3)]], vec![Why::Image]));
    story.show(3_000, &[]).show(6_000, &[at(31, 1_000.0).small(30.0), one(30)]);
    assert_eq!(story.greeted()[1..], [vec![None, None]], "two strangers are two people");
}

#[test]
fn walking_by_is_not_visiting() {
    let mut story = Story::begins();
    for step in 0..60_u16 {
        story.frame(&[at(3, f32::from(step) * 20.0)]);
    }
    story.show(2_000, &[]);
    assert!(story.said.is_empty());
    for step in 0..30_u16 {
        story.frame(&[at(4, f32::from(step) * 20.0)]);
    }
    story.show(3_000, &[at(4, 600.0)]);
    assert_eq!(story.greeted(), [[Some(4)]], "who stops is a visitor");
}

#[test]
fn two_who_cross_and_stop_are_greeted_together_however_fast_they_walk() {
    // In one frame the nearer one may seem to stand.
    for (pace, slips) in [(6.0, 0.0), (7.0, 0.0), (9.0, 0.0), (15.0, 0.0), (9.0, 40.0)] {
        let mut story = Story::begins();
        for step in 0..(450.0 / pace) as u16 {
            let way = pace * f32::from(step);
            let slip = if step == 25 { slips } else { 0.0 };
            // The nearer one is in front where they meet.
            let (near, far) = (at(3, 400.0 + way - slip), at(4, 850.0 - way).small(60.0));
            let shown = if (near.x - far.x).abs() < 110.0 { 1 } else { 2 };
            story.frame(&[near, far][..shown]);
        }
        story.show(2_200, &[at(3, 850.0), at(4, 400.0).small(60.0)]);
        let named: Vec<u64> = story.greeted().concat().into_iter().flatten().collect();
        assert_eq!(story.greeted().len(), 1, "{pace}: {:?}", story.said);
        assert!(named.contains(&3) && named.contains(&4));
    }
}

#[test]
fn whoever_is_put_on_hold_is_not_named_any_more_nor_finished() {
    let mut story = Story::begins();
    story.show(1_000, &[one(3)]);
    story.roll.on_hold.insert(RecordNumber(3));
    story.show(500, &[one(3)]);
    assert!(story.said.last().unwrap().ended_ms.is_some(), "the name is broken off");
    let mut story = Story::begins();
    story.roll.on_hold.insert(RecordNumber(3));
    story.show(4_000, &[one(3)]);
    assert_eq!(story.greeted(), [[None]]);
    assert_eq!(story.decided(), [Decision::Identified(RecordNumber(3))], "recognised all the same");
}

#[test]
fn whoever_is_erased_while_they_stand_there_is_a_stranger() {
    let mut story = Story::begins();
    story.show(250, &[one(3)]);
    story.roll.gone.insert(RecordNumber(3));
    story.show(4_000, &[one(3)]);
    assert_eq!(story.greeted(), [[None]]);
}

#[test]
fn in_a_rush_thirty_people_in_a_minute_nobody_who_stays_waits_for_long() {
    let mut story = Story::begins();
    story.voice = Voice::Works { begins: Duration::from_millis(100), lasts: Duration::from_secs(6) };
    let (mut came, places) = (Vec::new(), [200.0, 400.0, 600.0, 800.0, 1_000.0, 1_200.0]);
    for step in 0..360_u64 {
        // Somebody comes every two seconds and stays for twelve; every third is enrolled.
        let ms = step * 200;
        let there: Vec<u64> = (0..30).filter(|n| (n * 2_000..n * 2_000 + 12_000).contains(&ms)).collect();
        let person = |n: u64| if n.is_multiple_of(3) { n as usize / 3 } else { 20 + n as usize };
        came.extend(there.iter().filter(|n| *n * 2_000 == ms).map(|n| (person(*n), story.ms())));
        let people: Vec<_> = there.iter().map(|n| at(person(*n), places[*n as usize % 6]).small(40.0)).collect();
        story.show(200, &people);
    }
    for (who, at_ms) in came {
        let waited = story.heard(who).map(|heard| heard - at_ms);
        let said: Vec<_> =
            story.said.iter().map(|it| (it.at_ms, it.kind, it.to.clone(), it.heard_ms, it.ended_ms)).collect();
        assert!(waited.is_some_and(|waited| waited <= 8_000), "{who} waited {waited:?} from {at_ms}: {said:#?}");
    }
}

#[test]
fn nothing_is_looked_at_more_often_than_needed_once_all_is_said() {
    let mut story = Story::begins();
    story.show(8_000, &[one(3)]);
    story.looks = 0;
    story.show(10_000, &[one(3)]);
    assert!((30..=60).contains(&story.looks), "three to six looks a second: {}", story.looks);
}
