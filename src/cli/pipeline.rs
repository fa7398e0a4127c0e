//! `greeter pipeline`: the program's threads and what passes between them.

use super::Exit;
use crate::pipeline::STAGES;

/// Prints the table from which the program starts its threads.
pub fn run() -> anyhow::Result<Exit> {
    for stage in &STAGES {
        anstream::println!("{:8} takes {}", stage.name, stage.takes);
        anstream::println!(
            "{:8} gives {}, {} may wait; when full, {}\n",
            "",
            stage.gives,
            stage.capacity,
            stage.when_full
        );
    }
    Ok(Exit::Done)
}
