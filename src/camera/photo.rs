//! Reads a picture that somebody else made: a roster's photo or one to replay. The content decides the format, not the name.
//!
//! Everything is bounded before it is decoded, and a picture that is not whole is refused: half a face in grey is no photo.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use image::{
    ColorType, DynamicImage, ImageDecoder, ImageError, Limits, RgbImage,
    codecs::{bmp::BmpDecoder, png::PngDecoder},
    metadata::Orientation,
};

use super::{
    jpeg,
    segments::{self, Outline},
};

/// Pixels along the longer side.
pub const MAX_SIDE: u32 = 10_000;
/// Pixels altogether, in millions: what phones make at their finest. Bounds the memory that decoding takes to about four times as many
/// bytes, and nine while a progressive JPEG is decoded; and the time to less than a second, whatever somebody made of the file.
pub const MAX_MEGAPIXELS: u32 = 51;
/// The same with 16 bits a colour, which take twice as long a pixel and which no camera's photo has.
const MAX_MEGAPIXELS_OF_16_BITS: u32 = 25;
/// Bytes a pixel of the largest pictures, once they are decoded.
const MAX_BYTES_A_PIXEL: u64 = 4;
/// Size of the file in MB. The more bytes a pixel has, the longer a JPEG takes.
pub const MAX_FILE_MB: u64 = 32;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Card readers give out such pictures.
const BMP: &[u8] = b"BM";

/// Why a file is no usable photo; the words follow "photo NAME: ".
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The system does not give it out.
    #[error("cannot be read ({0})")]
    Unreadable(#[source] std::io::Error),
    /// A folder, a pipe or a device.
    #[error("is not a file")]
    NotAFile,
    /// 0 bytes.
    #[error("is empty (0 bytes); copy it again")]
    Empty,
    /// Too many bytes.
    #[error("has {megabytes} MB, more than the {MAX_FILE_MB} MB allowed; save it smaller")]
    TooManyBytes {
        /// How many it has.
        megabytes: u64,
    },
    /// Too many pixels.
    #[error(
        "is {width}x{height} pixels, more than the {MAX_SIDE} a side and {MAX_MEGAPIXELS} million altogether allowed; scale it down"
    )]
    TooManyPixels {
        /// Across.
        width: u32,
        /// Down.
        height: u32,
    },
    /// Too many bits for so many pixels.
    #[error("is {width}x{height} pixels with 16 bits a colour, too many to be decoded; save it with 8 bits a colour")]
    TooManyBits {
        /// Across.
        width: u32,
        /// Down.
        height: u32,
    },
    /// Not a picture at all.
    #[error("is not a picture, whatever its name says; JPEG, PNG and BMP are read")]
    NotAPicture,
    /// A picture of another kind.
    #[error("is a {0} picture; JPEG, PNG and BMP are read, convert it")]
    OtherFormat(&'static str),
    /// The end is missing.
    #[error("is cut off: its end is missing; copy it again")]
    CutOff,
    /// It does not decode.
    #[error("is damaged ({0}); copy it again, or open and save it in a picture editor")]
    Damaged(String),
}

/// Reads a photo, upright.
///
/// # Errors
/// When it is no whole JPEG, PNG or BMP within the limits; see [`PhotoError`].
pub fn read_photo(path: &Path) -> Result<RgbImage, PhotoError> {
    read_photo_bytes(&bytes_of(path)?)
}

/// Decodes a photo that is in memory already, upright.
///
/// # Errors
/// As [`read_photo`].
pub fn read_photo_bytes(bytes: &[u8]) -> Result<RgbImage, PhotoError> {
    match checked(bytes)? {
        Kind::Jpeg(outline) => {
            let decoded = jpeg::decode(bytes, &outline, MAX_SIDE as usize).map_err(PhotoError::Damaged)?;
            let orientation = decoded.exif.and_then(|exif| Orientation::from_exif_chunk(&exif));
            Ok(upright(DynamicImage::ImageRgb8(decoded.rgb), orientation.unwrap_or(Orientation::NoTransforms)))
        }
        Kind::Png => {
            let mut decoder = png(bytes)?;
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            Ok(upright(DynamicImage::from_decoder(decoder).map_err(damaged)?, orientation))
        }
        Kind::Bmp => {
            let picture = DynamicImage::from_decoder(bmp(bytes)?).map_err(damaged)?;
            Ok(in_colour(picture))
        }
    }
}

