//! Strict decoding of JPEG to RGB, for the camera, clips and photos.
//!
//! Lenient decoders fill what is missing with grey, which a recogniser would take for a face in fog: here a missing end, missing data
//! and every damage that the decoder notices is an error. Two things go unnoticed: a gap that lies wholly within the first, coarsest scan
//! of a progressive picture, and data that make as many wrong pixels as right ones were lost.

use image::RgbImage;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::segments::Outline;

/// The segment by which a motion-JPEG frame says that it uses the standard Huffman tables.
const STANDARD_TABLES: &[u8] = b"\xFF\xE0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
/// 64 bits that are all 1: longer than the longest Huffman code and what may belong to it, and no code begins like this (ITU-T T.81, C).
const NO_CODE: [u8; 16] = [0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0];
/// Usual pictures have ten scans at most. Each costs a walk over all pixels, however short it is.
const MAX_SCANS: usize = 64;
/// Pixels times scans, in millions: twenty scans of the largest photos.
const MAX_SCANNED_MEGAPIXELS: usize = 1_000;

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
/// `outline` is what the walk over `bytes` saw.
///
/// # Errors
/// The decoder's words.
pub(super) fn decode(bytes: &[u8], outline: &Outline, max_side: usize) -> Result<Decoded, String> {
    if outline.scans > MAX_SCANS {
        return Err(format!("it has {} scans, more than the {MAX_SCANS} allowed", outline.scans));
    }
    // zune-jpeg 0.5.15 gives these wrong colours and says nothing.
    if outline.scans > 1 && !outline.progressive {
        return Err("its colours are saved one after the other, which is not read".to_owned());
    }
    let guarded = guarded(bytes, outline);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(max_side)
        .set_max_height(max_side)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&guarded), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    if width * height * outline.scans > MAX_SCANNED_MEGAPIXELS * 1_000_000 {
        return Err(format!("it has {} scans, too many for so many pixels", outline.scans));
    }
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    if outline.lacks_scans {
        return Err("a part of it is missing".to_owned());
    }
    let exif = decoder.exif().cloned();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let rgb = RgbImage::from_raw(side(width), side(height), pixels).ok_or("its size and its pixels do not agree")?;
    Ok(Decoded { rgb, exif })
}

/// The picture with bits that are no code wherever its data end. Where data are missing, the decoder would go on with zeros, which make a
/// flat grey, and be none the wiser; so it runs into these and says so. A whole picture is decoded without reaching them.
fn guarded(bytes: &[u8], outline: &Outline) -> Vec<u8> {
    let mut guarded =
        Vec::with_capacity(outline.length + NO_CODE.len() * outline.data_ends.len() + STANDARD_TABLES.len());
    let mut from = 0;
    if !outline.has_tables {
        guarded.extend_from_slice(&bytes[..2]);
        guarded.extend_from_slice(STANDARD_TABLES);
        from = 2;
    }
    for &end in &outline.data_ends {
        guarded.extend_from_slice(&bytes[from..end]);
        guarded.extend_from_slice(&NO_CODE);
        from = end;
    }
    guarded.extend_from_slice(&bytes[from..outline.length]);
    guarded
}

#[cfg(test)]
pub(super) mod tests {
    use image::{Rgb, codecs::jpeg::JpegEncoder};

    use super::{super::segments::outline, *};

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

    pub(in crate::camera) fn decoded(bytes: &[u8]) -> Result<RgbImage, String> {
        decode(bytes, &outline(bytes).ok_or("it has no end")?, 1000).map(|decoded| decoded.rgb)
    }

    /// A JPEG that is whole from its first byte to its last and yet cannot be decoded: its first Huffman table is none.
    pub(in crate::camera) fn damaged(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = encoded(picture);
        let table = bytes.windows(2).position(|pair| pair == [0xFF, 0xC4]).unwrap();
        bytes[table + 4..table + 21].fill(0x77);
        bytes
    }

    #[test]
    fn a_decoded_picture_is_the_encoded_one() {
        let original = picture(640, 480);
        let decoded = decoded(&encoded(&original)).unwrap();
        let far = original.pixels().zip(decoded.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 40).count();
        assert!(far < 640 * 480 / 100, "{far} pixels are far off");
    }

    /// `bytes` without a tenth of its compressed data, from `share` of them on; what follows is as it was.
    fn with_a_gap(bytes: &[u8], share: usize) -> Vec<u8> {
        let data = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap() + 20;
        let length = bytes.len() - 2 - data;
        let from = data + length * share / 10;
        [&bytes[..from], &bytes[from + length / 10..]].concat()
    }

