//! Circular convolution by complex Fourier transforms, one register of numbers at a time.
//!
//! Real and imaginary parts stand in arrays of their own, so that two real signals are one complex one without any
//! packing: a real kernel leaves them apart. A line of `rows * G` numbers (G the group of 16 or 8) is seen as rows of G:
//! first every column is transformed (its numbers stand G apart, so registers need no shuffling), then every row, after
//! squares of G by G are transposed; between the two stands the usual factor. Frequencies stay in the order in which the
//! steps leave them, since the spectrum they are multiplied with is made by the same steps, and the inverse takes the same
//! steps backwards. It is the forward transform with real and imaginary parts exchanged, so there is one set of factors.

use std::f64::consts::PI;
use std::mem::MaybeUninit;

use super::Width;
use super::buffer::Buffer;
use super::butterfly::{Complex, eight, four, three};
use super::dispatch::{Work, dispatch};
use super::register::{Number, Register};

/// Bytes of a block that all further steps pass over together, well inside the first-level cache.
const NEAR: usize = 16 << 10;

/// One step of a transform of columns: butterflies of `radix` rows that stand `len / radix` apart.
#[derive(Clone, Copy, Debug)]
struct Level {
    radix: usize,
    len: usize,
    /// Where its factors begin.
    factors: usize,
}

/// A level on blocks of rows, or what happens between the two directions.
#[derive(Clone, Copy, Debug)]
enum Step {
    Forward { level: usize, row: usize, rows: usize },
    Middle { row: usize, rows: usize },
    Inverse { level: usize, row: usize, rows: usize },
}

/// A plan for columns of `rows` numbers, G of them side by side.
#[derive(Clone, Debug)]
pub struct Columns<T> {
    width: Width,
    rows: usize,
    levels: Vec<Level>,
    factors: Vec<T>,
    steps: Vec<Step>,
}

/// A plan for the circular convolution of lines.
#[derive(Clone, Debug)]
pub struct Lines<T> {
    columns: Columns<T>,
    /// Between columns and rows: real and imaginary parts.
    between: [Buffer<T>; 2],
    /// Of the transforms along a row of 16.
    row_factors: Vec<T>,
}

/// Real and imaginary parts of a line, a spectrum or a tile.
#[derive(Clone, Debug, Default)]
pub struct Parts<T> {
    /// Real parts.
    pub re: Buffer<T>,
    /// Imaginary parts.
    pub im: Buffer<T>,
}

impl<T: Number> Parts<T> {
    /// Room for `len` numbers each.
    pub fn resize(&mut self, len: usize) {
        self.re.resize(len);
        self.im.resize(len);
    }

    /// Real parts for 0, imaginary parts for 1.
    #[must_use]
    pub fn part(&self, index: usize) -> &[T] {
        if index == 0 { &self.re } else { &self.im }
    }

    /// Real parts for 0, imaginary parts for 1.
    pub fn part_mut(&mut self, index: usize) -> &mut [T] {
        if index == 0 { &mut self.re } else { &mut self.im }
    }
}

/// Which way a transform goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To frequencies, in the order of the steps.
    Forward,
    /// Back, without division by the number of rows.
    Inverse,
}

/// The radices of a number of rows that is 1, or a power of two from 4 on, or three times one; `None` for others.
fn radices(rows: usize) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    let mut rest = rows;
    if rest.is_multiple_of(3) {
        found.push(3);
        rest /= 3;
    }
    if rest == 0 || !rest.is_power_of_two() || rest == 2 {
        return None;
    }
    let bits = rest.trailing_zeros() as usize;
    let fours = [0, 2, 1][bits % 3];
    if bits > 0 {
        found.extend(std::iter::repeat_n(8, (bits - 2 * fours) / 3));
        found.extend(std::iter::repeat_n(4, fours));
    }
    Some(found)
}

/// The factor `exp(-2 pi i k / n)`, exact at eighths of the circle as far as `libm` is.
fn factor(k: usize, n: usize) -> (f64, f64) {
    let angle = -2.0 * PI * (k % n) as f64 / n as f64;
    (libm::cos(angle), libm::sin(angle))
}

impl<T: Number> Columns<T> {
    /// Whether there is a plan for this number of rows.
    #[must_use]
    pub fn possible(rows: usize) -> bool {
        radices(rows).is_some()
    }

