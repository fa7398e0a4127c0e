//! The thread on which a neural voice is loaded and renders, so that neither holds up anybody, and a caller who is told to stop need not wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use super::speaker::Speaker;
use crate::{
    greeting::{
        playing::Samples,
        voice::{StopFlag, VoiceState},
    },
    installation::Installation,
};

/// A phrase takes a tenth of a second; a machine that needs so long for one is busy with something else.
const RENDERS_WITHIN: Duration = Duration::from_secs(5);

const ENDED: &str = "its thread has ended";

struct Job {
    phones: Vec<String>,
    pace: f32,
    stop: StopFlag,
    answer: Sender<Result<Samples, String>>,
}

/// The handle; dropping it ends the thread after the phrase that it renders.
pub(super) struct Worker {
    jobs: Sender<Job>,
    state: Arc<Mutex<VoiceState>>,
}

impl Worker {
    /// Begins to load the voice for `language`; `installation` is looked for where it is not given.
    pub fn start(installation: Option<Installation>, language: &'static str) -> Self {
        // One is rendered; when another one is asked for, its predecessor is no longer wanted.
        let (jobs, received) = bounded(1);
        let state = Arc::new(Mutex::new(VoiceState::Opening));
        let shared = state.clone();
        let started = thread::Builder::new().name("voice-neural".into()).spawn(move || {
            let _ended = Ended(shared.clone());
            match load(installation, language) {
                Ok(speaker) => {
                    set(&shared, VoiceState::Ready);
                    serve(speaker, &received);
                }
                Err(cause) => set(&shared, VoiceState::Down(cause)),
            }
        });
        if let Err(error) = started {
            set(&state, VoiceState::Down(format!("no thread for it: {error}")));
        }
        Self { jobs, state }
    }

    /// What has come of loading it.
    pub fn state(&self) -> VoiceState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Renders phones; returns soon after `stop` is raised.
    ///
    /// # Errors
    /// For the operator; what was to be said is not in it.
    pub fn render(&self, phones: Vec<String>, pace: f32, stop: &StopFlag) -> Result<Samples, String> {
        let until = Instant::now() + RENDERS_WITHIN;
        let (answer, answered) = bounded(1);
        let slow = || format!("it gave nothing within {} s", RENDERS_WITHIN.as_secs());
        let job = Job { phones, pace, stop: stop.clone(), answer };
        self.jobs.send_deadline(job, until).map_err(|error| match error {
            SendTimeoutError::Timeout(_) => slow(),
            SendTimeoutError::Disconnected(_) => ENDED.to_owned(),
        })?;
        loop {
            match answered.recv_timeout(Duration::from_millis(5)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(ENDED.into()),
                Err(RecvTimeoutError::Timeout) if stop.is_raised() => return Err("stopped".into()),
                Err(RecvTimeoutError::Timeout) if Instant::now() > until => return Err(slow()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Says so when the thread ends, however it does, unless it has given a better reason.
struct Ended(Arc<Mutex<VoiceState>>);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, VoiceState::Down(_)) {
            *state = VoiceState::Down(ENDED.into());
        }
    }
}

fn load(installation: Option<Installation>, language: &str) -> Result<Speaker, String> {
    let installation = installation.map_or_else(Installation::find, Ok).map_err(|error| error.to_string())?;
    let mut speaker = Speaker::load(&installation, language).map_err(|error| error.to_string())?;
    // The runtime lays out its memory in the first run, which takes a few times as long; no visitor should wait for that.
    let warm = ["sil", "n", "i2", "#0", "h", "ao3", "sil"].map(str::to_owned);
    speaker.render(&warm, 1.0).map_err(|error| error.to_string())?;
    Ok(speaker)
}

fn serve(mut speaker: Speaker, jobs: &Receiver<Job>) {
    for job in jobs {
        if job.stop.is_raised() {
            continue;
        }
        let spoken = speaker.render(&job.phones, job.pace).map_err(|error| error.to_string());
        // Nobody listens any more when it was stopped.
        let _ = job.answer.send(spoken.map(|mono| Samples { mono: mono.into(), rate: speaker.rate }));
    }
}

fn set(state: &Mutex<VoiceState>, to: VoiceState) {
    *state.lock().unwrap_or_else(PoisonError::into_inner) = to;
}
