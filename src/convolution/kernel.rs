//! Kernels: the taps of a filter in one or two dimensions and the tap that stands over the output sample.

/// The most taps a kernel may have, 4,194,304: a bound on memory, far above any filter in use.
pub const TAPS_LIMIT: usize = 1 << 22;

/// Why a kernel cannot be made; each message says what to write instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// There is no tap.
    #[error("a kernel needs at least one tap: write taps = [1.0]")]
    Empty,
    /// A tap is NaN or infinite.
    #[error("tap {index} of the kernel is not a finite number (counted from 0, row by row)")]
    NotFinite {
        /// Position of the tap, row by row.
        index: usize,
    },
    /// There are more taps than [`TAPS_LIMIT`].
    #[error(
        "a kernel of {rows} x {cols} taps is too large: at most {TAPS_LIMIT} taps; take a smaller size or sigma"
    )]
    TooLarge {
        /// Rows of taps, 1 in one dimension.
        rows: usize,
        /// Taps in a row.
        cols: usize,
    },
    /// The rows of taps differ in length, or do not fill the shape.
    #[error(
        "row {row} of the kernel has {found} taps, where the first has {expected}: write rows of equal length"
    )]
    Ragged {
        /// The first row that differs.
        row: usize,
        /// Its number of taps.
        found: usize,
        /// The number of taps in the first row.
        expected: usize,
    },
    /// The number of taps is not that of the shape.
    #[error("{taps} taps do not fill a kernel of {rows} x {cols}")]
    Shape {
        /// Rows of taps.
        rows: usize,
        /// Taps in a row.
        cols: usize,
        /// The number of taps given.
        taps: usize,
    },
    /// The centre is not one of the taps.
    #[error("tap {centre} cannot be the centre of {len} taps: write a number from 0 to {}", len - 1)]
    Centre {
        /// The centre asked for.
        centre: usize,
        /// Taps along that axis.
        len: usize,
    },
    /// A named kernel lacks a parameter or got one that it cannot use.
    #[error("{kernel} needs {needs}")]
    Needs {
        /// Name of the kernel.
        kernel: &'static str,
        /// What to write.
        needs: String,
    },
    /// A named kernel got a parameter that has no meaning for it.
    #[error("{key} has no meaning for {kernel}: leave it out ({kernel} takes {takes})")]
    Unused {
        /// Name of the kernel.
        kernel: &'static str,
        /// The parameter.
        key: &'static str,
        /// The parameters that the kernel takes.
        takes: String,
    },
    /// There is no kernel of this name in this number of dimensions.
    #[error("there is no {dimensions}-D kernel {name:?}: write one of {known}, or taps")]
    Unknown {
        /// The name given.
        name: String,
        /// 1 or 2.
        dimensions: u8,
        /// The names there are, separated by commas.
        known: String,
    },
    /// There is no border of this name.
    #[error("there is no border {name:?}: write one of reflect, mirror, nearest, wrap, constant")]
    UnknownBorder {
        /// The name given.
        name: String,
    },
    /// Neither a name nor taps, or both.
    #[error("a filter needs either kernel = \"NAME\" or taps = [..], and not both")]
    NameOrTaps,
    /// Taps in one dimension where two are needed, or the reverse.
    #[error("these taps have the wrong number of dimensions: write {write}")]
    Dimensions {
        /// The form that is needed.
        write: &'static str,
    },
    /// Taps asked of a filter that is no sum over taps.
    #[error("{name} has no taps: it is no convolution; apply the filter that build_1d or build_2d makes")]
    NoTaps {
        /// Name of the filter.
        name: String,
    },
    /// The way asked for cannot run this kernel.
    #[error("this kernel cannot be run the {way} way: leave the choice to the plan")]
    Way {
        /// Name of the way.
        way: &'static str,
    },
}

/// Taps of a filter in one dimension. The taps are those of a convolution: with the centre `c`,
/// `out[i] = sum over k of taps[k] * x[i + c - k]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel1d {
    taps: Vec<f64>,
    centre: usize,
}

/// Taps of a filter in two dimensions, row by row; rows run downwards, columns to the right.
///
/// The taps are those of a convolution: with the centre `(a, b)`,
/// `out[i][j] = sum over k, l of taps[k][l] * x[i + a - k][j + b - l]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel2d {
    rows: usize,
    cols: usize,
    taps: Vec<f64>,
    centre: (usize, usize),
}

