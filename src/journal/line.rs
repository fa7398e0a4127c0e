//! Events as lines for people.

use super::{Because, Event};
use crate::{face::lighting::LightProblem, person::RecordNumber, visit::visitor::Why};

/// How much an event matters to whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Comings and goings.
    Quiet,
    /// Decisions and greetings.
    Plain,
    /// Something the operator may have to do something about.
    Warning,
}

/// An event as a line for people, and how much it matters.
pub fn line(event: &Event) -> (Weight, String) {
    let because = |because: &Because| {
        let score = |score: Option<f32>| score.map_or("none".into(), |score| format!("{score:.2}"));
        format!(
            "score {}, next {}, needs {:.2}; {} views in {:.0} ms",
            score(because.score),
            score(because.second),
            because.min_score_to_name,
            because.views,
            because.face_to_decision_ms
        )
    };
    let person = |person: &Option<RecordNumber>| person.map_or(String::new(), |person| format!(" ({person})"));
    match event {
        Event::Serving { people, min_score_to_name, min_score_from } => (
            Weight::Plain,
            format!("serving; {people} people enrolled, named from score {min_score_to_name:.2} ({min_score_from})"),
        ),
        Event::FaceSeen { visitor } => (Weight::Quiet, format!("{visitor} is here")),
        Event::Identified { visitor, person, on_hold, because: why } => {
            let hold = if *on_hold { ", who is on hold and not named" } else { "" };
            (Weight::Plain, format!("{visitor} is {person}{hold} ({})", because(why)))
        }
        Event::Unsure { visitor, because: why } => {
            (Weight::Plain, format!("{visitor} cannot be named surely ({})", because(why)))
        }
        Event::Stranger { visitor, because: why } => {
            (Weight::Plain, format!("{visitor} is not enrolled ({})", because(why)))
        }
        Event::Returned { visitor, person: who, .. } => {
            (Weight::Plain, format!("{visitor}{} was greeted a short while ago", person(who)))
        }
        Event::Routed { visitor, person: who, place, reason, .. } => {
            (Weight::Plain, format!("{visitor}{} goes to {place} ({reason})", person(who)))
        }
        Event::NotAddressed { visitor, why } => {
            let why = match why {
                Why::Staff => "is staff",
                Why::Picture => "never moves and is taken for a picture",
                Why::Image => "is the image of somebody who stands there",
            };
            (Weight::Quiet, format!("{visitor} {why}, and is not addressed"))
        }
        Event::GreetingStarted { greeting, language, hello, again, .. } => {
            let what = match (hello, again) {
                (true, _) => ", a hello,",
                (_, true) => ", the way again,",
                _ => "",
            };
            (Weight::Quiet, format!("greeting {greeting}{what} begins, in {language}"))
        }
        Event::Audible { greeting, voice, face_to_audible_ms, .. } => (
            Weight::Quiet,
            format!("greeting {greeting} is heard ({voice}), {face_to_audible_ms:.0} ms after the face appeared"),
        ),
        Event::GreetingEnded { greeting } => (Weight::Quiet, format!("greeting {greeting} ends")),
        Event::Shown { greeting, why } => (Weight::Warning, format!("greeting {greeting} is only shown: {why}")),
        Event::NotSaid { greeting, why, .. } => (Weight::Quiet, format!("greeting {greeting} is not said: {why}")),
        Event::Left { visitor } => (Weight::Quiet, format!("{visitor} has left")),
        Event::CameraLost { cause } => (Weight::Warning, cause.clone()),
        Event::CameraBack { camera } => (Weight::Plain, format!("watching through {camera}")),
        Event::Light { problem: Some(LightProblem::Dark), face, around } => {
            let brightness = face.unwrap_or(*around);
            (
                Weight::Warning,
                format!(
                    "visitors stand in the dark (brightness {brightness:.0} of 255): more light from the front helps"
                ),
            )
        }
        Event::Light { problem: Some(LightProblem::AgainstTheLight), face, around } => (
            Weight::Warning,
            format!(
                "visitors stand against the light (brightness {:.0}, behind them {around:.0} of 255): turn the robot or draw the blinds",
                face.unwrap_or_default()
            ),
        ),
        Event::Light { problem: None, .. } => (Weight::Plain, "the light is good again".into()),
        Event::RecordingOver => (Weight::Plain, "the recording is over".into()),
        Event::VoiceLost { voice, cause } => {
            (Weight::Warning, format!("voice {voice} failed: {cause}. The next voice speaks"))
        }
        Event::VoiceBack { voice } => (Weight::Plain, format!("voice {voice} speaks again")),
        Event::PeopleReloaded { people } => (Weight::Plain, format!("the store has changed; {people} people enrolled")),
        Event::Restarted { stage, cause } => {
            (Weight::Warning, format!("{stage} failed and was started again: {cause}"))
        }
    }
}
