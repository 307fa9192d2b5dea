//! What stands beyond the edge of a signal or image: five ways to continue it, named as in `scipy.ndimage`.

use std::fmt;
use std::str::FromStr;

use super::kernel::KernelError;
use super::sample::Sample;

/// How a signal `abcd` continues beyond its ends; in two dimensions along each axis by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Border {
    /// `dcba|abcd|dcba`: reflected about the edge, the last sample repeated.
    #[default]
    Reflect,
    /// `dcb|abcd|cba`: reflected about the centre of the last sample; the default of OpenCV.
    Mirror,
    /// `aaa|abcd|ddd`: the last sample repeated.
    Nearest,
    /// `bcd|abcd|abc`: the signal repeated.
    Wrap,
    /// `000|abcd|000`: zeros.
    Constant,
}

impl Border {
    /// Every border, in the order of the job file.
    pub const ALL: [Self; 5] = [Self::Reflect, Self::Mirror, Self::Nearest, Self::Wrap, Self::Constant];

    /// The name in the job file and in `scipy.ndimage`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reflect => "reflect",
            Self::Mirror => "mirror",
            Self::Nearest => "nearest",
            Self::Wrap => "wrap",
            Self::Constant => "constant",
        }
    }

    /// The position in `0..len` whose sample stands at `index`, at any distance outside; `None` is a zero.
    ///
    /// Where `len` is 0 there is nothing to continue and every index is `None`.
    #[must_use]
    pub const fn position(self, index: isize, len: usize) -> Option<usize> {
        if len == 0 {
            return None;
        }
        let n = len as isize;
        let inside = match self {
            Self::Reflect => fold(index.rem_euclid(2 * n), 2 * n - 1, n),
            Self::Mirror if n == 1 => 0,
            Self::Mirror => fold(index.rem_euclid(2 * n - 2), 2 * n - 2, n),
            Self::Nearest if index < 0 => 0,
            Self::Nearest if index >= n => n - 1,
            Self::Wrap => index.rem_euclid(n),
            Self::Constant if index < 0 || index >= n => return None,
            Self::Nearest | Self::Constant => index,
        };
        Some(inside as usize)
    }
}

/// `index` of one period where it lies in the signal, otherwise its reflection.
const fn fold(index: isize, turn: isize, n: isize) -> isize {
    if index < n { index } else { turn - index }
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Border {
    type Err = KernelError;

    fn from_str(name: &str) -> Result<Self, KernelError> {
        let border = Self::ALL.into_iter().find(|border| border.name() == name);
        border.ok_or_else(|| KernelError::UnknownBorder { name: name.to_owned() })
    }
}

/// How many samples are added before and after each axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Margins {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Margins {
    /// Rows and columns of an image of `rows` by `cols` with these margins.
    pub(super) const fn around(self, rows: usize, cols: usize) -> (usize, usize) {
        (self.top + rows + self.bottom, self.left + cols + self.right)
    }
}

/// A signal or image continued by its border and read piece by piece, without a copy of the whole. Rows and columns count
/// from the first of the margins, so that output `(r, c)` of a filter is the sum over the window that begins there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Continued<'a, T> {
    pub(super) input: &'a [T],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) border: Border,
    /// Rows and columns before the input.
    pub(super) top: usize,
    pub(super) left: usize,
}

impl<'a, T: Sample> Continued<'a, T> {
    /// Fills `to` with samples of a row from `col` on.
    pub(super) fn copy_row(&self, row: usize, col: usize, to: &mut [T]) {
        let Some(source) = self.border.position(row as isize - self.top as isize, self.rows) else {
            to.fill(T::ZERO);
            return;
        };
        let line = &self.input[source * self.cols..][..self.cols];
        let outside = |index: isize| self.border.position(index, self.cols).map_or(T::ZERO, |c| line[c]);
        let before = self.left.saturating_sub(col).min(to.len());
        let (head, rest) = to.split_at_mut(before);
        for (i, value) in head.iter_mut().enumerate() {
            *value = outside((col + i) as isize - self.left as isize);
        }
        let first = (col + before).saturating_sub(self.left);
        let inside = self.cols.saturating_sub(first).min(rest.len());
        let (middle, tail) = rest.split_at_mut(inside);
        if inside > 0 {
            middle.copy_from_slice(&line[first..][..inside]);
        }
        for (i, value) in tail.iter_mut().enumerate() {
            *value = outside((first + inside + i) as isize);
        }
    }

