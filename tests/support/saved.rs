//! The many ways in which a picture can be saved: every kind of PNG, the JPEGs of other programs, Exif notes right and wrong, and the
//! buffers of webcams.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use miniz_oxide::deflate::compress_to_vec_zlib;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// One of a few.
pub fn one_of<T: Clone>(random: &mut ChaCha8Rng, of: &[T]) -> T {
    of[random.random_range(0..of.len())].clone()
}

// --- JPEG ---

/// A JPEG as some program would save it, and which kind it is.
pub fn jpeg(random: &mut ChaCha8Rng, picture: &RgbImage) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let quality = one_of(random, &[1, 10, 50, 85, 85, 95]);
    let mut encoder = Encoder::new(&mut bytes, quality);
    let sampling = [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_0, SamplingFactor::R_4_2_2, SamplingFactor::R_4_4_0];
    let odd = [SamplingFactor::R_4_1_1, SamplingFactor::R_4_1_0, SamplingFactor::R_4_4_1];
    encoder.set_sampling_factor(if random.random_ratio(1, 4) {
        one_of(random, &odd)
    } else {
        one_of(random, &sampling)
    });
    // The encoder makes tables of its own for progressive pictures, and they do not reckon with restarts.
    let progressive = random.random_ratio(1, 3);
    let restarts = !progressive && random.random_ratio(1, 3);
    if progressive {
        encoder.set_progressive_scans(one_of(random, &[2, 4, 10, 20, 64]));
    }
    if restarts {
        encoder.set_restart_interval(one_of(random, &[1, 2, 7, 100, 65_535]));
    }
    encoder.set_optimized_huffman_tables(!restarts && random.random_ratio(1, 5));
    let (width, height) = (side(picture.width()), side(picture.height()));
    let pixels = picture.as_raw();
    let kind = match random.random_range(0..6) {
        0 => {
            let grey: Vec<u8> = picture.pixels().map(grey).collect();
            encoder.encode(&grey, width, height, ColorType::Luma).unwrap();
            "grey"
        }
        1 => {
            // Inverted, as Adobe's programs write it.
            let inks = picture.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]);
            let four: Vec<u8> = inks.collect();
            let as_what = one_of(random, &[ColorType::Cmyk, ColorType::CmykAsYcck, ColorType::Ycck]);
            encoder.encode(&four, width, height, as_what).unwrap();
            "of four inks"
        }
        _ => {
            encoder.encode(pixels, width, height, ColorType::Rgb).unwrap();
            "colour"
        }
    };
    (format!("JPEG {kind}, quality {quality}, progressive {progressive}, restarts {restarts}"), bytes)
}

/// A usual JPEG.
pub fn usual_jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (side(picture.width()), side(picture.height()));
    Encoder::new(&mut bytes, 88).encode(picture.as_raw(), width, height, ColorType::Rgb).unwrap();
    bytes
}

/// A usual progressive JPEG.
pub fn progressive_jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (side(picture.width()), side(picture.height()));
    let mut encoder = Encoder::new(&mut bytes, 88);
    encoder.set_progressive(true);
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).unwrap();
    bytes
}

/// A JPEG without its Huffman tables, as some webcams send it.
pub fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let mut bare = jpeg.to_vec();
    while let Some(at) = bare.windows(2).position(|pair| pair == [0xFF, 0xC4]) {
        let length = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
        bare.drain(at..(at + 2 + length).min(bare.len()));
    }
    bare
}

fn side(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap()
}

fn grey(pixel: &image::Rgb<u8>) -> u8 {
    let [r, g, b] = pixel.0.map(u32::from);
    ((r * 3 + g * 6 + b) / 10) as u8
}

// --- Exif ---

/// An Exif note about how the camera was held, to be put after the first two bytes of a JPEG; `broken` ones are wrong somewhere.
pub fn exif(random: &mut ChaCha8Rng, orientation: u16, broken: bool) -> Vec<u8> {
    let big = random.random();
    let two = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let four = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let fault = if broken { random.random_range(1..9) } else { 0 };
    let mut tiff = if big { b"MM".to_vec() } else { b"II".to_vec() };
    tiff.extend(two(if fault == 1 { 43 } else { 42 }));
    tiff.extend(four(match fault {
        2 => u32::MAX,
        3 => 0,
        _ => 8,
    }));
    tiff.extend(two(if fault == 4 { u16::MAX } else { 1 }));
    tiff.extend(two(0x0112));
    tiff.extend(two(if fault == 5 { random.random() } else { 3 }));
    tiff.extend(four(if fault == 6 { random.random() } else { 1 }));
    tiff.extend(two(orientation));
    tiff.extend([0, 0]);
    // Where the next directory is: none, or this one again.
    tiff.extend(four(if fault == 7 { 8 } else { 0 }));
    if fault == 8 {
        tiff.truncate(random.random_range(0..tiff.len()));
    }
    let mut content = b"Exif\0\0".to_vec();
    content.extend(tiff);
    segment(0xE1, &content)
}

/// A JPEG segment.
pub fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], &length[..], content].concat()
}

// --- PNG ---

/// How the pixels of a PNG are written.
#[derive(Debug, Clone, Copy)]
pub struct PngForm {
    /// The standard's number: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
    pub colour: u8,
    /// Bits a sample.
    pub depth: u8,
    /// In seven passes.
    pub interlaced: bool,
}

