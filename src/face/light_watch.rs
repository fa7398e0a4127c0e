//! When the operator hears that visitors stand in the dark or against the light.
//!
//! Pure: time is a value. What is said once is not said again before it has been otherwise for a while, and nothing is said more often
//! than once a minute: clouds pass, and visitors turn.

use std::time::{Duration, Instant};

use super::lighting::{LightProblem, Lighting};

/// Faces darker than this give the recogniser too little; below 25 it refuses them.
const DARK_FACE: f32 = 50.0;
/// A face darker than this before a background so many times as bright stands against the light.
const SHADED_FACE: f32 = 90.0;
const BRIGHTER_BEHIND: f32 = 2.2;
/// Nobody can be found in a frame darker than this.
const DARK_FRAME: f32 = 25.0;
/// Without a face, the light is good again only in a frame brighter than this.
const LIGHT_FRAME: f32 = 60.0;
/// What was said stays true until the light is better by this factor.
const BETTER: f32 = 1.25;
/// How long the light must be so.
const LASTS: Duration = Duration::from_secs(3);
/// How often something is said at most.
const EVERY: Duration = Duration::from_secs(60);

/// Follows the light.
#[derive(Debug, Default)]
pub struct LightWatch {
    told: Option<LightProblem>,
    told_at: Option<Instant>,
    /// What the light has been since when, if that is not what was told.
    turning: Option<(Option<LightProblem>, Instant)>,
}

impl LightWatch {
    /// Takes what one frame showed, and gives the news for the operator: a problem, or `None` when all is well again.
    pub fn on_frame(&mut self, now: Instant, lighting: &Lighting) -> Option<Option<LightProblem>> {
        let seen = self.judge(lighting)?;
        if seen == self.told {
            self.turning = None;
            return None;
        }
        let since = match self.turning {
            Some((turning, since)) if turning == seen => since,
            _ => now,
        };
        self.turning = Some((seen, since));
        let lately = self.told_at.is_some_and(|at| now.duration_since(at) < EVERY);
        if lately || now.duration_since(since) < LASTS {
            return None;
        }
        (self.told, self.told_at, self.turning) = (seen, Some(now), None);
        Some(seen)
    }

    /// What the light is like; `None` if this frame does not tell.
    fn judge(&self, lighting: &Lighting) -> Option<Option<LightProblem>> {
        let more = |problem: LightProblem| if self.told == Some(problem) { BETTER } else { 1.0 };
        let (dark, against) = (more(LightProblem::Dark), more(LightProblem::AgainstTheLight));
        match lighting.face {
            Some(face) if face < SHADED_FACE * against && lighting.around > BRIGHTER_BEHIND / against * face => {
                Some(Some(LightProblem::AgainstTheLight))
            }
            Some(face) => Some((face < DARK_FACE * dark).then_some(LightProblem::Dark)),
            None if lighting.around < DARK_FRAME * dark => Some(Some(LightProblem::Dark)),
            // Whether those who come will be seen well is known when they come.
            None if self.told == Some(LightProblem::Dark) && lighting.around > LIGHT_FRAME => Some(None),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an operator hears, and in which second, when frames come twice a second.
    fn heard(light: impl Fn(f32) -> (Option<f32>, f32), seconds: u32) -> Vec<(f32, Option<LightProblem>)> {
        let (mut watch, start) = (LightWatch::default(), Instant::now());
        let frames = (0..seconds * 2).map(|at| at as f32 / 2.0);
        let news = frames.filter_map(|at| {
            let (face, around) = light(at);
            let now = start + Duration::from_secs_f32(at);
            watch.on_frame(now, &Lighting { face, around }).map(|news| (at, news))
        });
        news.collect()
    }

    #[test]
    fn an_operator_hears_of_visitors_in_the_dark_once_and_when_the_light_is_good_again() {
        let evening = |at: f32| (Some(if at < 100.0 { 35.0 } else { 120.0 }), 40.0);
        assert_eq!(heard(evening, 200), [(3.0, Some(LightProblem::Dark)), (103.0, None)]);
    }

    #[test]
    fn visitors_before_a_window_stand_against_the_light_and_not_in_the_dark() {
        assert_eq!(heard(|_| (Some(45.0), 180.0), 20), [(3.0, Some(LightProblem::AgainstTheLight))]);
        assert_eq!(heard(|_| (Some(110.0), 250.0), 20), []);
    }

    #[test]
    fn a_moment_of_shade_is_no_news_and_neither_is_light_that_hovers_about_the_bound() {
        assert_eq!(heard(|at| (Some(if at % 10.0 < 2.0 { 20.0 } else { 120.0 }), 100.0), 60), []);
        let hovering = |at: f32| (Some(if at % 10.0 < 5.0 { 48.0 } else { 55.0 }), 60.0);
        assert_eq!(heard(hovering, 300), [(3.0, Some(LightProblem::Dark))]);
    }

    #[test]
    fn nothing_is_said_more_often_than_once_a_minute() {
        let news = heard(|at| (Some(if at % 20.0 < 10.0 { 20.0 } else { 120.0 }), 50.0), 600);
        assert!(news.len() > 2 && news.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 60.0), "{news:?}");
    }

    #[test]
    fn an_empty_hall_is_dark_only_when_it_is_nearly_black_and_light_when_the_lamps_are_on() {
        assert_eq!(heard(|_| (None, 45.0), 20), []);
        let morning = |at: f32| (None, if at < 80.0 { 8.0 } else { 110.0 });
        assert_eq!(heard(morning, 100), [(3.0, Some(LightProblem::Dark)), (83.0, None)]);
        // A visitor in the dark who leaves does not make the hall light.
        let leaves = |at: f32| (if at < 10.0 { Some(30.0) } else { None }, 45.0);
        assert_eq!(heard(leaves, 200), [(3.0, Some(LightProblem::Dark))]);
    }
}
