//! Light on a face: how much, how evenly, how much of it is lost, and its colour.
//!
//! Pure. After ISO/IEC 29794-5: moments of the luminance, under- and over-exposure, illumination uniformity, natural colour.

use image::RgbImage;

use super::patch::{Area, FACE, Planes, WIDTH, mean, share};

const LEFT_HALF: Area = Area::new((28, 105), (21, 56));
const RIGHT_HALF: Area = Area::new((28, 105), (56, 91));
const LEFT_CHEEK: Area = Area::new((56, 88), (24, 46));
const RIGHT_CHEEK: Area = Area::new((56, 88), (66, 88));

/// What the light is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Light {
    /// Mean luminance, 0 to 255.
    pub(super) mean: f32,
    /// Its standard deviation.
    pub(super) spread: f32,
    /// Shares of pixels that are white, and of those with a colour at its upper end.
    pub(super) lost: f32,
    /// How much lighter one half is than the other: the logarithm of the ratio, 0 for even light.
    pub(super) one_sided: f32,
    /// How far the mean colour is from that of skin in white light, in steps that are common among photos; 0 without colours.
    pub(super) tint: f32,
}

impl Light {
    pub(super) fn of(crop: &RgbImage, planes: &Planes) -> Self {
        let grey = &planes.grey;
        let (brightness, squares) = (mean(FACE, |at| grey[at]), mean(FACE, |at| grey[at] * grey[at]));
        let ratio = |a: Area, b: Area| {
            let (a, b) = (mean(a, |at| grey[at]) + 4.0, mean(b, |at| grey[at]) + 4.0);
            (a / b).ln().abs()
        };
        let channel = |at: usize, channel: usize| crop.as_raw()[at * 3 + channel];
        let full = |at: usize| (0..3).any(|k| channel(at, k) >= 254);
        Self {
            mean: brightness,
            spread: (squares - brightness * brightness).max(0.0).sqrt(),
            lost: share(FACE, |at| grey[at] >= 250.0) + share(FACE, full),
            one_sided: 0.5 * ratio(LEFT_HALF, RIGHT_HALF) + 0.5 * ratio(LEFT_CHEEK, RIGHT_CHEEK),
            tint: if planes.coloured { tint(|k| mean(FACE, |at| f32::from(channel(at, k)))) } else { 0.0 },
        }
    }
}

/// Skin in white light, of whatever tone, has about these ratios of red to blue and red to green; the divisors are how far nearly all of
/// 6,583 news photos stay from them.
fn tint(channel: impl Fn(usize) -> f32) -> f32 {
    let [red, green, blue] = [0, 1, 2].map(|k| channel(k) + 4.0);
    let (to_blue, to_green) = (((red / blue).ln() - 0.5) / 0.35, ((red / green).ln() - 0.28) / 0.2);
    to_blue.hypot(to_green)
}

/// The median luminance of bare skin: forehead, cheeks, nose.
pub(super) fn skin(planes: &Planes) -> f32 {
    const SKIN: [Area; 4] = [
        Area::new((28, 42), (40, 72)),
        Area::new((58, 78), (50, 62)),
        Area::new((62, 82), (28, 46)),
        Area::new((62, 82), (66, 84)),
    ];
    let mut values: Vec<f32> = SKIN.into_iter().flat_map(Area::places).map(|at| planes.grey[at]).collect();
    let middle = values.len() / 2;
    debug_assert!(values.len() > WIDTH);
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
