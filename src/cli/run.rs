//! `greeter run`: watch the camera and greet.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use crossbeam::channel::RecvTimeoutError;

use super::{Context, Exit};
use crate::{
    camera::{Camera, Replay, Webcam, replay::ReplaySettings},
    config::Config,
    face::{eyes::Eyes, manifest::Manifest, networks::Networks},
    greeting::{phrases::Phrases, speech::Speech},
    installation::Installation,
    journal::{DayFiles, Entry, Event, EventLog, Place, Weight, line},
    person::{Language, RecordNumber},
    pipeline::{
        Pipeline,
        host::{Means, Told},
        vision::Vision,
    },
    reindex::complaint,
    rights::forgetting,
    roll::{CurrentRoll, Reader},
    routing::Routing,
};

/// Watch the camera and greet visitors until Ctrl-C.
#[derive(clap::Args)]
pub struct RunArgs {
    /// Play a photo, a folder of photos or a clip (.mjpg) instead of watching the webcam; the program ends when it is over.
    #[arg(long, value_name = "PATH")]
    camera: Option<PathBuf>,
    /// Begin the recording again when it is over.
    #[arg(long, requires = "camera")]
    looped: bool,
    /// Write the events to this file instead of the folder of `journal.folder`: a line of JSON each, with record numbers and never names.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

/// How often the one who watches looks for signals and for stages that hang.
const TICK: Duration = Duration::from_millis(100);

/// Greets until a signal comes or the recording is over.
pub fn run(args: &RunArgs, context: &Context) -> anyhow::Result<Exit> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone()).context("cannot listen for Ctrl-C")?;
    }
    let config = &context.config;
    let mut screen = Screen::new(args.events.as_deref(), config)?;
    let camera = camera(args, config)?;
    let reader = Reader::new(config, &Manifest::load(&context.installation.models())?)?;
    // Everybody is read while the networks are loaded.
    let (read, networks) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| reader.read());
        let networks = networks(context);
        (reading.join(), networks)
    });
    let roll = CurrentRoll::new(read.map_err(|_| anyhow::anyhow!("reading everybody ended; please report this"))?);
    let networks = networks?;
    let now = roll.get();
    screen.event(&Event::Serving {
        people: now.people(),
        min_score_to_name: now.demands.min_score_to_name,
        min_score_from: reader.score_source(),
    });
    if !config.decision.announce {
        screen.note("a silent pilot (`decision.announce`): names are decided and written down, and nobody is named; `greeter pilot` lists them");
    }
    if let Some(complaint) = complaint(now.people(), now.recognisable(), reader.model()) {
        screen.note(&complaint);
    }
    drop(now);
    let vision = Vision::new(networks, roll.clone(), config);
    let pipeline = Pipeline::start(camera, vision, means(context, roll.clone())?, config)?;
    let (tell, reloaded) = crossbeam::channel::bounded(4);
    let follower = reader.follow(roll, stop.clone(), move |people| {
        let _ = tell.try_send(people);
    })?;

    let (say, said) = crossbeam::channel::bounded(64);
    forgetting::follow(config, stop.clone(), move |text| {
        let _ = say.try_send(text);
    })?;
    let mut service = Service::ready();
    let mut over = false;
    while !stop.load(Ordering::Relaxed) && !over {
        match pipeline.told().recv_timeout(TICK) {
            Ok(Told::Event(entry)) => screen.entry(&entry),
            Ok(Told::Words { people, phrases, .. }) => screen.words(&people, &phrases.concat()),
            Ok(Told::Phrase { .. }) => {}
            Ok(Told::Over) => over = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("all stages have ended; please report this"),
        }
        reloaded.try_iter().for_each(|people| screen.event(&Event::PeopleReloaded { people }));
        said.try_iter().for_each(|text| screen.note(&text));
        service.watch(&pipeline);
    }
    service.stopping();
    stop.store(true, Ordering::Relaxed);
    follower.thread().unpark();
    let frames = pipeline.frames();
    drop(pipeline);
    screen.note(&format!(
        "ended; {} frames captured, {} seen, {} replaced by newer ones",
        frames.captured, frames.processed, frames.dropped
    ));
    Ok(Exit::Done)
}

/// The webcam, or the recording that stands in for it.
fn camera(args: &RunArgs, config: &Config) -> anyhow::Result<Box<dyn Camera>> {
    Ok(match &args.camera {
        None => Box::new(Webcam::new(config.camera.clone())),
        Some(path) => {
            let settings = ReplaySettings { looped: args.looped, ..ReplaySettings::from(&config.camera) };
            Box::new(Replay::open(path, settings)?)
        }
    })
}