    fn as_others_save(picture: &RgbImage, change: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
        change(&mut encoder);
        let side = |pixels: u32| u16::try_from(pixels).unwrap();
        let size = (side(picture.width()), side(picture.height()));
        encoder.encode(picture.as_raw(), size.0, size.1, jpeg_encoder::ColorType::Rgb).unwrap();
        bytes
    }

    type Change = fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>);
    const KINDS: [(&str, Change); 6] = [
        ("plain", |_| {}),
        ("of 4:2:0", |encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0)),
        ("with restarts", |encoder| encoder.set_restart_interval(7)),
        ("progressive", |encoder| encoder.set_progressive(true)),
        ("progressive with restarts", |encoder| {
            encoder.set_progressive(true);
            encoder.set_restart_interval(7);
        }),
        ("progressive in many scans", |encoder| encoder.set_progressive_scans(16)),
    ];

    #[test]
    fn a_whole_picture_is_decoded_however_it_was_saved() {
        for (width, height) in [(200, 150), (8, 8), (1, 1), (17, 300)] {
            for (kind, change) in KINDS {
                let bytes = as_others_save(&picture(width, height), change);
                let decoded = decoded(&bytes).unwrap_or_else(|error| panic!("{kind} {width}x{height}: {error}"));
                let far = |(a, b): (&Rgb<u8>, &Rgb<u8>)| (0..3).any(|at| a.0[at].abs_diff(b.0[at]) > 90);
                let wrong = decoded.pixels().zip(picture(width, height).pixels()).filter(|pair| far(*pair)).count();
                assert!(wrong <= (width * height / 50) as usize, "{kind} {width}x{height}: {wrong} pixels are far off");
                assert_eq!(decoded.dimensions(), (width, height), "{kind}");
            }
        }
    }

    #[test]
    fn a_picture_with_a_gap_in_its_middle_is_refused() {
        for (kind, change) in KINDS {
            let bytes = as_others_save(&picture(200, 150), change);
            // The first scan of a progressive picture is the coarse one, in which a gap goes unnoticed.
            let first = if kind.starts_with("progressive") { 3 } else { 0 };
            for share in first..9 {
                assert!(decoded(&with_a_gap(&bytes, share)).is_err(), "{kind}, without what follows {share} tenths");
            }
        }
    }

    #[test]
    fn a_picture_that_was_cut_off_and_given_an_end_is_refused() {
        for (kind, change) in KINDS {
            let bytes = as_others_save(&picture(200, 150), change);
            for share in 3..10 {
                let cut = [&bytes[..bytes.len() * share / 10], &[0xFF, 0xD9]].concat();
                assert!(decoded(&cut).is_err(), "{kind}, {share} tenths");
            }
        }
    }

    #[test]
    fn a_picture_whose_colours_are_saved_one_after_the_other_is_refused() {
        // This is how its encoder writes pictures with tables of their own.
        let bytes = as_others_save(&picture(200, 150), |encoder| encoder.set_optimized_huffman_tables(true));
        let words = decoded(&bytes).unwrap_err();
        assert!(words.contains("one after the other"), "{words}");
    }

    #[test]
    fn a_picture_of_endlessly_many_scans_is_refused() {
        let bytes = as_others_save(&picture(64, 64), |encoder| encoder.set_progressive(true));
        let last = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
        let (head, scan) = (&bytes[..bytes.len() - 2], &bytes[last..bytes.len() - 2]);
        let many = [head, &scan.repeat(60), &[0xFF, 0xD9]].concat();
        let words = decoded(&many).unwrap_err();
        assert!(words.contains("scans, more than the 64 allowed"), "{words}");
    }

    #[test]
    fn a_large_picture_may_have_a_dozen_scans_and_not_thirty() {
        let refused_for = |scans: u8| {
            let mut bytes = as_others_save(&picture(64, 64), |encoder| encoder.set_progressive_scans(scans));
            let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
            bytes[frame + 5..frame + 9].copy_from_slice(&[0x17, 0x70, 0x1F, 0x40]);
            decode(&bytes, &outline(&bytes).unwrap(), 10_000).map(|decoded| decoded.rgb).unwrap_err()
        };
        let many = refused_for(10);
        assert!(many.ends_with("scans, too many for so many pixels"), "{many}");
        // So large it is not, and that is found out.
        assert!(!refused_for(4).contains("scans"));
    }
}