/// Checks everything that can be known without decoding: size, format, pixels, and that the end is there.
///
/// # Errors
/// As [`read_photo`].
pub fn check_photo(path: &Path) -> Result<(), PhotoError> {
    checked(&bytes_of(path)?).map(|_| ())
}

enum Kind {
    Jpeg(Outline),
    Png,
    Bmp,
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, PhotoError> {
    // Asked before opening, because opening a pipe would wait for its other end.
    if !path.metadata().map_err(PhotoError::Unreadable)?.is_file() {
        return Err(PhotoError::NotAFile);
    }
    let file = File::open(path).map_err(PhotoError::Unreadable)?;
    let length = file.metadata().map_err(PhotoError::Unreadable)?.len();
    let most = MAX_FILE_MB * 1_000_000;
    if length > most {
        return Err(PhotoError::TooManyBytes { megabytes: length.div_ceil(1_000_000) });
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(PhotoError::Unreadable)?;
    Ok(bytes)
}

fn checked(bytes: &[u8]) -> Result<Kind, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.len() as u64 > MAX_FILE_MB * 1_000_000 {
        return Err(PhotoError::TooManyBytes { megabytes: (bytes.len() as u64).div_ceil(1_000_000) });
    }
    if segments::begins(bytes) {
        let outline = segments::outline(bytes);
        // Where the headers do not parse either, a missing end is the likelier story.
        let (width, height) = match jpeg::dimensions(bytes) {
            Ok(size) => size,
            Err(_) if outline.is_none() => return Err(PhotoError::CutOff),
            Err(words) => return Err(PhotoError::Damaged(words)),
        };
        check_pixels(width as u64, height as u64)?;
        return outline.map(Kind::Jpeg).ok_or(PhotoError::CutOff);
    }
    if bytes.starts_with(PNG) {
        let decoder = png(bytes)?;
        let (width, height) = decoder.dimensions();
        check_pixels(width.into(), height.into())?;
        let deep =
            matches!(decoder.color_type(), ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16);
        if deep && u64::from(width) * u64::from(height) > u64::from(MAX_MEGAPIXELS_OF_16_BITS) * 1_000_000 {
            return Err(PhotoError::TooManyBits { width, height });
        }
        return Ok(Kind::Png);
    }
    if bytes.starts_with(BMP) {
        let claimed = bytes.get(2..6).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        if claimed as usize > bytes.len() {
            return Err(PhotoError::CutOff);
        }
        let (width, height) = bmp(bytes)?.dimensions();
        check_pixels(width.into(), height.into())?;
        return Ok(Kind::Bmp);
    }
    Err(other_format(bytes).map_or(PhotoError::NotAPicture, PhotoError::OtherFormat))
}

fn check_pixels(width: u64, height: u64) -> Result<(), PhotoError> {
    let fits = width.max(height) <= MAX_SIDE.into() && width * height <= u64::from(MAX_MEGAPIXELS) * 1_000_000;
    let shown = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    fits.then_some(()).ok_or(PhotoError::TooManyPixels { width: shown(width), height: shown(height) })
}

fn png(bytes: &[u8]) -> Result<PngDecoder<Cursor<&[u8]>>, PhotoError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(u64::from(MAX_MEGAPIXELS) * 1_000_000 * MAX_BYTES_A_PIXEL);
    PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(damaged)
}

fn bmp(bytes: &[u8]) -> Result<BmpDecoder<Cursor<&[u8]>>, PhotoError> {
    BmpDecoder::new(Cursor::new(bytes)).map_err(damaged)
}

fn damaged(error: ImageError) -> PhotoError {
    match error {
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => PhotoError::CutOff,
        other => PhotoError::Damaged(other.to_string()),
    }
}

fn upright(picture: DynamicImage, orientation: Orientation) -> RgbImage {
    // Three bytes a pixel are turned sooner than eight.
    let mut picture = DynamicImage::ImageRgb8(in_colour(picture));
    picture.apply_orientation(orientation);
    picture.into_rgb8()
}