impl Kernel1d {
    /// A kernel of these taps, centred at `taps.len() / 2` as in `scipy.ndimage.convolve1d`.
    ///
    /// Fails where there is no tap, one that is not finite, or more than [`TAPS_LIMIT`].
    pub fn new(taps: Vec<f64>) -> Result<Self, KernelError> {
        check(1, taps.len(), &taps)?;
        let centre = taps.len() / 2;
        Ok(Self { taps, centre })
    }

    /// The same taps with tap `centre` over the output sample: 0 makes a causal filter. Fails beyond the last tap.
    pub fn with_centre(self, centre: usize) -> Result<Self, KernelError> {
        check_centre(centre, self.taps.len())?;
        Ok(Self { centre, ..self })
    }

    /// A kernel that the named constructors know to be well formed: at least one tap, finite, `centre` among them.
    pub(super) const fn of(taps: Vec<f64>, centre: usize) -> Self {
        Self { taps, centre }
    }

    /// The kernel in two dimensions that is this one along each row.
    pub(super) fn into_row(self) -> Kernel2d {
        Kernel2d { rows: 1, cols: self.taps.len(), taps: self.taps, centre: (0, self.centre) }
    }

    /// The taps, at least one, all finite.
    #[must_use]
    pub fn taps(&self) -> &[f64] {
        &self.taps
    }

    /// The tap that stands over the output sample.
    #[must_use]
    pub const fn centre(&self) -> usize {
        self.centre
    }
}

impl Kernel2d {
    /// A kernel of `rows * cols` taps given row by row, centred at `(rows / 2, cols / 2)` as in
    /// `scipy.ndimage.convolve`.
    ///
    /// Fails where there is no tap, one that is not finite, more than [`TAPS_LIMIT`], or not `rows * cols` of them.
    pub fn new(rows: usize, cols: usize, taps: Vec<f64>) -> Result<Self, KernelError> {
        check(rows, cols, &taps)?;
        Ok(Self::of(rows, cols, taps))
    }

    /// A kernel that the named constructors know to be well formed.
    pub(super) const fn of(rows: usize, cols: usize, taps: Vec<f64>) -> Self {
        Self { rows, cols, taps, centre: (rows / 2, cols / 2) }
    }

    /// A kernel from its rows, which must have the same length; otherwise as [`Kernel2d::new`].
    pub fn from_rows(rows: &[Vec<f64>]) -> Result<Self, KernelError> {
        let cols = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().position(|row| row.len() != cols) {
            return Err(KernelError::Ragged { row, found: rows[row].len(), expected: cols });
        }
        Self::new(rows.len(), cols, rows.concat())
    }

    /// The product of a column (one tap a row) and a row (one tap a column), with their centres.
    ///
    /// Fails where the product has more than [`TAPS_LIMIT`] taps or one overflows.
    pub fn from_outer(column: &Kernel1d, row: &Kernel1d) -> Result<Self, KernelError> {
        let (rows, cols) = (column.taps.len(), row.taps.len());
        check_size(rows, cols)?;
        let taps = column.taps.iter().flat_map(|a| row.taps.iter().map(move |b| a * b)).collect();
        let kernel = Self::new(rows, cols, taps)?;
        Ok(Self { centre: (column.centre, row.centre), ..kernel })
    }

    /// The same taps with the tap in this row and column over the output sample. Fails outside the kernel.
    pub fn with_centre(self, (row, col): (usize, usize)) -> Result<Self, KernelError> {
        check_centre(row, self.rows)?;
        check_centre(col, self.cols)?;
        Ok(Self { centre: (row, col), ..self })
    }

    /// Rows and columns, both at least 1.
    #[must_use]
    pub const fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The taps row by row, all finite.
    #[must_use]
    pub fn taps(&self) -> &[f64] {
        &self.taps
    }

    /// Row and column of the tap that stands over the output sample.
    #[must_use]
    pub const fn centre(&self) -> (usize, usize) {
        self.centre
    }

    /// The column and the row whose product this kernel is, or `None` where its rank is above 1.
    ///
    /// The row and column through the largest tap must give back every tap to within `1e-12` of the largest. With
    /// the largest tap as pivot the bound holds for the singular values too: the second is at most
    /// `1e-12 * sqrt(rows * cols)` of the first.
    #[must_use]
    pub fn separate(&self) -> Option<(Kernel1d, Kernel1d)> {
        const TOLERANCE: f64 = 1e-12;
        let largest =
            (0..self.taps.len()).max_by(|&a, &b| self.taps[a].abs().total_cmp(&self.taps[b].abs()))?;
        let pivot = self.taps[largest];
        let (pivot_row, pivot_col) = (largest / self.cols, largest % self.cols);
        let column: Vec<f64> = self.taps.chunks_exact(self.cols).map(|row| row[pivot_col]).collect();
        let scale = if pivot == 0.0 { 1.0 } else { pivot };
        let row: Vec<f64> =
            self.taps[pivot_row * self.cols..][..self.cols].iter().map(|tap| tap / scale).collect();
        let product = column.iter().flat_map(|a| row.iter().map(move |b| a * b));
        let close = self.taps.iter().zip(product).all(|(t, p)| (t - p).abs() <= TOLERANCE * pivot.abs());
        close.then(|| (Kernel1d::of(column, self.centre.0), Kernel1d::of(row, self.centre.1)))
    }
}

