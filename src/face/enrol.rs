//! Enrolment: one photo, one face, one template.

use image::RgbImage;

use super::{
    Detection, Enroller, FaceBox, ModelError, PhotoFault, Template,
    align::{Upright, align},
    networks::Networks,
    picture::resize,
    quality::{Demands, MAX_YAW_DEGREES, Quality},
    recogniser::certainty_of,
};

/// Photos are searched at this height at most: a portrait's face is large.
const FIND_HEIGHT: u32 = 480;
/// A second face counts when it is at least this wide relative to the first; smaller ones are the background. (Of 6,583 news photos,
/// each of one named person among others, the widest face was the wrong one only where the second was 0.8 times as wide or more.)
const BYSTANDER: f32 = 0.6;
/// What an enrolment photo must have; 60 pixels between the eyes are better.
const DEMANDS: Demands = Demands { min_eye_distance_px: 30.0, max_yaw_degrees: MAX_YAW_DEGREES };

/// How certain the recogniser must be of one enrolment photo of each person at least: what it cannot make out is no likeness. (One photo
/// enrolled, visits, FPIR 0.1 %, over 21 halves of LFW's people: of those enrolled by a photo below this, 12 % are missed, above it 1.1 %;
/// `both` 10 and 0.3 %. Of news photos with one good face, 3 % are below: dark glasses, closed eyes, fur hats, blur. Beside clearer photos
/// they are worth having: of 165 people with such ones among three, 0.2 % of the visits are missed, and 1.0 % without them.)
const MIN_CERTAINTY: f32 = 0.6;

/// The smallest face that is looked for in a photo of [`FIND_HEIGHT`].
pub const MIN_FACE_PX: u32 = 60;

/// The one face of a photo, good enough to be enrolled.
pub struct Portrait {
    /// Aligned for the recogniser.
    pub face: Upright,
    /// How good it is.
    pub quality: Quality,
}

/// Enrols with the pack's networks.
pub struct PhotoEnroller {
    networks: Networks,
}

impl PhotoEnroller {
    /// Wraps networks that were loaded with [`MIN_FACE_PX`].
    pub fn new(networks: Networks) -> Self {
        Self { networks }
    }

    /// The faces of a photo as the finder sees them, in pixels of the photo, the widest first.
    fn faces(&mut self, photo: &RgbImage) -> Result<Vec<FaceBox>, ModelError> {
        let factor = (FIND_HEIGHT as f32 / photo.height().max(1) as f32).min(1.0);
        let size = |side: u32| ((side as f32 * factor).round() as u32).max(1);
        let Some(small) = resize(photo, size(photo.width()), size(photo.height())) else { return Ok(Vec::new()) };
        let mut faces = self.networks.finder.find(&small)?;
        if faces.is_empty() {
            faces = self.networks.near.find(&small)?;
        }
        let mut boxes: Vec<FaceBox> = faces.iter().map(|face| face.bounds.scaled(1.0 / factor)).collect();
        boxes.sort_by(|a, b| b.width.total_cmp(&a.width));
        Ok(boxes)
    }

    /// A face with the same points that a visitor's views get.
    fn look_closely(&mut self, photo: &RgbImage, bounds: &FaceBox) -> Result<Option<Detection>, ModelError> {
        // Twice, so that the second look starts from this network's own box, as it does when a visitor is followed.
        let mut found = None;
        let mut near = *bounds;
        for _ in 0..2 {
            let Some(face) = self.networks.near.refine(photo, &near)? else { break };
            near = face.bounds;
            found = Some(face);
        }
        Ok(found)
    }

    /// Looks closely at one face and judges it.
    fn judge(
        &mut self,
        photo: &RgbImage,
        bounds: &FaceBox,
        demands: &Demands,
    ) -> Result<Result<Portrait, PhotoFault>, ModelError> {
        let Some(face) = self.look_closely(photo, bounds)? else { return Ok(Err(PhotoFault::NoFace)) };
        let Some(upright) = align(photo, &face.landmarks) else { return Ok(Err(PhotoFault::NoFace)) };
        let quality = Quality::of(&face, &upright.crop());
        Ok(match quality.fault(demands) {
            Some(fault) => Err(PhotoFault::Poor(fault.to_string())),
            None => Ok(Portrait { face: upright, quality }),
        })
    }
}