    /// Plans columns of `rows` numbers.
    ///
    /// # Panics
    /// Where [`Columns::possible`] says no.
    #[must_use]
    pub fn new(width: Width, rows: usize) -> Self {
        let mut plan = Self::levels(width, rows);
        for level in 0..plan.levels.len() {
            plan.steps.push(Step::Forward { level, row: 0, rows });
        }
        for level in (0..plan.levels.len()).rev() {
            plan.steps.push(Step::Inverse { level, row: 0, rows });
        }
        plan
    }

    fn levels(width: Width, rows: usize) -> Self {
        let radices = radices(rows);
        assert!(radices.is_some(), "no transform of {rows} rows");
        let (mut levels, mut factors, mut len) = (Vec::new(), Vec::new(), rows);
        for radix in radices.unwrap_or_default() {
            levels.push(Level { radix, len, factors: factors.len() });
            for j in 0..len / radix {
                for s in 1..radix {
                    let (re, im) = factor(j * s, len);
                    factors.extend([T::nearest(re), T::nearest(im)]);
                }
            }
            len /= radix;
        }
        Self { width, rows, levels, factors, steps: Vec::new() }
    }

    /// Steps of a convolution of whole lines, depth first: a block that fits the cache is taken there, through the
    /// middle and back before the next one.
    fn schedule(&mut self, level: usize, row: usize, rows: usize) {
        if rows * T::GROUP * 2 * size_of::<T>() <= NEAR || level == self.levels.len() {
            let rest = level..self.levels.len();
            self.steps.extend(rest.clone().map(|level| Step::Forward { level, row, rows }));
            self.steps.push(Step::Middle { row, rows });
            self.steps.extend(rest.rev().map(|level| Step::Inverse { level, row, rows }));
            return;
        }
        self.steps.push(Step::Forward { level, row, rows });
        // A block is a whole number of groups of rows, for the middle.
        let inner = rows / self.levels[level].radix;
        if inner.is_multiple_of(T::GROUP) {
            for q in 0..self.levels[level].radix {
                self.schedule(level + 1, row + q * inner, inner);
            }
        } else {
            let rest = level + 1..self.levels.len();
            self.steps.extend(rest.clone().map(|level| Step::Forward { level, row, rows }));
            self.steps.push(Step::Middle { row, rows });
            self.steps.extend(rest.rev().map(|level| Step::Inverse { level, row, rows }));
        }
        self.steps.push(Step::Inverse { level, row, rows });
    }

    /// The frequency that stands in each row after the forward direction.
    fn frequencies(&self) -> Vec<usize> {
        let mut found = vec![0];
        for level in self.levels.iter().rev() {
            let inner = found;
            found = Vec::with_capacity(level.len);
            for q in 0..level.radix {
                found.extend(inner.iter().map(|k| q + level.radix * k));
            }
        }
        found
    }

    /// Transforms G columns, which stand row by row in `re` and `im`.
    ///
    /// # Panics
    /// Where there are fewer than `rows * G` numbers.
    pub fn run(&self, direction: Direction, re: &mut [T], im: &mut [T]) {
        assert!(re.len().min(im.len()) >= self.rows * T::GROUP, "numbers for every row");
        let forward = direction == Direction::Forward;
        dispatch(self.width, ColumnWork { plan: self, re: re.as_mut_ptr(), im: im.as_mut_ptr(), forward });
    }
}

impl<T: Number> Lines<T> {
    /// Whether there is a plan for lines of `len` numbers: `G * G` times 1, a power of two, or three times one.
    #[must_use]
    pub fn possible(len: usize) -> bool {
        len.is_multiple_of(T::GROUP * T::GROUP) && Columns::<T>::possible(len / T::GROUP)
    }

    /// Plans lines of `len` numbers.
    ///
    /// # Panics
    /// Where [`Lines::possible`] says no.
    #[must_use]
    pub fn new(width: Width, len: usize) -> Self {
        assert!(Self::possible(len), "no transform of {len} numbers");
        let rows = len / T::GROUP;
        let mut columns = Columns::levels(width, rows);
        columns.schedule(0, 0, rows);
        let mut between = [Buffer::zeros(len), Buffer::zeros(len)];
        for (row, k) in columns.frequencies().into_iter().enumerate() {
            for l in 0..T::GROUP {
                let (re, im) = factor(k * l, len);
                between[0][row * T::GROUP + l] = T::nearest(re);
                between[1][row * T::GROUP + l] = T::nearest(im);
            }
        }
        let row_factors = Columns::<T>::levels(width, T::GROUP).factors;
        Self { columns, between, row_factors }
    }

