//! How soon each voice speaks, and how long rendering takes beside how long the sound lasts.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::figures::Origin;
use crate::{
    bench::spread::Spread,
    greeting::{
        audition,
        phrases::{Addressee, Greeting, Phrases, TimeOfDay},
        renderer::Renderer,
        speech::{Speech, SpeechEvent},
        utterance::Utterance,
    },
    person::{Language, PersonName, Salutation},
    routing::Routing,
};

/// A voice is opened within this: speech-dispatcher lists its 13,000 voices first.
const OPENS_WITHIN: Duration = Duration::from_secs(60);
/// A greeting that has not begun after so long has not been heard.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);
/// Between two greetings, so that the first one's last samples are not in the second one's time.
const PAUSE: Duration = Duration::from_millis(300);
/// Frequent and rare surnames; with the times of day and the forms of address there are enough different greetings.
const SURNAMES: [&str; 20] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "欧阳", "司马", "单", "查", "解", "曾", "诸葛", "仇",
    "上官", "任",
];

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Said by each voice in each language.
    pub greetings: usize,
    /// Whether the camera and the networks that recognise people were at work meanwhile.
    pub vision: bool,
    /// One a language and voice.
    pub rows: Vec<Row>,
}

/// One voice and one language.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its tag.
    pub language: String,
    /// Its name in `greeting.voices`.
    pub voice: String,
    /// From asking until the first audible sample was handed to the loudspeaker; absent where nothing was heard.
    pub first_sample_ms: Option<Spread>,
    /// Rendering time by the sound's length; absent for a voice that another program plays.
    pub real_time_factor: Option<f64>,
}

/// `count` greetings by name, each with a counter.
pub fn greetings(phrases: &Phrases, routing: &Routing, language: &Language, count: usize) -> Vec<String> {
    let forms = [Salutation::Mr, Salutation::Ms, Salutation::Dr, Salutation::Professor];
    let times = [TimeOfDay::Morning, TimeOfDay::Afternoon, TimeOfDay::Evening];
    let counters = routing.counters();
    let greeting = |at: usize| {
        let name = PersonName::new(format!("{}伟明", SURNAMES[at % SURNAMES.len()]));
        let counter = counters.get(at % counters.len().max(1)).unwrap_or(routing.reception());
        let salutation = Some(forms[at / SURNAMES.len() % forms.len()]);
        let person = Addressee::Named { name: &name, pronunciation: None, salutation, language, counter, older: false };
        let said =
            phrases.greeting(&Greeting { time: times[at % times.len()], people: vec![person], after_hello_in: None });
        said.into_iter().map(|spoken| spoken.text).collect::<String>()
    };
    (0..count).map(greeting).collect()
}

/// Milliseconds from asking for each greeting to its first sample. `speech` has one voice only. Empty when it does not speak.
pub fn first_samples(speech: &Speech, language: &Language, texts: &[String], heard: &dyn Fn()) -> Vec<f64> {
    // The first one waits until the voice is open, and is not counted.
    let until = Instant::now() + OPENS_WITHIN;
    let mut id = 0;
    let mut say = |text: &str, within: Duration| {
        id += 1;
        let asked = Instant::now();
        speech.say(Utterance::new(id, language.clone(), text));
        begun(speech, id, asked + within).map(|at| at.saturating_duration_since(asked))
    };
    while say(&texts[0], BEGINS_WITHIN).is_none() {
        if Instant::now() > until {
            return Vec::new();
        }
        std::thread::sleep(PAUSE);
    }
    let mut series = Vec::new();
    for text in texts {
        series.extend(say(text, BEGINS_WITHIN).map(|after| after.as_secs_f64() * 1000.0));
        heard();
    }
    series
}

/// When an utterance began, which is then stopped, and silence waited for.
fn begun(speech: &Speech, wanted: u64, until: Instant) -> Option<Instant> {
    let mut began = None;
    while let Ok(event) = speech.events().recv_deadline(until) {
        match event {
            SpeechEvent::Begun { id, at, .. } if id == wanted => {
                began = Some(at);
                speech.stop();
            }
            SpeechEvent::Finished { id } | SpeechEvent::Shown { id, .. } | SpeechEvent::Dropped { id, .. }
                if id == wanted =>
            {
                break;
            }
            _ => {}
        }
    }
    std::thread::sleep(PAUSE);
    began
}

/// Rendering time by the length of the sound, over all greetings; `None` when one cannot be rendered.
pub fn real_time_factor(renderer: &mut dyn Renderer, language: &Language, texts: &[String]) -> Option<f64> {
    let (mut took, mut sounded) = (0.0, 0.0);
    for text in texts {
        let audition = audition::whole(renderer, &Utterance::new(0, language.clone(), text)).ok()?;
        took += audition.took.as_secs_f64();
        sounded += f64::from(audition.seconds());
    }
    Some(took / sounded)
}