/// What one photo is good for.
pub struct TwoWays {
    /// As an enrolment photo: its one face.
    pub portrait: Result<Portrait, PhotoFault>,
    /// As a view of a visitor: the face nearest to its middle, whoever else is in it, judged as a visitor's views are.
    pub view: Result<Portrait, PhotoFault>,
}

impl PhotoEnroller {
    /// Finds the one face and judges it.
    ///
    /// # Errors
    /// As [`Enroller::enrol`].
    pub fn portrait(&mut self, photo: &RgbImage) -> Result<Result<Portrait, PhotoFault>, ModelError> {
        let faces = self.faces(photo)?;
        self.portrait_among(photo, &faces)
    }

    /// Takes a photo as an enrolment photo and as a view of a visitor: for benchmarks, whose photos serve as both.
    ///
    /// # Errors
    /// As [`Enroller::enrol`].
    pub fn two_ways(&mut self, photo: &RgbImage, demands: &Demands) -> Result<TwoWays, ModelError> {
        let (x, y) = (photo.width() as f32 / 2.0, photo.height() as f32 / 2.0);
        let away = |face: &FaceBox| (face.middle().x - x).hypot(face.middle().y - y);
        let faces = self.faces(photo)?;
        let view = match faces.iter().min_by(|a, b| away(a).total_cmp(&away(b))) {
            Some(nearest) => self.judge(photo, nearest, demands)?,
            None => Err(PhotoFault::NoFace),
        };
        Ok(TwoWays { portrait: self.portrait_among(photo, &faces)?, view })
    }

    fn portrait_among(
        &mut self,
        photo: &RgbImage,
        faces: &[FaceBox],
    ) -> Result<Result<Portrait, PhotoFault>, ModelError> {
        let Some(first) = faces.first() else { return Ok(Err(PhotoFault::NoFace)) };
        let rivals = faces.iter().filter(|face| face.width >= BYSTANDER * first.width).count();
        if rivals > 1 {
            return Ok(Err(PhotoFault::SeveralFaces(rivals)));
        }
        self.judge(photo, first, &DEMANDS)
    }

    /// A portrait embedded as a view of a visitor, and how good the view is now that the recogniser has seen it.
    ///
    /// # Errors
    /// When the network fails.
    pub fn view(&mut self, portrait: &Portrait) -> Result<Option<(Template, Quality)>, ModelError> {
        let view = self.networks.recogniser.embed_views(std::slice::from_ref(&portrait.face))?.pop().flatten();
        Ok(view.map(|view| (view.template, portrait.quality.embedded(view.certainty))))
    }

    /// A portrait's template, as it is enrolled.
    ///
    /// # Errors
    /// When the network fails.
    pub fn template(&mut self, portrait: &Portrait) -> Result<Option<Template>, ModelError> {
        Ok(self.networks.recogniser.embed_portraits(std::slice::from_ref(&portrait.face))?.pop().flatten())
    }
}

/// Whether somebody may be enrolled by these photos: on one of them at least, the recogniser can make out the face.
pub fn suffice<'t>(portraits: impl IntoIterator<Item = &'t Template>) -> bool {
    // What is exactly at the bound may have lost a digit.
    portraits.into_iter().any(|portrait| certainty_of(portrait) > MIN_CERTAINTY - 1e-4)
}

impl Enroller for PhotoEnroller {
    fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError> {
        let portrait = match self.portrait(photo)? {
            Ok(portrait) => portrait,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(self.template(&portrait)?.ok_or_else(|| PhotoFault::Poor("unlike any face".into())))
    }

    fn model(&self) -> &str {
        self.networks.recogniser.name()
    }
}