    /// Numbers in a line.
    #[must_use]
    pub fn len(&self) -> usize {
        self.between[0].len()
    }

    /// Replaces each of the lines that follow each other in `re` and `im` by its circular convolution, times `len`, with
    /// the signal whose [`Lines::forward`] stands at the same place of `spectra`.
    ///
    /// # Panics
    /// Where these are not as long as each other, or not a whole number of lines.
    pub fn convolve(&self, re: &mut [T], im: &mut [T], spectra: [&[T]; 2]) {
        self.work(re, im, Some(spectra), true, true);
    }

    /// Replaces lines by their spectra, in the order of the steps.
    ///
    /// # Panics
    /// As [`Lines::convolve`].
    pub fn forward(&self, re: &mut [T], im: &mut [T]) {
        self.work(re, im, None, true, false);
    }

    /// Multiplies spectra by spectra and goes back: what [`Lines::convolve`] does after [`Lines::forward`].
    ///
    /// # Panics
    /// As [`Lines::convolve`].
    pub fn multiply_back(&self, re: &mut [T], im: &mut [T], spectra: [&[T]; 2]) {
        self.work(re, im, Some(spectra), false, true);
    }

    fn work(&self, re: &mut [T], im: &mut [T], spectra: Option<[&[T]; 2]>, forward: bool, back: bool) {
        let len = re.len();
        assert!(im.len() == len && len.is_multiple_of(self.len()), "whole lines");
        assert!(spectra.is_none_or(|parts| parts.iter().all(|part| part.len() == len)), "a spectrum a line");
        let spectra = spectra.map(|[re, im]| (re.as_ptr(), im.as_ptr()));
        let (re, im) = (re.as_mut_ptr(), im.as_mut_ptr());
        let lines = len / self.len();
        dispatch(self.columns.width, LineWork { plan: self, re, im, lines, spectra, forward, back });
    }
}

struct ColumnWork<'a, T> {
    plan: &'a Columns<T>,
    re: *mut T,
    im: *mut T,
    forward: bool,
}

struct LineWork<'a, T> {
    plan: &'a Lines<T>,
    re: *mut T,
    im: *mut T,
    lines: usize,
    spectra: Option<(*const T, *const T)>,
    forward: bool,
    back: bool,
}

// SAFETY of the blocks below: the safe functions above have checked that the arrays hold all rows of the plan, and the
// steps of a plan stay in its rows; factors are read in the order in which `levels` wrote them.

impl<T: Number> Work<T> for ColumnWork<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        unsafe {
            for step in &self.plan.steps {
                match *step {
                    Step::Forward { level, row, rows } if self.forward => {
                        level_forward::<V>(self.plan, level, self.re, self.im, row, rows);
                    }
                    // The inverse is the forward transform of the exchanged parts.
                    Step::Inverse { level, row, rows } if !self.forward => {
                        level_inverse::<V>(self.plan, level, self.im, self.re, row, rows);
                    }
                    _ => {}
                }
            }
        }
    }
}

