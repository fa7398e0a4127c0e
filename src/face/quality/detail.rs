//! Fine detail of a face: too little of it (blurred, coarsely compressed) or too much (noisy).
//!
//! Pure. After ISO/IEC 29794-5: sharpness, compression artefacts. The noise's estimate is Immerkær's, Computer Vision and Image
//! Understanding 64(2), 1996, taken where the face is smoothest.

use super::patch::{FACE, Planes, WIDTH, mean, share};

/// Blocks in which the noise is estimated, and which of them, from the smoothest, counts: smooth skin, not brows or hair.
const BLOCK: usize = 7;
const SMOOTH: usize = 22;

/// What the detail is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Detail {
    /// Mean strength of second differences between neighbours, relative to the contrast, in the direction in which it is weaker.
    pub(super) fine: f32,
    /// The same two pixels apart: still there in a face that is a little soft.
    pub(super) coarse: f32,
    /// The standard deviation of noise in levels: that of the luminance, and the mean of two colour differences.
    pub(super) noise: [f32; 2],
    /// The share of pixels whose colour, and the share whose luminance, is just that of their neighbours.
    pub(super) level: [f32; 2],
}

impl Detail {
    /// `spread`: the luminance's standard deviation over the face.
    pub(super) fn of(planes: &Planes, spread: f32) -> Self {
        let grey = &planes.grey;
        let contrast = spread.max(1.0);
        let [red, blue] = &planes.chroma;
        // Red less green and blue less green, from what they have above the luminance: 0.587·green = -0.299·red - 0.114·blue there.
        let less_green = |plane: &[f32]| -> Vec<f32> {
            let green = red.iter().zip(blue).map(|(red, blue)| (-0.299 * red - 0.114 * blue) / 0.587);
            plane.iter().zip(green).map(|(value, green)| value - green).collect()
        };
        let flat = |plane: &[f32], step: f32| {
            share(FACE, |at| (plane[at + 1] - plane[at]).abs() < step && (plane[at + WIDTH] - plane[at]).abs() < step)
        };
        let colour = if planes.coloured { (flat(red, 0.6) + flat(blue, 0.6)) / 2.0 } else { 0.0 };
        Self {
            fine: second_differences(grey, 1) / contrast,
            coarse: second_differences(grey, 2) / contrast,
            noise: [noise(grey), (noise(&less_green(red)) + noise(&less_green(blue))) / 2.0],
            level: [colour, flat(grey, 0.02 * contrast)],
        }
    }
}

/// Motion blurs along its own direction only, so the weaker direction counts.
fn second_differences(grey: &[f32], step: usize) -> f32 {
    let along = |step: usize| mean(FACE, |at| (2.0 * grey[at] - grey[at - step] - grey[at + step]).abs());
    along(step).min(along(step * WIDTH))
}

fn noise(plane: &[f32]) -> f32 {
    const ACROSS: usize = FACE.right - FACE.left;
    let mut blocks: Vec<f32> = Vec::with_capacity(110);
    for top in (FACE.top..=FACE.bottom - BLOCK).step_by(BLOCK) {
        // The strength of second differences in both directions, summed down the block.
        let mut columns = [0.0_f32; ACROSS];
        for y in top..top + BLOCK {
            let row = |y: usize| &plane[y * WIDTH + FACE.left - 1..][..ACROSS + 2];
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            for (x, column) in columns.iter_mut().enumerate() {
                let across = |row: &[f32]| row[x] - 2.0 * row[x + 1] + row[x + 2];
                *column += (across(above) - 2.0 * across(here) + across(below)).abs();
            }
        }
        blocks.extend(columns.chunks_exact(BLOCK).map(|block| block.iter().sum::<f32>() / (BLOCK * BLOCK) as f32));
    }
    let smooth = *blocks.select_nth_unstable_by(SMOOTH, f32::total_cmp).1;
    smooth * std::f32::consts::FRAC_PI_2.sqrt() / 6.0
}
