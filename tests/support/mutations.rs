//! Makes damaged, odd and hostile pictures and frames out of good ones. Mutation number N is the same one on every machine, so a failure
//! is repeated by its number.

use image::{Rgb, RgbImage, imageops};
use nokhwa::utils::{CameraFormat, FrameFormat};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    bombs,
    saved::{self, PNG_FORMS, PngForm, one_of},
};

/// A good picture and who is in it.
pub struct Seed {
    /// For reports.
    pub name: String,
    /// Those of its people who are enrolled.
    pub shows: Vec<String>,
    /// The picture.
    pub picture: RgbImage,
}

/// What became of a seed.
pub struct Mutation {
    /// What was done, for reports.
    pub what: String,
    /// One word for it, for counting.
    pub kind: &'static str,
    /// Those enrolled people whose pixels may be left in it.
    pub shows: Vec<String>,
    /// What the program is given.
    pub form: Form,
}

/// How the program gets it.
pub enum Form {
    /// A file, as by a roster.
    Photo(Vec<u8>),
    /// A webcam's buffer.
    Buffer(CameraFormat, Vec<u8>),
    /// A frame that is decoded already.
    Pixels(RgbImage),
}

/// Mutation `number`.
pub fn mutation(number: u64, seeds: &[Seed]) -> Mutation {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let random = &mut random;
    let seed = &seeds[random.random_range(0..seeds.len())];
    let other = &seeds[random.random_range(0..seeds.len())];
    let mut shows = seed.shows.clone();
    let (kind, what, form) = match random.random_range(0..100) {
        0..22 => damaged(random, seed, other, &mut shows),
        22..32 => cut(random, seed),
        32..39 => claimed(random, seed),
        39..51 => turned(random, seed),
        51..59 => ("saved otherwise", saved::jpeg(random, &seed.picture)).photo(),
        59..68 => png(random, seed),
        68..71 => ("bomb", bombs::bomb(random, &saved::usual_jpeg(&seed.picture))).photo(),
        71..80 => motion_jpeg(random, seed),
        80..88 => raw(random, seed),
        _ => pixels(random, seed, other, &mut shows),
    };
    Mutation { what: format!("{}: {what}", seed.name), kind, shows, form }
}

