//! The peers of `greeter bench search`, in a Python process beside ours: it searches when it is told to, so that rounds can alternate.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Error, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::installation::Installation;

/// Why there are no peers, or no more.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// They were never installed.
    #[error("faiss and usearch are not installed; scripts/bench/setup.sh installs them")]
    Absent,
    /// Their process.
    #[error("the process with faiss and usearch failed: {0}. Its own words are above")]
    Process(#[from] Error),
    /// What it says.
    #[error("the process with faiss and usearch said something unexpected: {0}")]
    Answer(#[from] serde_json::Error),
}

/// The process.
pub struct Peers {
    process: Child,
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

/// What they are to search.
#[derive(Debug, Serialize)]
pub struct Vectors<'a> {
    /// f32, row after row.
    pub vectors: &'a Path,
    /// The same.
    pub queries: &'a Path,
    /// Rows of `vectors`.
    pub people: usize,
    /// Numbers a row.
    pub dims: usize,
}

/// One engine's turn.
#[derive(Debug, Serialize)]
pub struct Turn<'a> {
    /// Whose.
    pub engine: &'a str,
    /// Processors it may use.
    pub cpus: &'a [usize],
    /// The first query.
    pub from: usize,
    /// How many.
    pub count: usize,
}

/// What a turn gave.
#[derive(Debug, Deserialize)]
pub struct Found {
    /// Milliseconds a query.
    pub ms: Vec<f64>,
    /// The best row of each.
    pub found: Vec<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Told<'a> {
    Open(&'a Vectors<'a>),
    Run(&'a Turn<'a>),
}

#[derive(Deserialize)]
struct Engines {
    engines: BTreeMap<String, f64>,
}

impl Peers {
    /// Starts the process.
    ///
    /// # Errors
    /// [`PeerError::Absent`], [`PeerError::Process`].
    pub fn start(installation: &Installation) -> Result<Self, PeerError> {
        let python = installation.root().join(".runtime/bench-python/bin/python");
        if !python.is_file() {
            return Err(PeerError::Absent);
        }
        let script = installation.root().join("scripts/bench/search_peers.py");
        let mut process = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (tell, hear) = (process.stdin.take(), process.stdout.take());
        let hear = hear.ok_or_else(|| Error::other("it has no output"))?;
        Ok(Self { process, tell, hear: BufReader::new(hear) })
    }

    /// Lets all engines take the vectors; gives each one's bytes a template.
    ///
    /// # Errors
    /// [`PeerError`].
    pub fn open(&mut self, vectors: &Vectors<'_>) -> Result<BTreeMap<String, f64>, PeerError> {
        Ok(self.ask::<Engines>(&Told::Open(vectors))?.engines)
    }

    /// Lets one engine search.
    ///
    /// # Errors
    /// [`PeerError`].
    pub fn run(&mut self, turn: &Turn<'_>) -> Result<Found, PeerError> {
        self.ask(&Told::Run(turn))
    }

    fn ask<T: DeserializeOwned>(&mut self, told: &Told<'_>) -> Result<T, PeerError> {
        let mut line = serde_json::to_string(told)?;
        line.push('\n');
        if let Some(tell) = &mut self.tell {
            tell.write_all(line.as_bytes())?;
        }
        let mut answer = String::new();
        if self.hear.read_line(&mut answer)? == 0 {
            return Err(Error::other("it has ended").into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // It ends when nobody can tell it anything more.
        self.tell = None;
        drop(self.process.wait());
    }
}