/// The picture without its transparency. `image` itself takes three times as long for grey ones.
fn in_colour(picture: DynamicImage) -> RgbImage {
    let (width, height) = (picture.width(), picture.height());
    let spread = |samples: &[u8], step: usize| {
        let pixels = samples.chunks_exact(step).flat_map(|pixel| [pixel[0]; 3]).collect();
        RgbImage::from_raw(width, height, pixels)
    };
    match &picture {
        DynamicImage::ImageLuma8(grey) => spread(grey.as_raw(), 1),
        DynamicImage::ImageLumaA8(grey) => spread(grey.as_raw(), 2),
        _ => None,
    }
    .unwrap_or_else(|| picture.into_rgb8())
}

/// Names pictures that phones and scanners make, so that the operator knows what to convert.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, what: &[u8]| bytes.get(from..from + what.len()) == Some(what);
    let known: [(usize, &[u8], &str); 8] = [
        (4, b"ftypheic", "HEIC"),
        (4, b"ftypheix", "HEIC"),
        (4, b"ftypmif1", "HEIF"),
        (4, b"ftypavif", "AVIF"),
        (8, b"WEBP", "WebP"),
        (0, b"GIF8", "GIF"),
        (0, b"II*\0", "TIFF"),
        (0, b"MM\0*", "TIFF"),
    ];
    known.into_iter().find(|(from, what, _)| at(*from, what)).map(|(.., name)| name)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use image::{
        ExtendedColorType, ImageEncoder, Rgb,
        codecs::{bmp::BmpEncoder, png::PngEncoder},
    };

    use super::{
        super::jpeg::tests::{damaged, encoded, exif_segment, picture},
        *,
    };

    fn as_png(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    fn refused(bytes: &[u8]) -> String {
        match read_photo_bytes(bytes) {
            Ok(picture) => panic!("a picture of {}x{} was read", picture.width(), picture.height()),
            Err(error) => error.to_string(),
        }
    }

    /// A JPEG whose header claims another size.
    fn claiming(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = encoded(&picture(16, 16));
        let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    }

    #[test]
    fn the_content_decides_the_format_and_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("really-a-png.jpg");
        std::fs::write(&path, as_png(&picture(40, 30))).unwrap();
        assert!(read_photo(&path).unwrap() == picture(40, 30));
        assert!(check_photo(&path).is_ok());
    }

    #[test]
    fn a_photo_taken_with_the_phone_held_upright_is_read_upright() {
        let red_left = RgbImage::from_fn(60, 40, |x, _| if x < 30 { Rgb([220, 0, 0]) } else { Rgb([0, 0, 220]) });
        let mut bytes = encoded(&red_left);
        bytes.splice(2..2, exif_segment(6, &[]));
        let upright = read_photo_bytes(&bytes).unwrap();
        assert_eq!(upright.dimensions(), (40, 60));
        assert!(upright.get_pixel(20, 5).0[0] > 180, "turned right, what was left is on top");
        assert!(upright.get_pixel(20, 55).0[2] > 180);
    }

    #[test]
    fn a_photo_cut_off_anywhere_is_refused() {
        let jpeg = encoded(&picture(200, 150));
        for length in (3..jpeg.len()).step_by(7) {
            assert_eq!(refused(&jpeg[..length]), "is cut off: its end is missing; copy it again", "{length} bytes");
        }
        let png = as_png(&picture(200, 150));
        for length in (8..png.len() - 12).step_by(101) {
            assert!(read_photo_bytes(&png[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_photo_that_does_not_decode_is_refused_with_a_cure() {
        let words = refused(&damaged(&picture(200, 150)));
        assert!(words.starts_with("is damaged ("), "{words}");
        assert!(words.ends_with("); copy it again, or open and save it in a picture editor"), "{words}");
    }

    #[test]
    fn an_empty_file_says_so() {
        assert_eq!(refused(b""), "is empty (0 bytes); copy it again");
    }

    #[test]
    fn a_text_file_named_jpg_is_no_picture() {
        assert_eq!(
            refused(b"Dear Sir, please find"),
            "is not a picture, whatever its name says; JPEG, PNG and BMP are read"
        );
    }

    #[test]
    fn a_picture_of_a_phones_own_format_is_named() {
        assert_eq!(refused(b"\0\0\0\x18ftypheic\0\0"), "is a HEIC picture; JPEG, PNG and BMP are read, convert it");
        assert_eq!(refused(b"RIFF\x10\0\0\0WEBPVP8 "), "is a WebP picture; JPEG, PNG and BMP are read, convert it");
    }

    #[test]
    fn a_picture_of_20000_by_20000_is_refused_before_it_is_decoded() {
        let words = refused(&claiming(20_000, 20_000));
        assert!(words.starts_with("is 20000x20000 pixels, more than the 10000 a side and 51 million"), "{words}");
        let words = refused(&claiming(9_000, 9_000));
        assert!(words.starts_with("is 9000x9000 pixels"), "{words}");
    }

    #[test]
    fn a_large_picture_of_16_bits_a_colour_is_refused_before_it_is_decoded() {
        let mut bytes = Vec::new();
        let pixels = [0_u8; 8];
        PngEncoder::new(&mut bytes).write_image(&pixels, 1, 1, ExtendedColorType::Rgba16).unwrap();
        // The header with another size, and its checksum.
        bytes[16..24].copy_from_slice(&[0, 0, 0x1F, 0x40, 0, 0, 0x17, 0x70]);
        bytes[29..33].copy_from_slice(&[0x61, 0xF4, 0x38, 0x7D]);
        assert_eq!(
            refused(&bytes),
            "is 8000x6000 pixels with 16 bits a colour, too many to be decoded; save it with 8 bits a colour"
        );
    }

    #[test]
    fn a_large_grey_picture_of_16_bits_is_refused_too_though_it_has_few_bytes_and_a_smaller_one_is_read() {
        let grey = |width: u32, height: u32| {
            let mut bytes = Vec::new();
            let pixels = vec![0_u8; width as usize * height as usize * 2];
            PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::L16).unwrap();
            bytes
        };
        assert!(refused(&grey(8_000, 4_000)).starts_with("is 8000x4000 pixels with 16 bits a colour, too many"));
        assert_eq!(read_photo_bytes(&grey(1_000, 500)).unwrap().dimensions(), (1_000, 500));
    }

    #[test]
    fn grey_photos_are_read_with_and_without_transparency() {
        let grey = |x: u32, y: u32| (x * 5 + y) as u8;
        let expected = RgbImage::from_fn(40, 30, |x, y| Rgb([grey(x, y); 3]));
        let pixels = || (0..30).flat_map(|y| (0..40).map(move |x| grey(x, y)));
        let (mut plain, mut transparent) = (Vec::new(), Vec::new());
        let plain_pixels: Vec<u8> = pixels().collect();
        PngEncoder::new(&mut plain).write_image(&plain_pixels, 40, 30, ExtendedColorType::L8).unwrap();
        let with_alpha: Vec<u8> = pixels().flat_map(|grey| [grey, 255 - grey]).collect();
        PngEncoder::new(&mut transparent).write_image(&with_alpha, 40, 30, ExtendedColorType::La8).unwrap();
        for bytes in [plain, transparent] {
            assert!(read_photo_bytes(&bytes).unwrap() == expected);
        }
    }

    #[test]
    fn a_card_readers_bmp_is_read_and_one_that_is_cut_off_or_too_large_is_refused() {
        let photo = RgbImage::from_fn(102, 126, |x, y| Rgb([x as u8, y as u8, 90]));
        let mut bytes = Vec::new();
        BmpEncoder::new(&mut bytes).write_image(photo.as_raw(), 102, 126, ExtendedColorType::Rgb8).unwrap();
        assert!(read_photo_bytes(&bytes).unwrap() == photo);
        for length in [6, 30, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(refused(&bytes[..length]), "is cut off: its end is missing; copy it again", "{length} bytes");
        }
        bytes[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
        assert!(refused(&bytes).starts_with("is 20000x126 pixels, more than"), "{}", refused(&bytes));
        assert_eq!(refused(b"BM"), "is cut off: its end is missing; copy it again");
    }

    #[test]
    fn a_file_of_33_megabytes_is_refused_without_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.jpg");
        File::create(&path).unwrap().set_len(33_000_000).unwrap();
        let words = read_photo(&path).unwrap_err().to_string();
        assert_eq!(words, "has 33 MB, more than the 32 MB allowed; save it smaller");
    }

    #[test]
    fn a_folder_or_a_missing_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_photo(folder.path()).unwrap_err().to_string(), "is not a file");
        let words = read_photo(&PathBuf::from("/nowhere/photo.jpg")).unwrap_err().to_string();
        assert!(words.starts_with("cannot be read (No such file"), "{words}");
    }
}
