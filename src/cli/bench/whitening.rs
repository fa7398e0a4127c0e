//! `greeter bench whitening`: fits the file that whitens a network's templates to photos of people who are known.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::{
    bench::{dataset, identify::cast::tested},
    face::{
        Enroller as _, Template,
        enrol::{MIN_FACE_PX, PhotoEnroller},
        manifest::{Manifest, Pack},
        networks::Networks,
        whitening::Whitening,
    },
    installation::Installation,
    models::file::sha256_of,
};

/// Fit what makes the differences between photos of one person count less.
///
/// DIR holds a folder of photos a person, the group's people are like those who will come: a part of what they have in common is taken away.
/// Uses the half of the people on whom `greeter bench identify` with the same seed only freezes thresholds, so that its figures are of
/// people who were not used here. Prints the line for models/models.toml.
#[derive(Debug, clap::Args)]
pub struct WhiteningArgs {
    /// A folder with a folder of photos (JPEG or PNG) a person
    #[arg(long, value_name = "DIR")]
    pub dataset: PathBuf,
    /// The group: a folder's name a line; lines that begin with # are remarks
    #[arg(long, value_name = "FILE")]
    pub group: PathBuf,
    /// The network, as models/models.toml calls it
    #[arg(long, value_name = "NAME")]
    pub network: String,
    /// Seed of the halves
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Fits, writes and prints.
///
/// # Errors
/// When photos or networks cannot be read, or nobody has two photos.
pub fn run(args: &WhiteningArgs, installation: &Installation) -> anyhow::Result<()> {
    let manifest = Manifest::load(&installation.models())?;
    let pack = Pack { recogniser: args.network.clone(), ..manifest.pack("default")?.clone() };
    let mut enroller = PhotoEnroller::new(Networks::load_pack(installation, &manifest, &pack, MIN_FACE_PX)?);
    let members = dataset::group(&args.group)?;
    let (mut people, mut group): (Vec<Vec<Template>>, Vec<Vec<Template>>) = Default::default();
    for person in dataset::people(&args.dataset)? {
        let member = members.contains(&person.name);
        if tested(&person.name, args.seed) || (person.photos.len() < 2 && !member) {
            continue;
        }
        let mut templates = Vec::new();
        for path in &person.photos {
            let picture = image::open(path).with_context(|| format!("cannot read {}", path.display()))?.to_rgb8();
            templates.extend(enroller.enrol(&picture)?);
        }
        group.extend((member && !templates.is_empty()).then(|| templates.clone()));
        people.extend((templates.len() > 1).then_some(templates));
    }
    let photos: usize = people.iter().map(Vec::len).sum();
    let whitening = Whitening::fit(&people, &group);
    let bytes =
        whitening.with_context(|| format!("{} has nobody with two usable photos", args.dataset.display()))?.bytes();
    std::fs::write(&args.out, &bytes).with_context(|| format!("cannot write {}", args.out.display()))?;
    anstream::eprintln!("{} people, {photos} photos; {} of the group", people.len(), group.len());
    let name = args.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    anstream::println!(
        "whitening = {{ name = {}, bytes = {}, sha256 = \"{}\" }}",
        toml::Value::from(name),
        bytes.len(),
        sha256_of(&bytes)
    );
    Ok(())
}
