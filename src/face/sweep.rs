//! Where to look for newcomers: squares of several sizes that cover the frame, so that a network which sees only faces that are large in
//! its square finds the small ones too: those in which something has changed first, the others now and then.
//!
//! Pure.

use std::time::{Duration, Instant};

use super::{Point, background::Changes, watched::Watched};

/// The short-range network finds nine of ten faces whose eyes are at least so far apart, as a share of the square's side, and nearly
/// all from 0.06 on (400 news photos, shrunk).
const SEEN_FROM: f32 = 0.0513;
/// From one size of square to the next at most so much smaller.
const STEP: f32 = 1.85;
/// Squares overlap by this share of the next larger square's side: the width of the largest face that the larger one may miss.
const OVERLAP: f32 = 0.1;

/// A square of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Its middle.
    pub middle: Point,
    /// Its side in pixels.
    pub side: f32,
}

/// A square in which nothing has changed is looked at again after so long: for a face that came too softly to be a change, or was turned.
const AGAIN: Duration = Duration::from_secs(1);

/// How many squares may be looked at in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Of those in which something has changed.
    pub changed: usize,
    /// Whether the whole frame comes first among them.
    pub whole_first: bool,
}

/// The squares of one size of frame, and when each was looked at.
#[derive(Debug, Default)]
pub struct Sweep {
    watched: Watched,
    size: (u32, u32),
    turns: Vec<Turn>,
}

#[derive(Debug)]
struct Turn {
    look: Look,
    looked_at: Option<Instant>,
    /// Whether something has changed in it since.
    changed: bool,
}

impl Turn {
    /// From when on it is worth a look: a change at once, so that those that wait longest come first; the others after a while.
    fn due_at(&self) -> Option<Instant> {
        self.looked_at.map(|at| if self.changed { at } else { at + AGAIN })
    }
}

impl Sweep {
    /// Of those squares only in which people are looked at.
    pub fn of(watched: Watched) -> Self {
        Self { watched, ..Self::default() }
    }

    /// The next looks at a frame of `size` (width, height), captured at `now`, that together find faces from `min_eye_distance` pixels on:
    /// where something has changed, and in one more square at most whose time has come.
    pub fn next(
        &mut self,
        size: (u32, u32),
        min_eye_distance: f32,
        (now, changes): (Instant, &Changes),
        amount: Amount,
    ) -> Vec<Look> {
        if self.size != size {
            let turn = |look| Turn { look, looked_at: None, changed: true };
            let looks = looks(size, min_eye_distance).into_iter().filter(|look| self.watched.meets(look, size));
            (self.turns, self.size) = (looks.map(turn).collect(), size);
        }
        self.turns.iter_mut().for_each(|turn| turn.changed |= changes.within(&turn.look));
        let whole_first = amount.whole_first && self.turns.first().is_some_and(|whole| whole.changed);
        let is_due = |turn: &Turn| turn.changed || turn.due_at().is_none_or(|at| at <= now);
        let mut due: Vec<usize> = (0..self.turns.len()).filter(|&at| is_due(&self.turns[at])).collect();
        due.sort_by_key(|&at| (!(whole_first && at == 0), self.turns[at].due_at()));
        let (mut chosen, mut unchanged) = (Vec::new(), 0);
        for at in due {
            let turn = &mut self.turns[at];
            if chosen.len() >= amount.changed || (!turn.changed && unchanged > 0) {
                continue;
            }
            unchanged += usize::from(!turn.changed);
            (turn.looked_at, turn.changed) = (Some(now), false);
            chosen.push(turn.look);
        }
        chosen
    }
}

