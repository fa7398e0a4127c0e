//! What came in the box: networks, ONNX Runtime and phrases.

use std::{fs, path::Path};

use super::Finding;
use crate::{
    calibration::file::Calibration,
    config::Config,
    face::{manifest::Manifest, networks::Networks},
    greeting::phrases::{PhraseError, Phrases},
    installation::Installation,
    models::{ModelError, runtime::Runtime},
};

const RESTORE: &str = "restore the file with `git checkout -- models`, or install the program again";

/// Whether each file of the configured pack is the one that was measured, and from which score it may name somebody.
pub fn models(installation: &Installation, config: &Config) -> Vec<Finding> {
    let manifest = match Manifest::load(&installation.models()) {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::of(&error, RESTORE)],
    };
    let name = &config.face.pack;
    let pack = match manifest.pack(name) {
        Ok(pack) => pack,
        Err(error) => return vec![Finding::of(&error, "choose one of them with `greeter models use NAME`")],
    };
    let networks = manifest.networks_of(pack);
    let faults: Vec<Finding> =
        networks.iter().filter_map(|network| Some(Finding::of(&manifest.resolve(network).err()?, RESTORE))).collect();
    let mut findings = if faults.is_empty() {
        let names = networks.join(", ");
        vec![Finding::fine(format!("pack {name}: each file of {names} is the one that was measured"))]
    } else {
        faults
    };
    findings.push(threshold(&manifest, &pack.recogniser, config));
    if !config.decision.announce {
        findings.push(Finding::fine(
            "a silent pilot (`decision.announce = false`): names are decided and nobody is named; `greeter pilot` lists them",
        ));
    }
    findings
}

fn threshold(manifest: &Manifest, recogniser: &str, config: &Config) -> Finding {
    let chosen = config.decision.min_score_to_name;
    // A calibration that cannot be used is the store's finding.
    let own = Calibration::load(&config.store.folder).ok().flatten().filter(|own| own.recogniser == recogniser);
    let own = own.map(|own| own.thresholds());
    let measured = own.as_ref().or(manifest.thresholds.get(recogniser));
    match (measured, measured.and_then(|thresholds| thresholds.min_score(0))) {
        (Some(_), Some(least)) if chosen > 0.0 && chosen < least => Finding::problem(
            format!(
                "`decision.min_score_to_name` is {chosen}, less than the {least} that was measured: strangers will be named"
            ),
            "set it to 0, which takes the measured one",
        ),
        (Some(thresholds), Some(_)) if chosen <= 0.0 => {
            Finding::fine(format!("the scores that name somebody were measured on {}", thresholds.population))
        }
        (_, None) if chosen <= 0.0 => Finding::problem(
            format!("models.toml has no measured scores for {recogniser}: hardly anybody will be named"),
            "use another pack (`greeter models use default`), or set `decision.min_score_to_name` to a score that you have measured",
        ),
        _ => Finding::fine(format!("`decision.min_score_to_name` is your own: {chosen}")),
    }
}

/// Whether ONNX Runtime loads, and the pack's networks in it.
pub fn runtime(installation: &Installation, config: &Config) -> Vec<Finding> {
    if let Err(error) = Runtime::load(installation) {
        return vec![Finding::of(&error, "run scripts/setup.sh")];
    }
    let version = version(&installation.onnx_runtime()).map_or(String::new(), |version| format!(" {version}"));
    let mut findings = vec![Finding::fine(format!("ONNX Runtime{version} loads"))];
    // Any size will do: nothing is looked for.
    match Networks::load(installation, &config.face.pack, 60) {
        Ok(_) => findings.push(Finding::fine("the networks load")),
        // The models' own check says what is wrong with the files.
        Err(ModelError::Missing { .. } | ModelError::Damaged { .. } | ModelError::Manifest { .. }) => {}
        Err(error) => {
            findings.push(Finding::of(&error, "run scripts/setup.sh, which fetches the runtime that fits them"))
        }
    }
    findings
}

/// The library's version, from the name of its symbols' version, such as `VERS_1.23.2`.
fn version(library: &Path) -> Option<String> {
    let bytes = fs::read(library).ok()?;
    let found = bytes.windows(5).enumerate().filter(|(_, window)| window == b"VERS_").find_map(|(at, _)| {
        let digits = bytes[at + 5..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
        let text: String = digits.map(|byte| char::from(*byte)).collect();
        text.contains('.').then_some(text)
    });
    found.filter(|version| version.len() < 16)
}

/// Whether all phrases can be said.
pub fn phrases(installation: &Installation, config: &Config) -> Vec<Finding> {
    let phrases = match load_phrases(installation, config) {
        Ok(phrases) => phrases,
        Err(error) => return vec![Finding::of(&error, "correct the file")],
    };
    let tags: Vec<&str> = phrases.languages().map(|language| language.tag()).collect();
    let mut findings = vec![Finding::fine(tags.join(", "))];
    let usual = config.greeting.language.tag();
    if !tags.contains(&usual) {
        findings.push(Finding::problem(
            format!("there are no phrases in {usual}, the language of `greeting.language`: another one is spoken"),
            format!("choose one of {}, or add {usual}.ftl to {}", tags.join(", "), config.greeting.phrases.display()),
        ));
    }
    findings
}

/// The phrases that `greeter run` uses.
pub(super) fn load_phrases(installation: &Installation, config: &Config) -> Result<Phrases, PhraseError> {
    Phrases::load(&[installation.assets().join("phrases"), config.greeting.phrases.clone()])
}
