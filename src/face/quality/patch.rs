//! The parts of an aligned crop that the measures look at, and sums over them.
//!
//! Pure. Places are those of the recogniser's template: the eyes at (39, 52) and (74, 52), the mouth at (57, 93), in 112×112 pixels.

use image::RgbImage;

use crate::face::{align::SIDE, picture::luminance};

/// A rectangle of the crop: rows and columns, the ends not included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Area {
    pub(super) const fn new(rows: (usize, usize), columns: (usize, usize)) -> Self {
        Self { top: rows.0, bottom: rows.1, left: columns.0, right: columns.1 }
    }

    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        (self.top..self.bottom).flat_map(move |y| (self.left..self.right).map(move |x| y * WIDTH + x))
    }
}

/// Values a row.
pub(super) const WIDTH: usize = SIDE as usize;
/// The face without hair and background.
pub(super) const FACE: Area = Area::new((28, 105), (21, 91));

/// A crop as planes of numbers, 0 to 255.
pub(super) struct Planes {
    /// Luminance (ITU-R BT.601).
    pub(super) grey: Vec<f32>,
    /// What red and blue have above the luminance.
    pub(super) chroma: [Vec<f32>; 2],
    /// Whether there are colours at all; a monochrome camera's pictures have none.
    pub(super) coloured: bool,
}

impl Planes {
    /// `None` if the crop is not as large as the recogniser's.
    pub(super) fn of(crop: &RgbImage) -> Option<Self> {
        if crop.dimensions() != (SIDE, SIDE) {
            return None;
        }
        let pixels = crop.as_raw().as_chunks::<3>().0;
        let grey: Vec<f32> = pixels.iter().map(|pixel| luminance(*pixel)).collect();
        let above =
            |channel: usize| pixels.iter().zip(&grey).map(|(pixel, grey)| f32::from(pixel[channel]) - grey).collect();
        let chroma: [Vec<f32>; 2] = [above(0), above(2)];
        let coloured = mean(FACE, |at| chroma[0][at].abs() + chroma[1][at].abs()) > 1.0;
        Some(Self { grey, chroma, coloured })
    }

    /// Nothing at all.
    pub(super) fn black() -> Self {
        let plane = || vec![0.0; WIDTH * WIDTH];
        Self { grey: plane(), chroma: [plane(), plane()], coloured: false }
    }
}

/// The mean of a value over an area.
pub(super) fn mean(area: Area, value: impl Fn(usize) -> f32) -> f32 {
    // Eight sums side by side: one alone would wait for itself at each addition.
    let mut sums = [0.0_f32; 8];
    for row in (area.top..area.bottom).map(|y| y * WIDTH) {
        for from in (row + area.left..row + area.right).step_by(sums.len()) {
            let until = (from + sums.len()).min(row + area.right);
            (from..until).zip(&mut sums).for_each(|(at, sum)| *sum += value(at));
        }
    }
    let count = (area.bottom - area.top) * (area.right - area.left);
    sums.iter().sum::<f32>() / count.max(1) as f32
}

/// The share of an area's pixels for which something holds.
pub(super) fn share(area: Area, holds: impl Fn(usize) -> bool) -> f32 {
    mean(area, |at| f32::from(u8::from(holds(at))))
}
