//! Whether something covers the eyes or the mouth: dark glasses, a mask, a hand.
//!
//! Pure. ISO/IEC 29794-5 asks for the visible share of eyes and mouth; without a network that knows what covers a face, what is left
//! are its traces: darkness around the eyes, and no detail where the mouth should be.

use super::{
    light::skin,
    patch::{Area, Planes, WIDTH, mean, share},
};

const EYES: Area = Area::new((38, 66), (22, 90));
const LOWER_FACE: Area = Area::new((64, 108), (30, 80));

/// What may cover a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cover {
    /// The share of the band of the eyes that is much darker than the skin; brows, lashes and pupils are a few hundredths.
    pub(super) dark_eyes: f32,
    /// Mean difference between neighbours in the lower face relative to the contrast, across or down, whichever is weaker.
    pub(super) mouth_detail: f32,
}

impl Cover {
    /// `spread`: the luminance's standard deviation over the face.
    pub(super) fn of(planes: &Planes, spread: f32) -> Self {
        let grey = &planes.grey;
        let dark = 0.35 * (skin(planes) + 1.0);
        let detail = |step: usize| mean(LOWER_FACE, |at| (grey[at + step] - grey[at]).abs());
        Self {
            dark_eyes: share(EYES, |at| grey[at] < dark),
            mouth_detail: detail(1).min(detail(WIDTH)) / spread.max(1.0),
        }
    }
}