impl<T: Number> Work<T> for LineWork<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self) {
        let (plan, columns) = (self.plan, &self.plan.columns);
        let len = plan.between[0].len();
        unsafe {
            for line in 0..self.lines {
                let (re, im) = (self.re.add(line * len), self.im.add(line * len));
                let spectrum = self.spectra.map(|(re, im)| (re.add(line * len), im.add(line * len)));
                for step in &columns.steps {
                    match *step {
                        Step::Forward { level, row, rows } if self.forward => {
                            level_forward::<V>(columns, level, re, im, row, rows);
                        }
                        Step::Middle { row, rows } => {
                            for row in (row..row + rows).step_by(T::GROUP) {
                                let at = row * T::GROUP;
                                let spectrum = spectrum.map(|(re, im)| (re.add(at), im.add(at)));
                                let square = Square { plan, re: re.add(at), im: im.add(at), at, spectrum };
                                square.run::<V>(self.forward, self.back);
                            }
                        }
                        Step::Inverse { level, row, rows } if self.back => {
                            level_inverse::<V>(columns, level, im, re, row, rows);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// One pass of butterflies of a radix over a block, forward or back, with or without factors.
macro_rules! passes {
    ($forward:ident, $inverse:ident, $transform:ident, $radix:literal, [$($s:literal)*], [$($t:literal)*]) => {
        #[inline(always)]
        unsafe fn $forward<V: Register, const FACTORS: bool>(
            re: *mut V::Number, im: *mut V::Number, len: usize, factors: *const V::Number,
        ) {
            unsafe {
                let apart = len / $radix * V::Number::GROUP;
                for j in 0..len / $radix {
                    let factors = factors.wrapping_add(j * 2 * ($radix - 1));
                    for part in (0..V::Number::GROUP).step_by(V::WIDTH) {
                        let at = j * V::Number::GROUP + part;
                        let a = [$( Complex::<V>::load(re.add(at + $s * apart), im.add(at + $s * apart)) ),*];
                        let mut y = $transform(a);
                        if FACTORS {
                            $( y[$t] = y[$t].times(Complex::splat(factors.add(2 * ($t - 1)))); )*
                        }
                        $( y[$s].store(re.add(at + $s * apart), im.add(at + $s * apart)); )*
                    }
                }
            }
        }

        #[inline(always)]
        unsafe fn $inverse<V: Register, const FACTORS: bool>(
            re: *mut V::Number, im: *mut V::Number, len: usize, factors: *const V::Number,
        ) {
            unsafe {
                let apart = len / $radix * V::Number::GROUP;
                for j in 0..len / $radix {
                    let factors = factors.wrapping_add(j * 2 * ($radix - 1));
                    for part in (0..V::Number::GROUP).step_by(V::WIDTH) {
                        let at = j * V::Number::GROUP + part;
                        let mut a = [$( Complex::<V>::load(re.add(at + $s * apart), im.add(at + $s * apart)) ),*];
                        if FACTORS {
                            $( a[$t] = a[$t].times(Complex::splat(factors.add(2 * ($t - 1)))); )*
                        }
                        let y = $transform(a);
                        $( y[$s].store(re.add(at + $s * apart), im.add(at + $s * apart)); )*
                    }
                }
            }
        }
    };
}

passes!(forward_3, inverse_3, three, 3, [0 1 2], [1 2]);
passes!(forward_4, inverse_4, four, 4, [0 1 2 3], [1 2 3]);
passes!(forward_8, inverse_8, eight, 8, [0 1 2 3 4 5 6 7], [1 2 3 4 5 6 7]);

/// Runs a level on each block of the rows.
macro_rules! levels {
    ($name:ident, $three:ident, $four:ident, $eight:ident) => {
        #[inline(always)]
        unsafe fn $name<V: Register>(
            plan: &Columns<V::Number>,
            level: usize,
            re: *mut V::Number,
            im: *mut V::Number,
            row: usize,
            rows: usize,
        ) {
            unsafe {
                let Level { radix, len, factors } = *plan.levels.get_unchecked(level);
                let factors = plan.factors.as_ptr().add(factors);
                for block in (row..row + rows).step_by(len) {
                    let (re, im) = (re.add(block * V::Number::GROUP), im.add(block * V::Number::GROUP));
                    match (radix, len == radix) {
                        (8, false) => $eight::<V, true>(re, im, len, factors),
                        (8, true) => $eight::<V, false>(re, im, len, factors),
                        (4, false) => $four::<V, true>(re, im, len, factors),
                        (4, true) => $four::<V, false>(re, im, len, factors),
                        (_, false) => $three::<V, true>(re, im, len, factors),
                        (_, true) => $three::<V, false>(re, im, len, factors),
                    }
                }
            }
        }
    };
}

levels!(level_forward, forward_3, forward_4, forward_8);
levels!(level_inverse, inverse_3, inverse_4, inverse_8);

/// G rows of G numbers between the two directions.
#[derive(Clone, Copy)]
struct Square<'a, T> {
    plan: &'a Lines<T>,
    re: *mut T,
    im: *mut T,
    /// Its first number in the line.
    at: usize,
    spectrum: Option<(*const T, *const T)>,
}

/// Room for a square of the larger group, on a cache line.
#[repr(C, align(64))]
struct Room<T>(MaybeUninit<[T; 256]>);

impl<T: Number> Room<T> {
    const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    fn place(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }
}

impl<T: Number> Square<'_, T> {
    /// From columns to spectrum, times the spectrum of the taps, and back. Either half may be left out: then the spectrum
    /// stands, transposed, where the columns stood.
    #[inline(always)]
    unsafe fn run<V: Register<Number = T>>(self, forward: bool, back: bool) {
        let [mut re, mut im, mut re2, mut im2] = [Room::new(), Room::new(), Room::new(), Room::new()];
        let (a, b) = ((re.place(), im.place()), (re2.place(), im2.place()));
        let factors = self.plan.row_factors.as_ptr();
        unsafe {
            if forward {
                self.turn::<V>((self.re, self.im), a);
                transpose::<V>(a.0, b.0);
                transpose::<V>(a.1, b.1);
                if T::GROUP == 16 {
                    forward_4::<V, true>(b.0, b.1, 16, factors);
                }
            }
            let from = if forward { b } else { (self.re, self.im) };
            let to = if back { b } else { (self.re, self.im) };
            if T::GROUP == 16 {
                for row in (0..16).step_by(4) {
                    self.leaf_4::<V>(row, from, to, forward, back);
                }
            } else {
                self.leaf_8::<V>(0, from, to, forward, back);
            }
            if back {
                if T::GROUP == 16 {
                    inverse_4::<V, true>(b.1, b.0, 16, factors);
                }
                transpose::<V>(b.0, a.0);
                transpose::<V>(b.1, a.1);
                self.turn_back::<V>(a);
            }
        }
    }

    /// Times the factors between columns and rows.
    #[inline(always)]
    unsafe fn turn<V: Register<Number = T>>(self, from: (*mut T, *mut T), to: (*mut T, *mut T)) {
        unsafe {
            let (re, im) = self.between();
            for at in (0..T::GROUP * T::GROUP).step_by(V::WIDTH) {
                let factor = Complex::<V>::load(re.add(at), im.add(at));
                Complex::load(from.0.add(at), from.1.add(at)).times(factor).store(to.0.add(at), to.1.add(at));
            }
        }
    }

    /// The same on exchanged parts.
    #[inline(always)]
    unsafe fn turn_back<V: Register<Number = T>>(self, from: (*mut T, *mut T)) {
        unsafe { self.turn::<V>((from.1, from.0), (self.im, self.re)) }
    }

    #[inline(always)]
    unsafe fn between(self) -> (*const T, *const T) {
        let [re, im] = &self.plan.between;
        unsafe { (re.as_ptr().add(self.at), im.as_ptr().add(self.at)) }
    }
}

/// Turns a square of G by G.
#[inline(always)]
unsafe fn transpose<V: Register>(from: *const V::Number, to: *mut V::Number) {
    let group = V::Number::GROUP;
    unsafe {
        for row in (0..group).step_by(V::WIDTH) {
            for col in (0..group).step_by(V::WIDTH) {
                V::transpose(from.add(row * group + col), group, to.add(col * group + row), group);
            }
        }
    }
}

/// The innermost butterflies, forward and back in registers.
macro_rules! leaf {
    ($leaf:ident, $transform:ident, [$($s:literal)*]) => {
        impl<T: Number> Square<'_, T> {
            #[inline(always)]
            unsafe fn $leaf<V: Register<Number = T>>(
                self, row: usize, from: (*mut T, *mut T), to: (*mut T, *mut T), forward: bool, back: bool,
            ) {
                unsafe {
                    for part in (0..T::GROUP).step_by(V::WIDTH) {
                        let place = |s: usize| (row + s) * T::GROUP + part;
                        let mut a =
                            [$( Complex::<V>::load(from.0.add(place($s)), from.1.add(place($s))) ),*];
                        if forward {
                            a = $transform(a);
                        }
                        if let Some((re, im)) = self.spectrum {
                            $( a[$s] = a[$s].times(Complex::load(re.add(place($s)), im.add(place($s)))); )*
                        }
                        if back {
                            let y = $transform([$( Complex(a[$s].1, a[$s].0) ),*]);
                            a = [$( Complex(y[$s].1, y[$s].0) ),*];
                        }
                        $( a[$s].store(to.0.add(place($s)), to.1.add(place($s))); )*
                    }
                }
            }
        }
    };
}

leaf!(leaf_4, four, [0 1 2 3]);
leaf!(leaf_8, eight, [0 1 2 3 4 5 6 7]);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f64 / 504.0 - 1.0).collect()
    }

