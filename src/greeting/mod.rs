//! What the robot says, and the voices that say it.
//!
//! `phrases` makes sentences (`names` says which part of a name and how it is read, `phrase_files` reads and checks the Fluent files),
//! `reading` has the marks by which text says how it is read, `utterance` makes phrases of sentences, `house_phrases` knows those without
//! a name, and `mandarin` makes sounds of Chinese text: pure. `speech` says them one at a time, in the order of its `queue`, by the first `voice`
//! that can: `tts_voice` (with its `tts_worker`, and `dispatcher`, which sees it fail), or one of the renderers (`neural`, `espeak`,
//! `command_voice`), which `rendering` and `rendered_voice` make audible through `sound`, all equally loud (`loudness`). That also plays
//! the `chime`. `audition` and `voices_report` are for whoever sets up the robot.

pub mod audition;
mod chime;
pub mod command_voice;
mod dispatcher;
pub mod espeak;
pub mod house_phrases;
mod joining;
pub mod loudness;
pub mod mandarin;
pub(crate) mod names;
pub mod neural;
mod phrase_files;
pub mod phrases;
pub mod playing;
mod program;
mod queue;
pub mod reading;
pub mod rendered_voice;
pub mod renderer;
mod rendering;
pub mod resample;
pub mod sound;
pub mod speech;
mod speech_worker;
pub mod tts_voice;
mod tts_worker;
pub mod utterance;
pub mod voice;
pub mod voices_report;
mod wav;
