//! What stands for a face, and how alike two of them are.

use multiversion::multiversion;

/// A vector that stands for a face. Its direction says whose; its length is 1 for a visitor's view, and for an enrolment photo what
/// [`super::recogniser`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<f32>);

impl Template {
    /// Normalises a network's output. `None` if it is no direction at all (zero or not a number).
    pub fn from_output(mut values: Vec<f32>) -> Option<Self> {
        let length = dot(&values, &values).sqrt();
        if !(length > 1e-6 && length.is_finite()) {
            return None;
        }
        values.iter_mut().for_each(|value| *value /= length);
        Some(Self(values))
    }

    /// Several views of one face as one template: the direction of the weighted sum, with the weighted mean of the lengths.
    pub fn mean<'t>(templates: impl IntoIterator<Item = (&'t Template, f32)>) -> Option<Self> {
        let mut sum: Vec<f32> = Vec::new();
        let (mut lengths, mut weights) = (0.0, 0.0);
        for (template, weight) in templates {
            sum.resize(template.0.len(), 0.0);
            sum.iter_mut().zip(&template.0).for_each(|(total, value)| *total += weight * value);
            lengths += weight * template.length();
            weights += weight;
        }
        Some(Self::from_output(sum)?.longer(lengths / weights))
    }

    /// The template as a view of a visitor would have it: of length 1.
    pub fn direction(&self) -> Self {
        Self::from_output(self.0.clone()).unwrap_or_else(|| self.clone())
    }

    /// The same direction, so many times as long.
    pub fn longer(mut self, times: f32) -> Self {
        self.0.iter_mut().for_each(|value| *value *= times);
        self
    }

    /// Its length.
    pub fn length(&self) -> f32 {
        dot(&self.0, &self.0).sqrt()
    }

    /// How alike two templates of one network are: the dot product, about -1 to 1; higher is more alike.
    pub fn score(&self, other: &Self) -> f32 {
        dot(&self.0, &other.0)
    }
}

/// The dot product of two rows of one length, by the widest registers of the machine the program runs on.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma", "x86_64+avx", "aarch64+neon"))]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    dot_inlined(a, b)
}

/// The same inside a loop that is itself compiled for several machines: sixteen sums side by side, as wide as that loop's registers.
#[inline(always)]
pub fn dot_inlined(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for k in 0..16 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_product_is_the_definition_for_every_length() {
        for length in [0, 1, 15, 16, 17, 128, 320] {
            // Small whole numbers, whose sums are exact in any order.
            let row = |by: usize| (0..length).map(|at| (at * by % 7) as f32 - 3.0).collect::<Vec<_>>();
            let (a, b) = (row(5), row(11));
            let wanted: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert_eq!((dot(&a, &b), dot_inlined(&a, &b)), (wanted, wanted), "{length}");
        }
    }
}