    /// The outputs along one axis whose windows of `taps` samples read no border.
    const fn inside(before: usize, len: usize, taps: usize) -> (usize, usize) {
        (before, before + (len + 1).saturating_sub(taps))
    }

    /// Rows of outputs whose windows of `taps` rows read no border: from the first to before the last.
    pub(super) const fn inner_rows(&self, taps: usize) -> (usize, usize) {
        Self::inside(self.top, self.rows, taps)
    }

    /// The same for columns.
    pub(super) const fn inner_cols(&self, taps: usize) -> (usize, usize) {
        Self::inside(self.left, self.cols, taps)
    }

    /// The input from this place on, which must lie in it.
    pub(super) fn from(&self, row: usize, col: usize) -> &'a [T] {
        &self.input[(row - self.top) * self.cols + col - self.left..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn continued(border: Border, signal: &str) -> String {
        let at = |i| border.position(i, signal.len()).map_or('0', |p| char::from(signal.as_bytes()[p]));
        (-9..9).map(at).collect()
    }

    #[test]
    fn a_signal_continues_as_in_scipy() {
        let expected = [
            (Border::Reflect, "aabcddcbaabcddcbaa"),
            (Border::Mirror, "dcbabcdcbabcdcbabc"),
            (Border::Nearest, "aaaaaaaaaabcdddddd"),
            (Border::Wrap, "dabcdabcdabcdabcda"),
            (Border::Constant, "000000000abcd00000"),
        ];
        for (border, text) in expected {
            assert_eq!(continued(border, "abcd"), text, "{border}");
        }
    }

    #[test]
    fn a_single_sample_and_no_sample_continue_too() {
        for border in Border::ALL {
            let single = if border == Border::Constant { "000000000a00000000" } else { "aaaaaaaaaaaaaaaaaa" };
            assert_eq!(continued(border, "a"), single, "{border}");
            assert_eq!(continued(border, ""), "000000000000000000", "{border}");
        }
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for border in Border::ALL {
            assert_eq!(border.to_string().parse::<Border>().unwrap(), border);
        }
        let message = "Reflect".parse::<Border>().unwrap_err().to_string();
        assert!(message.contains("reflect, mirror, nearest, wrap, constant"), "{message}");
    }

    #[test]
    fn an_image_continues_along_each_axis() {
        let rows = [[4.0, 3.0, 4.0, 3.0, 4.0], [2.0, 1.0, 2.0, 1.0, 2.0], [4.0, 3.0, 4.0, 3.0, 4.0]];
        let input = &[1.0, 2.0, 3.0, 4.0];
        let all = Continued { input, rows: 2, cols: 2, border: Border::Wrap, top: 1, left: 1 };
        for (row, expected) in rows.iter().enumerate() {
            for (from, to) in [(0, 5), (0, 1), (1, 3), (2, 5), (4, 5)] {
                let mut part = vec![9.0; to - from];
                all.copy_row(row, from, &mut part);
                assert_eq!(part, expected[from..to]);
            }
        }
        let all =
            Continued { input: &[1.0, 2.0], rows: 1, cols: 2, border: Border::Constant, top: 1, left: 1 };
        for (row, expected) in [[0.0; 5], [0.0, 1.0, 2.0, 0.0, 0.0]].iter().enumerate() {
            let mut line = [9.0; 5];
            all.copy_row(row, 0, &mut line);
            assert_eq!(line, *expected);
        }
    }
}
