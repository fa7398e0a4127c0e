//! Small files that ask for a great deal of work: pictures that somebody made to stop a program.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::saved::{PNG_FORMS, PngForm, chunk, one_of, segment, whole_png};

/// The most that is allowed.
pub const LARGEST: (u32, u32) = (10_000, 5_100);
/// The same with 16 bits a colour.
pub const LARGEST_OF_16_BITS: (u32, u32) = (10_000, 2_500);
/// A usual PNG.
pub const PLAIN: PngForm = PngForm { colour: 2, depth: 8, interlaced: false };
/// Sizes at, just within and beyond what is allowed.
const SIZES: [(u32, u32); 10] = [
    LARGEST,
    (8_000, 8_000),
    (8_192, 8_192),
    (8_000, 6_000),
    (10_000, 1),
    (1, 10_000),
    (16, 10_000),
    (65_535, 900),
    (65_535, 65_535),
    (10_001, 10),
];

/// One of them, and what it is.
pub fn bomb(random: &mut ChaCha8Rng, jpeg: &[u8]) -> (String, Vec<u8>) {
    let (width, height) = one_of(random, &SIZES);
    match random.random_range(0..10) {
        0..=2 => {
            let (colour, depth) = one_of(random, &PNG_FORMS);
            let form = PngForm { colour, depth, interlaced: random.random() };
            (format!("black PNG of {width}x{height}, {form:?}"), black_png(width, height, form))
        }
        3 | 4 => (format!("flat JPEG of {width}x{height}"), flat_jpeg(width, height, random.random())),
        5 | 6 => {
            let scans = one_of(random, &[1, 10, 19, 64, 1_000]);
            (format!("JPEG of {width}x{height} in {scans} scans"), jpeg_of_scans(width, height, scans, random.random()))
        }
        7 => {
            let (what, chunk) = notes(random);
            let form = PLAIN;
            let pixels = chunk_of_zeros(form.bytes(64, 64));
            let png = whole_png(&[chunk_header(form, 64, 64), chunk, pixels]);
            (format!("PNG with {what}"), png)
        }
        8 => {
            let png = black_png(64, 64, PLAIN);
            let empty = [chunk(b"IDAT", &[]), chunk(b"tEXt", b"a\0b")].concat().repeat(200_000);
            ("PNG with 400,000 chunks".to_owned(), [&png[..33], &empty, &png[33..]].concat())
        }
        _ => {
            let (what, between) = match random.random_range(0..5) {
                0 => ("200,000 empty segments", segment(0xE1, &[]).repeat(200_000)),
                1 => ("a million fill bytes", vec![0xFF; 1_000_000]),
                2 => ("20,000 times its own tables", segment(0xC4, &first(jpeg, 0xC4)).repeat(20_000)),
                3 => ("5,000 pieces of a colour profile", profile_pieces()),
                _ => ("64 long remarks", segment(0xFE, &[b'x'; 65_000]).repeat(64)),
            };
            (format!("JPEG with {what}"), [&jpeg[..2], &between, &jpeg[2..]].concat())
        }
    }
}

/// The content of the first segment of a kind.
fn first(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let Some(at) = jpeg.windows(2).position(|pair| pair == [0xFF, marker]) else { return Vec::new() };
    let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    jpeg[at + 4..at + 2 + length].to_vec()
}

fn profile_pieces() -> Vec<u8> {
    let piece = |number: u8| segment(0xE2, &[b"ICC_PROFILE\0", &[number, 255][..], &[7; 4000]].concat());
    (0..5_000).flat_map(|number| piece(number as u8)).collect()
}

/// Notes of a hundred megabytes, compressed.
fn notes(random: &mut ChaCha8Rng) -> (&'static str, Vec<u8>) {
    let zeros = zlib_of_zeros(100_000_000);
    match random.random_range(0..3) {
        0 => ("a long remark", chunk(b"zTXt", &[b"Comment\0\0", &zeros[..]].concat())),
        1 => ("a long profile", chunk(b"iCCP", &[b"profile\0\0", &zeros[..]].concat())),
        _ => ("a long remark of many languages", chunk(b"iTXt", &[b"Comment\0\x01\0\0\0", &zeros[..]].concat())),
    }
}

fn chunk_header(form: PngForm, width: u32, height: u32) -> Vec<u8> {
    chunk(b"IHDR", &form.header(width, height))
}

fn chunk_of_zeros(length: usize) -> Vec<u8> {
    chunk(b"IDAT", &zlib_of_zeros(length))
}

/// A black PNG, a thousand times smaller than its pixels.
pub fn black_png(width: u32, height: u32, form: PngForm) -> Vec<u8> {
    let mut chunks = vec![chunk_header(form, width, height)];
    if form.colour == 3 {
        chunks.push(chunk(b"PLTE", &[0; 6]));
    }
    // What is refused by its size need not have its pixels.
    chunks.push(chunk_of_zeros(form.bytes(width, height).min(700_000_000)));
    whole_png(&chunks)
}

