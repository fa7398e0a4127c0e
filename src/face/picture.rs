//! Cutting and resizing pictures for the networks.

use std::cell::RefCell;

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::RgbImage;
use multiversion::multiversion;

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
    resized(picture, width, height, &ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)))
}

fn resized(picture: &RgbImage, width: u32, height: u32, options: &ResizeOptions) -> Option<RgbImage> {
    let source = images::ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3).ok()?;
    let mut target = images::Image::new(width, height, PixelType::U8x3);
    RESIZER.with_borrow_mut(|resizer| resizer.resize(&source, &mut target, options)).ok()?;
    RgbImage::from_raw(width, height, target.into_vec())
}

/// A pixel's luminance (ITU-R BT.601), 0 to 255.
pub fn luminance(pixel: [u8; 3]) -> f32 {
    let [r, g, b] = pixel.map(f32::from);
    0.299 * r + 0.587 * g + 0.114 * b
}

/// A square cut out of a picture and resized.
#[derive(Debug, Clone)]
pub struct Square {
    /// Its pixels, black where it reaches over the picture's edge.
    pub rgb: RgbImage,
    /// Its upper left corner in the picture.
    pub corner: Point,
    /// Its side in pixels of the picture.
    pub side: f32,
}

/// Cuts a square of about `side` pixels around `middle`, black where it reaches over the edge, and resizes it to `target` pixels a side.
/// `None` if the square is empty, larger than 8192 pixels or not a number.
///
/// The pixels are read where they lie: a square is copied only where its edge on the picture's border would fall between two pixels of
/// the result.
pub fn square(picture: &RgbImage, middle: Point, side: f32, target: u32) -> Option<Square> {
    if !((1.0..=8192.0).contains(&side) && middle.x.abs() < 1e6 && middle.y.abs() < 1e6 && target > 0) {
        return None;
    }
    let side = side.round() as i64;
    let left = (middle.x - side as f32 / 2.0).round() as i64;
    let top = (middle.y - side as f32 / 2.0).round() as i64;
    let rgb = match Inside::of(picture, left, top, side, target) {
        Some(inside) => inside.resized(picture, target)?,
        None => resize(&copied(picture, left, top, side), target, target)?,
    };
    Some(Square { rgb, corner: Point { x: left as f32, y: top as f32 }, side: side as f32 })
}

/// The part of a square that lies inside the picture, and where it belongs in the result.
struct Inside {
    left: i64,
    top: i64,
    width: i64,
    height: i64,
    to: (usize, usize, u32, u32),
}

impl Inside {
    /// `None` where the part is empty or its edges do not fall between pixels of the result.
    fn of(picture: &RgbImage, left: i64, top: i64, side: i64, target: u32) -> Option<Self> {
        let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
        let (x, right) = (left.clamp(0, width), (left + side).clamp(0, width));
        let (y, bottom) = (top.clamp(0, height), (top + side).clamp(0, height));
        let place = |pixels: i64| {
            let scaled = pixels * i64::from(target);
            (scaled % side == 0).then_some(scaled / side)
        };
        let (to_x, to_y) = (place(x - left)?, place(y - top)?);
        let (to_width, to_height) = (place(right - left)? - to_x, place(bottom - top)? - to_y);
        let to = (usize::try_from(to_x).ok()?, usize::try_from(to_y).ok()?);
        let size = (u32::try_from(to_width).ok()?, u32::try_from(to_height).ok()?);
        (size.0 > 0 && size.1 > 0).then_some(Self {
            left: x,
            top: y,
            width: right - x,
            height: bottom - y,
            to: (to.0, to.1, size.0, size.1),
        })
    }

    fn resized(&self, picture: &RgbImage, target: u32) -> Option<RgbImage> {
        let (x, y, width, height) = self.to;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
            self.left as f64,
            self.top as f64,
            self.width as f64,
            self.height as f64,
        );
        let part = resized(picture, width, height, &options)?;
        if (width, height) == (target, target) {
            return Some(part);
        }
        let mut whole = RgbImage::new(target, target);
        let (row, from) = (target as usize * 3, (y * target as usize + x) * 3);
        for (into, line) in whole.as_mut()[from..].chunks_mut(row).zip(part.as_raw().chunks_exact(width as usize * 3)) {
            into[..line.len()].copy_from_slice(line);
        }
        Some(whole)
    }
}

/// A square with its upper left corner at `left` and `top`, black where it reaches over the edge.
fn copied(picture: &RgbImage, left: i64, top: i64, side: i64) -> RgbImage {
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
    square
}

/// Lays a picture out as the networks want it: `(value - mean) · scale` per channel, planes R, G, B (`[3, height, width]`), appended to `tensor`.
pub fn append_planes(picture: &RgbImage, mean: [f32; 3], scale: [f32; 3], tensor: &mut Vec<f32>) {
    let pixels = picture.as_raw().len() / 3;
    let start = tensor.len();
    tensor.resize(start + 3 * pixels, 0.0);
    split_planes(picture.as_raw(), mean, scale, &mut tensor[start..]);
}

