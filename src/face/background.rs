//! Where something has changed: how bright each cell of a frame is, beside what the hall usually shows there.
//!
//! Pure. An empty hall is not still: sensors are noisy, lamps flicker in bands, the camera exposes anew, the sun moves. So a row of
//! cells is compared after what most of the row has in common is taken out, the bound follows the noise, and what has changed becomes
//! usual within seconds. What moves all the time, such as a television, never does.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{Point, sweep::Look};

/// Pixels a side of a cell: a face whose eyes are 20 pixels apart covers nine.
const CELL: usize = 16;
/// Of a cell's lines so many are passed over for each that is read: the mean of 64 pixels is steady enough.
const LINE_STEP: usize = 4;
/// Levels of brightness (0 to 255) by which a cell must differ at least, and at most where the noise is strong.
const LEAST: f32 = 2.0;
const MOST: f32 = 8.0;
/// A cell has changed when it differs by so many standard deviations of the noise.
const DEVIATIONS: f32 = 6.0;
/// A quarter of normally distributed values lie within so many standard deviations of their mean.
const QUARTER: f32 = 0.3186;
/// Cells of a square that must have changed: one alone is a lamp, and no face is so small.
const ENOUGH: usize = 3;
/// In this time two thirds of a change become usual. Great ones are seen as changes for about four times as long.
const SETTLES: Duration = Duration::from_secs(3);

/// What the hall usually shows.
#[derive(Debug, Default)]
pub struct Background {
    size: (u32, u32),
    /// The usual brightness of each cell, row by row.
    usual: Vec<f32>,
    seen_at: Option<Instant>,
}

/// Which cells of a frame have changed.
#[derive(Debug)]
pub struct Changes {
    columns: usize,
    cells: Vec<bool>,
}

impl Background {
    /// What has changed in a frame captured at `now`: everything in the first one, and in the first one of another size.
    pub fn changes(&mut self, frame: &RgbImage, now: Instant) -> Changes {
        let columns = (frame.width() as usize).div_ceil(CELL);
        let mut cells = brightness(frame);
        let (known, before) = (self.size == frame.dimensions(), self.seen_at.replace(now));
        self.size = frame.dimensions();
        let Some(before) = before.filter(|_| known) else {
            let changes = Changes { columns, cells: vec![true; cells.len()] };
            self.usual = cells;
            return changes;
        };
        let share = 1.0 - (-now.saturating_duration_since(before).as_secs_f32() / SETTLES.as_secs_f32()).exp();
        // The cells become what they differ by, and the usual ones what they would be in this light.
        for (row, usual) in cells.chunks_mut(columns.max(1)).zip(self.usual.chunks_mut(columns.max(1))) {
            let factor = common_factor(row, usual);
            for (cell, usual) in row.iter_mut().zip(usual) {
                *usual *= factor;
                *cell -= *usual;
                *usual += share * *cell;
            }
        }
        let bound = (DEVIATIONS * deviation(&cells)).clamp(LEAST, MOST);
        Changes { columns, cells: cells.iter().map(|difference| difference.abs() > bound).collect() }
    }
}

impl Changes {
    /// Those of a frame of `size` (width, height) in whose cells something `has_changed`, by the cell's middle.
    #[cfg(test)]
    pub fn at((width, height): (u32, u32), has_changed: impl Fn(f32, f32) -> bool) -> Self {
        let (columns, rows) = ((width as usize).div_ceil(CELL), (height as usize).div_ceil(CELL));
        let middle = |at: usize| (at as f32 + 0.5) * CELL as f32;
        let cell = |at: usize| has_changed(middle(at % columns), middle(at / columns));
        Self { columns, cells: (0..columns * rows).map(cell).collect() }
    }

    /// Forgets what has changed where nobody `is_looked_at`, by the cell's middle.
    pub fn keep(&mut self, is_looked_at: impl Fn(Point) -> bool) {
        let middle = |at: usize| (at as f32 + 0.5) * CELL as f32;
        let columns = self.columns.max(1);
        for (at, cell) in self.cells.iter_mut().enumerate().filter(|(_, cell)| **cell) {
            *cell = is_looked_at(Point { x: middle(at % columns), y: middle(at / columns) });
        }
    }

