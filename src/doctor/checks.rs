//! What is looked at, in which order, and how long each look may take.

use std::{path::PathBuf, time::Duration};

use super::{Finding, Wanted, box_contents, devices, isolated, machine, people, picture, privacy};
use crate::{
    config::Config,
    installation::{Installation, NotInstalled},
};

/// One thing to look at.
pub struct Check {
    /// What the operator calls it.
    pub name: &'static str,
    limit: Duration,
    look: Box<dyn FnOnce() -> Vec<Finding> + Send>,
}

impl Check {
    fn new(name: &'static str, seconds: u64, look: impl FnOnce() -> Vec<Finding> + Send + 'static) -> Self {
        Self { name, limit: Duration::from_secs(seconds), look: Box::new(look) }
    }

    /// Looks. Never panics, and returns in time.
    pub fn findings(self) -> Vec<Finding> {
        isolated(self.limit, self.look)
    }
}

/// All checks, in the order of a visit. `chosen` is the configuration that the command line names.
///
/// A configuration that cannot be used, or an installation that is not found, is the first finding; what can be looked at without it still is.
pub fn checks(chosen: Option<PathBuf>) -> Vec<Check> {
    let (configuration, config) = configuration(chosen);
    let mut checks = vec![configuration];
    checks.extend([
        Check::new("camera", 6, with(&config, |config| devices::camera(&config.camera))),
        Check::new("sound", 8, with(&config, |config| devices::sound(&config.greeting))),
    ]);
    match Installation::find() {
        Ok(installation) => checks.extend(of_installation(&installation, &config)),
        Err(error) => checks.push(missing(&error)),
    }
    checks.extend([
        Check::new("privacy", 20, with(&config, privacy::privacy)),
        Check::new("disk", 5, with(&config, |config| machine::disk(&config.store.folder))),
        Check::new("clock", 5, machine::clock),
    ]);
    checks
}

/// The one look that takes a picture, and the configuration by which it is taken.
pub fn for_a_picture(chosen: Option<PathBuf>, wanted: Wanted) -> Vec<Check> {
    let (configuration, config) = configuration(chosen);
    let taken = match Installation::find() {
        Ok(found) => Check::new("picture", 60, move || picture::picture(&found, &config, &wanted)),
        Err(error) => missing(&error),
    };
    vec![configuration, taken]
}

fn configuration(chosen: Option<PathBuf>) -> (Check, Config) {
    let (findings, config) = match Config::find(chosen.as_deref()) {
        Ok((config, file)) => (machine::configuration(file), config),
        Err(error) => (vec![machine::bad_configuration(&error)], Config::default()),
    };
    (Check::new("configuration", 1, move || findings), config)
}

fn missing(error: &NotInstalled) -> Check {
    let finding = Finding::of(error, "install the program with scripts/install-service.sh");
    Check::new("files", 1, move || vec![finding])
}

fn of_installation(installation: &Installation, config: &Config) -> Vec<Check> {
    let on = |look: fn(&Installation, &Config) -> Vec<Finding>| {
        let (installation, config) = (installation.clone(), config.clone());
        move || look(&installation, &config)
    };
    vec![
        Check::new("voices", 30, on(devices::voices)),
        Check::new("phrases", 5, on(box_contents::phrases)),
        Check::new("models", 20, on(box_contents::models)),
        Check::new("runtime", 20, on(box_contents::runtime)),
        Check::new("store", 60, on(people::store)),
        Check::new("routing", 60, on(people::routing)),
    ]
}

fn with(config: &Config, look: fn(&Config) -> Vec<Finding>) -> impl FnOnce() -> Vec<Finding> + Send + 'static {
    let config = config.clone();
    move || look(&config)
}
