//! From one pack to another: what must hold before, and what is done then. Used by `greeter models use` and `greeter reindex --use`.

use std::{
    fs,
    io::{BufRead, IsTerminal, Write},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use super::{Context, Exit};
use crate::{
    config::StoreSettings,
    reindex::Coverage,
    store::{Store, StoreError},
};

/// Whose the store is.
pub enum Holder {
    /// There is none yet.
    Nobody,
    /// It is this process's user's.
    Us,
    /// It is another user's, of this number and group, and we are root: the service's, say.
    Other(u32, u32),
}

/// Finds out whether this process may open the store: files of root's in it would keep its own user out.
pub fn holder(settings: &StoreSettings) -> anyhow::Result<Holder> {
    if !Store::is_there(&settings.folder)? {
        return Ok(Holder::Nobody);
    }
    let owner = fs::metadata(&settings.folder).map(|found| (found.uid(), found.gid()));
    let us = rustix::process::geteuid();
    Ok(match owner {
        Ok((user, group)) if user != us.as_raw() && us.is_root() => Holder::Other(user, group),
        Ok((user, _)) if user != us.as_raw() => {
            bail!(
                "the store in {} belongs to another user. Run this as root or as that user",
                settings.folder.display()
            )
        }
        _ => Holder::Us,
    })
}

/// Runs this program's other command as the store's owner. Returns its exit code.
pub fn as_owner((user, group): (u32, u32), context: &Context, arguments: &[&str]) -> anyhow::Result<Option<i32>> {
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(file) = &context.config_file {
        command.arg("--config").arg(file);
    }
    let ended = command.args(arguments).uid(user).gid(group).status();
    Ok(ended.context("cannot run the program as the store's owner")?.code())
}

/// The configuration file that says, or will say, which pack is used.
pub fn config_file(context: &Context) -> PathBuf {
    context.config_file.clone().unwrap_or_else(|| "greeter.toml".into())
}

/// Writes `face.pack` into the configuration; the rest of the file stays as it is.
pub fn write_pack(context: &Context, pack: &str) -> anyhow::Result<()> {
    let file = config_file(context);
    let text = if file.exists() { fs::read_to_string(&file)? } else { String::new() };
    let mut document: toml_edit::DocumentMut = text.parse().with_context(|| file.display().to_string())?;
    if document.get("face").is_none() {
        document["face"] = toml_edit::table();
    }
    document["face"]["pack"] = toml_edit::value(pack);
    replace(&file, &document.to_string())
        .with_context(|| format!("cannot write {}. The templates of pack {pack} stay: run `greeter models use {pack}` as a user who may write it", file.display()))?;
    anstream::println!("{} now says face.pack = \"{pack}\".", file.display());
    Ok(())
}

fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let partial = file.with_extension("toml.partial");
    let mut written = fs::File::create(&partial)?;
    written.write_all(text.as_bytes()).and_then(|()| written.sync_all())?;
    fs::rename(&partial, file)
}

/// Nothing is switched before everybody's photos were looked at.
pub fn demand_complete(coverage: &Coverage, pack: &str) -> anyhow::Result<()> {
    if coverage.is_complete() {
        return Ok(());
    }
    bail!(
        "{} of the stored photos have not been looked at by the networks of pack {pack}, so people would be greeted without a name. Nothing was changed: run `greeter reindex --pack {pack}`, then this again",
        coverage.waiting
    )
}

/// Whether the switch may leave people without a name; asks unless `yes`.
pub fn agreed(left_out: usize, yes: bool) -> anyhow::Result<bool> {
    if left_out == 0 || yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "{left_out} people would be greeted without a name, and nobody can be asked here. Nothing was changed; add --yes to switch all the same"
        );
    }
    anstream::print!("Switch, although {left_out} people will be greeted without a name? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "是"))
}

/// Erases the templates of all recognisers but this one and says how many there were.
pub fn erase_others(store: &mut Store, recogniser: &str) -> Result<(), StoreError> {
    match store.erase_other_models(recogniser)? {
        0 => {}
        erased => anstream::println!("{erased} templates of other networks were erased."),
    }
    Ok(())
}

/// What must still be done by hand.
pub fn say_restart() {
    anstream::println!(
        "A robot that is running goes on with the networks it has until it is started again (service: sudo systemctl restart greeter)."
    );
}

/// The exit code that goes with a coverage.
pub fn exit(coverage: &Coverage) -> Exit {
    if coverage.left_out.is_empty() { Exit::Done } else { Exit::Attention }
}