    /// The circular convolution of `x` with the real `taps` at output `n`.
    fn naive(x: &[f64], taps: &[f64], n: usize) -> f64 {
        taps.iter().enumerate().map(|(k, tap)| tap * x[(n + x.len() - k) % x.len()]).sum()
    }

    fn convolved<T: Number>(width: Width, len: usize, taps: &[f64], lines: usize) -> Parts<T> {
        let plan = Lines::<T>::new(width, len);
        let parts = |re: Vec<f64>, im: Vec<f64>| {
            let of = |x: Vec<f64>| Buffer::of(&x.into_iter().map(T::nearest).collect::<Vec<_>>());
            Parts { re: of(re), im: of(im) }
        };
        let mut kernel = taps.to_vec();
        kernel.resize(len, 0.0);
        let mut spectrum = parts(kernel.repeat(lines), vec![0.0; len * lines]);
        plan.forward(&mut spectrum.re, &mut spectrum.im);
        let mut x = parts(noise(len * lines, 1), noise(len * lines, 2));
        let mut y = x.clone();
        plan.convolve(&mut x.re, &mut x.im, [&spectrum.re, &spectrum.im]);
        plan.forward(&mut y.re, &mut y.im);
        plan.multiply_back(&mut y.re, &mut y.im, [&spectrum.re, &spectrum.im]);
        assert!(x.re[..] == y.re[..] && x.im[..] == y.im[..], "both halves are the whole");
        x
    }

