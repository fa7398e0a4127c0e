//! Who was here lately and what they were told, so that nobody is greeted twice: the enrolled by their record, strangers by their face, and who
//! cannot be recognised by place and time.
//!
//! Pure, and in memory only: a stranger's template is forgotten when the cool-down is over and never reaches the store.

use std::time::{Duration, Instant};

use super::VisitorId;
use crate::{
    face::{Point, Template},
    gallery::NonMates,
    person::RecordNumber,
};

/// The share of newcomers who may be taken for somebody of the last half minute: they stand there still, or turned away for a moment, so a
/// poor likeness is most often theirs; and who is taken for them and stays is told the way all the same.
const RECENT_FMR: f64 = 0.02;
const RECENT: Duration = Duration::from_secs(30);
/// The share of newcomers who may be taken for anybody of the cool-down.
const LATELY_FMR: f64 = 0.002;
/// Whoever comes to the place of somebody who left it so lately, and cannot be recognised, is taken for them: they turned round. After a longer time it may be the next one, and silence is worse for them than a second greeting.
const TURNED_ROUND: Duration = Duration::from_secs(3);
/// The same place is within so many eye distances, at about the same size.
const SAME_PLACE: f32 = 2.5;
/// An office's day is shorter, and a night longer.
const SAME_DAY: Duration = Duration::from_secs(14 * 3600);

/// What a visitor is recognised by.
#[derive(Debug, Clone, Default)]
pub struct Traits {
    /// Who they are, if they are identified.
    pub person: Option<RecordNumber>,
    /// Whom of the enrolled they are most like.
    pub like: Option<RecordNumber>,
    /// Their views as one template.
    pub face: Option<Template>,
    /// The middle between their eyes, and the distance between them.
    pub place: Option<(Point, f32)>,
}

/// Somebody who was told something.
#[derive(Debug, Clone)]
pub struct Guest {
    traits: Traits,
    /// Their number when they were last seen.
    visitor: VisitorId,
    here_at: Instant,
    /// What they were told, as the host calls it.
    pub way: Option<String>,
    /// Whether they heard it to its end.
    pub heard_all: bool,
}

/// Everybody who was told something.
#[derive(Debug)]
pub struct Lately {
    guests: Vec<Guest>,
    lasts: Duration,
}

impl Lately {
    /// Guests are remembered until they have been away for so long, the enrolled for the day.
    pub fn new(lasts: Duration) -> Self {
        Self { guests: Vec::new(), lasts }
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.guests.len()
    }

    /// Notes that somebody was told something or, told before, is still here; the guest they are.
    pub fn note(&mut self, now: Instant, visitor: VisitorId, traits: Traits, non_mates: &NonMates) -> &mut Guest {
        let (lasts, day) = (self.lasts, SAME_DAY.max(self.lasts));
        self.guests.retain(|guest| {
            let kept = if guest.traits.person.is_some() { day } else { lasts };
            now.saturating_duration_since(guest.here_at) < kept
        });
        // After the cool-down somebody enrolled is still the same guest; a stranger is a new one.
        let known = self.find(now, &traits, non_mates, &[]).or_else(|| self.of_person(traits.person));
        let at = known.unwrap_or(self.guests.len());
        if at == self.guests.len() {
            self.guests.push(Guest { traits: traits.clone(), visitor, here_at: now, way: None, heard_all: false });
        }
        let guest = &mut self.guests[at];
        (guest.here_at, guest.visitor) = (now, visitor);
        guest.traits.person = traits.person.or(guest.traits.person);
        guest.traits.like = traits.like.or(guest.traits.like);
        guest.traits.face = traits.face.or(guest.traits.face.take());
        guest.traits.place = traits.place.or(guest.traits.place);
        guest
    }

    /// Somebody who was told something within the cool-down, and how long ago they were last seen. Whoever is `in_sight` has not come back.
    pub fn guest(
        &mut self,
        now: Instant,
        traits: &Traits,
        non_mates: &NonMates,
        in_sight: &[VisitorId],
    ) -> Option<(&mut Guest, Duration)> {
        let at = self.find(now, traits, non_mates, in_sight)?;
        let guest = &mut self.guests[at];
        let away = now.saturating_duration_since(guest.here_at);
        Some((guest, away))
    }

