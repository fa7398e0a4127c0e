//! Aligned faces to templates.

use image::RgbImage;

use super::{
    ModelError, Template,
    align::{Framing, SIDE, Upright},
    manifest::{self, ResolvedNetwork},
    picture::append_planes,
    template::dot,
    whitening::Whitening,
};
use crate::models::runtime::{Network, Runtime};

/// A face's template, and how sure the networks were of what they saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The face's template.
    pub template: Template,
    /// 0 to 1: the length of the networks' outputs relative to the longest for good views, times how much those for the face and for its
    /// mirror image agree. Networks taught by an angular margin give short outputs for faces that they cannot make out (Meng et al.,
    /// "MagFace", CVPR 2021). Of the views of news photos that are missed, about half are among the tenth with the least certainty.
    pub certainty: f32,
}

const fn framing(scale: f32, down: f32, mirrored: bool) -> Framing {
    Framing { scale, down, mirrored }
}

/// A visitor's face is embedded a little smaller, and mirrored a little larger: the mean says less of the framing and of the light, and
/// more of the person.
const OF_A_VIEW: [Framing; 2] = [framing(0.92, 0.0, false), framing(1.08, 0.0, true)];
/// An enrolment photo has time, and must do for every visit.
const OF_A_PORTRAIT: [Framing; 10] = [
    framing(1.0, 0.0, false),
    framing(1.0, 0.0, true),
    framing(0.92, 0.0, false),
    framing(0.92, 0.0, true),
    framing(1.08, 0.0, false),
    framing(1.08, 0.0, true),
    framing(1.0, 4.0, false),
    framing(1.0, 4.0, true),
    framing(1.0, -4.0, false),
    framing(1.0, -4.0, true),
];

/// How much shorter an enrolment photo's template is for each unit of certainty above [`USUAL_CERTAINTY`].
///
/// Strangers' scores with a photo do not depend on its certainty, its owner's do: they rise by 0.43 a unit. So one threshold for all would
/// spend the strangers' share on those who are recognised anyway. Mandasari et al., "Quality measure functions for calibration of
/// speaker recognition systems in various duration conditions", IEEE TASLP 21(11), 2013, take quality into the score; here the length
/// of the template does. (One photo enrolled, visits, FPIR 0.1 %, six halves of LFW's people with 21 draws of the photos each: without it
/// 1.6 % are missed, with 0.2 to 0.5 1.2 %; with the networks of the pack `both` 0.8 %, and with 0.4 0.7 %.)
const PER_CERTAINTY: f32 = 0.4;
/// The median for enrolment photos of people in the news, where a template's length is 1.
const USUAL_CERTAINTY: f32 = 0.77;

/// How certain the networks were of an enrolment photo, from its template's length.
pub fn certainty_of(portrait: &Template) -> f32 {
    USUAL_CERTAINTY + (1.0 - portrait.length()) / PER_CERTAINTY
}

/// Makes templates by one network, or by several whose templates stand one behind the other.
pub struct Recogniser {
    name: String,
    parts: Vec<Part>,
}

/// A network with its say in the template.
struct Part {
    network: Network,
    name: String,
    weight: f32,
    whitening: Option<Whitening>,
    mean: [f32; 3],
    scale: [f32; 3],
    size: usize,
    full_length: Option<f32>,
    /// Crops that go into one run; some files were exported for one only.
    batch: usize,
    tensor: Vec<f32>,
}

impl Recogniser {
    /// Loads a recogniser: `name` is what its templates are known by, `parts` its networks with their shares.
    ///
    /// # Errors
    /// When a network's description does not fit a recogniser of [`SIDE`]×[`SIDE`] crops, or the runtime cannot load it.
    pub fn load(
        runtime: &Runtime,
        name: &str,
        parts: &[(ResolvedNetwork, manifest::Part)],
    ) -> Result<Self, ModelError> {
        let parts = parts.iter().map(|(network, share)| Part::load(runtime, network, share));
        Ok(Self { name: name.to_owned(), parts: parts.collect::<Result<_, _>>()? })
    }

    /// Its name in `models.toml`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Embeds a visitor's faces: each framed as [`OF_A_VIEW`] says. The certainty is the networks' own.
    ///
    /// # Errors
    /// When a network fails.
    pub fn embed_views(&mut self, faces: &[Upright]) -> Result<Vec<Option<Embedded>>, ModelError> {
        self.embed_framed(faces, &OF_A_VIEW)
    }

    /// Embeds enrolment photos' faces: each framed as [`OF_A_PORTRAIT`] says. The less certain a template, the longer it is, see
    /// [`PER_CERTAINTY`].
    ///
    /// # Errors
    /// When a network fails.
    pub fn embed_portraits(&mut self, faces: &[Upright]) -> Result<Vec<Option<Template>>, ModelError> {
        let portraits = self.embed_framed(faces, &OF_A_PORTRAIT)?;
        let of_its_length =
            |portrait: Embedded| portrait.template.longer(1.0 - PER_CERTAINTY * (portrait.certainty - USUAL_CERTAINTY));
        Ok(portraits.into_iter().map(|portrait| portrait.map(of_its_length)).collect())
    }

