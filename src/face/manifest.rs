//! `models/models.toml`: which networks there are, which belong together, and from which score a person may be named.
//!
//! Every file is checked against its SHA-256 before it is loaded: a network that was not measured must not decide who somebody is.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::ModelError;
use crate::models::{
    file::{FileEntry, verify},
    voices::VoiceEntry,
};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// By name.
    pub networks: BTreeMap<String, NetworkEntry>,
    /// Recognisers made of networks, by name.
    #[serde(default)]
    pub recognisers: BTreeMap<String, RecogniserEntry>,
    /// By name.
    pub packs: BTreeMap<String, Pack>,
    /// By recogniser.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Thresholds>,
    /// By recogniser: the score from which two enrolment photos may show one person.
    #[serde(default)]
    pub same_person: BTreeMap<String, f32>,
    /// Neural voices, by name; `models::voices` reads them for `greeting`.
    #[serde(default)]
    pub voices: BTreeMap<String, VoiceEntry>,
    #[serde(skip)]
    folder: PathBuf,
}

/// One network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// What it is for.
    pub role: Role,
    /// Not in the box; an operator may install it.
    pub optional: bool,
    /// Its files, in the order in which the program loads them.
    pub files: Vec<FileEntry>,
    /// The file that brings its points to the five, if it has others.
    pub points_map: Option<FileEntry>,
    /// The file that whitens its templates ([`super::whitening`]), if it has one.
    pub whitening: Option<FileEntry>,
    /// What it takes.
    pub input: Input,
    /// What a recogniser gives.
    pub output: Option<Output>,
    /// How a face is put before it.
    pub alignment: Alignment,
    /// Under which it may be used.
    pub licence: String,
    /// Where it comes from.
    pub origin: String,
    /// On whose faces it was trained, as far as known.
    pub trained_on: String,
}

impl NetworkEntry {
    /// All its files: those that the program loads, and what goes with them.
    pub fn all_files(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().chain(&self.points_map).chain(&self.whitening)
    }

    fn mistake(&self, name: &str) -> Option<String> {
        if self.files.is_empty() {
            Some(format!("network {name} has no files"))
        } else if self.input.layout != "nchw" || !self.colours_can_be_fed() {
            Some(format!("network {name}: only rgb in the layout nchw can be fed (finders: bgr, too)"))
        } else if self.output.as_ref().is_some_and(|output| output.metric != "cosine") {
            Some(format!("network {name}: the only metric is cosine"))
        } else {
            None
        }
    }

    /// Recognisers are fed red first; a finder may want blue first.
    fn colours_can_be_fed(&self) -> bool {
        self.input.colours == "rgb" || (self.role == Role::FaceFinder && self.input.colours == "bgr")
    }
}

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Finds faces anywhere in a picture.
    FaceFinder,
    /// Looks at a small square around a face.
    FaceDetector,
    /// Makes a template of an aligned face.
    Recogniser,
}

/// How a face is put before a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Alignment {
    /// As it is.
    #[serde(rename = "none")]
    None,
    /// By a similarity on ArcFace's five places in 112×112 pixels.
    #[serde(rename = "arcface-5")]
    Arcface5,
}

/// What a network takes: `(value - mean) / scale` for RGB values 0 to 255.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Pixels; 0 for any.
    pub width: u32,
    /// Pixels; 0 for any.
    pub height: u32,
    /// Pictures a run; 0 for any.
    pub batch: u32,
    /// `nchw`.
    pub layout: String,
    /// `rgb`; a finder may want `bgr`.
    pub colours: String,
    /// Per channel.
    pub mean: [f32; 3],
    /// Per channel.
    pub scale: [f32; 3],
}

/// What a recogniser gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Numbers in a template.
    pub size: usize,
    /// `cosine`.
    pub metric: String,
    /// The length of its output, before that is made 1, for the best of good views; shorter ones say that it was less sure.
    pub full_length: Option<f32>,
}

/// A recogniser whose template is those of its networks, one behind the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecogniserEntry {
    /// In the order in which they stand in the template.
    pub parts: Vec<Part>,
}

