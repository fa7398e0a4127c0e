//! `greeter bench voice`: how soon each voice speaks, while the robot watches.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;

use super::silent_robot;
use crate::{
    bench::spread::Spread,
    bench::{
        figures::Origin,
        staged_camera::{Scene, Standing},
        voice::{Figures, Row, first_samples, greetings, real_time_factor},
    },
    camera::photo,
    cli::{Context, Exit, run as run_command},
    config::GreetingSettings,
    face::manifest::Manifest,
    greeting::{audition, speech, speech::Speech},
    person::Language,
    roll::{CurrentRoll, Reader, Roll},
};

/// Renderers load their networks within this.
const OPENS_WITHIN: Duration = Duration::from_secs(60);

/// How soon each voice speaks, and how long it renders beside how long the sound lasts.
///
/// Greetings by name are asked for one after the other, and stopped when their first sample has been handed to the loudspeaker. Meanwhile a
/// visitor stands before a staged camera (1280x720, MJPG, 30 frames/s) and is watched as in `greeter run`. Where there is no loudspeaker,
/// scripts/with-virtual-loudspeaker.sh gives one.
#[derive(clap::Args)]
pub struct VoiceArgs {
    /// Greetings a voice and language
    #[arg(long, default_value_t = 200)]
    greetings: usize,
    /// Only this language; all that have phrases otherwise
    #[arg(long, value_name = "LANG")]
    language: Option<String>,
    /// Only this voice; those configured for each language otherwise
    #[arg(long, value_name = "VOICE")]
    voice: Option<String>,
    /// Let nobody stand before the camera, and leave it off
    #[arg(long)]
    idle: bool,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(args: &VoiceArgs, context: &Context) -> anyhow::Result<Exit> {
    ensure!(args.greetings > 0, "--greetings must be at least 1");
    let phrases = run_command::phrases(&context.installation, &context.config)?;
    let routing = run_command::routing(&context.installation, &context.config)?;
    let languages: Vec<Language> = match &args.language {
        Some(tag) => vec![tag.as_str().into()],
        None => phrases.languages().cloned().collect(),
    };
    let settings = GreetingSettings { chime: false, ..context.config.greeting.clone() };
    let watching = if args.idle { None } else { Some(Watching::begin(context)?) };
    let mut rows = Vec::new();
    for language in &languages {
        let texts = greetings(&phrases, &routing, language, args.greetings);
        let voices =
            args.voice.as_ref().map_or_else(|| settings.voices_for(language).to_vec(), |voice| vec![voice.clone()]);
        for voice in voices {
            let row = row(&settings, language, &voice, &texts);
            print(&row);
            rows.push(row);
        }
    }
    let vision = watching.is_some();
    drop(watching);
    // Nothing here is random.
    let figures =
        Figures { origin: Origin::here(&context.config.face.pack, 0), greetings: args.greetings, vision, rows };
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(Exit::Done)
}

fn row(settings: &GreetingSettings, language: &Language, voice: &str, texts: &[String]) -> Row {
    let only =
        GreetingSettings { voices: vec![voice.to_owned()], voices_by_language: Default::default(), ..settings.clone() };
    let bar = indicatif::ProgressBar::new(texts.len() as u64);
    let speech = Speech::start(&only, std::slice::from_ref(language));
    let series = first_samples(&speech, language, texts, &|| bar.inc(1));
    drop(speech);
    bar.finish_and_clear();
    let rendered = speech::renderer(voice, &only).and_then(|mut renderer| {
        audition::open(renderer.as_mut(), OPENS_WITHIN).ok()?;
        real_time_factor(renderer.as_mut(), language, texts)
    });
    Row {
        language: language.tag().to_owned(),
        voice: voice.to_owned(),
        first_sample_ms: Spread::of(series),
        real_time_factor: rendered,
    }
}

fn print(row: &Row) {
    let factor = row.real_time_factor.map_or_else(|| "-".to_owned(), |factor| format!("{factor:.3}"));
    match &row.first_sample_ms {
        Some(spread) => anstream::println!("{:8} {:8} {spread}   real-time factor {factor}", row.language, row.voice),
        None => anstream::println!(
            "{:8} {:8} nothing was heard; `greeter voices` says why. Real-time factor {factor}",
            row.language,
            row.voice
        ),
    }
}

/// The robot at work: somebody stands before it.
struct Watching {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watching {
    fn begin(context: &Context) -> anyhow::Result<Self> {
        let reader = Reader::new(&context.config, &Manifest::load(&context.installation.models())?)?;
        let roll = CurrentRoll::new(Roll::empty(reader.demands(0)));
        let scene = Scene::empty();
        let photo = context.installation.assets().join("demo/enrol/barack-obama.jpg");
        scene.visitor(Standing::of([&photo::read_photo(&photo)?], 0.8, 0).pictures());
        let pipeline = silent_robot(context, roll, scene)?;
        let done = Arc::new(AtomicBool::new(false));
        let watched = done.clone();
        // Somebody must listen to what it tells.
        let thread = std::thread::Builder::new().name("watching".into()).spawn(move || {
            while !watched.load(Ordering::Relaxed) {
                drop(pipeline.told().recv_timeout(Duration::from_millis(100)));
            }
        })?;
        Ok(Self { done, thread: Some(thread) })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
