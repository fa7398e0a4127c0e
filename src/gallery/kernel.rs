//! The arithmetic of a search, written so that the compiler uses the widest registers of the machine the program runs on.
//!
//! A function a shape of work, chosen at run time by `multiversion`. A template's length as a constant is worth a fifth of the time, so the
//! lengths of the recognisers that exist have their own loop.

use multiversion::multiversion;

/// How a row's sum of products becomes the highest score that its exact row may have.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// What one step of the probe's numbers stands for.
    pub step: f32,
    /// The largest error of a score, in steps of the row's numbers.
    pub error: f32,
    /// The largest error that does not depend on the row.
    pub slack: f32,
}

/// The highest score that each of `rows` may have, in `upper`, and the highest of all.
///
/// `rows`: one after the other, each as long as `probe`; `scales`: what one step of each row's numbers stands for.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub fn upper_bounds(rows: &[i8], scales: &[f32], probe: &[i16], reach: Reach, upper: &mut [f32]) -> f32 {
    match probe.len() {
        128 => products_of::<128>(rows, probe, upper),
        192 => products_of::<192>(rows, probe, upper),
        320 => products_of::<320>(rows, probe, upper),
        512 => products_of::<512>(rows, probe, upper),
        _ => products(rows, probe, upper),
    }
    for (bound, scale) in upper.iter_mut().zip(scales) {
        *bound = scale * (*bound * reach.step + reach.error) + reach.slack;
    }
    // Lane by lane, since the order of a maximum's comparisons may not be changed by the compiler.
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (blocks, rest) = upper.as_chunks::<16>();
    for block in blocks {
        for (lane, bound) in lanes.iter_mut().zip(block) {
            *lane = if *bound > *lane { *bound } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |best, bound| if *bound > best { *bound } else { best })
}

#[inline(always)]
fn products_of<const DIMS: usize>(rows: &[i8], probe: &[i16], sums: &mut [f32]) {
    let Some(probe) = probe.first_chunk::<DIMS>() else { return };
    for (row, sum) in rows.as_chunks::<DIMS>().0.iter().zip(sums) {
        let mut total = 0_i32;
        for at in 0..DIMS {
            total = total.wrapping_add(i32::from(row[at]) * i32::from(probe[at]));
        }
        *sum = total as f32;
    }
}

#[inline(always)]
fn products(rows: &[i8], probe: &[i16], sums: &mut [f32]) {
    let (probe_blocks, probe_rest) = probe.as_chunks::<64>();
    for (row, sum) in rows.chunks_exact(probe.len()).zip(sums) {
        let (blocks, rest) = row.as_chunks::<64>();
        let mut total = 0_i32;
        for (values, others) in blocks.iter().zip(probe_blocks) {
            let mut part = 0_i32;
            for at in 0..64 {
                part = part.wrapping_add(i32::from(values[at]) * i32::from(others[at]));
            }
            total = total.wrapping_add(part);
        }
        for (value, other) in rest.iter().zip(probe_rest) {
            total = total.wrapping_add(i32::from(*value) * i32::from(*other));
        }
        *sum = total as f32;
    }
}

/// A plain sum over `bytes`: the least work that reads all of them, against which `greeter bench search` holds the search.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub fn sum(bytes: &[i8]) -> i64 {
    let mut total = 0_i64;
    for part in bytes.chunks(1 << 14) {
        let mut sums = [0_i32; 64];
        let (blocks, rest) = part.as_chunks::<64>();
        for block in blocks {
            for (sum, byte) in sums.iter_mut().zip(block) {
                *sum += i32::from(*byte);
            }
        }
        total += sums.iter().copied().chain(rest.iter().map(|byte| i32::from(*byte))).map(i64::from).sum::<i64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_definition_for_every_length() {
        for dims in [1, 37, 64, 100, 128, 192, 320, 512] {
            let rows: Vec<i8> = (0..5 * dims).map(|at| (at * 89 % 255) as i8).collect();
            let probe: Vec<i16> = (0..dims).map(|at| (at * 7919 % 4001) as i16 - 2000).collect();
            let scales = [0.5, 1.0, 0.25, 2.0, 0.125];
            let reach = Reach { step: 0.5, error: 3.0, slack: 0.25 };
            let mut upper = [0.0; 5];
            let best = upper_bounds(&rows, &scales, &probe, reach, &mut upper);
            for ((row, scale), bound) in rows.chunks(dims).zip(scales).zip(upper) {
                let sum: i32 = row.iter().zip(&probe).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
                assert_eq!(bound, scale * (sum as f32 * 0.5 + 3.0) + 0.25, "{dims}");
            }
            assert_eq!(best, upper.into_iter().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[test]
    fn the_plain_sum_counts_every_byte_once() {
        let bytes: Vec<i8> = (0..40_001).map(|at| (at % 251) as i8).collect();
        assert_eq!(sum(&bytes), bytes.iter().map(|byte| i64::from(*byte)).sum::<i64>());
    }
}