    #[test]
    fn lines_are_convolved_as_defined_and_the_parts_stay_apart() {
        let taps = [0.5, -1.0, 0.25, 2.0, 0.125];
        for len in [64, 192, 256, 512, 768, 1024, 2048, 4096, 12_288, 16_384] {
            let found = convolved::<f64>(Width::detect(), len, &taps, 2);
            for line in 0..2 {
                let range = line * len..(line + 1) * len;
                for (part, seed) in [(&found.re, 1), (&found.im, 2)] {
                    let x = &noise(2 * len, seed)[range.clone()];
                    for (n, value) in part[range.clone()].iter().enumerate() {
                        let expected = naive(x, &taps, n) * len as f64;
                        assert!(
                            (value - expected).abs() < 1e-11 * len as f64,
                            "{len}: {n}, {value}, {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn all_widths_give_the_same_bits() {
        let taps = noise(30, 5);
        for len in [256, 1536, 4096] {
            let bits = |width| {
                let found = convolved::<f32>(width, len, &taps, 1);
                found.re.iter().chain(found.im.iter()).map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            let wide = |width| {
                convolved::<f64>(width, len, &taps, 1).re.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            let (plain, plain_wide) = (bits(Width::available()[0]), wide(Width::available()[0]));
            for width in Width::available() {
                assert!(bits(width) == plain && wide(width) == plain_wide, "{width:?}, {len}");
            }
        }
    }

    #[test]
    fn columns_go_there_and_back() {
        for rows in [1, 4, 8, 12, 16, 24, 32, 96, 128, 256, 512, 1024] {
            let plan = Columns::<f64>::new(Width::detect(), rows);
            let (re, im) = (noise(rows * 8, 3), noise(rows * 8, 4));
            let (mut x, mut y) = (re.clone(), im.clone());
            plan.run(Direction::Forward, &mut x, &mut y);
            for (row, k) in plan.frequencies().into_iter().enumerate().take(5) {
                let mut sum = (0.0, 0.0);
                for n in 0..rows {
                    let (c, s) = factor(k * n, rows);
                    sum.0 += re[n * 8 + 3] * c - im[n * 8 + 3] * s;
                    sum.1 += re[n * 8 + 3] * s + im[n * 8 + 3] * c;
                }
                assert!(
                    (sum.0 - x[row * 8 + 3]).abs() < 1e-10 && (sum.1 - y[row * 8 + 3]).abs() < 1e-10,
                    "{rows}"
                );
            }
            plan.run(Direction::Inverse, &mut x, &mut y);
            for i in 0..rows * 8 {
                assert!(
                    (x[i] / rows as f64 - re[i]).abs() < 1e-12 && (y[i] / rows as f64 - im[i]).abs() < 1e-12
                );
            }
        }
        assert!(!Columns::<f64>::possible(2) && !Columns::<f64>::possible(9) && !Columns::<f64>::possible(0));
    }
}