    fn embed_framed(&mut self, faces: &[Upright], framings: &[Framing]) -> Result<Vec<Option<Embedded>>, ModelError> {
        let crops: Vec<RgbImage> =
            faces.iter().flat_map(|face| framings.iter().map(|framing| face.framed(*framing))).collect();
        let count = framings.len();
        self.concatenated(|part| {
            Ok(part.run_all(&crops)?.chunks_exact(count).map(|outputs| part.view(outputs)).collect())
        })
    }

    /// Embeds aligned crops as they are, together where the network can. `None` for a crop whose output is no direction.
    ///
    /// # Errors
    /// When a network fails.
    pub fn embed(&mut self, crops: &[RgbImage]) -> Result<Vec<Option<Template>>, ModelError> {
        let views = self.concatenated(|part| {
            let outputs = part.run_all(crops)?;
            let plain = |output: Vec<f32>| {
                let template = part.whitened(Template::from_output(output)?)?;
                Some(Embedded { template, certainty: 1.0 })
            };
            Ok(outputs.into_iter().map(plain).collect())
        })?;
        Ok(views.into_iter().map(|view| view.map(|view| view.template)).collect())
    }

    /// What `embed` gives for each part, weighted and put one behind the other; `None` where any part has none. The certainty is the
    /// parts' mean, by their say in the score.
    fn concatenated(
        &mut self,
        mut embed: impl FnMut(&mut Part) -> Result<Vec<Option<Embedded>>, ModelError>,
    ) -> Result<Vec<Option<Embedded>>, ModelError> {
        if let [only] = self.parts.as_mut_slice() {
            return embed(only);
        }
        let total: f32 = self.parts.iter().map(|part| part.weight * part.weight).sum();
        let mut whole: Vec<Option<(Vec<f32>, f32)>> = Vec::new();
        for part in &mut self.parts {
            let views = embed(part)?;
            whole.resize(views.len(), Some((Vec::new(), 0.0)));
            for (so_far, view) in whole.iter_mut().zip(views) {
                *so_far = so_far.take().zip(view).map(|((mut values, certainty), view)| {
                    values.extend(view.template.0.iter().map(|value| value * part.weight));
                    (values, certainty + view.certainty * part.weight * part.weight / total)
                });
            }
        }
        let embedded = |(values, certainty)| Some(Embedded { template: Template::from_output(values)?, certainty });
        Ok(whole.into_iter().map(|values| values.and_then(embedded)).collect())
    }
}

impl Part {
    fn load(runtime: &Runtime, network: &ResolvedNetwork, share: &manifest::Part) -> Result<Self, ModelError> {
        let input = &network.entry.input;
        let Some(output) = network.entry.output.as_ref().filter(|_| (input.width, input.height) == (SIDE, SIDE)) else {
            let cause = "models.toml does not describe it as a recogniser of 112x112 crops".to_owned();
            return Err(ModelError::Inference { network: network.name.clone(), cause });
        };
        let file = network.entry.whitening.as_ref().filter(|_| share.whitened);
        let whitening = file.map(|file| Whitening::load(&network.folder.join(&file.name), output.size)).transpose()?;
        Ok(Self {
            network: Network::load(runtime, &network.name, network.only_file())?,
            name: network.name.clone(),
            weight: share.weight,
            whitening,
            mean: input.mean,
            scale: input.scale.map(|scale| 1.0 / scale),
            size: output.size,
            full_length: output.full_length,
            batch: if input.batch == 0 { usize::MAX } else { input.batch as usize },
            tensor: Vec::new(),
        })
    }

    /// A face framed in several ways, as they come out of the network, as one view.
    fn view(&self, outputs: &[Vec<f32>]) -> Option<Embedded> {
        let length = |output: &Vec<f32>| dot(output, output).sqrt();
        let directions: Vec<Template> =
            outputs.iter().filter_map(|output| Template::from_output(output.clone())).collect();
        // The first two are the face and its mirror image: enough to say how sure the network is.
        let [Some(face), Some(mirrored)] = [directions.first(), directions.get(1)] else { return None };
        let agreement = face.score(mirrored).clamp(0.0, 1.0);
        let mean_length = outputs.iter().take(2).map(length).sum::<f32>() / 2.0;
        let relative = self.full_length.map_or(1.0, |full| (mean_length / full).min(1.0));
        let template = self.whitened(Template::mean(directions.iter().map(|template| (template, 1.0)))?)?;
        Some(Embedded { template, certainty: relative * agreement })
    }

    fn whitened(&self, template: Template) -> Option<Template> {
        match &self.whitening {
            Some(whitening) => whitening.apply(&template),
            None => Some(template),
        }
    }

    /// The network's outputs, one a crop.
    fn run_all(&mut self, crops: &[RgbImage]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut outputs = Vec::with_capacity(crops.len());
        for together in crops.chunks(self.batch) {
            outputs.extend(self.run(together)?);
        }
        Ok(outputs)
    }

    fn run(&mut self, crops: &[RgbImage]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.tensor.clear();
        for crop in crops {
            append_planes(crop, self.mean, self.scale, &mut self.tensor);
        }
        let shape = [crops.len(), 3, SIDE as usize, SIDE as usize];
        let outputs = self.network.run(&shape, &self.tensor)?;
        match outputs.first() {
            Some(values) if values.len() == crops.len() * self.size => {
                Ok(values.chunks_exact(self.size).map(<[f32]>::to_vec).collect())
            }
            _ => {
                let cause = format!("its output is not {} numbers a face", self.size);
                Err(ModelError::Inference { network: self.name.clone(), cause })
            }
        }
    }
}