/// All three planes in one pass over the pixels, by the widest registers there are.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
fn split_planes(pixels: &[u8], mean: [f32; 3], scale: [f32; 3], planes: &mut [f32]) {
    let count = pixels.len() / 3;
    let (red, others) = planes.split_at_mut(count);
    let (green, blue) = others.split_at_mut(count);
    for (((pixel, red), green), blue) in pixels.chunks_exact(3).zip(red).zip(green).zip(blue) {
        *red = (f32::from(pixel[0]) - mean[0]) * scale[0];
        *green = (f32::from(pixel[1]) - mean[1]) * scale[1];
        *blue = (f32::from(pixel[2]) - mean[2]) * scale[2];
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Smooth, so that two ways of resizing may be compared.
    fn scene(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let (x, y) = (x as f32, y as f32);
            Rgb([(128.0 + 90.0 * (x / 17.0).sin()) as u8, (128.0 + 90.0 * (y / 23.0).cos()) as u8, 60])
        })
    }

    #[test]
    fn a_square_over_the_edge_is_black_outside_and_unmoved_inside() {
        let picture = RgbImage::from_fn(10, 8, |x, y| Rgb([x as u8 + 1, y as u8 + 1, 7]));
        let cut = square(&picture, Point { x: 0.0, y: 0.0 }, 6.0, 6).unwrap();
        assert_eq!((cut.rgb.dimensions(), cut.corner, cut.side), ((6, 6), Point { x: -3.0, y: -3.0 }, 6.0));
        assert_eq!(cut.rgb.get_pixel(2, 5), &Rgb([0; 3]));
        assert_eq!(cut.rgb.get_pixel(3, 3), picture.get_pixel(0, 0));
        assert_eq!(cut.rgb.get_pixel(5, 4), picture.get_pixel(2, 1));
    }

    #[test]
    fn a_square_read_where_it_lies_is_the_one_that_was_copied_first() {
        let picture = scene(320, 180);
        // Inside; the whole picture with black above and below; over a corner, where an edge falls between pixels.
        for (middle, side) in [((160.0, 90.0), 128.0), ((160.0, 90.0), 320.0), ((20.0, 170.0), 117.0)] {
            let cut = square(&picture, Point { x: middle.0, y: middle.1 }, side, 64).unwrap();
            let (left, top) = (cut.corner.x as i64, cut.corner.y as i64);
            let wanted = resize(&copied(&picture, left, top, side as i64), 64, 64).unwrap();
            let unlike = |x: u32, y: u32| {
                let (a, b) = (cut.rgb.get_pixel(x, y), wanted.get_pixel(x, y));
                a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 2)
            };
            // On the picture's border one way sees what lies beyond.
            let border = |y: u32| (13..16).contains(&y) || (48..51).contains(&y);
            let inner =
                (2..62).flat_map(|y| (2..62).map(move |x| (x, y))).filter(|(_, y)| side != 320.0 || !border(*y));
            assert_eq!(inner.filter(|(x, y)| unlike(*x, *y)).count(), 0, "{side}");
        }
    }

    #[test]
    fn odd_sizes_and_places_never_panic() {
        let picture = RgbImage::new(3, 5);
        for side in [0.0, -4.0, f32::NAN, f32::INFINITY, 1e9] {
            assert!(square(&picture, Point { x: 1.0, y: 1.0 }, side, 8).is_none());
        }
        assert!(square(&picture, Point { x: f32::NAN, y: 0.0 }, 4.0, 8).is_none());
        let far = square(&picture, Point { x: 1e5, y: -1e5 }, 4.0, 8).unwrap();
        assert!(far.rgb.as_raw().iter().all(|&value| value == 0));
        assert!(resize(&RgbImage::new(0, 0), 10, 10).is_none_or(|picture| picture.as_raw().iter().all(|&v| v == 0)));
        let empty = square(&RgbImage::new(0, 0), Point { x: 0.0, y: 0.0 }, 4.0, 8);
        assert!(empty.is_none_or(|empty| empty.rgb.as_raw().iter().all(|&value| value == 0)));
    }

    #[test]
    fn planes_come_in_the_order_red_green_blue() {
        let picture = RgbImage::from_fn(2, 1, |x, _| Rgb([10 + x as u8, 20, 30]));
        let mut tensor = vec![7.0];
        append_planes(&picture, [10.0, 0.0, 0.0], [1.0, 1.0, 0.5], &mut tensor);
        assert_eq!(tensor, [7.0, 0.0, 1.0, 20.0, 20.0, 15.0, 15.0]);
    }
}
