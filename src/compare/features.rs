//! Features of the paired items, column by column.

/// Features of items: a column a feature, a value an item. Rows of the tables that are compared stand for the same pairs in
/// the same order. A missing value is NaN; an infinite one counts as missing too.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FeatureTable {
    /// Names of the features.
    pub names: Vec<String>,
    /// Values of each feature, all columns of equal length.
    pub columns: Vec<Vec<f64>>,
}

impl FeatureTable {
    /// Adds a feature.
    ///
    /// # Panics
    /// Where the column is not as long as those before it.
    pub fn push(&mut self, name: impl Into<String>, column: Vec<f64>) {
        if let Some(first) = self.columns.first() {
            assert_eq!(first.len(), column.len(), "a feature with another number of items");
        }
        self.names.push(name.into());
        self.columns.push(column);
    }

    /// Number of items.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The features of the items at `indices`, in that order: what brings a table of documents or clips into the order of the
    /// pairs.
    ///
    /// # Panics
    /// Where an index is not below the number of items.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let columns =
            self.columns.iter().map(|column| indices.iter().map(|&i| column[i]).collect()).collect();
        Self { names: self.names.clone(), columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn select_repeats_and_reorders() {
        let mut table = FeatureTable::default();
        assert_eq!(table.rows(), 0);
        table.push("a", vec![1.0, 2.0, 3.0]);
        assert_eq!(table.select(&[2, 0, 2]).columns, [[3.0, 1.0, 3.0]]);
    }
}
