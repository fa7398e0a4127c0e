//! What must hold whatever visitors, networks and voices do, tried with random visits.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    stage_tests::{Duration, Seen, Story, Voice, at},
    turn::Kind,
};
use crate::person::RecordNumber;

/// Somebody with a plan.
struct Walker {
    seen: Seen,
    to: f32,
    leaves_at: u64,
    /// Frames for which the face is not found.
    hidden: u32,
}

/// Random visits: people come, cross, hide, turn, take each other's place and go; the loudspeaker is late, loses or fails.
struct Hall {
    story: Story,
    random: ChaCha8Rng,
    walkers: Vec<Walker>,
    /// Since when each person has stood there, seen well, with a loudspeaker that works and had nothing to say for so long.
    unheard: BTreeMap<usize, u64>,
    checked: usize,
    next: usize,
}

impl Hall {
    fn opens(seed: u64) -> Self {
        let mut story = Story::with(|config| config.visit.cool_down_s = 20);
        for (who, language) in [(1, "en"), (2, "en"), (3, "yue")] {
            story.speaks(who, language);
        }
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { story, random, walkers: Vec::new(), unheard: BTreeMap::new(), checked: 0, next: 0 }
    }

    fn step(&mut self) {
        let now = self.story.ms();
        self.change(now);
        let moved = |walker: &mut Walker| {
            let way = (walker.to - walker.seen.x).clamp(-25.0, 25.0);
            walker.seen.x += way;
            walker.hidden = walker.hidden.saturating_sub(1);
        };
        self.walkers.iter_mut().for_each(moved);
        let visible: Vec<Seen> = self.walkers.iter().filter(|it| it.hidden == 0).map(|it| it.seen).collect();
        // The nearer one covers whoever is behind.
        let covered = |seen: &Seen| visible.iter().any(|it| it.eye > seen.eye && (it.x - seen.x).abs() < seen.eye);
        let shown: Vec<Seen> = visible.iter().filter(|seen| !covered(seen)).copied().collect();
        if self.random.random_ratio(1, 200) {
            // A few frames are lost.
            self.story.now += Duration::from_millis(self.random.random_range(33..400));
        }
        self.story.networks_fail = self.random.random_ratio(1, 100);
        self.story.frame(&shown);
        self.check(&shown);
    }

    fn change(&mut self, now: u64) {
        let random = &mut self.random;
        self.walkers.retain(|walker| walker.leaves_at > now);
        if self.walkers.len() < 4 && random.random_ratio(1, 60) {
            // Everybody comes again after a while; strangers and enrolled in turn.
            self.next = (self.next + 7) % 40;
            let who = self.next;
            if self.walkers.iter().all(|walker| walker.seen.who != who) {
                let x = random.random_range(100.0..1_200.0);
                let seen = at(who, x).small([70.0, 66.0, 60.0, 55.0][random.random_range(0..4)]);
                let leaves_at = now + random.random_range(100..14_000);
                self.walkers.push(Walker { seen, to: x, leaves_at, hidden: 0 });
            }
        }
        if self.walkers.is_empty() {
            return;
        }
        let (at, count) = (random.random_range(0..self.walkers.len()), self.walkers.len());
        let other = random.random_range(0..count);
        match random.random_range(0..600) {
            0..4 => self.walkers[at].to = random.random_range(100.0..1_200.0),
            4..6 => self.walkers[at].hidden = random.random_range(1..40),
            6 => self.walkers[at].seen.turned ^= true,
            7 => self.walkers[at].seen.dark ^= true,
            8..10 => {
                // Somebody else in the very place, from one frame to the next.
                let who = (self.walkers[at].seen.who + random.random_range(1..39)) % 40;
                if self.walkers.iter().all(|walker| walker.seen.who != who) {
                    self.walkers[at].seen.who = who;
                }
            }
            10 if other != at => {
                let (a, b) = (self.walkers[at].seen.who, self.walkers[other].seen.who);
                (self.walkers[at].seen.who, self.walkers[other].seen.who) = (b, a);
            }
            11 => {
                let begins = Duration::from_millis(random.random_range(20..1_500));
                let lasts = Duration::from_millis(random.random_range(300..6_000));
                self.story.voice =
                    [Voice::Works { begins, lasts }, Voice::Works { begins, lasts }, Voice::Fails, Voice::Loses]
                        [random.random_range(0..4)];
            }
            12 => {
                let person = RecordNumber(random.random_range(0..20));
                if !self.story.roll.on_hold.remove(&person) {
                    self.story.roll.on_hold.insert(person);
                }
            }
            _ => {}
        }
    }

    fn check(&mut self, shown: &[Seen]) {
        let now = self.story.ms();
        for said in &self.story.said[self.checked..] {
            for person in said.people.iter().flatten() {
                let viewed = self.story.viewed.get(&(*person as usize));
                let ago = viewed.map(|at| self.story.now.duration_since(*at));
                assert!(ago.is_some_and(|ago| ago <= Duration::from_millis(300)), "{person} was not seen: {ago:?}");
                assert!(!self.story.roll.on_hold.contains(&RecordNumber(*person)), "{person} is on hold");
            }
        }
        self.checked = self.story.said.len();
        // What was lost is waited for by the hall, as it cannot know.
        let works = matches!(self.story.voice, Voice::Works { .. }) && self.story.hall.turn.is_free(self.story.now);
        let stands = |walker: &&Walker| !walker.seen.turned && !walker.seen.dark && walker.to == walker.seen.x;
        let there: Vec<usize> = self
            .walkers
            .iter()
            .filter(stands)
            .map(|walker| walker.seen.who)
            .filter(|who| shown.iter().any(|seen| seen.who == *who))
            .collect();
        self.unheard.retain(|who, _| there.contains(who) && works);
        if works {
            for who in there {
                let since = *self.unheard.entry(who).or_insert(now);
                let heard = self.story.was_heard(who, now.saturating_sub(60_000));
                assert!(
                    now - since < 4_000 || heard,
                    "{who} stands there since {since}, and it is {now}: {shown:?} {:?}",
                    self.story.of_kind(Kind::Greeting).last()
                );
            }
        }
    }

    fn closes(&mut self) {
        self.walkers.clear();
        self.story.show(3_000, &[]);
        assert_eq!(self.story.hall.remembered().0, 0, "nobody is kept who has gone");
    }
}

#[test]
fn a_million_steps_of_random_visits_give_nobody_anothers_name_and_leave_nobody_unheard() {
    let steps: u64 = 1_000_000;
    let rounds = 50;
    let mut greetings = [0, 0];
    for seed in 0..rounds {
        let mut hall = Hall::opens(seed);
        for _ in 0..steps / rounds {
            hall.step();
        }
        hall.closes();
        for said in hall.story.of_kind(Kind::Greeting) {
            greetings[usize::from(said.people.iter().any(Option::is_some))] += 1;
        }
    }
    // Without greetings of both kinds this test says nothing.
    assert!(greetings.iter().all(|count| *count > 1_000), "{greetings:?}");
}
