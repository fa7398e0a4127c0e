//! The other program of `bench vision`: OpenCV's face detector with the same recogniser, in Python, over a pipe.
//!
//! A request is a line of JSON and then the bytes of the JPEG frames that it announces; the answer is a line of JSON. Frames never touch
//! the disk or a command line.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::{Deserialize, Serialize};

use super::{
    vision::{REPEATS, Stages},
    visits::Visit,
};
use crate::face::{
    ModelError,
    manifest::{Manifest, Part, ResolvedNetwork},
};

/// What the peer must know to find and embed faces as we do.
#[derive(Debug, Clone, Serialize)]
pub struct PeerSetup {
    detector: PathBuf,
    /// The recogniser's networks; templates stand one behind the other.
    parts: Vec<PeerPart>,
    /// Of all networks.
    pub threads: usize,
    /// The detector looks at a copy reduced by this.
    pub reduce: u32,
}

/// A network of the recogniser.
#[derive(Debug, Clone, Serialize)]
struct PeerPart {
    file: PathBuf,
    /// The file that whitens its templates, if the recogniser has them whitened.
    whitening: Option<PathBuf>,
    weight: f32,
    /// `(value - mean) / scale`.
    mean: [f32; 3],
    scale: [f32; 3],
    /// Crops a run; 0 for any.
    batch: u32,
}

impl PeerSetup {
    /// `detector` and the recogniser of a pack, on one thread.
    ///
    /// # Errors
    /// When there is no such pack, or a network of its recogniser is missing or damaged.
    pub fn new(detector: &Path, manifest: &Manifest, pack: &str) -> Result<Self, ModelError> {
        let parts = manifest.resolve_recogniser(&manifest.pack(pack)?.recogniser)?;
        let part = |(network, share): (ResolvedNetwork, Part)| {
            let whitening = network.entry.whitening.as_ref().filter(|_| share.whitened);
            PeerPart {
                file: network.only_file().to_owned(),
                whitening: whitening.map(|file| network.folder.join(&file.name)),
                weight: share.weight,
                mean: network.entry.input.mean,
                scale: network.entry.input.scale,
                batch: network.entry.input.batch,
            }
        };
        Ok(Self { detector: detector.to_owned(), parts: parts.into_iter().map(part).collect(), threads: 1, reduce: 1 })
    }
}

#[derive(Serialize)]
struct Request<'r> {
    lengths: Vec<usize>,
    embedded: &'r [usize],
    faces: usize,
    repeats: usize,
}

#[derive(Deserialize)]
struct Answer {
    find_ms: Vec<f64>,
    embed_ms: Vec<f64>,
    frame_ms: Vec<f64>,
    found: Vec<usize>,
}

/// The running peer.
pub struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What was measured so far.
    pub stages: Stages,
}

impl Peer {
    /// Starts `script` with `python`; it inherits the cores of this thread.
    ///
    /// # Errors
    /// When it cannot be started or does not say that it is ready.
    pub fn start(python: &Path, script: &Path, setup: &PeerSetup) -> Result<Self, PeerError> {
        let failed = |cause: std::io::Error| PeerError::Start { python: python.display().to_string(), cause };
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(PeerError::Silent("it has no pipes".into()));
        };
        let mut peer = Self { process, input, output: BufReader::new(output), stages: Stages::default() };
        let ready = peer.ask(&serde_json::to_string(setup)?, &[])?;
        if ready.trim() != "ready" {
            return Err(PeerError::Silent(ready));
        }
        Ok(peer)
    }

    /// The same visit: it detects in every frame and embeds as many views in each as greeter did.
    ///
    /// # Errors
    /// When it fails.
    pub fn visit(&mut self, visit: &Visit, embedded: &[usize], faces: usize) -> Result<(), PeerError> {
        let lengths = visit.frames.iter().map(Vec::len).collect();
        let request = Request { lengths, embedded, faces, repeats: REPEATS };
        let answer: Answer = serde_json::from_str(&self.ask(&serde_json::to_string(&request)?, &visit.frames)?)?;
        self.stages.complete.0 += answer.found.len();
        self.stages.complete.1 += answer.found.iter().filter(|&&found| found == faces).count();
        let mean = answer.frame_ms.iter().sum::<f64>() / answer.frame_ms.len().max(1) as f64;
        self.stages.frame.push(mean);
        self.stages.find.extend(answer.find_ms);
        self.stages.embed.extend(answer.embed_ms);
        Ok(())
    }

    fn ask(&mut self, request: &str, frames: &[Vec<u8>]) -> Result<String, PeerError> {
        let mut write = || -> std::io::Result<String> {
            writeln!(self.input, "{request}")?;
            for frame in frames {
                self.input.write_all(frame)?;
            }
            self.input.flush()?;
            let mut line = String::new();
            self.output.read_line(&mut line)?;
            Ok(line)
        };
        let answer = write().map_err(|error| PeerError::Silent(error.to_string()))?;
        if answer.is_empty() {
            return Err(PeerError::Silent("it ended".into()));
        }
        Ok(answer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends by itself when its input does; this only makes sure.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It does not start.
    #[error("{python} cannot be started ({cause}). Run scripts/bench/setup.sh")]
    Start {
        /// Which Python.
        python: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// It does not answer.
    #[error("scripts/bench/vision_peer.py does not answer ({0}). Run scripts/bench/setup.sh")]
    Silent(String),
    /// It answers something else.
    #[error("scripts/bench/vision_peer.py gave an answer that cannot be read: {0}")]
    Answer(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_embeds_with_the_networks_and_the_whitening_of_the_pack_in_use() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        let manifest = Manifest::load(&models).unwrap();
        let setup = PeerSetup::new(Path::new("yunet.onnx"), &manifest, "default").unwrap();
        let [part] = setup.parts.as_slice() else { panic!("{setup:?}") };
        assert_eq!(part.file, models.join("mobilefacenet-192.onnx"));
        assert_eq!(part.whitening, Some(models.join("mobilefacenet-192-whitening.f32")));
        assert!(PeerSetup::new(Path::new("yunet.onnx"), &manifest, "deluxe").is_err());
    }
}