    /// Somebody enrolled who was told something today.
    pub fn today(&mut self, person: RecordNumber) -> Option<&mut Guest> {
        self.of_person(Some(person)).map(|at| &mut self.guests[at])
    }

    fn of_person(&self, person: Option<RecordNumber>) -> Option<usize> {
        self.guests.iter().position(|guest| person.is_some() && guest.traits.person == person)
    }

    fn find(&self, now: Instant, traits: &Traits, non_mates: &NonMates, in_sight: &[VisitorId]) -> Option<usize> {
        let away = |guest: &Guest| now.saturating_duration_since(guest.here_at);
        let current = || self.guests.iter().enumerate().filter(|(_, guest)| away(guest) < self.lasts);
        if let Some(at) = traits.person.and_then(|person| current().find(|(_, it)| it.traits.person == Some(person))) {
            return Some(at.0);
        }
        // Everybody remembered is one more for whom a newcomer may be taken.
        let recent = current().filter(|(_, guest)| away(guest) < RECENT).count();
        let bars = [(RECENT_FMR, recent), (LATELY_FMR, current().count())];
        let [recent, lately] = bars.map(|(fmr, count)| non_mates.score_at(fmr / count.max(1) as f64));
        let alike = |guest: &Guest| {
            let score = guest.traits.face.as_ref()?.score(traits.face.as_ref()?);
            let bar = if away(guest) < RECENT { recent.min(lately) } else { lately };
            (score >= bar).then_some(score)
        };
        let may_be = |guest: &Guest| match (guest.traits.person, traits.person) {
            // Two records are two people, however alike.
            (Some(_), Some(_)) => false,
            // Whoever was just identified is taken for a nameless guest only if that one was most like them, too.
            (None, Some(person)) => guest.traits.like == Some(person),
            (Some(person), None) => traits.like == Some(person),
            // A stranger who stands there is not the one beside them.
            (None, None) => !in_sight.contains(&guest.visitor),
        };
        let by_face = current().filter(|(_, guest)| may_be(guest)).filter_map(|(at, guest)| Some((alike(guest)?, at)));
        let best = by_face.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at);
        best.or_else(|| {
            let near = |guest: &Guest| {
                traits.person.is_none() && away(guest) < TURNED_ROUND && same_place(&guest.traits, traits)
            };
            // A newcomer with a face of their own is not the one without.
            let newest = current().filter(|(_, guest)| traits.face.is_none() && near(guest));
            newest.min_by_key(|(_, guest)| away(guest)).map(|(at, _)| at)
        })
    }
}