    /// Whether enough has changed in a square of the frame to be somebody.
    pub fn within(&self, look: &Look) -> bool {
        let cell = CELL as f32;
        let range = |middle: f32, length: usize| {
            // Cells whose middle lies in the square.
            let first = ((middle - look.side / 2.0) / cell - 0.5).ceil().max(0.0) as usize;
            let end = ((middle + look.side / 2.0) / cell + 0.5).floor().max(0.0) as usize;
            first.min(length)..end.min(length)
        };
        let rows = self.cells.len() / self.columns.max(1);
        let columns = range(look.middle.x, self.columns);
        let in_row = |row: usize| self.cells[row * self.columns..][columns.clone()].iter().filter(|&&it| it).count();
        range(look.middle.y, rows).map(in_row).sum::<usize>() >= ENOUGH
    }
}

/// The mean of each cell's channels, row by row.
fn brightness(frame: &RgbImage) -> Vec<f32> {
    let line = frame.width() as usize * 3;
    let mut cells = Vec::new();
    for rows in frame.as_raw().chunks(line.max(1) * CELL) {
        let mut sums = vec![0; (frame.width() as usize).div_ceil(CELL)];
        let lines = rows.len() / line.max(1);
        for row in rows.chunks_exact(line.max(1)).step_by(LINE_STEP) {
            for (sum, pixels) in sums.iter_mut().zip(row.chunks(CELL * 3)) {
                *sum += pixels.iter().map(|&value| u32::from(value)).sum::<u32>();
            }
        }
        let values = |column: usize| line.saturating_sub(column * CELL * 3).min(CELL * 3) * lines.div_ceil(LINE_STEP);
        cells.extend(sums.iter().enumerate().map(|(column, &sum)| sum as f32 / values(column).max(1) as f32));
    }
    cells
}

/// By what most cells of a row are brighter than usual.
fn common_factor(row: &[f32], usual: &[f32]) -> f32 {
    // One level more on both sides keeps black rows from saying anything.
    let factors = row.iter().zip(usual).map(|(now, usual)| (now + 1.0) / (usual + 1.0)).collect();
    at_share(factors, 0.5).unwrap_or(1.0)
}

/// The standard deviation of the noise, by the quarter of the cells that differ least: in most of a frame three quarters may have changed.
fn deviation(differences: &[f32]) -> f32 {
    at_share(differences.iter().map(|difference| difference.abs()).collect(), 0.25).unwrap_or(0.0) / QUARTER
}

