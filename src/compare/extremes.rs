//! The largest of many values, kept in bounded memory.

/// Keeps the `keep` largest of the values pushed. What is kept does not depend on their order.
#[derive(Debug, Clone, Default)]
pub struct Largest {
    values: Vec<f32>,
    floor: Option<f32>,
}

impl Largest {
    /// Offers a value; `keep` is the same at every call.
    #[inline]
    pub fn push(&mut self, value: f32, keep: usize) {
        if self.floor.is_none_or(|floor| value > floor) {
            self.values.push(value);
            if self.values.len() >= 2 * keep.max(1) {
                self.truncate(keep);
            }
        }
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The `keep` largest values, in descending order.
    #[must_use]
    pub fn into_descending(mut self, keep: usize) -> Vec<f32> {
        self.values.sort_unstable_by(|a, b| b.total_cmp(a));
        self.values.truncate(keep);
        self.values
    }

    fn truncate(&mut self, keep: usize) {
        if keep < self.values.len() && keep > 0 {
            let (_, floor, _) = self.values.select_nth_unstable_by(keep - 1, |a, b| b.total_cmp(a));
            self.floor = Some(*floor);
        }
        self.values.truncate(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn equals_sorting() {
        for (count, keep) in [(0, 3), (2, 3), (5, 1), (1000, 26), (26, 26), (300, 251)] {
            let mut stream = Stream::new(4, "extremes", keep as u64);
            let mut values: Vec<f32> = (0..count).map(|_| stream.below(200) as f32).collect();
            let mut largest = Largest::default();
            for &value in &values {
                largest.push(value, keep);
            }
            values.sort_unstable_by(|a, b| b.total_cmp(a));
            values.truncate(keep);
            assert_eq!(largest.into_descending(keep), values);
        }
    }
}