impl RecogniserEntry {
    fn mistake(&self, name: &str, networks: &BTreeMap<String, NetworkEntry>) -> Option<String> {
        if networks.contains_key(name) {
            return Some(format!("{name} is a network and a recogniser; templates would not tell which made them"));
        }
        if self.parts.is_empty() {
            return Some(format!("recogniser {name} has no parts"));
        }
        self.parts.iter().find_map(|part| {
            let network = networks.get(&part.network).filter(|network| network.role == Role::Recogniser);
            match network.filter(|_| part.weight > 0.0 && part.weight.is_finite()) {
                None => Some(format!(
                    "recogniser {name}: {} must be a network that recognises, and its weight above 0",
                    part.network
                )),
                Some(network) if part.whitened && network.whitening.is_none() => {
                    Some(format!("recogniser {name}: {} has no whitening", part.network))
                }
                Some(_) => None,
            }
        })
    }
}

/// A network's share in a recogniser.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub network: String,
    /// What its template, of length 1, is multiplied by. Its square is the part's say in the comparison score.
    #[serde(default = "whole")]
    pub weight: f32,
    /// Whether its template is whitened first, by the network's `whitening`.
    #[serde(default)]
    pub whitened: bool,
}

fn whole() -> f32 {
    1.0
}

/// Networks that work together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// For whole pictures.
    pub finder: String,
    /// For the surroundings of a face.
    pub tracker: String,
    /// For templates: a recogniser, or a network as it is. This name stands with each template in the store.
    pub recogniser: String,
    /// A network of it is not in the box.
    #[serde(default)]
    pub optional: bool,
}

/// From which score a person may be named, by the size of the gallery.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Whose non-mates they were taken from: they hold for such people.
    pub population: String,
    /// How they were got.
    pub method: String,
    /// The median comparison score of single views of enrolled people, as `greeter bench identify` measured it.
    #[serde(default)]
    pub mates_median: Option<f32>,
    /// Rising galleries.
    pub scores: Vec<GalleryThreshold>,
}

/// One row of [`Thresholds`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GalleryThreshold {
    /// People enrolled.
    pub gallery: usize,
    /// The lowest comparison score that names somebody.
    pub min_score: f32,
}

impl Thresholds {
    /// The score for a gallery of `people`: on the line between the two rows around it, by the logarithm of the size, which the scores
    /// follow closely, and larger galleries on the line of the last two. Smaller ones get the first row.
    pub fn min_score(&self, people: usize) -> Option<f32> {
        let (first, last) = (self.scores.first()?, self.scores.last()?);
        let above = self.scores.iter().position(|row| row.gallery >= people);
        let (low, high) = match above {
            Some(0) => return Some(first.min_score),
            Some(at) => (&self.scores[at - 1], &self.scores[at]),
            None if self.scores.len() > 1 => (&self.scores[self.scores.len() - 2], last),
            None => return Some(last.min_score),
        };
        let size = |gallery: usize| (gallery.max(1) as f32).ln();
        let share = (size(people) - size(low.gallery)) / (size(high.gallery) - size(low.gallery)).max(f32::EPSILON);
        Some(low.min_score + share * (high.min_score - low.min_score))
    }
}

/// A network whose files are there and are the right ones.
#[derive(Debug, Clone)]
pub struct ResolvedNetwork {
    /// Its name.
    pub name: String,
    /// The models folder.
    pub folder: PathBuf,
    /// Its files, at least one.
    pub files: Vec<PathBuf>,
    /// Its description.
    pub entry: NetworkEntry,
}

impl ResolvedNetwork {
    /// The file of a network that has one.
    pub fn only_file(&self) -> &Path {
        &self.files[0]
    }
}

