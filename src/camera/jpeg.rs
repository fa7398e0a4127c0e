//! What the camera, clips and photos all need of JPEG: where a picture ends, and strict decoding to RGB.
//!
//! Lenient decoders fill what is missing with grey, which a recogniser would take for a face in fog: here damage is an error.

use image::RgbImage;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;

/// Whether `bytes` begin like a JPEG picture.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, SOI, 0xFF])
}

/// What a walk over a picture's segments saw.
pub(super) struct Outline {
    /// Bytes from the first to the last of the picture.
    pub(super) length: usize,
    /// Whether it brings its own Huffman tables; some cameras leave the standard ones out.
    pub(super) has_tables: bool,
}

/// Walks from marker to marker, so that a thumbnail's end inside a segment is not taken for the picture's.
/// `None` when `bytes` do not begin with a picture or it has no end.
pub(super) fn outline(bytes: &[u8]) -> Option<Outline> {
    if !begins(bytes) {
        return None;
    }
    let (mut at, mut has_tables) = (2, false);
    loop {
        // A marker is 0xFF, any number of further 0xFF, and a byte that says which.
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        while *bytes.get(at)? == 0xFF {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            EOI => return Some(Outline { length: at, has_tables }),
            // Markers without a segment.
            0x01 | 0xD0..=0xD7 => continue,
            0x00 | SOI => return None,
            DHT => has_tables = true,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        if length < 2 {
            return None;
        }
        at += length;
        if marker == SOS {
            at = end_of_scan(bytes, at)?;
        }
    }
}

/// The next marker after the compressed data that begin at `at`.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        match *bytes.get(at + 1)? {
            // A stuffed byte or a restart marker belongs to the data.
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => return Some(at),
        }
    }
}

/// A decoded picture.
pub(super) struct Decoded {
    /// The pixels, not turned by the orientation that `exif` may name.
    pub(super) rgb: RgbImage,
    /// The Exif segment.
    pub(super) exif: Option<Vec<u8>>,
}

/// Width and height as the headers say.
///
/// # Errors
/// The decoder's words.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(usize, usize), String> {
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    decoder.dimensions().ok_or_else(|| "it has no size".to_owned())
}

/// Decodes one picture of at most `max_side` pixels a side; anything missing or damaged is an error.
///
/// # Errors
/// The decoder's words.
pub(super) fn decode(bytes: &[u8], max_side: usize) -> Result<Decoded, String> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(max_side)
        .set_max_height(max_side)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    let exif = decoder.exif().cloned();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let rgb = RgbImage::from_raw(side(width), side(height), pixels).ok_or("its size and its pixels do not agree")?;
    Ok(Decoded { rgb, exif })
}

#[cfg(test)]
pub(super) mod tests {
    use image::{Rgb, codecs::jpeg::JpegEncoder};

    use super::*;

    /// A picture with something in it, so that its compressed data are not trivial.
    pub(in crate::camera) fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, (x ^ y) as u8]))
    }

    pub(in crate::camera) fn encoded(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).unwrap();
        bytes
    }

    /// An Exif segment whose only entry is the orientation, to be put after the first two bytes of a JPEG.
    pub(in crate::camera) fn exif_segment(orientation: u8, tail: &[u8]) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        exif.extend(tail);
        let mut segment = vec![0xFF, 0xE1];
        segment.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        segment.extend(exif);
        segment
    }

    #[test]
    fn a_picture_ends_at_its_own_end_and_not_at_its_thumbnails() {
        let mut bytes = encoded(&picture(64, 48));
        let thumbnail = encoded(&picture(8, 8));
        bytes.splice(2..2, exif_segment(1, &thumbnail));
        let length = bytes.len();
        bytes.extend(b"trailing bytes of a phone");
        assert_eq!(outline(&bytes).unwrap().length, length);
    }

    #[test]
    fn a_picture_cut_short_anywhere_has_no_end() {
        let bytes = encoded(&picture(64, 48));
        for length in 0..bytes.len() {
            assert!(outline(&bytes[..length]).is_none(), "cut to {length} bytes");
        }
    }

    #[test]
    fn a_decoded_picture_is_the_encoded_one() {
        let original = picture(640, 480);
        let decoded = decode(&encoded(&original), 1000).unwrap().rgb;
        let far = original.pixels().zip(decoded.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 40).count();
        assert!(far < 640 * 480 / 100, "{far} pixels are far off");
    }
}
