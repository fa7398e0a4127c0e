//! Draws on a picture what the robot sees in it: frames, hatched places and a few words. Pure.

use font8x8::legacy::BASIC_LEGACY;
use image::{Rgb, RgbImage};

use crate::face::{FaceBox, Point};

/// Pixels of a letter's own picture, across and down.
const LETTER: usize = 8;
/// From one hatching line to the next, and how thick lines are, in multiples of the drawing's scale.
const HATCH: i64 = 12;

/// A picture that is drawn on. Lines and letters are as large as the picture makes them legible; what lies outside is left out.
pub struct Drawing {
    picture: RgbImage,
    scale: i64,
}

impl Drawing {
    /// On a picture.
    pub fn on(picture: RgbImage) -> Self {
        let scale = i64::from(picture.height() / 360).clamp(2, 8);
        Self { picture, scale }
    }

    /// The picture as it is drawn now.
    pub fn into_picture(self) -> RgbImage {
        self.picture
    }

    /// The edges of a box.
    pub fn frame(&mut self, bounds: &FaceBox, colour: [u8; 3]) {
        let (thick, edges) = (self.scale, Edges::of(bounds));
        let is_edge = |x: i64, y: i64| {
            x < edges.left + thick || y < edges.top + thick || x >= edges.right - thick || y >= edges.bottom - thick
        };
        self.paint(&edges, colour, is_edge);
    }

    /// Slanting lines over a box, and its edges.
    pub fn hatch(&mut self, bounds: &FaceBox, colour: [u8; 3]) {
        let (thick, every) = (self.scale, HATCH * self.scale);
        self.paint(&Edges::of(bounds), colour, |x, y| (x + y).rem_euclid(every) < thick);
        self.frame(bounds, colour);
    }

    /// A small square.
    pub fn dot(&mut self, at: Point, colour: [u8; 3]) {
        let side = (3 * self.scale) as f32;
        let bounds = FaceBox { x: at.x - side / 2.0, y: at.y - side / 2.0, width: side, height: side };
        self.paint(&Edges::of(&bounds), colour, |_, _| true);
    }

    /// Lines of words above a box, or within its top where there is no room, on black. Letters that are not ASCII are left blank.
    pub fn words(&mut self, bounds: &FaceBox, lines: &[String], colour: [u8; 3]) {
        let letter = LETTER as i64 * self.scale;
        let longest = lines.iter().map(String::len).max().unwrap_or_default() as i64;
        let (across, down) = (longest * letter, lines.len() as i64 * (letter + self.scale));
        let (width, height) = (i64::from(self.picture.width()), i64::from(self.picture.height()));
        let left = (bounds.x as i64).min(width - across).max(0);
        let above = bounds.y as i64 - down;
        let top = if above >= 0 { above } else { bounds.y as i64 };
        let top = top.min(height - down).max(0);
        let ground = Edges { left, top, right: left + across, bottom: top + down };
        self.paint(&ground, [0, 0, 0], |_, _| true);
        for (line, row) in lines.iter().zip(0..) {
            let top = top + row * (letter + self.scale);
            for (glyph, column) in line.bytes().map(|byte| BASIC_LEGACY.get(usize::from(byte))).zip(0..) {
                let Some(glyph) = glyph else { continue };
                let left = left + column * letter;
                let cell = Edges { left, top, right: left + letter, bottom: top + letter };
                let scale = self.scale;
                self.paint(&cell, colour, |x, y| glyph[((y - top) / scale) as usize] >> ((x - left) / scale) & 1 == 1);
            }
        }
    }

    fn paint(&mut self, edges: &Edges, colour: [u8; 3], is_painted: impl Fn(i64, i64) -> bool) {
        let (width, height) = (i64::from(self.picture.width()), i64::from(self.picture.height()));
        for y in edges.top.max(0)..edges.bottom.min(height) {
            for x in (edges.left.max(0)..edges.right.min(width)).filter(|&x| is_painted(x, y)) {
                self.picture.put_pixel(x as u32, y as u32, Rgb(colour));
            }
        }
    }
}

/// A box in whole pixels; right and bottom are the first ones beyond it.
struct Edges {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Edges {
    fn of(bounds: &FaceBox) -> Self {
        let [left, top] = [bounds.x, bounds.y].map(|edge| edge.round() as i64);
        Self {
            left,
            top,
            right: (bounds.x + bounds.width).round() as i64,
            bottom: (bounds.y + bounds.height).round() as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [255, 0, 0];

    /// What of a picture is red: `#`.
    fn drawn(size: (u32, u32), draw: impl FnOnce(&mut Drawing)) -> Vec<String> {
        let mut drawing = Drawing::on(RgbImage::from_pixel(size.0, size.1, Rgb([90; 3])));
        draw(&mut drawing);
        let picture = drawing.into_picture();
        let shown = |x, y| if picture.get_pixel(x, y).0 == RED { '#' } else { '.' };
        (0..size.1).map(|y| (0..size.0).map(|x| shown(x, y)).collect()).collect()
    }

    #[test]
    fn a_frame_goes_round_its_box_and_a_box_that_reaches_out_is_cut_off() {
        let bounds = FaceBox { x: 2.0, y: 1.0, width: 6.0, height: 5.0 };
        let expected =
            ["..........", "..######..", "..######..", "..##..##..", "..######..", "..######..", ".........."];
        assert_eq!(drawn((10, 7), |drawing| drawing.frame(&bounds, RED)), expected);
        let out = FaceBox { x: -6.0, y: -6.0, width: 10.0, height: 10.0 };
        assert_eq!(drawn((5, 5), |drawing| drawing.frame(&out, RED)), ["..##.", "..##.", "####.", "####.", "....."]);
        let beyond = FaceBox { x: 50.0, y: -90.0, ..bounds };
        assert!(drawn((5, 5), |drawing| drawing.hatch(&beyond, RED)).iter().all(|row| row == "....."));
    }

    #[test]
    fn a_hatched_place_can_still_be_seen_through() {
        let whole = FaceBox { x: 0.0, y: 0.0, width: 100.0, height: 100.0 };
        let rows = drawn((100, 100), |drawing| drawing.hatch(&whole, RED));
        let red = rows.iter().flat_map(|row| row.chars()).filter(|&it| it == '#').count();
        assert!((1000..2500).contains(&red), "{red} of 10,000");
    }

    #[test]
    fn words_stand_above_their_box_and_within_the_picture() {
        let words = ["I".to_owned()];
        let low = FaceBox { x: 4.0, y: 18.0, width: 9.0, height: 9.0 };
        let rows = drawn((24, 30), |drawing| drawing.words(&low, &words, RED));
        assert!(rows[..18].iter().any(|row| row.contains('#')) && rows[18..].iter().all(|row| !row.contains('#')));
        // The capital's stem, twice as large as in its own picture.
        assert!(rows.iter().filter(|row| row.contains("####")).count() >= 10, "{rows:#?}");
        for corner in [(20.0, 1.0), (-30.0, 28.0), (500.0, 500.0)] {
            let bounds = FaceBox { x: corner.0, y: corner.1, ..low };
            let moved = drawn((24, 30), |drawing| drawing.words(&bounds, &words, RED));
            let count = |rows: &[String]| rows.iter().flat_map(|row| row.chars()).filter(|&it| it == '#').count();
            assert_eq!(count(&moved), count(&rows), "{corner:?}");
        }
        drawn((3, 3), |drawing| drawing.words(&low, &["a long line — with a dash".to_owned()], RED));
    }
}
