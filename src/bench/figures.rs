//! What every file of figures begins with: the command, the program, the machine.

use serde::Serialize;

/// What was measured where.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// The command line, without the program's path.
    pub command: String,
    /// The program's version.
    pub version: &'static str,
    /// The machine.
    pub machine: Machine,
    /// The pack of networks.
    pub pack: String,
    /// The random seed.
    pub seed: u64,
}

/// A machine in a few words.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub cpu: String,
    /// That the process may use.
    pub cores: usize,
    /// Installed.
    pub memory_mb: u64,
}

impl Origin {
    /// This process, here and now.
    pub fn here(pack: &str, seed: u64) -> Self {
        let command = std::iter::once("greeter".to_owned()).chain(std::env::args().skip(1));
        Self {
            command: command.collect::<Vec<_>>().join(" "),
            version: env!("CARGO_PKG_VERSION"),
            machine: Machine::this(),
            pack: pack.to_owned(),
            seed,
        }
    }
}

impl Machine {
    /// As the kernel describes it.
    fn this() -> Self {
        let field = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let kilobytes = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: kilobytes.unwrap_or(0) / 1024,
        }
    }
}