/// Every combination that the standard allows.
pub const PNG_FORMS: [(u8, u8); 15] = [
    (0, 1),
    (0, 2),
    (0, 4),
    (0, 8),
    (0, 16),
    (2, 8),
    (2, 16),
    (3, 1),
    (3, 2),
    (3, 4),
    (3, 8),
    (4, 8),
    (4, 16),
    (6, 8),
    (6, 16),
];

/// First column and row, and the steps, of each pass.
const PASSES: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

impl PngForm {
    /// Bits a pixel.
    pub fn bits(&self) -> usize {
        usize::from(self.depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(self.colour)]
    }

    /// Bytes of an uncompressed picture, filter bytes included.
    pub fn bytes(&self, width: u32, height: u32) -> usize {
        let lines = |width: u32, height: u32| {
            if width == 0 { 0 } else { height as usize * (1 + (width as usize * self.bits()).div_ceil(8)) }
        };
        if !self.interlaced {
            return lines(width, height);
        }
        let pass = |(x, y, dx, dy): (u32, u32, u32, u32)| {
            lines(width.saturating_sub(x).div_ceil(dx), height.saturating_sub(y).div_ceil(dy))
        };
        PASSES.into_iter().map(pass).sum()
    }

    /// The header chunk's content.
    pub fn header(&self, width: u32, height: u32) -> Vec<u8> {
        let kind = [self.depth, self.colour, 0, 0, u8::from(self.interlaced)];
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &kind].concat()
    }
}

/// A whole PNG.
pub fn png(picture: &RgbImage, form: PngForm) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut lines = Vec::with_capacity(form.bytes(width, height));
    if form.interlaced {
        for (x, y, dx, dy) in PASSES.into_iter().filter(|pass| pass.0 < width && pass.1 < height) {
            (y..height)
                .step_by(dy as usize)
                .for_each(|y| line(picture, form, (x..width).step_by(dx as usize), y, &mut lines));
        }
    } else {
        (0..height).for_each(|y| line(picture, form, 0..width, y, &mut lines));
    }
    let mut chunks = vec![chunk(b"IHDR", &form.header(width, height))];
    if form.colour == 3 {
        let shades = 1_u32 << form.depth;
        let palette: Vec<u8> = (0..shades).flat_map(|shade| [(shade * 255 / (shades - 1)) as u8; 3]).collect();
        chunks.push(chunk(b"PLTE", &palette));
    }
    chunks.push(chunk(b"IDAT", &compress_to_vec_zlib(&lines, 1)));
    whole_png(&chunks)
}

/// The chunks with a PNG's beginning and end.
pub fn whole_png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat(), &chunk(b"IEND", &[])].concat()
}

/// A PNG chunk with its checksum.
pub fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&kind[..], content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], &named, &crc(&named).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (at, entry) in table.iter_mut().enumerate() {
        *entry =
            (0..8).fold(at as u32, |value, _| if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 });
    }
    !bytes.iter().fold(u32::MAX, |value, byte| table[usize::from(value as u8 ^ byte)] ^ (value >> 8))
}

/// One line of pixels, with the filter byte 0 before it.
fn line(picture: &RgbImage, form: PngForm, columns: impl Iterator<Item = u32>, y: u32, lines: &mut Vec<u8>) {
    lines.push(0);
    let (mut bits, mut filled) = (0_u8, 0);
    for x in columns {
        let pixel = picture.get_pixel(x, y);
        let [r, g, b] = pixel.0;
        let samples: &[u8] = match form.colour {
            0 | 3 => &[grey(pixel)],
            4 => &[grey(pixel), 200],
            2 => &[r, g, b],
            _ => &[r, g, b, 200],
        };
        for &sample in samples {
            match form.depth {
                16 => lines.extend([sample, sample]),
                8 => lines.push(sample),
                depth => {
                    bits = bits << depth | sample >> (8 - depth);
                    filled += depth;
                    if filled == 8 {
                        lines.push(bits);
                        (bits, filled) = (0, 0);
                    }
                }
            }
        }
    }
    if filled > 0 {
        lines.push(bits << (8 - filled));
    }
}

// --- raw ---

/// A YUYV buffer with `padding` bytes after each row.
pub fn yuyv(picture: &RgbImage, padding: usize) -> Vec<u8> {
    let mut buffer = Vec::new();
    for y in 0..picture.height() {
        for x in (0..picture.width()).step_by(2) {
            let pixel = |x: u32| picture.get_pixel(x.min(picture.width() - 1), y).0.map(f32::from);
            let luma = |[r, g, b]: [f32; 3]| (16.0 + 0.257 * r + 0.504 * g + 0.098 * b) as u8;
            let ([r, g, b], next) = (pixel(x), pixel(x + 1));
            let u = 128.0 - 0.148 * r - 0.291 * g + 0.439 * b;
            let v = 128.0 + 0.439 * r - 0.368 * g - 0.071 * b;
            buffer.extend([luma([r, g, b]), u as u8, luma(next), v as u8]);
        }
        buffer.extend(std::iter::repeat_n(0xAA, padding));
    }
    buffer
}
