//! `greeter bench thresholds`: computes the scores of `[thresholds.…]` in `models.toml` from photos of people who are known not to be
//! each other.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Context as _;

use crate::{
    bench::dataset,
    calibration::group::{Photo, min_scores, non_mates},
    face::{
        Enroller as _, ModelError,
        enrol::{MIN_FACE_PX, PhotoEnroller},
        manifest::Thresholds,
        networks::Networks,
    },
    installation::Installation,
};

/// Compute from which score a person may be named, for a group of people like those who will come.
///
/// DIR holds a folder of photos a person. Each person of the group visits the hall and is compared with all others of the group. Prints
/// the table for models/models.toml; what was left out goes to standard error.
#[derive(Debug, clap::Args)]
pub struct ThresholdsArgs {
    /// A folder with a folder of photos (JPEG or PNG) a person
    #[arg(long, value_name = "DIR")]
    pub dataset: PathBuf,
    /// The people to use: a folder's name a line; lines that begin with # are remarks
    #[arg(long, value_name = "FILE")]
    pub group: PathBuf,
    /// The networks, a pack of models/models.toml
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub pack: String,
    /// The share of strangers who may be taken for somebody
    #[arg(long, value_name = "SHARE", default_value_t = 0.001)]
    pub fpir: f64,
    /// Who the group is, for the table
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "people with Chinese, Korean or Japanese names in news photos (LFW)"
    )]
    pub population: String,
}

/// Computes and prints.
///
/// # Errors
/// When photos, group or networks cannot be read, or the group is too small.
pub fn run(args: &ThresholdsArgs, installation: &Installation) -> anyhow::Result<()> {
    let names = dataset::group(&args.group)?;
    let mut enroller = PhotoEnroller::new(Networks::load(installation, &args.pack, MIN_FACE_PX)?);
    let mut people = Vec::new();
    let (mut photos, mut refused) = (0, 0);
    for name in &names {
        let mut usable = Vec::new();
        for path in dataset::person(&args.dataset.join(name))?.photos {
            let picture = image::open(&path).with_context(|| format!("cannot read {}", path.display()))?.to_rgb8();
            match photo(&mut enroller, &picture)? {
                Some(photo) => usable.push(photo),
                None => refused += 1,
            }
        }
        photos += usable.len();
        people.extend((!usable.is_empty()).then_some(usable));
    }
    anstream::eprintln!("{} of {} people, {photos} photos used, {refused} refused", people.len(), names.len());
    let scores = min_scores(&non_mates(&people), args.fpir)?;
    let method = format!(
        "greeter bench thresholds, FPIR {} %: visits of up to three photos against one to three enrolled photos of the others, normal tail of the upper fifth plus one standard error over people",
        args.fpir * 100.0
    );
    let population = format!("{}: {} people, {photos} photos", args.population, people.len());
    anstream::print!("{}", table(enroller.model(), &Thresholds { population, method, mates_median: None, scores })?);
    Ok(())
}

fn photo(enroller: &mut PhotoEnroller, picture: &image::RgbImage) -> Result<Option<Photo>, ModelError> {
    let Ok(portrait) = enroller.portrait(picture)? else { return Ok(None) };
    let enrolled = enroller.template(&portrait)?;
    let view = enroller.view(&portrait)?;
    Ok(view.map(|(template, quality)| Photo { template, quality: quality.score(), portrait: enrolled }))
}

/// The table as it stands in `models.toml`.
fn table(recogniser: &str, thresholds: &Thresholds) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let bare = recogniser.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let key = if bare { recogniser.to_owned() } else { toml::Value::from(recogniser).to_string() };
    writeln!(text, "[thresholds.{key}]")?;
    writeln!(text, "population = {}", toml::Value::from(thresholds.population.as_str()))?;
    writeln!(text, "method = {}", toml::Value::from(thresholds.method.as_str()))?;
    writeln!(text, "scores = [")?;
    for row in &thresholds.scores {
        writeln!(text, "    {{ gallery = {}, min_score = {:.3} }},", row.gallery, row.min_score)?;
    }
    writeln!(text, "]")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::manifest::GalleryThreshold;

    #[test]
    fn the_printed_table_is_one_that_the_manifest_can_read() {
        let scores = vec![
            GalleryThreshold { gallery: 10, min_score: 0.6251 },
            GalleryThreshold { gallery: 500, min_score: 0.777 },
        ];
        let thresholds =
            Thresholds { population: "a \"group\"".into(), method: "counted".into(), mates_median: None, scores };
        #[derive(serde::Deserialize)]
        struct File {
            thresholds: std::collections::BTreeMap<String, Thresholds>,
        }
        for recogniser in ["mobilefacenet-192", "mobilefacenet-192+128"] {
            let read: File = toml::from_str(&table(recogniser, &thresholds).unwrap()).unwrap();
            let read = &read.thresholds[recogniser];
            assert_eq!((read.population.as_str(), read.min_score(500)), ("a \"group\"", Some(0.777)));
            assert_eq!(read.min_score(3), Some(0.625));
        }
    }
}