/// All squares for a frame of `size` (width, height), from the largest to the smallest.
pub fn looks((width, height): (u32, u32), min_eye_distance: f32) -> Vec<Look> {
    let (width, height) = (width as f32, height as f32);
    let (long, short) = (width.max(height), width.min(height));
    if short < 1.0 {
        return Vec::new();
    }
    let smallest = (min_eye_distance.max(4.0) / SEEN_FROM).min(long);
    let steps = ((long / smallest).ln() / STEP.ln() - 0.05).ceil().max(0.0);
    let mut looks = vec![Look { middle: Point { x: width / 2.0, y: height / 2.0 }, side: long }];
    let mut larger = long;
    for step in 1..=steps as usize {
        let mut side = long * (smallest / long).powf(step as f32 / steps);
        if (side / short - 1.0).abs() < 0.15 {
            side = short;
        }
        let (columns, rows) = (middles(width, side, OVERLAP * larger), middles(height, side, OVERLAP * larger));
        looks.extend(rows.iter().flat_map(|&y| columns.iter().map(move |&x| Look { middle: Point { x, y }, side })));
        larger = side;
    }
    looks
}

/// Where squares of `side` are put to cover `length` with about `overlap` between them.
fn middles(length: f32, side: f32, overlap: f32) -> Vec<f32> {
    let count = ((length - overlap) / (side - overlap).max(1.0) - 0.1).ceil();
    if length <= side || count <= 1.0 {
        return vec![length / 2.0];
    }
    (0..count as usize).map(|at| side / 2.0 + (length - side) * at as f32 / (count - 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, face::watched::Place};

    #[test]
    fn a_face_of_any_size_from_the_gate_on_lies_wholly_in_a_square_in_which_it_is_large() {
        for size in [(640, 480), (1280, 720), (1920, 1080), (720, 1280)] {
            let looks = looks(size, 20.0);
            assert!(looks.len() < 40, "{size:?}: {} looks", looks.len());
            for eyes in [20.0, 22.0, 30.0, 45.0, 70.0, 90.0] {
                // The face itself, without hair and chin.
                let half = eyes * 1.1;
                let (mut x, mut missed, mut all) = (half, 0, 0);
                while x < size.0 as f32 - half {
                    let mut y = half;
                    while y < size.1 as f32 - half {
                        let seen = looks.iter().any(|look| {
                            let room = look.side / 2.0 - half;
                            eyes >= 0.05 * look.side
                                && (x - look.middle.x).abs() <= room
                                && (y - look.middle.y).abs() <= room
                        });
                        (missed, all) = (missed + u32::from(!seen), all + 1);
                        y += 9.0;
                    }
                    x += 9.0;
                }
                assert!(missed * 20 <= all, "{size:?}, {eyes}: {missed} of {all} places");
            }
        }
    }

    const HALL: (u32, u32) = (1280, 720);
    const FRAME: Duration = Duration::from_millis(33);
    const IDLE: Amount = Amount { changed: 4, whole_first: true };
    const BUSY: Amount = Amount { changed: 1, whole_first: false };

    /// A sweep of a hall, and the frames' time.
    struct Watch {
        sweep: Sweep,
        now: Instant,
    }

    impl Watch {
        fn begins() -> Self {
            Self { sweep: Sweep::default(), now: Instant::now() }
        }

        fn frame(&mut self, changes: &Changes, amount: Amount) -> Vec<Look> {
            self.now += FRAME;
            self.sweep.next(HALL, 20.0, (self.now, changes), amount)
        }

        fn frames(&mut self, count: usize, changes: &Changes, amount: Amount) -> Vec<Look> {
            (0..count).flat_map(|_| self.frame(changes, amount)).collect()
        }
    }

    fn nothing() -> Changes {
        Changes::at(HALL, |_, _| false)
    }

    /// Somebody on the right.
    fn somebody() -> Changes {
        Changes::at(HALL, |x, y| (1000.0..1080.0).contains(&x) && (300.0..400.0).contains(&y))
    }

    #[test]
    fn at_first_every_square_has_its_turn_within_a_few_frames_and_the_whole_frame_in_the_first() {
        let (all, mut watch) = (looks(HALL, 20.0), Watch::begins());
        assert_eq!(all[0], Look { middle: Point { x: 640.0, y: 360.0 }, side: 1280.0 });
        let first = watch.frame(&nothing(), IDLE);
        assert_eq!((first.len(), first[0]), (4, all[0]));
        let seen = [first, watch.frames(all.len() / 4, &nothing(), IDLE)].concat();
        assert!(all.iter().all(|look| seen.contains(look)) && seen.len() == all.len(), "{}", seen.len());
    }

    #[test]
    fn in_a_hall_where_nothing_stirs_every_square_is_looked_at_once_a_second_and_one_a_frame() {
        let (all, mut watch) = (looks(HALL, 20.0), Watch::begins());
        watch.frames(10, &nothing(), IDLE);
        let seconds: Vec<Vec<Look>> = (0..300).map(|_| watch.frame(&nothing(), IDLE)).collect();
        assert!(seconds.iter().all(|frame| frame.len() <= 1));
        for look in &all {
            let times = seconds.iter().flatten().filter(|seen| *seen == look).count();
            assert!((9..=10).contains(&times), "{look:?}: {times} times in 9.9 s");
        }
    }

    #[test]
    fn whoever_comes_is_looked_at_in_the_same_frame_in_all_squares_that_hold_them() {
        let mut watch = Watch::begins();
        watch.frames(50, &nothing(), IDLE);
        let holds = |look: &Look| somebody().within(look);
        let (wanted, seen) = (looks(HALL, 20.0).into_iter().filter(holds).count(), watch.frame(&somebody(), IDLE));
        assert!((2..=4).contains(&wanted), "{wanted}");
        assert!(seen.iter().filter(|look| holds(look)).count() == wanted && seen[0].side == 1280.0, "{seen:?}");
    }

    #[test]
    fn a_change_that_had_no_turn_in_its_own_frame_has_it_in_the_next_ones() {
        let mut watch = Watch::begins();
        watch.frames(50, &nothing(), IDLE);
        let everywhere = Changes::at(HALL, |_, _| true);
        let seen = [watch.frame(&everywhere, IDLE), watch.frames(5, &nothing(), IDLE)].concat();
        assert!(looks(HALL, 20.0).iter().all(|look| seen.contains(look)));
    }

    #[test]
    fn somebody_who_never_stands_still_keeps_no_other_square_from_its_turn() {
        let mut watch = Watch::begins();
        watch.frames(50, &nothing(), IDLE);
        let seen = watch.frames(60, &somebody(), BUSY);
        assert_eq!(seen.len(), 60);
        assert!(looks(HALL, 20.0).iter().all(|look| seen.contains(look)));
        let near = seen.iter().filter(|look| somebody().within(look)).count();
        assert!(near > 25, "only {near} of 60 where somebody moves");
    }

    #[test]
    fn squares_in_which_nobody_is_looked_at_never_have_a_turn_and_what_moves_there_draws_no_look() {
        let zone = "[camera]\nzone = [0.0, 0.0, 0.4, 1.0]\n";
        let watched = Watched::of(&Config::parse(zone).unwrap().camera);
        let mut watch = Watch { sweep: Sweep::of(watched.clone()), ..Watch::begins() };
        let mut seen = watch.frames(90, &nothing(), IDLE);
        seen.dedup();
        assert!(seen.len() > 5 && seen.iter().all(|look| look.middle.x - look.side / 2.0 < 0.4 * 1280.0), "{seen:?}");
        let mut moves = somebody();
        moves.keep(|point| watched.place(point, HALL) == Place::Watched);
        let turns = watch.frames(30, &moves, IDLE).len();
        assert_eq!(turns, watch.frames(30, &nothing(), IDLE).len(), "somebody on the right is nobody");
        assert!(watch.frames(30, &somebody(), IDLE).len() > turns, "this test's somebody would draw looks");
    }

    #[test]
    fn small_and_empty_frames_have_few_looks_or_none() {
        assert!(looks((0, 480), 20.0).is_empty());
        assert_eq!(looks((320, 240), 20.0).len(), 1);
        assert!(Sweep::default().next((0, 0), 20.0, (Instant::now(), &nothing()), IDLE).is_empty());
    }
}