type Made = (&'static str, String, Form);

/// Shortens what most of the makers end with.
trait Photo {
    fn photo(self) -> Made;
}

impl Photo for (&'static str, (String, Vec<u8>)) {
    fn photo(self) -> Made {
        (self.0, self.1.0, Form::Photo(self.1.1))
    }
}

/// A file of the seed, mostly a usual JPEG.
fn file(random: &mut ChaCha8Rng, seed: &Seed) -> Vec<u8> {
    match random.random_range(0..6) {
        0 => saved::jpeg(random, &seed.picture).1,
        1 => saved::png(&small(&seed.picture, 200), PngForm { colour: 2, depth: 8, interlaced: random.random() }),
        _ => saved::usual_jpeg(&seed.picture),
    }
}

fn small(picture: &RgbImage, height: u32) -> RgbImage {
    let height = height.min(picture.height());
    let width = (picture.width() * height / picture.height()).max(1);
    imageops::resize(picture, width, height, imageops::FilterType::Triangle)
}

/// Flips bits, or overwrites, takes out, repeats or swaps pieces.
fn damaged(random: &mut ChaCha8Rng, seed: &Seed, other: &Seed, shows: &mut Vec<String>) -> Made {
    let mut bytes = file(random, seed);
    let how = random.random_range(0..8);
    // The headers are small, and most of what can go wrong is in them.
    let reach = if random.random() { bytes.len().min(700) } else { bytes.len() };
    let at = random.random_range(2..reach);
    let length = random.random_range(1..=(bytes.len() - at).min(2_000));
    let what = match how {
        0 | 1 => {
            let count = random.random_range(1..=16);
            for _ in 0..count {
                let place = random.random_range(2..reach);
                bytes[place] ^= 1 << random.random_range(0..8);
            }
            format!("{count} bits flipped before byte {reach}")
        }
        2 => {
            let count = random.random_range(1..=16);
            (0..count).for_each(|_| bytes[random.random_range(2..reach)] = random.random());
            format!("{count} bytes overwritten before byte {reach}")
        }
        3 => {
            let value = one_of(random, &[0, 0xFF, 0xD9, 0x80]);
            bytes[at..at + length].fill(value);
            format!("{length} bytes from {at} are {value:#x}")
        }
        4 => {
            bytes.drain(at..at + length);
            format!("{length} bytes from {at} taken out")
        }
        5 => {
            let piece = bytes[at..at + length].to_vec();
            bytes.splice(at..at, piece);
            format!("{length} bytes from {at} twice")
        }
        6 => {
            let noise: Vec<u8> = (0..length).map(|_| random.random()).collect();
            bytes.splice(at..at + length, noise);
            format!("{length} bytes from {at} are noise")
        }
        _ => {
            let second = file(random, other);
            let from = random.random_range(0..second.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&second[from..]);
            shows.extend(other.shows.clone());
            format!("goes on from byte {at} as {} from byte {from}", other.name)
        }
    };
    ("damaged", (what, bytes)).photo()
}

/// Cuts a file off, at any byte or at a marker's edge, sometimes with an end put behind, or cuts its middle out.
fn cut(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let mut bytes = file(random, seed);
    let markers: Vec<usize> = (0..bytes.len() - 1).filter(|&at| bytes[at] == 0xFF && bytes[at + 1] != 0).collect();
    let place = |random: &mut ChaCha8Rng| {
        if random.random() || markers.is_empty() {
            random.random_range(0..=bytes.len())
        } else {
            (one_of(random, &markers) + random.random_range(0..5)).min(bytes.len())
        }
    };
    let (from, to) = (place(random), place(random));
    let what = match random.random_range(0..3) {
        0 => {
            bytes.truncate(from);
            format!("cut to {from} bytes")
        }
        1 => {
            bytes.truncate(from);
            bytes.extend([0xFF, 0xD9]);
            format!("cut to {from} bytes and ended")
        }
        _ => {
            let (from, to) = (from.min(to), from.max(to));
            bytes.drain(from..to);
            format!("without bytes {from} to {to}")
        }
    };
    ("cut", (what, bytes)).photo()
}

const ODD_SIDES: [u32; 17] = [0, 1, 2, 3, 7, 8, 9, 15, 17, 255, 640, 4096, 8192, 10_000, 10_001, 65_500, 65_535];

/// Claims a size that the file does not have.
fn claimed(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let (width, height) = (one_of(random, &ODD_SIDES), one_of(random, &ODD_SIDES));
    let bytes = if random.random_ratio(1, 3) {
        let form = PngForm { colour: 2, depth: 8, interlaced: random.random() };
        let png = saved::png(&small(&seed.picture, 100), form);
        // Some sizes that only PNG can claim.
        let width = if random.random_ratio(1, 5) { u32::MAX >> random.random_range(0..4) } else { width };
        [&png[..8], &saved::chunk(b"IHDR", &form.header(width, height)), &png[33..]].concat()
    } else {
        let mut jpeg = saved::jpeg(random, &seed.picture).1;
        bombs::claim(&mut jpeg, width, height);
        jpeg
    };
    ("claims a size", (format!("claims to be {width}x{height}"), bytes)).photo()
}

/// Says how the camera was held: rightly, in all eight ways, or in a broken note.
fn turned(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let broken = random.random_ratio(1, 2);
    let orientation = if broken { one_of(random, &[0, 1, 3, 6, 9, 255, 65_535]) } else { random.random_range(1..=8) };
    let mut jpeg = saved::usual_jpeg(&seed.picture);
    for _ in 0..one_of(random, &[1, 1, 1, 2, 20]) {
        let note = saved::exif(random, orientation, broken);
        jpeg.splice(2..2, note);
    }
    ("turned by Exif", (format!("orientation {orientation}, broken {broken}"), jpeg)).photo()
}

/// A PNG of any form, sometimes damaged or cut off.
fn png(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let (colour, depth) = one_of(random, &PNG_FORMS);
    let form = PngForm { colour, depth, interlaced: random.random() };
    let height = one_of(random, &[1, 2, 5, 64, 250, 480]);
    let mut bytes = saved::png(&small(&seed.picture, height), form);
    let mut what = format!("{form:?}, {height} high");
    match random.random_range(0..4) {
        0 => {
            let place = random.random_range(8..bytes.len());
            bytes[place] ^= 1 << random.random_range(0..8);
            what += &format!(", a bit flipped in byte {place}");
        }
        1 => {
            bytes.truncate(random.random_range(8..bytes.len()));
            what += &format!(", cut to {} bytes", bytes.len());
        }
        _ => {}
    }
    ("PNG", (what, bytes)).photo()
}

/// An MJPG buffer: with or without tables, with something behind it, of another size than the camera says, or damaged.
fn motion_jpeg(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let mut bytes = saved::usual_jpeg(&seed.picture);
    let bare = random.random_ratio(1, 3);
    if bare {
        bytes = saved::without_tables(&bytes);
    }
    let mut what = format!("MJPG, without tables {bare}");
    match random.random_range(0..5) {
        0 => {
            let at = random.random_range(bytes.len() / 2..bytes.len());
            bytes.extend_from_within(at..);
            what += ", the rest of an older frame behind it";
        }
        1 => {
            bytes.resize(bytes.len().next_multiple_of(4096) * 2, 0);
            what += ", in a longer buffer";
        }
        2 => {
            bytes.truncate(random.random_range(0..=bytes.len()));
            what += &format!(", cut to {} bytes", bytes.len());
        }
        3 => {
            let (count, length) = (random.random_range(1..40), bytes.len());
            (0..count).for_each(|_| bytes[random.random_range(2..length)] = random.random());
            what += &format!(", {count} bytes overwritten");
        }
        _ => {
            // As when packets of a frame are lost on the cable.
            let data = bytes.len() / 3;
            let at = random.random_range(data..bytes.len() - 512);
            bytes.drain(at..at + random.random_range(1..512));
            what += &format!(", a packet lost at {at}");
        }
    }
    let size = one_of(random, &[seed.picture.dimensions(), (0, 0), (1280, 720), (65_535, 1)]);
    ("MJPG", what, Form::Buffer(CameraFormat::new_from(size.0, size.1, FrameFormat::MJPEG, 30), bytes))
}

/// An uncompressed buffer: rows with and without padding, too short, too long, of an odd width, or of noise.
fn raw(random: &mut ChaCha8Rng, seed: &Seed) -> Made {
    let height = one_of(random, &[1, 2, 63, 240, 360]);
    let mut picture = small(&seed.picture, height);
    if random.random_ratio(1, 3) && picture.width() > 8 {
        let width = picture.width() - random.random_range(0..8);
        picture = imageops::crop_imm(&picture, 0, 0, width, height.min(picture.height())).to_image();
    }
    let padding = one_of(random, &[0, 0, 2, 16, 32, 33, 64, 4096]);
    let mut bytes = saved::yuyv(&picture, padding);
    let (mut width, mut rows) = picture.dimensions();
    let mut what = format!("{width}x{rows} YUYV with {padding} bytes after each row");
    match random.random_range(0..6) {
        0 => {
            bytes.truncate(random.random_range(0..=bytes.len()));
            what += &format!(", cut to {} bytes", bytes.len());
        }
        1 => {
            bytes.resize(bytes.len() + random.random_range(1..100_000), 0x55);
            what += &format!(", {} bytes long", bytes.len());
        }
        2 => {
            (width, rows) = (one_of(random, &ODD_SIDES), one_of(random, &ODD_SIDES));
            what += &format!(", said to be {width}x{rows}");
        }
        3 => {
            bytes.iter_mut().for_each(|byte| *byte = random.random());
            what += ", noise";
        }
        _ => {}
    }
    let kind = match random.random_range(0..8) {
        0 => one_of(random, &[FrameFormat::NV12, FrameFormat::GRAY, FrameFormat::RAWRGB, FrameFormat::RAWBGR]),
        _ => FrameFormat::YUYV,
    };
    ("raw", format!("{what}, as {kind}"), Form::Buffer(CameraFormat::new_from(width, rows, kind, 30), bytes))
}

/// A frame of an odd shape, or with something done to what it shows.
fn pixels(random: &mut ChaCha8Rng, seed: &Seed, other: &Seed, shows: &mut Vec<String>) -> Made {
    let mut picture = seed.picture.clone();
    let (width, height) = picture.dimensions();
    let what = match random.random_range(0..12) {
        0 => {
            let long = one_of(random, &[0, 1, 2, 100, 5_000, 65_535]);
            let thin = random.random_range(0..4);
            let (width, height) = if random.random() { (long, thin) } else { (thin, long) };
            picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 90]));
            format!("{width}x{height}")
        }
        1 => {
            let (width, height) = (one_of(random, &[23, 24, 25, 65_535]), one_of(random, &[23, 24, 25, 60]));
            picture = imageops::resize(&picture, width, height, imageops::FilterType::Nearest);
            format!("stretched to {width}x{height}")
        }
        2 => {
            let from = random.random_range(0..height);
            picture
                .enumerate_rows_mut()
                .skip(from as usize)
                .flat_map(|(_, row)| row)
                .for_each(|(.., p)| p.0 = [128; 3]);
            format!("grey from row {from} on")
        }
        3 => {
            let rows = random.random_range(1..height);
            picture.as_mut().rotate_left((rows * width * 3) as usize);
            format!("begins {rows} rows late")
        }
        4 => {
            let by = random.random_range(1..width * 3) as usize;
            picture.as_mut().chunks_exact_mut(width as usize * 3).enumerate().for_each(|(y, row)| {
                let length = row.len();
                row.rotate_left(y * by % length);
            });
            format!("each row {by} bytes further, as by a wrong stride")
        }
        5 => {
            picture = match random.random_range(0..4) {
                0 => imageops::rotate90(&picture),
                1 => imageops::rotate180(&picture),
                2 => imageops::flip_vertical(&picture),
                _ => imageops::flip_horizontal(&picture),
            };
            "turned".into()
        }
        6 => {
            picture.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| 255 - value));
            "negative".into()
        }
        7 => {
            let strength = random.random_range(10..250);
            picture.as_mut().iter_mut().for_each(|value| {
                *value = value.saturating_add_signed((random.random_range(0..=strength) - strength / 2) as i8);
            });
            format!("noise of {strength}")
        }
        8 => {
            let tile = random.random_range(4..64);
            let source = picture.clone();
            for (x, y) in (0..height / tile).flat_map(|y| (0..width / tile).map(move |x| (x * tile, y * tile))) {
                let (from_x, from_y) = (random.random_range(0..=width - tile), random.random_range(0..=height - tile));
                let piece = imageops::crop_imm(&source, from_x, from_y, tile, tile).to_image();
                imageops::replace(&mut picture, &piece, x.into(), y.into());
            }
            format!("tiles of {tile} in disorder")
        }
        9 => {
            let factor = random.random_range(0.02..3.0_f32);
            picture.as_mut().iter_mut().for_each(|value| *value = (f32::from(*value) * factor) as u8);
            format!("{factor:.2} times as bright")
        }
        10 => {
            let second = imageops::resize(&other.picture, width, height, imageops::FilterType::Triangle);
            let share = random.random_range(0..width);
            let right = imageops::crop_imm(&second, share, 0, width - share, height).to_image();
            imageops::replace(&mut picture, &right, share.into(), 0);
            shows.extend(other.shows.clone());
            format!("from column {share} on {}", other.name)
        }
        _ => {
            picture = imageops::blur(&small(&picture, 240), random.random_range(0.5..12.0));
            "blurred".into()
        }
    };
    ("pixels", what, Form::Pixels(picture))
}
