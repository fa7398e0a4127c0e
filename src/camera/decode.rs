//! From a webcam's raw buffer to RGB pixels: MJPG and YUYV.
//!
//! The buffer is the driver's whole one: behind a frame it may hold the rest of an older, longer frame.

use image::RgbImage;
use nokhwa::utils::{CameraFormat, FrameFormat};
use yuv::{YuvPackedImage, YuvRange, YuvStandardMatrix, yuyv422_to_rgb};

use super::{jpeg, segments};

/// Pixels a side; no webcam has more.
const MAX_SIDE: usize = 8_192;
/// Rows are padded to multiples of a power of two where they are padded at all.
const ROW_ALIGNMENT: usize = 32;
/// Decodes one frame.
///
/// # Errors
/// The decoder's words about a damaged one, which the caller skips.
pub fn decode(format: CameraFormat, buffer: &[u8]) -> Result<RgbImage, String> {
    match format.format() {
        FrameFormat::MJPEG => mjpg(buffer),
        FrameFormat::YUYV => yuyv(buffer, format.width(), format.height()),
        other => Err(format!("{other} is not decoded")),
    }
}

/// Decodes one motion-JPEG frame, as a webcam sends it.
///
/// # Errors
/// The decoder's words about a damaged frame.
pub fn mjpg(buffer: &[u8]) -> Result<RgbImage, String> {
    let outline = segments::outline(buffer).ok_or("the frame is cut off")?;
    Ok(jpeg::decode(buffer, &outline, MAX_SIDE)?.rgb)
}

fn yuyv(buffer: &[u8], width: u32, height: u32) -> Result<RgbImage, String> {
    let stride = stride(buffer.len(), width as usize, height as usize);
    let rows = buffer.get(..stride * height as usize).ok_or("the frame is cut off")?;
    let narrow = |length: usize| u32::try_from(length).map_err(|_| "the frame is too large");
    let packed = YuvPackedImage { yuy: rows, yuy_stride: narrow(stride)?, width, height };
    let mut rgb = RgbImage::new(width, height);
    // What the UVC standard prescribes where a camera says nothing else.
    yuyv422_to_rgb(&packed, &mut rgb, width * 3, YuvRange::Limited, YuvStandardMatrix::Bt601)
        .map_err(|error| error.to_string())?;
    Ok(rgb)
}

/// Bytes a row. nokhwa does not pass the driver's value on; the buffer's length shows it.
fn stride(length: usize, width: usize, height: usize) -> usize {
    let packed = width.next_multiple_of(2) * 2;
    let padded = length / height.max(1);
    let is_padded = padded > packed && length.is_multiple_of(height.max(1)) && padded.is_multiple_of(ROW_ALIGNMENT);
    if is_padded { padded } else { packed }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{
        super::jpeg::tests::{encoded, picture},
        *,
    };

    fn format(pixels: FrameFormat, width: u32, height: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, pixels, 30)
    }

    /// White over red, as a camera would send it, with `padding` bytes after each row.
    fn white_over_red(width: usize, height: usize, padding: usize) -> Vec<u8> {
        let row = |pair: [u8; 4]| [pair.repeat(width / 2), vec![0xAA; padding]].concat();
        let (white, red) = (row([235, 128, 235, 128]), row([81, 90, 81, 240]));
        [white.repeat(height / 2), red.repeat(height / 2)].concat()
    }

    fn is_white_over_red(picture: &RgbImage) -> bool {
        let like = |x, y, Rgb(wanted): Rgb<u8>| {
            picture.get_pixel(x, y).0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 6)
        };
        let (right, bottom) = (picture.width() - 1, picture.height() - 1);
        [0, right].into_iter().all(|x| like(x, 0, Rgb([255, 255, 255])) && like(x, bottom, Rgb([254, 0, 0])))
    }

    #[test]
    fn yuyv_rows_are_read_with_and_without_padding() {
        for (width, padding) in [(640, 0), (600, 80), (632, 16)] {
            let buffer = white_over_red(width, 480, padding);
            let picture = decode(format(FrameFormat::YUYV, width as u32, 480), &buffer).unwrap();
            assert!(is_white_over_red(&picture), "{width} pixels, {padding} bytes of padding");
        }
    }

    #[test]
    fn a_driver_that_rounds_its_buffer_up_to_whole_pages_does_not_shear_the_picture() {
        let mut buffer = white_over_red(800, 600, 0);
        buffer.resize(buffer.len().next_multiple_of(4096), 0);
        assert!(is_white_over_red(&decode(format(FrameFormat::YUYV, 800, 600), &buffer).unwrap()));
    }

    #[test]
    fn a_yuyv_frame_that_is_too_short_is_damaged() {
        let buffer = white_over_red(640, 480, 0);
        assert!(decode(format(FrameFormat::YUYV, 640, 480), &buffer[..buffer.len() - 1]).is_err());
    }

    #[test]
    fn an_mjpg_frame_ends_before_the_rest_of_an_older_one() {
        let original = picture(320, 240);
        let mut buffer = encoded(&original);
        buffer.extend(encoded(&picture(64, 64)));
        let decoded = decode(format(FrameFormat::MJPEG, 320, 240), &buffer).unwrap();
        assert_eq!(decoded.dimensions(), (320, 240));
    }

    #[test]
    fn an_mjpg_frame_without_huffman_tables_is_decoded_with_the_standard_ones() {
        let whole = encoded(&picture(320, 240));
        let mut bare = whole.clone();
        while let Some(at) = bare.windows(2).position(|pair| pair == [0xFF, 0xC4]) {
            let length = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
            bare.drain(at..at + 2 + length);
        }
        assert!(bare.len() < whole.len());
        let wanted = decode(format(FrameFormat::MJPEG, 320, 240), &whole).unwrap();
        assert!(decode(format(FrameFormat::MJPEG, 320, 240), &bare).unwrap() == wanted);
    }

    #[test]
    fn a_damaged_mjpg_frame_is_an_error_or_a_picture_but_never_a_panic() {
        let whole = encoded(&picture(160, 120));
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut refused = 0;
        for _ in 0..3000 {
            let mut bytes = whole.clone();
            for _ in 0..random.random_range(1..8) {
                let at = random.random_range(0..bytes.len());
                bytes[at] = random.random();
            }
            bytes.truncate(random.random_range(bytes.len() / 2..=bytes.len() * 2).min(bytes.len()));
            refused += u32::from(decode(format(FrameFormat::MJPEG, 160, 120), &bytes).is_err());
        }
        assert!(refused > 1000, "only {refused} of 3000 damaged frames were noticed");
    }
}
