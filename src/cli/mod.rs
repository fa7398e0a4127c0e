//! One file a command: parse, call, print. Decides nothing.

mod audit;
mod bench;
mod calibrate;
mod config;
mod doctor;
mod explain;
mod models;
pub mod people;
mod pilot;
mod pipeline;
mod receipt;
mod reindex;
mod run;
mod say;
mod store;
mod switching;
pub mod sync;
mod voices;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    config::Config,
    face::{
        enrol::{self, PhotoEnroller},
        manifest::Manifest,
        networks::Networks,
    },
    installation::Installation,
    rights::access::{self, Access, AccessLog, All, Whose},
};

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All was done.
    Done = 0,
    /// Nothing, or not all, was done; the reason was printed. (2 is a wrong command line.)
    Failed = 1,
    /// Done, but something needs attention: rows were rejected, or `doctor` found a problem.
    Attention = 3,
}

/// Greets visitors of a tax bureau by name and sends them to the right counter. Everything stays on this machine.
#[derive(Parser)]
#[command(
    version,
    after_help = "First steps:\n  greeter doctor                              check camera, voices, models, store\n  greeter sync roster.csv --photos photos/    preload the people who are expected\n  greeter run                                 greet\n\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 done but something needs attention."
)]
struct Cli {
    /// The configuration; without it ./greeter.toml, then /etc/greeter/greeter.toml, then the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch the camera and greet visitors until Ctrl-C.
    Run(run::RunArgs),
    Sync(sync::SyncArgs),
    People(people::PeopleArgs),
    Audit(audit::AuditArgs),
    Receipt(receipt::ReceiptArgs),
    Calibrate(calibrate::CalibrateArgs),
    Explain(explain::ExplainArgs),
    Pilot(pilot::PilotArgs),
    /// Show, check, install or choose the networks that recognise people.
    Models(models::ModelsArgs),
    Reindex(reindex::ReindexArgs),
    Bench(bench::BenchArgs),
    /// Show the program's threads and what passes between them.
    Pipeline,
    Doctor(doctor::DoctorArgs),
    Say(say::SayArgs),
    Store(store::StoreArgs),
    Voices(voices::VoicesArgs),
    Config(config::ConfigArgs),
}

/// What every command needs.
struct Context {
    config: Config,
    /// Where the configuration came from.
    config_file: Option<PathBuf>,
    installation: Installation,
}