/// The value below which `share` of them lie.
fn at_share(mut values: Vec<f32>, share: f32) -> Option<f32> {
    let at = (values.len() as f32 * share) as usize;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::face::Point;

    const SIZE: (u32, u32) = (1280, 720);
    const FRAME: Duration = Duration::from_millis(33);

    /// A hall with a camera that has been looking at it for a while.
    struct Hall {
        background: Background,
        random: ChaCha8Rng,
        now: Instant,
        noise: f32,
    }

    /// The hall's wall: bright above, dark below, with a picture.
    fn wall(x: u32, y: u32) -> f32 {
        let picture = (300..420).contains(&x) && (100..220).contains(&y);
        if picture { 60.0 + (x % 40) as f32 } else { 200.0 - y as f32 / 5.0 }
    }

    /// A head 60 pixels wide, but little brighter than the wall behind it.
    fn newcomer(x: u32, y: u32) -> f32 {
        let inside = (800..860).contains(&x) && (300..370).contains(&y);
        wall(x, y) + if inside { 6.0 } else { 0.0 }
    }

    const EVERYWHERE: Look = Look { middle: Point { x: 640.0, y: 360.0 }, side: 1280.0 };
    const AT_THE_NEWCOMER: Look = Look { middle: Point { x: 820.0, y: 330.0 }, side: 390.0 };
    const ASIDE: Look = Look { middle: Point { x: 200.0, y: 330.0 }, side: 390.0 };

    impl Hall {
        fn watched(noise: f32) -> Self {
            let random = ChaCha8Rng::seed_from_u64(7);
            let mut hall = Self { background: Background::default(), random, now: Instant::now(), noise };
            (0..30).for_each(|_| drop(hall.shows(wall)));
            hall
        }

        fn shows(&mut self, scene: impl Fn(u32, u32) -> f32) -> Changes {
            let (noise, random) = (self.noise, &mut self.random);
            let frame = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
                // Nearly normal: the sum of three even ones.
                let sum: f32 = (0..3).map(|_| random.random_range(-1.0..1.0_f32)).sum();
                Rgb([(scene(x, y) + noise * sum + 0.5) as u8; 3])
            });
            self.now += FRAME;
            self.background.changes(&frame, self.now)
        }
    }

    #[test]
    fn the_first_frame_is_new_everywhere() {
        let mut background = Background::default();
        let frame = RgbImage::new(1280, 720);
        let now = Instant::now();
        assert!(background.changes(&frame, now).within(&ASIDE));
        assert!(!background.changes(&frame, now + FRAME).within(&EVERYWHERE));
        assert!(background.changes(&RgbImage::new(640, 480), now + 2 * FRAME).within(&ASIDE), "another size");
    }

    #[test]
    fn the_noise_of_a_sensor_is_no_change_in_daylight_nor_in_the_evening() {
        for noise in [0.0, 2.0, 8.0] {
            let mut hall = Hall::watched(noise);
            assert!((0..20).all(|_| !hall.shows(wall).within(&EVERYWHERE)), "{noise}");
        }
    }

    #[test]
    fn somebody_who_is_hardly_brighter_than_the_wall_is_a_change_at_once_and_only_where_they_are() {
        let mut hall = Hall::watched(2.0);
        let changes = hall.shows(newcomer);
        assert!(changes.within(&AT_THE_NEWCOMER) && changes.within(&EVERYWHERE) && !changes.within(&ASIDE));
    }

    #[test]
    fn a_camera_that_exposes_anew_and_lamps_that_flicker_in_bands_change_nothing() {
        let mut hall = Hall::watched(2.0);
        assert!(!hall.shows(|x, y| 0.8 * wall(x, y)).within(&EVERYWHERE), "a darker exposure");
        for band in 0..10 {
            let lamps = |y: u32| 1.0 + 0.05 * ((y as f32 / 150.0) + band as f32).sin();
            assert!(!hall.shows(|x, y| lamps(y) * wall(x, y)).within(&EVERYWHERE), "band {band}");
        }
        assert!(hall.shows(|x, y| 0.8 * newcomer(x, y)).within(&AT_THE_NEWCOMER), "somebody comes with it");
    }

    #[test]
    fn what_stays_becomes_usual_within_seconds_and_is_a_change_again_when_it_goes() {
        let mut hall = Hall::watched(2.0);
        let chair = |x: u32, y: u32| if (800..900).contains(&x) && y > 400 { 30.0 } else { wall(x, y) };
        let changed_for = (0..450).take_while(|_| hall.shows(chair).within(&EVERYWHERE)).count();
        assert!((60..400).contains(&changed_for), "{changed_for} frames");
        assert!(hall.shows(wall).within(&EVERYWHERE));
    }

    #[test]
    fn somebody_who_fills_most_of_the_frame_does_not_pass_for_noise() {
        let mut hall = Hall::watched(2.0);
        let near = |x: u32, y: u32| if x < 900 { 90.0 + (x / 7 % 50) as f32 } else { wall(x, y) };
        assert!(hall.shows(near).within(&EVERYWHERE));
    }

    #[test]
    fn a_single_cell_that_blinks_is_nobody() {
        let mut hall = Hall::watched(2.0);
        let lamp = |x: u32, y: u32| if (640..648).contains(&x) && (320..328).contains(&y) { 255.0 } else { wall(x, y) };
        assert!(!hall.shows(lamp).within(&EVERYWHERE));
    }

    #[test]
    fn frames_without_pixels_and_of_odd_sizes_are_compared_without_harm() {
        for size in [(0, 0), (0, 5), (1, 1), (17, 33), (1279, 3)] {
            let (mut background, now) = (Background::default(), Instant::now());
            let frame = RgbImage::from_pixel(size.0, size.1, Rgb([90; 3]));
            background.changes(&frame, now);
            assert!(!background.changes(&frame, now).within(&EVERYWHERE), "{size:?}");
            assert!(brightness(&frame).iter().all(|&cell| cell == 90.0), "{size:?}");
        }
    }
}