fn same_place(a: &Traits, b: &Traits) -> bool {
    let (Some((a, a_size)), Some((b, b_size))) = (a.place, b.place) else { return false };
    let (small, large) = (a_size.min(b_size), a_size.max(b_size));
    (a.x - b.x).hypot(a.y - b.y) < SAME_PLACE * large && small > 0.7 * large
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: NonMates = NonMates { mean: 0.1, spread: 0.14 };

    fn face(axis: usize) -> Option<Template> {
        let mut values = vec![0.0; 64];
        values[axis] = 1.0;
        Some(Template(values))
    }

    /// As alike to axis 0 as `score` says.
    fn alike(score: f32) -> Option<Template> {
        let mut values = vec![0.0; 64];
        (values[0], values[63]) = (score, (1.0 - score * score).sqrt());
        Some(Template(values))
    }

    fn stranger(face: Option<Template>) -> Traits {
        Traits { face, ..Traits::default() }
    }

    fn known(person: u64, face: Option<Template>) -> Traits {
        let person = Some(RecordNumber(person));
        Traits { person, like: person, face, place: None }
    }

    fn at_place(x: f32) -> Traits {
        Traits { place: Some((Point { x, y: 300.0 }, 70.0)), ..Traits::default() }
    }

    struct Memory(Lately, Instant);

    impl Memory {
        fn of(traits: &[Traits]) -> Self {
            let (mut lately, now) = (Lately::new(Duration::from_secs(600)), Instant::now());
            for one in traits {
                lately.note(now, VisitorId(1), one.clone(), &OTHERS);
            }
            Self(lately, now)
        }

        fn knows(&mut self, after_s: u64, traits: &Traits) -> bool {
            self.0.guest(self.1 + Duration::from_secs(after_s), traits, &OTHERS, &[]).is_some()
        }
    }

    #[test]
    fn a_stranger_is_remembered_by_face_and_then_forgotten() {
        let mut memory = Memory::of(&[stranger(face(0))]);
        assert!(memory.knows(60, &stranger(face(0))));
        assert!(!memory.knows(60, &stranger(face(1))));
        assert!(!memory.knows(600, &stranger(face(0))));
    }

    #[test]
    fn a_stranger_who_comes_to_one_who_stands_there_is_not_taken_for_them() {
        let mut memory = Memory::of(&[stranger(face(0))]);
        let (now, newcomer) = (memory.1, stranger(alike(0.5)));
        assert!(memory.0.guest(now, &newcomer, &OTHERS, &[VisitorId(2)]).is_some());
        assert!(memory.0.guest(now, &newcomer, &OTHERS, &[VisitorId(1), VisitorId(2)]).is_none());
    }

    #[test]
    fn the_more_are_remembered_the_more_alike_one_must_be_to_be_taken_for_one_of_them() {
        let few = [stranger(face(0))];
        let many: Vec<Traits> = (0..60).map(|axis| stranger(face(axis))).collect();
        assert!(Memory::of(&few).knows(60, &stranger(alike(0.6))));
        assert!(!Memory::of(&many).knows(60, &stranger(alike(0.6))));
        assert!(Memory::of(&many).knows(60, &stranger(alike(0.8))));
    }

    #[test]
    fn who_was_here_a_moment_ago_is_known_again_in_a_poorer_view() {
        let mut memory = Memory::of(&[stranger(face(0))]);
        assert!(memory.knows(5, &stranger(alike(0.45))) && !memory.knows(60, &stranger(alike(0.45))));
    }

    #[test]
    fn siblings_who_are_both_enrolled_are_two_guests() {
        let mut memory = Memory::of(&[known(1, face(0))]);
        assert!(!memory.knows(1, &known(2, face(0))));
        assert!(memory.knows(1, &known(1, None)));
    }

    #[test]
    fn somebody_greeted_by_name_is_not_greeted_again_as_a_stranger_and_somebody_else_is() {
        let mut memory = Memory::of(&[known(1, face(0))]);
        let like = |person| Traits { like: Some(RecordNumber(person)), ..stranger(face(0)) };
        assert!(memory.knows(5, &like(1)));
        assert!(!memory.knows(5, &like(2)));
    }

    #[test]
    fn whoever_is_identified_is_not_silenced_by_a_stranger_who_resembles_them() {
        let unlike = Traits { like: Some(RecordNumber(9)), ..stranger(face(0)) };
        assert!(!Memory::of(&[unlike]).knows(5, &known(1, face(0))));
        let themselves = Traits { like: Some(RecordNumber(1)), ..stranger(face(0)) };
        assert!(Memory::of(&[themselves]).knows(5, &known(1, face(0))), "they were greeted without a name");
    }

    #[test]
    fn who_cannot_be_recognised_is_remembered_by_place_for_as_long_as_people_turn_round() {
        let mut memory = Memory::of(&[at_place(600.0)]);
        assert!(memory.knows(2, &at_place(640.0)) && !memory.knows(2, &at_place(900.0)));
        assert!(!memory.knows(3, &at_place(600.0)));
        let seen_well = Traits { face: face(3), ..at_place(600.0) };
        assert!(!memory.knows(2, &seen_well), "a face that can be recognised is somebody new");
    }

    #[test]
    fn who_turns_round_into_the_dark_is_still_the_one_who_stood_there() {
        let mut memory = Memory::of(&[Traits { face: face(0), ..at_place(600.0) }]);
        assert!(memory.knows(2, &at_place(600.0)) && !memory.knows(5, &at_place(600.0)));
    }

    #[test]
    fn somebody_enrolled_is_remembered_for_the_day_beyond_the_cool_down() {
        let mut memory = Memory::of(&[known(1, face(0))]);
        assert!(!memory.knows(3_600, &known(1, face(0))));
        let later = memory.1 + Duration::from_secs(3_600);
        memory.0.note(later, VisitorId(2), known(2, face(1)), &OTHERS);
        assert!(memory.0.today(RecordNumber(1)).is_some());
        memory.0.note(later + Duration::from_secs(15 * 3_600), VisitorId(3), known(3, face(2)), &OTHERS);
        assert!(memory.0.today(RecordNumber(1)).is_none());
    }
}