/// Runs the command line and ends the program.
pub fn main() -> ! {
    // A core has keys, names and faces in it. Where this is refused, the service's unit still has it.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let cli = Cli::parse();
    // `doctor` says itself what it finds; what sled writes for programmers the store says in words.
    let usual = if matches!(cli.command, Command::Doctor(_)) { "off" } else { "error,greeter=info,sled=off" };
    let log = tracing_subscriber::EnvFilter::try_from_env("GREETER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    // The crate writes whatever is said into its finest log.
    let log = match "tts=warn".parse() {
        Ok(silent) => log.add_directive(silent),
        Err(_) => log,
    };
    let coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(log)
        .with_writer(std::io::stderr)
        .with_ansi(coloured)
        .with_target(false)
        .init();
    let exit = run_command(&cli).unwrap_or_else(|error| {
        anstream::eprintln!("{}error:{} {error:#}", anstyle::AnsiColor::Red.on_default().bold(), anstyle::Reset);
        Exit::Failed
    });
    end(exit)
}

/// Ends the program without the libraries' clearing up: it would take their memory from a voice that is still within its network.
fn end(exit: Exit) -> ! {
    use std::io::Write as _;
    let _ = std::io::stdout().flush();
    // SAFETY: nothing runs in this process after it.
    unsafe { libc::_exit(exit as i32) }
}

/// Writes down who looks at people or changes them; says whether that was possible. A log that cannot be written keeps nobody from an erasure,
/// nor a full disk from being looked at.
fn note(command: &Command, config: &Config) -> bool {
    let Some((command, records)) = touches(command) else { return true };
    let access = Access::by_us(command.into(), records, &jiff::ZonedDateTime::now());
    match AccessLog::of(&config.store).and_then(|log| Ok(log.map(|log| log.note(access)).transpose()?)) {
        Ok(noted) => noted.is_some(),
        Err(error) => {
            tracing::warn!("this access could not be written down: {error}");
            true
        }
    }
}

/// With the offset from UTC.
fn now() -> String {
    jiff::ZonedDateTime::now().strftime(access::WITH_OFFSET).to_string()
}

/// What a command does with people's records, if anything, for the access log.
fn touches(command: &Command) -> Option<(&'static str, Whose)> {
    let all = Whose::Everybody(All::All);
    match command {
        Command::People(args) => Some(args.touches()),
        Command::Sync(_) => Some(("sync", all)),
        Command::Calibrate(_) => Some(("calibrate", all)),
        Command::Reindex(_) => Some(("reindex", all)),
        Command::Pilot(_) => Some(("pilot", all)),
        Command::Store(args) => Some((args.touches(), all)),
        Command::Say(args) => args.touches().map(|record| ("say", Whose::One(record))),
        // The robot itself, what knows record numbers and nothing else, and what knows nobody.
        Command::Run(_)
        | Command::Explain(_)
        | Command::Models(_)
        | Command::Bench(_)
        | Command::Pipeline
        | Command::Doctor(_)
        | Command::Voices(_)
        | Command::Audit(_)
        | Command::Receipt(_)
        | Command::Config(_) => None,
    }
}

fn run_command(cli: &Cli) -> anyhow::Result<Exit> {
    // It must say what is wrong even where the configuration is.
    if let Command::Doctor(args) = &cli.command {
        return doctor::run(args, cli.config.clone());
    }
    let (config, config_file) = Config::find(cli.config.as_deref())?;
    let context = Context { config, config_file, installation: Installation::find()? };
    let noted = note(&cli.command, &context.config);
    let outcome = obey(cli, &context);
    if !noted {
        // It has made the store's key itself.
        note(&cli.command, &context.config);
    }
    outcome
}

fn obey(cli: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Run(args) => run::run(args, context),
        Command::Sync(args) => {
            let pack = &context.config.face.pack;
            let manifest = Manifest::load(&context.installation.models())?;
            let model = &manifest.pack(pack)?.recogniser;
            let same_person = manifest.same_person.get(model).copied();
            sync::run(args, &context.config, model, same_person, || {
                let networks = Networks::load(&context.installation, pack, enrol::MIN_FACE_PX)?;
                Ok(Box::new(PhotoEnroller::new(networks)))
            })
        }
        Command::People(args) => people::run(args, &context.config),
        Command::Audit(args) => audit::run(args, &context.config),
        Command::Receipt(args) => receipt::run(args, &context.config),
        Command::Store(args) => store::run(args, &context.config),
        Command::Calibrate(args) => calibrate::run(args, context),
        Command::Models(args) => models::run(args, context),
        Command::Reindex(args) => reindex::run(args, context),
        Command::Bench(args) => bench::run(args, context),
        Command::Explain(args) => explain::run(args, &context.config.journal),
        Command::Pilot(args) => pilot::run(args, &context.config),
        Command::Say(args) => say::run(args, context),
        Command::Voices(args) => voices::run(args, context),
        Command::Pipeline => pipeline::run(),
        Command::Config(args) => config::run(args, &context.config, context.config_file.as_deref()),
        Command::Doctor(args) => doctor::run(args, cli.config.clone()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Commands that show nobody and change nobody: the robot itself, what knows record numbers and nothing else, and what knows nobody.
    const NOBODYS: [&str; 11] =
        ["run", "explain", "models", "bench", "pipeline", "doctor", "voices", "audit", "receipt", "config", "say"];

    /// Every command line with a last word of its own, with values for what it must be told.
    fn lines(command: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
        let inner: Vec<_> = command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
        if !inner.is_empty() {
            let deeper = |inner: &&clap::Command| lines(inner, &[path, &[inner.get_name().to_owned()]].concat());
            return inner.iter().flat_map(deeper).collect();
        }
        let mut line = path.to_vec();
        // `say` wants its text or a person.
        let wanted = |argument: &&clap::Arg| argument.is_required_set() || argument.get_id() == "text";
        for argument in command.get_arguments().filter(wanted) {
            line.extend(argument.get_long().map(|long| format!("--{long}")));
            line.push("1".into());
        }
        vec![line]
    }

    #[test]
    fn every_command_that_shows_or_changes_people_has_an_entry_in_the_access_log() {
        let lines = lines(&Cli::command(), &[]);
        assert!(lines.len() > 30, "{lines:?}");
        for line in lines {
            let cli = Cli::try_parse_from([&["greeter".to_owned()], line.as_slice()].concat());
            let cli = cli.unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let noted = touches(&cli.command);
            assert_eq!(noted.is_some(), !NOBODYS.contains(&line[0].as_str()), "{line:?}: {noted:?}");
            let name = noted.map_or(line[0].clone(), |(name, _)| name.to_owned());
            assert!(line.join(" ").starts_with(&name), "{line:?} is noted as {name}");
        }
        let named = Cli::try_parse_from(["greeter", "say", "--person", "7"]).unwrap();
        assert_eq!(touches(&named.command), Some(("say", Whose::One(crate::person::RecordNumber(7)))));
    }
}
