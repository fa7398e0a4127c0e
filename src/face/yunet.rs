//! YuNet: finds faces anywhere in a picture with one look, small ones too, with their five points.
//!
//! Wu, Peng and Yu, Machine Intelligence Research 20(5), 2023. It is not in the box. At each cell of three grids (8, 16 and 32 pixels) it
//! says how much there is a face, and where.

use image::RgbImage;

use super::{Detection, FaceBox, ModelError, Point, finder::Finder, manifest::ResolvedNetwork, same_face::by_face};
use crate::models::runtime::{Network, Runtime};

/// A box counts as a face from this confidence on.
const SURE: f32 = 0.7;
/// Pixels a cell of each grid.
const STRIDES: [usize; 3] = [8, 16, 32];
/// The network takes pictures whose sides are multiples of this.
const SIDE_STEP: usize = 32;
/// No side may be longer: a picture of more pixels is not a camera's.
const LONGEST_SIDE: u32 = 4096;

/// The detector.
pub struct Yunet {
    network: Network,
    name: String,
    tensor: Vec<f32>,
}

impl Yunet {
    /// Loads the network.
    ///
    /// # Errors
    /// When the file is no network.
    pub fn load(runtime: &Runtime, network: &ResolvedNetwork) -> Result<Self, ModelError> {
        let loaded = Network::load(runtime, &network.name, network.only_file())?;
        Ok(Self { network: loaded, name: network.name.clone(), tensor: Vec::new() })
    }
}

impl Finder for Yunet {
    fn find(&mut self, picture: &RgbImage) -> Result<Vec<Detection>, ModelError> {
        let (width, height) = picture.dimensions();
        if width.min(height) == 0 || width.max(height) > LONGEST_SIDE {
            return Ok(Vec::new());
        }
        let columns = (width as usize).next_multiple_of(SIDE_STEP);
        let rows = (height as usize).next_multiple_of(SIDE_STEP);
        fill(picture, columns, rows, &mut self.tensor);
        let outputs = self.network.run(&[1, 3, rows, columns], &self.tensor)?;
        let mut faces = Vec::new();
        for (grid, stride) in STRIDES.into_iter().enumerate() {
            let cells = (columns / stride) * (rows / stride);
            let output = |kind: usize, size: usize| {
                outputs.get(3 * kind + grid).filter(|values| values.len() == cells * size).ok_or_else(|| {
                    let cause = "its outputs are not class, object, box and points on three grids".to_owned();
                    ModelError::Inference { network: self.name.clone(), cause }
                })
            };
            let grid = Grid {
                classes: output(0, 1)?,
                objects: output(1, 1)?,
                boxes: output(2, 4)?,
                points: output(3, 10)?,
                columns: columns / stride,
                stride: stride as f32,
            };
            faces.extend(grid.faces());
        }
        let faces = by_face(faces, |face| (face.bounds, face.confidence));
        Ok(faces.into_iter().filter_map(|looks| looks.into_iter().next()).collect())
    }
}

/// Planes blue, green, red of the values as they are, black to the right and below.
fn fill(picture: &RgbImage, columns: usize, rows: usize, tensor: &mut Vec<f32>) {
    tensor.clear();
    tensor.resize(3 * columns * rows, 0.0);
    let (blue, others) = tensor.split_at_mut(columns * rows);
    let (green, red) = others.split_at_mut(columns * rows);
    for (y, row) in picture.as_raw().chunks_exact(picture.width() as usize * 3).enumerate() {
        let (blue, green, red) = (&mut blue[y * columns..], &mut green[y * columns..], &mut red[y * columns..]);
        for (((pixel, red), green), blue) in row.chunks_exact(3).zip(red).zip(green).zip(blue) {
            (*red, *green, *blue) = (f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]));
        }
    }
}

/// The network's words about the cells of one grid.
struct Grid<'o> {
    classes: &'o [f32],
    objects: &'o [f32],
    boxes: &'o [f32],
    points: &'o [f32],
    columns: usize,
    stride: f32,
}

impl Grid<'_> {
    /// Faces of which the network is sure; neighbouring cells may see the same one.
    fn faces(&self) -> impl Iterator<Item = Detection> {
        let sure = |(cell, (class, object)): (usize, (&f32, &f32))| {
            let confidence = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            (confidence >= SURE).then_some((cell, confidence))
        };
        self.classes.iter().zip(self.objects).enumerate().filter_map(sure).filter_map(|(cell, confidence)| {
            let (x, y) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
            let place = |dx: f32, dy: f32| Point { x: (x + dx) * self.stride, y: (y + dy) * self.stride };
            let [dx, dy, width, height] = *self.boxes.get(4 * cell..)?.first_chunk()?;
            let (middle, width, height) = (place(dx, dy), width.exp() * self.stride, height.exp() * self.stride);
            let offsets: &[f32; 10] = self.points.get(10 * cell..)?.first_chunk()?;
            let landmarks = std::array::from_fn(|k| place(offsets[2 * k], offsets[2 * k + 1]));
            let bounds = FaceBox { x: middle.x - width / 2.0, y: middle.y - height / 2.0, width, height };
            (width.is_finite() && height.is_finite()).then_some(Detection { bounds, landmarks, confidence })
        })
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_picture_is_laid_out_blue_first_and_black_beyond_its_edges() {
        let picture = RgbImage::from_fn(2, 1, |x, _| Rgb([1 + x as u8, 11, 21]));
        let mut tensor = Vec::new();
        fill(&picture, 4, 2, &mut tensor);
        assert_eq!(tensor[..8], [21.0, 21.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(tensor[8..16], [11.0, 11.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(tensor[16..], [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_cell_says_where_its_face_is_and_unsure_cells_say_nothing() {
        // Two columns, two rows of 16 pixels; the last cell sees a face.
        let mut points = vec![0.0; 40];
        points[30..].copy_from_slice(&[-0.5, 0.0, 0.5, 0.0, 0.0, 0.5, -0.5, 1.0, 0.5, 1.0]);
        let mut boxes = vec![0.0; 16];
        boxes[12..].copy_from_slice(&[0.25, 0.5, 2.0_f32.ln(), 0.0]);
        let grid = Grid {
            classes: &[0.4, 1.0, 0.0, 0.9],
            objects: &[1.0, 0.3, 0.0, 1.2],
            boxes: &boxes,
            points: &points,
            columns: 2,
            stride: 16.0,
        };
        let faces: Vec<Detection> = grid.faces().collect();
        let [face] = faces.as_slice() else { panic!("{faces:?}") };
        assert!((face.bounds.width - 32.0).abs() < 1e-4 && (face.bounds.height - 16.0).abs() < 1e-4);
        assert_eq!(face.bounds.middle(), Point { x: 20.0, y: 24.0 });
        assert_eq!(face.landmarks[0], Point { x: 8.0, y: 16.0 });
        assert_eq!(face.landmarks[4], Point { x: 24.0, y: 32.0 });
        assert!((face.confidence - 0.9_f32.sqrt()).abs() < 1e-6);
    }
}