/// The configured pack's networks, for frames of the configured size.
pub(super) fn networks(context: &Context) -> anyhow::Result<Networks> {
    let face = &context.config.face;
    let smallest = Eyes::min_face_px(face, context.config.camera.height);
    Ok(Networks::load(&context.installation, &face.pack, smallest)?)
}

/// Counters, words and voices.
pub(super) fn means(context: &Context, roll: CurrentRoll) -> anyhow::Result<Means> {
    let phrases = phrases(&context.installation, &context.config)?;
    let languages: Vec<Language> = phrases.languages().cloned().collect();
    Ok(Means {
        roll,
        routing: routing(&context.installation, &context.config)?,
        phrases,
        speech: Speech::start(&context.config.greeting, &languages),
        clock: || jiff::ZonedDateTime::now().datetime(),
    })
}

/// The phrases in the box and the operator's.
pub(super) fn phrases(installation: &Installation, config: &Config) -> anyhow::Result<Phrases> {
    Ok(Phrases::load(&[installation.assets().join("phrases"), config.greeting.phrases.clone()])?)
}

/// The operator's counters, or the ones in the box.
pub(super) fn routing(installation: &Installation, config: &Config) -> anyhow::Result<Routing> {
    let own = &config.routing.file;
    let file = if own.is_file() { own.clone() } else { installation.assets().join("routing.toml") };
    Ok(Routing::load(&file)?)
}

/// Where the operator reads what happens, and the events on the disk.
struct Screen {
    events: Option<EventLog>,
    /// Under systemd the output is the system's journal, which keeps it: no names there.
    masked: bool,
}

impl Screen {
    fn new(file: Option<&Path>, config: &Config) -> anyhow::Result<Self> {
        let days = || DayFiles::of(&config.journal).map(Place::Days);
        let place = file.map(|file| Place::File(file.into())).or_else(days);
        Ok(Self {
            events: place.map(EventLog::open).transpose()?,
            masked: std::env::var_os("JOURNAL_STREAM").is_some(),
        })
    }

    fn event(&mut self, event: &Event) {
        self.entry(&Entry::now(event.clone()));
    }

    fn entry(&mut self, entry: &Entry) {
        if let Some(events) = &mut self.events {
            events.write(entry);
        }
        let (weight, text) = line(&entry.event);
        let style = match weight {
            Weight::Quiet => anstyle::Style::new().dimmed(),
            Weight::Plain => anstyle::Style::new(),
            Weight::Warning => anstyle::AnsiColor::Yellow.on_default(),
        };
        self.print(style, &text);
    }

    fn words(&self, people: &[RecordNumber], text: &str) {
        let style = anstyle::AnsiColor::Green.on_default().bold();
        if self.masked {
            let people: Vec<String> = people.iter().map(RecordNumber::to_string).collect();
            let whom = if people.is_empty() { "somebody without a name".to_owned() } else { people.join(", ") };
            self.print(style, &format!("greets {whom}"));
        } else {
            self.print(style, &format!("says: {text}"));
        }
    }

    fn note(&self, text: &str) {
        self.print(anstyle::Style::new(), text);
    }

    fn print(&self, style: anstyle::Style, text: &str) {
        let time = jiff::ZonedDateTime::now().strftime("%H:%M:%S").to_string();
        anstream::println!("{time}  {style}{text}{style:#}");
    }
}

/// The talk with systemd, where it started the program (Type=notify, WatchdogSec).
struct Service {
    every: Option<Duration>,
    told_at: Instant,
    hanging: bool,
}

impl Service {
    fn ready() -> Self {
        // Without systemd there is nobody to tell.
        drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
        Self { every: sd_notify::watchdog_enabled().map(|period| period / 2), told_at: Instant::now(), hanging: false }
    }

    /// Gives a sign of life as long as all stages do.
    fn watch(&mut self, pipeline: &Pipeline) {
        let hanging = pipeline.health().hanging();
        if let (Some(stage), false) = (hanging, self.hanging) {
            tracing::error!(
                "stage {stage} hangs; a service is started again by systemd, otherwise start the program again"
            );
        }
        self.hanging = hanging.is_some();
        if self.every.is_some_and(|every| self.told_at.elapsed() >= every) && !self.hanging {
            self.told_at = Instant::now();
            drop(sd_notify::notify(&[sd_notify::NotifyState::Watchdog]));
        }
    }

    fn stopping(&self) {
        drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    }
}
