//! Cutting and resizing pictures for the networks.

use std::cell::RefCell;

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::RgbImage;

use super::Point;

thread_local! {
    /// Keeps its scratch memory from one picture to the next.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// Resizes with a filter that takes every source pixel into account. `None` if either picture would be empty.
pub fn resize(picture: &RgbImage, width: u32, height: u32) -> Option<RgbImage> {
    if (picture.width(), picture.height()) == (width, height) {
        return Some(picture.clone());
    }
    let source = images::ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3).ok()?;
    let mut target = images::Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    RESIZER.with_borrow_mut(|resizer| resizer.resize(&source, &mut target, &options)).ok()?;
    RgbImage::from_raw(width, height, target.into_vec())
}

/// Cuts a square of about `side` pixels around `middle`, black where it reaches over the edge; also gives the square's upper left
/// corner in the picture. `None` if the square is empty, larger than 8192 pixels or not a number.
pub fn crop_square(picture: &RgbImage, middle: Point, side: f32) -> Option<(RgbImage, Point)> {
    if !((1.0..=8192.0).contains(&side) && middle.x.abs() < 1e6 && middle.y.abs() < 1e6) {
        return None;
    }
    let side = side.round() as i64;
    let left = (middle.x - side as f32 / 2.0).round() as i64;
    let top = (middle.y - side as f32 / 2.0).round() as i64;
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let mut square = RgbImage::new(side as u32, side as u32);
    let (from, to) = (left.clamp(0, width), (left + side).clamp(0, width));
    if from < to {
        let target = square.as_mut();
        for y in top.max(0)..(top + side).min(height) {
            let source = ((y * width + from) * 3) as usize..((y * width + to) * 3) as usize;
            let start = (((y - top) * side + (from - left)) * 3) as usize;
            target[start..start + source.len()].copy_from_slice(&picture.as_raw()[source]);
        }
    }
    Some((square, Point { x: left as f32, y: top as f32 }))
}

/// Lays a picture out as the networks want it: `(value - mean) · scale` per channel, planes R, G, B (`[3, height, width]`), appended to `tensor`.
pub fn append_planes(picture: &RgbImage, mean: [f32; 3], scale: [f32; 3], tensor: &mut Vec<f32>) {
    for channel in 0..3 {
        let plane = picture.as_raw().iter().skip(channel).step_by(3);
        tensor.extend(plane.map(|&value| (f32::from(value) - mean[channel]) * scale[channel]));
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_square_over_the_edge_is_black_outside_and_unmoved_inside() {
        let picture = RgbImage::from_fn(10, 8, |x, y| Rgb([x as u8 + 1, y as u8 + 1, 7]));
        let (square, corner) = crop_square(&picture, Point { x: 0.0, y: 0.0 }, 6.0).unwrap();
        assert_eq!((square.dimensions(), corner), ((6, 6), Point { x: -3.0, y: -3.0 }));
        assert_eq!(square.get_pixel(2, 5), &Rgb([0; 3]));
        assert_eq!(square.get_pixel(3, 3), picture.get_pixel(0, 0));
        assert_eq!(square.get_pixel(5, 4), picture.get_pixel(2, 1));
    }

    #[test]
    fn odd_sizes_and_places_never_panic() {
        let picture = RgbImage::new(3, 5);
        for side in [0.0, -4.0, f32::NAN, f32::INFINITY, 1e9] {
            assert!(crop_square(&picture, Point { x: 1.0, y: 1.0 }, side).is_none());
        }
        assert!(crop_square(&picture, Point { x: f32::NAN, y: 0.0 }, 4.0).is_none());
        let far = crop_square(&picture, Point { x: 1e5, y: -1e5 }, 4.0).unwrap().0;
        assert!(far.as_raw().iter().all(|&value| value == 0));
        assert!(resize(&RgbImage::new(0, 0), 10, 10).is_none_or(|picture| picture.as_raw().iter().all(|&v| v == 0)));
    }

    #[test]
    fn planes_come_in_the_order_red_green_blue() {
        let picture = RgbImage::from_fn(2, 1, |x, _| Rgb([10 + x as u8, 20, 30]));
        let mut tensor = Vec::new();
        append_planes(&picture, [10.0, 0.0, 0.0], [1.0, 1.0, 0.5], &mut tensor);
        assert_eq!(tensor, [0.0, 1.0, 20.0, 20.0, 15.0, 15.0]);
    }
}