impl Manifest {
    /// Reads `models.toml` in `folder`.
    ///
    /// # Errors
    /// [`ModelError::Manifest`].
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join("models.toml");
        let fault = |cause: String| ModelError::Manifest { path: path.clone(), cause };
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let mut manifest: Self = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        manifest.folder = folder.to_owned();
        match manifest.mistake() {
            Some(mistake) => Err(fault(mistake)),
            None => Ok(manifest),
        }
    }

    /// What the program could not make sense of.
    fn mistake(&self) -> Option<String> {
        let of_networks = self.networks.iter().find_map(|(name, network)| network.mistake(name));
        let of_recognisers = || self.recognisers.iter().find_map(|(name, entry)| entry.mistake(name, &self.networks));
        of_networks.or_else(of_recognisers)
    }

    /// A pack by its name.
    ///
    /// # Errors
    /// Names the packs there are.
    pub fn pack(&self, name: &str) -> Result<&Pack, ModelError> {
        self.packs.get(name).ok_or_else(|| ModelError::Manifest {
            path: self.folder.join("models.toml"),
            cause: format!(
                "there is no pack {name}; there are {}",
                self.packs.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
        })
    }

    /// A network with its files verified.
    ///
    /// # Errors
    /// [`ModelError::Missing`], [`ModelError::Damaged`], or [`ModelError::Manifest`] for an unknown name.
    pub fn resolve(&self, name: &str) -> Result<ResolvedNetwork, ModelError> {
        let entry = self.networks.get(name).ok_or_else(|| ModelError::Manifest {
            path: self.folder.join("models.toml"),
            cause: format!("there is no network {name}"),
        })?;
        for file in entry.all_files() {
            verify(name, &self.folder.join(&file.name), &file.sha256)?;
        }
        let files = entry.files.iter().map(|file| self.folder.join(&file.name)).collect();
        Ok(ResolvedNetwork { name: name.to_owned(), folder: self.folder.clone(), files, entry: entry.clone() })
    }

    /// The networks of a recogniser; a network's name stands for the network as it is.
    pub fn parts(&self, recogniser: &str) -> Vec<Part> {
        match self.recognisers.get(recogniser) {
            Some(recogniser) => recogniser.parts.clone(),
            None => vec![Part { network: recogniser.to_owned(), weight: whole(), whitened: false }],
        }
    }

    /// How many numbers a recogniser's templates have: those of its networks, one behind the other. `None` if a network does not say.
    pub fn template_size(&self, recogniser: &str) -> Option<usize> {
        let size = |part: Part| Some(self.networks.get(&part.network)?.output.as_ref()?.size);
        self.parts(recogniser).into_iter().map(size).sum()
    }

    /// All networks that a pack needs.
    pub fn networks_of(&self, pack: &Pack) -> Vec<String> {
        let recognisers = self.parts(&pack.recogniser).into_iter().map(|part| part.network);
        [pack.finder.clone(), pack.tracker.clone()].into_iter().chain(recognisers).collect()
    }

    /// A recogniser's networks with their files verified, each with its share.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_recogniser(&self, name: &str) -> Result<Vec<(ResolvedNetwork, Part)>, ModelError> {
        self.parts(name).into_iter().map(|part| Ok((self.resolve(&part.network)?, part))).collect()
    }

    /// The models folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Manifest {
        Manifest::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap()
    }

    #[test]
    fn every_network_in_the_box_is_the_one_that_was_measured() {
        let manifest = shipped();
        for (name, network) in &manifest.networks {
            if !network.optional {
                manifest.resolve(name).unwrap();
            }
        }
        let pack = manifest.pack("default").unwrap();
        assert_eq!(pack.recogniser, "mobilefacenet-192-whitened");
    }

    #[test]
    fn the_pack_both_needs_the_networks_of_both_recognisers_and_no_template_of_either_is_taken_for_its() {
        let manifest = shipped();
        let pack = manifest.pack("both").unwrap();
        assert!(pack.optional);
        let needed = manifest.networks_of(pack);
        for network in ["mtcnn", "mediapipe-face-short", "mobilefacenet-192", "mobilefacenet-128"] {
            assert!(needed.iter().any(|name| name == network), "{needed:?}");
        }
        assert!(!manifest.networks.contains_key(&pack.recogniser));
        assert_eq!(manifest.parts("mobilefacenet-192").len(), 1);
    }

    #[test]
    fn a_template_has_the_numbers_of_all_the_networks_that_make_it() {
        let manifest = shipped();
        let of_pack = |name: &str| manifest.template_size(&manifest.pack(name).unwrap().recogniser);
        let sizes = ["default", "mobilefacenet-128", "both", "yunet"].map(of_pack);
        assert_eq!(sizes, [Some(192), Some(128), Some(320), Some(192)]);
        assert_eq!((manifest.template_size("mtcnn"), manifest.template_size("facenet")), (None, None));
    }

    #[test]
    fn a_pack_is_optional_when_a_network_of_it_is() {
        let manifest = shipped();
        for (name, pack) in &manifest.packs {
            let optional = manifest.networks_of(pack).iter().any(|network| manifest.networks[network].optional);
            assert_eq!(pack.optional, optional, "{name}");
        }
    }

    #[test]
    fn photos_of_one_row_may_be_less_alike_than_a_visitor_must_be_to_be_named() {
        let manifest = shipped();
        for pack in manifest.packs.values() {
            let least = manifest.thresholds[&pack.recogniser].min_score(0).unwrap();
            assert!((0.2..least).contains(&manifest.same_person[&pack.recogniser]), "{}", pack.recogniser);
        }
    }

    #[test]
    fn a_recogniser_that_makes_no_sense_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(shipped().folder().join("models.toml")).unwrap();
        let load = |table: &str| {
            std::fs::write(folder.path().join("models.toml"), format!("{text}\n[recognisers.odd]\n{table}")).unwrap();
            Manifest::load(folder.path()).unwrap_err().to_string()
        };
        let part = |network: &str, weight: &str| format!("{{ network = \"{network}\", weight = {weight} }}");
        let good = part("mobilefacenet-192", "0.5");
        for bad in [part("mtcnn", "0.5"), part("facenet", "0.5"), part("mobilefacenet-128", "0.0")] {
            let error = load(&format!("parts = [{good}, {bad}]"));
            assert!(
                error.contains("recogniser odd: ") && error.contains("must be a network that recognises"),
                "{error}"
            );
        }
        assert!(load("parts = []").contains("recogniser odd has no parts"));
        let text = text.replace("whitening = ", "points_map = ");
        let plain = "parts = [{ network = \"mobilefacenet-192\", whitened = true }]";
        std::fs::write(folder.path().join("models.toml"), format!("{text}\n[recognisers.odd]\n{plain}")).unwrap();
        let error = Manifest::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("mobilefacenet-128-whitened: mobilefacenet-128 has no whitening"), "{error}");
    }

    #[test]
    fn thresholds_never_fall_as_the_gallery_grows() {
        for thresholds in shipped().thresholds.values() {
            assert!(thresholds.scores.is_sorted_by(|a, b| a.gallery < b.gallery && a.min_score <= b.min_score));
            assert_eq!(thresholds.min_score(0), thresholds.scores.first().map(|row| row.min_score));
            let scores: Vec<f32> = (1..220_000).step_by(7).filter_map(|people| thresholds.min_score(people)).collect();
            assert!(scores.is_sorted());
            for row in &thresholds.scores {
                assert_eq!(thresholds.min_score(row.gallery), Some(row.min_score));
            }
        }
    }

    #[test]
    fn a_missing_or_damaged_network_is_named_with_its_cure() {
        let folder = tempfile::tempdir().unwrap();
        let source = shipped();
        std::fs::copy(source.folder().join("models.toml"), folder.path().join("models.toml")).unwrap();
        let copy = Manifest::load(folder.path()).unwrap();
        let missing = copy.resolve("mobilefacenet-192").unwrap_err().to_string();
        assert!(missing.contains("mobilefacenet-192.onnx is missing. Run `git checkout -- models`"), "{missing}");
        std::fs::write(folder.path().join("mobilefacenet-192.onnx"), b"not a network").unwrap();
        let damaged = copy.resolve("mobilefacenet-192").unwrap_err().to_string();
        assert!(damaged.contains("mobilefacenet-192.onnx is damaged: its SHA-256 is"), "{damaged}");
        assert!(copy.pack("deluxe").unwrap_err().to_string().contains("there are both, default, "));
    }
}