fn check(rows: usize, cols: usize, taps: &[f64]) -> Result<(), KernelError> {
    if taps.is_empty() {
        return Err(KernelError::Empty);
    }
    check_size(rows, cols)?;
    if taps.len() != rows * cols {
        return Err(KernelError::Shape { rows, cols, taps: taps.len() });
    }
    taps.iter().position(|tap| !tap.is_finite()).map_or(Ok(()), |index| Err(KernelError::NotFinite { index }))
}

/// Holds a shape to [`TAPS_LIMIT`], before its taps are made.
pub(super) fn check_size(rows: usize, cols: usize) -> Result<(), KernelError> {
    match rows.checked_mul(cols) {
        Some(taps) if taps <= TAPS_LIMIT => Ok(()),
        _ => Err(KernelError::TooLarge { rows, cols }),
    }
}

const fn check_centre(centre: usize, len: usize) -> Result<(), KernelError> {
    if centre < len { Ok(()) } else { Err(KernelError::Centre { centre, len }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ill_formed_kernels_are_refused() {
        assert_eq!(Kernel1d::new(vec![]), Err(KernelError::Empty));
        assert_eq!(Kernel1d::new(vec![1.0, f64::NAN]), Err(KernelError::NotFinite { index: 1 }));
        assert_eq!(
            Kernel1d::new(vec![1.0; 2]).unwrap().with_centre(2),
            Err(KernelError::Centre { centre: 2, len: 2 })
        );
        assert_eq!(Kernel2d::new(2, 2, vec![1.0; 3]), Err(KernelError::Shape { rows: 2, cols: 2, taps: 3 }));
        assert_eq!(
            Kernel2d::new(usize::MAX, 2, vec![1.0]),
            Err(KernelError::TooLarge { rows: usize::MAX, cols: 2 })
        );
        assert_eq!(Kernel2d::from_rows(&[]), Err(KernelError::Empty));
        assert_eq!(Kernel2d::from_rows(&[vec![]]), Err(KernelError::Empty));
        assert_eq!(
            Kernel2d::from_rows(&[vec![1.0], vec![1.0, 2.0]]),
            Err(KernelError::Ragged { row: 1, found: 2, expected: 1 })
        );
    }

    #[test]
    fn the_centre_of_an_even_kernel_is_right_of_the_middle() {
        assert_eq!(Kernel1d::new(vec![1.0; 4]).unwrap().centre(), 2);
        assert_eq!(Kernel2d::new(2, 3, vec![1.0; 6]).unwrap().centre(), (1, 1));
    }

    #[test]
    fn a_product_separates_into_its_factors() {
        let column = Kernel1d::new(vec![0.0, -3.0, 0.1]).unwrap().with_centre(0).unwrap();
        let row = Kernel1d::new(vec![0.7, 0.0, 1.0, 0.3]).unwrap();
        let kernel = Kernel2d::from_outer(&column, &row).unwrap();
        let (a, b) = kernel.separate().unwrap();
        assert_eq!((a.centre(), b.centre()), (0, 2));
        for (expected, found) in kernel.taps().iter().zip(Kernel2d::from_outer(&a, &b).unwrap().taps()) {
            assert!((expected - found).abs() < 1e-15);
        }
    }

    #[test]
    fn rank_decides_what_separates() {
        let full = |taps: [f64; 9]| Kernel2d::new(3, 3, taps.to_vec()).unwrap();
        assert!(full([0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0]).separate().is_none());
        assert!(full([1.0, 1.0, 1.0, 1.0, 1.0 + 1e-9, 1.0, 1.0, 1.0, 1.0]).separate().is_none());
        assert!(full([1.0, 1.0, 1.0, 1.0, 1.0 + 1e-14, 1.0, 1.0, 1.0, 1.0]).separate().is_some());
        assert!(full([0.0; 9]).separate().is_some());
        assert!(Kernel2d::new(1, 1, vec![-2.0]).unwrap().separate().is_some());
    }
}
