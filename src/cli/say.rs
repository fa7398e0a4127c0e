//! `greeter say`: hear how something sounds before a visitor does.

use std::{
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use super::{Context, Exit, people::record, run as run_command};
use crate::{
    config::GreetingSettings,
    greeting::{
        audition,
        phrases::{Addressee, Greeting, TimeOfDay},
        speech::{self, Speech, SpeechEvent},
        utterance::Utterance,
    },
    person::{Card, Language, RecordNumber},
    routing::Needs,
    store::{Store, StoreError},
};

/// Voices open within this; speech-dispatcher lists its 13,000 voices first.
const OPENS_WITHIN: Duration = Duration::from_secs(30);
/// The longest that may be said.
const SAYS_WITHIN: Duration = Duration::from_secs(300);

/// Say something, or what somebody enrolled would be greeted with, to hear how it sounds.
///
/// A Chinese word may be followed by its reading, as in phrase files: 单〔shan4〕先生.
#[derive(clap::Args)]
pub struct SayArgs {
    /// What to say. `-` reads it from standard input: a command line can be read by every user of the machine, so names go there
    #[arg(required_unless_present = "person", conflicts_with = "person")]
    text: Option<String>,
    /// Greet this person, by the record number of `greeter people list`
    #[arg(long, value_name = "N", value_parser = record)]
    person: Option<RecordNumber>,
    /// The language, such as `en` [default: the person's, or `greeting.language`]
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    /// Only this voice, such as `espeak` [default: the first one that can]
    #[arg(long, value_name = "VOICE")]
    voice: Option<String>,
    /// Write a WAV instead of playing it; not with the voice `tts`, whose sound the program never sees
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl SayArgs {
    /// Whose record is read for it.
    pub fn touches(&self) -> Option<RecordNumber> {
        self.person
    }
}

/// Says it.
pub fn run(args: &SayArgs, context: &Context) -> anyhow::Result<Exit> {
    let wanted = args.lang.as_deref().map(Language::from);
    let utterance = match (&args.text, args.person) {
        (_, Some(record)) => greeting(record, wanted, context)?,
        (Some(text), None) => {
            let language = wanted.unwrap_or_else(|| context.config.greeting.language.clone());
            Utterance::new(1, language, &words(text)?)
        }
        (None, None) => bail!("say what? Give a text, `-` or --person N"),
    };
    ensure!(!utterance.phrases.is_empty(), "there is nothing to say");
    let mut settings = context.config.greeting.clone();
    if let Some(voice) = &args.voice {
        settings.voices = vec![voice.clone()];
        settings.voices_by_language.clear();
        settings.check_voices().map_err(anyhow::Error::msg)?;
    }
    // Whoever auditions wants to hear it, also at night.
    settings.quiet_hours.clear();
    settings.chime = false;
    match &args.out {
        Some(file) => write(&settings, &utterance, file),
        None => play(&settings, utterance),
    }
}

fn words(text: &str) -> anyhow::Result<String> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut read = String::new();
    std::io::stdin().read_to_string(&mut read).context("standard input is no text in UTF-8")?;
    Ok(read)
}

/// What somebody would be greeted with now.
fn greeting(record: RecordNumber, language: Option<Language>, context: &Context) -> anyhow::Result<Utterance> {
    let store = Store::open(&context.config.store)?.store;
    let card = Card::from(store.person(record)?.ok_or(StoreError::UnknownRecord(record))?.person);
    let (phrases, routing) = (
        run_command::phrases(&context.installation, &context.config)?,
        run_command::routing(&context.installation, &context.config)?,
    );
    let (now, settings) = (jiff::ZonedDateTime::now().datetime(), &context.config.greeting);
    let needs =
        Needs { services: card.services.clone(), category: card.category.clone(), appointment: card.appointment };
    let language = language.or(card.language).unwrap_or_else(|| settings.language.clone());
    let person = Addressee::Named {
        name: &card.name,
        pronunciation: card.pronunciation.as_ref(),
        salutation: card.salutation,
        language: &language,
        counter: routing.counter(&routing.route(&needs, now).counter).unwrap_or(routing.reception()),
        older: settings.takes_time_for(card.born, now.year()),
    };
    let said =
        phrases.greeting(&Greeting { time: TimeOfDay::from(now.time()), people: vec![person], after_hello_in: None });
    let first = said.into_iter().next().context("there are no phrases in any language")?;
    let utterance = Utterance::new(1, first.language, &first.text);
    Ok(if first.unhurried { utterance.unhurried() } else { utterance })
}

fn write(settings: &GreetingSettings, utterance: &Utterance, file: &Path) -> anyhow::Result<Exit> {
    let renderers = settings.voices_for(&utterance.language).iter().filter_map(|name| speech::renderer(name, settings));
    let audition = audition::rendered(renderers.collect(), utterance, OPENS_WITHIN).map_err(anyhow::Error::msg)?;
    std::fs::write(file, audition.wav()?).with_context(|| format!("cannot write {}", file.display()))?;
    anstream::println!("{:.1} s by {}: {}", audition.seconds(), audition.voice, file.display());
    Ok(Exit::Done)
}

fn play(settings: &GreetingSettings, utterance: Utterance) -> anyhow::Result<Exit> {
    let mut settings = settings.clone();
    settings.voice_begins_within_ms = settings.voice_begins_within_ms.max(OPENS_WITHIN.as_millis() as u64);
    let speech = Speech::start(&settings, std::slice::from_ref(&utterance.language));
    let (asked, until) = (Instant::now(), Instant::now() + SAYS_WITHIN);
    speech.say(utterance);
    while let Ok(event) = speech.events().recv_deadline(until) {
        match event {
            SpeechEvent::Begun { at, voice, .. } => {
                anstream::println!(
                    "{voice} speaks, {} ms after it was asked (voices opened meanwhile)",
                    at.saturating_duration_since(asked).as_millis()
                );
            }
            SpeechEvent::Finished { .. } => return Ok(Exit::Done),
            SpeechEvent::Shown { why, .. } => bail!("{why}"),
            SpeechEvent::Dropped { why, .. } => bail!("{why}"),
            SpeechEvent::VoiceLost { voice, why } => anstream::eprintln!("{voice}: {why}"),
            _ => {}
        }
    }
    bail!("it was not said within {} s", SAYS_WITHIN.as_secs())
}
