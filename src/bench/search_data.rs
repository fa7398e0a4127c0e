//! Made-up galleries and probes in files, and what an exact search over them finds: the truth that every engine is held against.

use std::{
    fs::File,
    io::{BufWriter, Read, Result, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
    thread,
};

use ndarray::{Array2, ArrayView2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{made_up, temporary::TemporaryFolder};
use crate::{
    face::Template,
    gallery::{Entry, Gallery},
    person::RecordNumber,
};

/// People made up at once.
const BATCH: usize = 4096;
/// How alike the probes of enrolled people are to their rows: as good photos of one person are.
const MATE_SCORES: std::ops::Range<f32> = 0.6..0.8;

/// A made-up gallery.
pub struct SearchData {
    /// Numbers a row.
    pub dims: usize,
    /// Rows.
    pub people: usize,
    /// All rows, f32, one after the other.
    pub vectors: PathBuf,
    /// All probes, likewise.
    pub queries: PathBuf,
    /// The probes: people who are enrolled and strangers in turn.
    pub probes: Vec<Template>,
    /// The robot's gallery of the same rows: row `n` is record `n`.
    pub gallery: Gallery,
}

impl SearchData {
    /// Makes `people` rows and `probes` probes, with files in `folder`.
    ///
    /// # Errors
    /// The system's.
    pub fn make(folder: &TemporaryFolder, (people, dims): (usize, usize), probes: usize, seed: u64) -> Result<Self> {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let (vectors, queries) = (folder.path().join("vectors.f32"), folder.path().join("queries.f32"));
        let mut gallery = Gallery::default();
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&vectors)?);
        let mut next = 0;
        while next < people {
            let batch = (next..people.min(next + BATCH)).map(|at| (at, made_up::template(dims, &mut generator)));
            let mut entries = Vec::with_capacity(BATCH);
            for (at, template) in batch {
                write(&mut file, &template)?;
                entries.push(Entry::each(RecordNumber(at as u64), vec![template]));
            }
            next += entries.len();
            gallery.update(entries);
        }
        file.into_inner()?.sync_data()?;

        let rows = File::open(&vectors)?;
        let mut file = BufWriter::new(File::create(&queries)?);
        let mut all = Vec::with_capacity(probes);
        for at in 0..probes {
            let stranger = made_up::template(dims, &mut generator);
            let probe = if at % 2 == 0 {
                let row = row(&rows, generator.random_range(0..people), dims)?;
                mate(&row, &stranger, generator.random_range(MATE_SCORES))
            } else {
                stranger
            };
            write(&mut file, &probe)?;
            all.push(probe);
        }
        file.into_inner()?.sync_data()?;
        Ok(Self { dims, people, vectors, queries, probes: all, gallery })
    }

    /// The best row of each probe by an exact search in f32: matrix products, block by block, on all cores.
    ///
    /// # Errors
    /// The system's.
    pub fn truth(&self, progress: &(dyn Fn(usize) + Sync)) -> Result<Vec<u32>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = self.probes.len().div_ceil(cores).max(1);
        let parts: Vec<Result<Vec<u32>>> = thread::scope(|scope| {
            let threads: Vec<_> =
                self.probes.chunks(share).map(|probes| scope.spawn(|| self.truth_of(probes, progress))).collect();
            threads
                .into_iter()
                .map(|it| it.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread ended"))))
                .collect()
        });
        let mut best = Vec::with_capacity(self.probes.len());
        for part in parts {
            best.extend(part?);
        }
        Ok(best)
    }

    fn truth_of(&self, probes: &[Template], progress: &(dyn Fn(usize) + Sync)) -> Result<Vec<u32>> {
        /// Rows compared with all probes at once: the scores stay in the processor's caches.
        const ROWS: usize = 256;
        let flat: Vec<f32> = probes.iter().flat_map(|probe| probe.0.iter().copied()).collect();
        let of_shape = |error: ndarray::ShapeError| std::io::Error::other(error);
        let probes = Array2::from_shape_vec((probes.len(), self.dims), flat).map_err(of_shape)?;
        let mut file = File::open(&self.vectors)?;
        let mut best = vec![(f32::NEG_INFINITY, 0_u32); probes.nrows()];
        let mut bytes = vec![0; ROWS * self.dims * 4];
        let mut from = 0;
        while from < self.people {
            let count = ROWS.min(self.people - from);
            let bytes = &mut bytes[..count * self.dims * 4];
            file.read_exact(bytes)?;
            let rows: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
            let rows = ArrayView2::from_shape((count, self.dims), &rows).map_err(of_shape)?;
            let scores = probes.dot(&rows.t());
            for (best, scores) in best.iter_mut().zip(scores.rows()) {
                for (at, score) in scores.iter().enumerate() {
                    if *score > best.0 {
                        *best = (*score, (from + at) as u32);
                    }
                }
            }
            from += count;
            progress(count);
        }
        Ok(best.into_iter().map(|(_, row)| row).collect())
    }
}

fn write(file: &mut BufWriter<File>, template: &Template) -> Result<()> {
    template.0.iter().try_for_each(|value| file.write_all(&value.to_le_bytes()))
}

fn row(file: &File, at: usize, dims: usize) -> Result<Template> {
    let mut bytes = vec![0; 4 * dims];
    file.read_exact_at(&mut bytes, (4 * dims * at) as u64)?;
    Ok(Template(bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect()))
}

/// A probe whose comparison score with `row` is `score`; what it differs by points towards `other`.
fn mate(row: &Template, other: &Template, score: f32) -> Template {
    let along = row.score(other);
    let across = Template::mean([(other, 1.0), (row, -along)]).unwrap_or_else(|| other.clone());
    Template::mean([(row, score), (&across, (1.0 - score * score).sqrt())]).unwrap_or_else(|| row.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_robot_finds_whom_an_exact_search_finds_strangers_included() {
        let folder = TemporaryFolder::make(None).unwrap();
        let data = SearchData::make(&folder, (3_000, 64), 200, 3).unwrap();
        let truth = data.truth(&|_| {}).unwrap();
        let found: Vec<u32> =
            data.gallery.search_many(&data.probes).iter().map(|best| best.first.unwrap().person.0 as u32).collect();
        assert_eq!(found, truth);
        let scores: Vec<f32> =
            data.probes.iter().map(|probe| data.gallery.search(probe).first.unwrap().score).collect();
        assert!(scores.iter().step_by(2).all(|score| (0.59..0.81).contains(score)), "people who are enrolled");
        assert!(scores.iter().skip(1).step_by(2).all(|score| *score < 0.59), "strangers");
    }
}