/// So many zeros, compressed: one block of a megabyte of them again and again.
fn zlib_of_zeros(length: usize) -> Vec<u8> {
    const BLOCK: usize = 1_000_000;
    let mut zlib = vec![0x78, 0x01];
    let block = deflated(&vec![0; BLOCK], TDEFLFlush::Sync);
    (0..length / BLOCK).for_each(|_| zlib.extend_from_slice(&block));
    zlib.extend(deflated(&vec![0; length % BLOCK], TDEFLFlush::Finish));
    // Adler-32 of zeros.
    let sum = u32::try_from(length % 65_521).unwrap() << 16 | 1;
    zlib.extend(sum.to_be_bytes());
    zlib
}

fn deflated(bytes: &[u8], flush: TDEFLFlush) -> Vec<u8> {
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(6, -15, 0));
    let mut out = vec![0; bytes.len() / 100 + 4096];
    let (status, taken, given) = compress(&mut compressor, bytes, &mut out, flush);
    assert!(matches!(status, TDEFLStatus::Okay | TDEFLStatus::Done) && taken == bytes.len());
    out.truncate(given);
    out
}

/// A picture that no compression makes smaller.
pub fn noise(width: u32, height: u32) -> RgbImage {
    let mut bytes = vec![0; width as usize * height as usize * 3];
    ChaCha8Rng::seed_from_u64(5).fill_bytes(&mut bytes);
    RgbImage::from_raw(width, height, bytes).unwrap()
}

/// A JPEG of one shade, six bits for each block of 64 pixels.
pub fn flat_jpeg(width: u32, height: u32, grey: bool) -> Vec<u8> {
    let mut small = Vec::new();
    let (colour, pixels): (_, &[u8]) = if grey { (ColorType::Luma, &[128; 64]) } else { (ColorType::Rgb, &[128; 192]) };
    let mut encoder = Encoder::new(&mut small, 85);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    encoder.encode(pixels, 8, 8, colour).unwrap();
    claim(&mut small, width, height);
    let scan = small.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let data = scan + 2 + usize::from(u16::from_be_bytes([small[scan + 2], small[scan + 3]]));
    small.truncate(data);
    let blocks = blocks(width, height).min(4_000_000);
    // "The same brightness as before" and "nothing more", in the standard's codes for brightness and for colour.
    let (luma, chroma) = ((0b00_1010, 6), (0b00_00, 4));
    let codes: &[(u32, u32)] = if grey { &[luma] } else { &[luma, chroma, chroma] };
    let mut bits = Bits::default();
    (0..blocks).flat_map(|_| codes).for_each(|(code, length)| bits.put(*code, *length));
    [small, bits.end(), vec![0xFF, 0xD9]].concat()
}

fn blocks(width: u32, height: u32) -> usize {
    width.div_ceil(8) as usize * height.div_ceil(8) as usize
}

/// Writes a size into a JPEG's header.
pub fn claim(jpeg: &mut [u8], width: u32, height: u32) {
    let frame = jpeg.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2]));
    if let Some(place) = frame.and_then(|frame| jpeg.get_mut(frame + 5..frame + 9)) {
        place[..2].copy_from_slice(&(height as u16).to_be_bytes());
        place[2..].copy_from_slice(&(width as u16).to_be_bytes());
    }
}

/// A progressive JPEG of one shade whose scans take ten bytes each and walk over all of the pixels.
pub fn jpeg_of_scans(width: u32, height: u32, scans: usize, colour: bool) -> Vec<u8> {
    let names: &[u8] = if colour { &[1, 2, 3] } else { &[1] };
    let count = names.len() as u8;
    let mut jpeg = vec![0xFF, 0xD8];
    jpeg.extend(segment(0xDB, &[&[0][..], &[1; 64]].concat()));
    let sizes = [(height as u16).to_be_bytes(), (width as u16).to_be_bytes()].concat();
    let components: Vec<u8> = names.iter().flat_map(|name| [*name, 0x11, 0]).collect();
    jpeg.extend(segment(0xC2, &[&[8][..], &sizes, &[count], &components].concat()));
    // One code each: "as before", and "the next 16384 blocks, and as many more as 14 bits say, have nothing here".
    let table = |class: u8, symbol: u8| segment(0xC4, &[&[class, 1][..], &[0; 15], &[symbol]].concat());
    jpeg.extend(table(0x00, 0));
    jpeg.extend(table(0x10, 0xE0));
    let scan = |names: &[u8], range: [u8; 3]| {
        let named: Vec<u8> = names.iter().flat_map(|name| [*name, 0]).collect();
        segment(0xDA, &[&[names.len() as u8][..], &named, &range].concat())
    };
    let blocks = blocks(width, height).min(4_000_000);
    jpeg.extend(scan(names, [0, 0, 0]));
    jpeg.extend(vec![0; (blocks * names.len()).div_ceil(8)]);
    let mut run = Bits::default();
    (0..blocks.div_ceil(32_767)).for_each(|_| run.put(0x3FFF, 15));
    let run = run.end();
    for at in 1..scans {
        jpeg.extend(scan(&names[at % names.len()..][..1], [1, 63, 0]));
        jpeg.extend(&run);
    }
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

/// Bits as a JPEG's data hold them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, code: u32, length: u32) {
        self.held = self.held << length | code;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
        self.held &= 0xFF;
    }

    fn end(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0x7F >> (self.count - 1), 8 - self.count);
        }
        self.bytes
    }
}
