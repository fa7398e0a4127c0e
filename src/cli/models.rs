//! `greeter models`: show, check, install and choose the networks.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::{
    Context, Exit,
    switching::{self, Holder},
};
use crate::{
    face::manifest::{Manifest, NetworkEntry},
    models::{
        ModelError,
        file::{FileEntry, verify},
    },
    reindex::Coverage,
    store::Store,
};

/// Show, check, install or choose the networks that recognise people.
#[derive(clap::Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(clap::Subcommand)]
enum ModelsCommand {
    /// List networks and packs, with licence and origin.
    List,
    /// Check every installed file against its SHA-256.
    Verify,
    /// Install an optional network from a file that you have downloaded; a wrong file is refused and nothing changes.
    Install {
        /// The network's name in `greeter models list`.
        name: String,
        /// The downloaded file; without it the command says where to get it.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Use a pack from now on: writes `face.pack` into the configuration. Refused before `greeter reindex --pack NAME` has made everybody's
    /// templates; those of the former pack are erased.
    Use {
        /// The pack's name in `greeter models list`.
        name: String,
        /// Keep the templates of the former pack, so that going back needs no reindex.
        #[arg(long)]
        keep_old: bool,
        /// Do not ask, also if people have no photo that the pack can use.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
pub fn run(args: &ModelsArgs, context: &Context) -> anyhow::Result<Exit> {
    let manifest = Manifest::load(&context.installation.models())?;
    match &args.command {
        ModelsCommand::List => Ok(list(&manifest, &context.config.face.pack)),
        ModelsCommand::Verify => Ok(check(&manifest)),
        ModelsCommand::Install { name, from } => install(&manifest, name, from.as_deref()),
        ModelsCommand::Use { name, keep_old, yes } => choose(&manifest, name, *keep_old, *yes, context),
    }
}

fn list(manifest: &Manifest, in_use: &str) -> Exit {
    for (name, network) in &manifest.networks {
        let state = match manifest.resolve(name) {
            Ok(_) => "installed",
            Err(ModelError::Missing { .. }) if network.optional => "optional, not installed",
            Err(ModelError::Missing { .. }) => "MISSING",
            Err(_) => "DAMAGED",
        };
        anstream::println!("{name} ({state})");
        anstream::println!("    licence {}; from {}", network.licence, network.origin);
    }
    for (name, voice) in &manifest.voices {
        let state = match voice.verify(name, manifest.folder()) {
            Ok(()) => "installed",
            Err(ModelError::Missing { .. }) => "MISSING",
            Err(_) => "DAMAGED",
        };
        anstream::println!("voice {name}, {} ({state})", voice.language);
        anstream::println!("    licence {}; from {}", voice.licence, voice.origin);
    }
    for (name, pack) in &manifest.packs {
        let mark = if name == in_use { "in use" } else { "not in use" };
        let networks = manifest.networks_of(pack);
        let absent: Vec<&str> =
            networks.iter().filter(|network| manifest.resolve(network).is_err()).map(String::as_str).collect();
        let needs = if absent.is_empty() { String::new() } else { format!("; needs {}", absent.join(", ")) };
        anstream::println!("pack {name} ({mark}{needs}): {}", networks.join(", "));
    }
    Exit::Done
}

fn check(manifest: &Manifest) -> Exit {
    let networks = manifest
        .networks
        .iter()
        .flat_map(|(name, network)| network.all_files().map(move |file| (name, file, network.optional)));
    let voices = manifest.voices.iter().flat_map(|(name, voice)| voice.files().map(|file| (name, file, false)));
    let mut exit = Exit::Done;
    for (name, file, optional) in networks.chain(voices) {
        match verify(name, &manifest.folder().join(&file.name), &file.sha256) {
            Ok(()) => anstream::println!("ok       {}", file.name),
            Err(ModelError::Missing { .. }) if optional => anstream::println!("absent   {} (optional)", file.name),
            Err(error) => {
                anstream::println!("problem  {error}");
                exit = Exit::Failed;
            }
        }
    }
    exit
}

fn install(manifest: &Manifest, name: &str, from: Option<&Path>) -> anyhow::Result<Exit> {
    let network = manifest.networks.get(name).with_context(|| unknown("network", name, manifest.networks.keys()))?;
    let file = only_optional_file(name, network)?;
    let target = manifest.folder().join(&file.name);
    let Some(from) = from else {
        if manifest.resolve(name).is_ok() {
            anstream::println!("{name} is installed already.");
            return Ok(Exit::Done);
        }
        let url = file.url.as_deref().unwrap_or("(no address known)");
        bail!(
            "this program does not use the network. Download {url} on any machine, for example with\n    curl -fL -o {} {url}\nand run\n    greeter models install {name} --from {}\n(SHA-256 {})",
            file.name,
            file.name,
            file.sha256
        );
    };
    verify(name, from, &file.sha256).map_err(|error| match error {
        ModelError::Damaged { found, expected, .. } => anyhow::anyhow!(
            "{} is not {name}: its SHA-256 begins with {found}, not {expected}. Nothing was changed; download it again",
            from.display()
        ),
        _ => anyhow::anyhow!("cannot read {}. Nothing was changed", from.display()),
    })?;
    // Read again and checked again in its place: the file may have changed in between.
    let partial = target.with_extension("partial");
    let written = copy(from, &partial).and_then(|()| Ok(verify(name, &partial, &file.sha256)?));
    if let Err(error) = written.and_then(|()| Ok(fs::rename(&partial, &target)?)) {
        // It may not even have been made.
        drop(fs::remove_file(&partial));
        return Err(error.context(format!("cannot install {}", target.display())));
    }
    let uses = |pack: &&String| manifest.networks_of(&manifest.packs[*pack]).iter().any(|network| network == name);
    let packs: Vec<&str> = manifest.packs.keys().filter(uses).map(String::as_str).collect();
    anstream::println!(
        "{name} is installed. Packs that use it: {}. Make everybody's templates with: greeter reindex --pack PACK --use",
        packs.join(", ")
    );
    Ok(Exit::Done)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut file = fs::File::create(to)?;
    file.write_all(&fs::read(from)?)?;
    file.sync_all()?;
    Ok(())
}

fn only_optional_file<'m>(name: &str, network: &'m NetworkEntry) -> anyhow::Result<&'m FileEntry> {
    match network.files.as_slice() {
        [file] if network.optional => Ok(file),
        _ => bail!("{name} is in the box; if a file of it is damaged, restore it with `git checkout -- models`"),
    }
}

fn choose(manifest: &Manifest, name: &str, keep_old: bool, yes: bool, context: &Context) -> anyhow::Result<Exit> {
    let pack = manifest.packs.get(name).with_context(|| unknown("pack", name, manifest.packs.keys()))?;
    for network in manifest.networks_of(pack) {
        manifest.resolve(&network)?;
    }
    let exit = match switching::holder(&context.config.store)? {
        Holder::Nobody => {
            switching::write_pack(context, name)?;
            return Ok(Exit::Done);
        }
        Holder::Other(user, group) => switch_as_owner((user, group), name, keep_old, yes, context)?,
        Holder::Us => {
            let mut store = Store::open(&context.config.store)?.store;
            let coverage = Coverage::of(&store.enrolled()?, &pack.recogniser);
            switching::demand_complete(&coverage, name)?;
            anstream::println!("{coverage}");
            if !switching::agreed(coverage.left_out.len(), yes)? {
                anstream::println!("Nothing was changed.");
                return Ok(Exit::Attention);
            }
            switching::write_pack(context, name)?;
            if !keep_old {
                switching::erase_others(&mut store, &pack.recogniser)?;
            }
            store.write_snapshot().context("the pack is in use, but the store's copy still has to be renewed")?;
            switching::exit(&coverage)
        }
    };
    switching::say_restart();
    Ok(exit)
}

/// Only root may write the configuration, and only the service's user the store.
fn switch_as_owner(
    owner: (u32, u32),
    name: &str,
    keep_old: bool,
    yes: bool,
    context: &Context,
) -> anyhow::Result<Exit> {
    let exit = match switching::as_owner(owner, context, &["reindex", "--check", "--pack", name])? {
        Some(0) => Exit::Done,
        Some(3) if yes => Exit::Attention,
        // Who and how many they are was said above.
        Some(3) => {
            bail!("some people would be greeted without a name. Nothing was changed; add --yes to switch all the same")
        }
        _ => bail!("pack {name} cannot be used yet. Nothing was changed"),
    };
    switching::write_pack(context, name)?;
    let tidy: &[&str] = if keep_old { &["reindex", "--keep-old"] } else { &["reindex"] };
    switching::as_owner(owner, context, tidy)?;
    Ok(exit)
}

fn unknown<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    format!("there is no {kind} {name}; there are {}", known.join(", "))
}
