//! One window of word2vec with negative sampling as one small matrix product.
//!
//! The m input rows `x_i` of a window meet one shared set of J output rows `y_j`, the first of them the row of the centre
//! and the others negatives (Ji, Satish, Li and Dubey 2016, "Parallelizing `Word2Vec` in Shared and Distributed Memory",
//! arXiv 1604.04661). With the label `l_0` = 1 and all others 0,
//!
//! ```text
//! g_ij = rate_ij · (l_j − sigmoid(x_i · y_j))        x_i += Σ_j g_ij · y_j        y_j += Σ_i g_ij · x_i
//! ```
//!
//! where both sums take the rows as they were before the window. The rows must differ from each other within each list;
//! a row that counts twice has its rate doubled instead.

use super::products::{Block, Task, run};
use super::{LANES, Lanes, Width};

/// Rows of a matrix that a window works on: `indices` are rows of `matrix`, each as many groups long as the kernel's rows.
pub struct Rows<'a> {
    /// The matrix, row by row.
    pub matrix: &'a mut [Lanes],
    /// Which rows.
    pub indices: &'a [u32],
}

/// The plan and the scratch for windows of one shape.
#[derive(Debug, Clone)]
pub struct WindowKernel {
    width: Width,
    groups: usize,
    outputs: usize,
    most_outputs: usize,
    inputs: usize,
    labels: Vec<Lanes>,
    products: Vec<Lanes>,
    gradients: Vec<Lanes>,
    next: Vec<Lanes>,
    mean: Vec<Lanes>,
    order: Vec<u32>,
}

impl WindowKernel {
    /// A kernel for rows of `groups` groups of lanes, at most `inputs` input rows and exactly `outputs` output rows.
    #[must_use]
    pub fn new(width: Width, groups: usize, inputs: usize, outputs: usize) -> Self {
        let batches = Self::batches(inputs, outputs);
        let label = |index: usize| f32::from(u8::from(index.is_multiple_of(outputs.max(1))));
        let labels = (0..batches)
            .map(|batch| Lanes(std::array::from_fn(|lane| label(batch * LANES + lane))))
            .collect();
        Self {
            width,
            groups,
            outputs,
            most_outputs: outputs,
            inputs,
            labels,
            products: vec![Lanes::ZERO; batches * LANES],
            gradients: vec![Lanes::ZERO; batches],
            next: vec![Lanes::ZERO; inputs.max(1) * groups],
            mean: vec![Lanes::ZERO; groups],
            order: (0..inputs.max(1) as u32).collect(),
        }
    }

    /// Gives the windows to come as many outputs as there are labels, each with its own (hierarchical softmax).
    ///
    /// # Panics
    ///
    /// Where there are more labels than the kernel was made for outputs.
    pub fn set_labels(&mut self, labels: &[f32]) {
        assert!(labels.len() <= self.most_outputs, "more labels than the kernel was made for outputs");
        self.outputs = labels.len();
        let pairs = self.inputs.max(1) * labels.len();
        for (pair, &label) in (0..pairs).zip(labels.iter().cycle()) {
            self.labels[pair / LANES].0[pair % LANES] = label;
        }
    }

    /// Groups of lanes that hold the rates of `inputs` times `outputs` pairs.
    #[must_use]
    pub fn batches(inputs: usize, outputs: usize) -> usize {
        (inputs.max(1) * outputs).div_ceil(LANES)
    }

    /// Trains a skip-gram window. `rates` holds the rate of input i with output j at i · J + j; what follows is ignored.
    ///
    /// # Panics
    ///
    /// Where a row lies outside its matrix, or there are more inputs or rates than the kernel was made for.
    pub fn skip_gram(&mut self, inputs: &mut Rows, outputs: &mut Rows, rates: &[Lanes]) {
        self.check(inputs, outputs, rates, inputs.indices.len());
        let next = Block { base: self.next.as_mut_ptr().cast(), rows: self.order.as_ptr(), len: self.len() };
        let block = self.block(inputs);
        let task = Task {
            start: block,
            middle: next,
            finish: block,
            ..self.task(block, inputs.indices.len(), outputs, rates)
        };
        run(self.width, task);
    }

    /// Trains a window of the continuous bag of words: the one input is the mean of the context rows, and its correction
    /// is added to each of them. A context may stand in the list more than once. `rates` has the rate of output j at j.
    ///
    /// # Panics
    ///
    /// As [`Self::skip_gram`].
    pub fn bag_of_words(&mut self, contexts: &mut Rows, outputs: &mut Rows, rates: &[Lanes]) {
        self.check(contexts, outputs, rates, 1);
        self.next[..self.groups].fill(Lanes::ZERO);
        let order = self.order.as_ptr();
        let mean = Block { base: self.mean.as_mut_ptr().cast(), rows: order, len: self.len() };
        let correction = Block { base: self.next.as_mut_ptr().cast(), rows: order, len: self.len() };
        let block = self.block(contexts);
        let bag = Some((block, contexts.indices.len()));
        let task = Task {
            start: correction,
            middle: correction,
            finish: correction,
            bag,
            ..self.task(mean, 1, outputs, rates)
        };
        run(self.width, task);
    }

    fn len(&self) -> usize {
        self.groups * LANES
    }

    fn block(&self, rows: &mut Rows) -> Block {
        Block { base: rows.matrix.as_mut_ptr().cast(), rows: rows.indices.as_ptr(), len: self.len() }
    }

    fn task(&mut self, inputs: Block, count: usize, outputs: &mut Rows, rates: &[Lanes]) -> Task {
        Task {
            inputs,
            start: inputs,
            middle: inputs,
            finish: inputs,
            outputs: self.block(outputs),
            bag: None,
            count,
            columns: self.outputs,
            rates: rates.as_ptr().cast(),
            labels: self.labels.as_ptr().cast(),
            products: self.products.as_mut_ptr().cast(),
            gradients: self.gradients.as_mut_ptr().cast(),
        }
    }

    /// What makes the pointers of a task good: every row lies in its matrix and every list fits the scratch.
    fn check(&self, inputs: &Rows, outputs: &Rows, rates: &[Lanes], scored: usize) {
        let inside = |rows: &Rows| {
            let largest = rows.indices.iter().copied().fold(0, u32::max) as usize;
            (largest + 1) * self.groups <= rows.matrix.len()
        };
        assert!(inside(inputs) && inside(outputs), "row outside the matrix");
        assert!(scored <= self.inputs, "more input rows than the kernel was made for");
        assert!(
            outputs.indices.len() == self.outputs,
            "other number of output rows than the kernel was made for"
        );
        assert!(rates.len() >= Self::batches(scored, self.outputs), "too few rates");
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain::Plain;
    use super::super::vector::{Vector, sigmoid};
    use super::*;
    use crate::math::random::Stream;

    /// A matrix of `rows` rows with `dims` random numbers each and zeros beyond.
    fn matrix(item: u64, rows: usize, dims: usize, groups: usize) -> Vec<Lanes> {
        let mut stream = Stream::new(11, "window test", item);
        let mut matrix = vec![Lanes::ZERO; rows * groups];
        for row in matrix.chunks_mut(groups) {
            for at in 0..dims {
                row[at / LANES].0[at % LANES] = stream.unit_f32() - 0.5;
            }
        }
        matrix
    }

    fn number(matrix: &[Lanes], groups: usize, row: u32, at: usize) -> f64 {
        f64::from(matrix[row as usize * groups + at / LANES].0[at % LANES])
    }

    struct Case {
        dims: usize,
        groups: usize,
        inputs: Vec<u32>,
        outputs: Vec<u32>,
        rates: Vec<Lanes>,
    }

    fn case(dims: usize, inputs: usize, outputs: usize) -> Case {
        let mut stream = Stream::new(5, "window rates", (dims * inputs * outputs) as u64);
        let batches = WindowKernel::batches(inputs, outputs);
        Case {
            dims,
            groups: dims.div_ceil(LANES),
            inputs: (0..inputs as u32).map(|row| 2 * row + 1).collect(),
            outputs: (0..outputs as u32).rev().collect(),
            rates: (0..batches).map(|_| Lanes(std::array::from_fn(|_| stream.unit_f32() * 0.1))).collect(),
        }
    }

    fn trained(case: &Case, width: Width, bag: bool) -> (Vec<Lanes>, Vec<Lanes>) {
        let Case { dims, groups, inputs, outputs, rates } = case;
        let mut kernel = WindowKernel::new(width, *groups, inputs.len(), outputs.len());
        let mut x = matrix(1, 2 * inputs.len() + 1, *dims, *groups);
        let mut y = matrix(2, outputs.len(), *dims, *groups);
        for _ in 0..2 {
            let mut rows = Rows { matrix: &mut x, indices: inputs };
            let mut columns = Rows { matrix: &mut y, indices: outputs };
            if bag {
                kernel.bag_of_words(&mut rows, &mut columns, rates);
            } else {
                kernel.skip_gram(&mut rows, &mut columns, rates);
            }
        }
        (x, y)
    }

    /// The two matrices after two windows, by the formula.
    fn naive(case: &Case, bag: bool) -> (Vec<f64>, Vec<f64>) {
        let Case { dims, groups, inputs, outputs, rates } = case;
        let wide =
            |matrix: &[Lanes]| matrix.iter().flat_map(|group| group.0.map(f64::from)).collect::<Vec<_>>();
        let mut x = wide(&matrix(1, 2 * inputs.len() + 1, *dims, *groups));
        let mut y = wide(&matrix(2, outputs.len(), *dims, *groups));
        let len = groups * LANES;
        for _ in 0..2 {
            let row = |matrix: &[f64], index: u32| matrix[index as usize * len..][..len].to_vec();
            let old: Vec<_> = inputs.iter().map(|&index| row(&x, index)).collect();
            let old_outputs: Vec<_> = outputs.iter().map(|&index| row(&y, index)).collect();
            let scored = if bag {
                vec![
                    (0..len)
                        .map(|at| old.iter().map(|row| row[at]).sum::<f64>() / old.len() as f64)
                        .collect(),
                ]
            } else {
                old
            };
            for (i, input) in scored.iter().enumerate() {
                for (j, output) in old_outputs.iter().enumerate() {
                    let dot: f64 = input.iter().zip(output).map(|(a, b): (&f64, &f64)| a * b).sum();
                    let pair = i * outputs.len() + j;
                    let rate = f64::from(rates[pair / LANES].0[pair % LANES]);
                    let gradient = rate * (f64::from(u8::from(j == 0)) - 1.0 / (1.0 + (-dot).exp()));
                    let corrected = if bag { &inputs[..] } else { &inputs[i..=i] };
                    for at in 0..len {
                        y[outputs[j] as usize * len + at] += gradient * input[at];
                        for &index in corrected {
                            x[index as usize * len + at] += gradient * output[at];
                        }
                    }
                }
            }
        }
        (x, y)
    }

    const SHAPES: [(usize, usize, usize); 8] = [
        (100, 10, 6),
        (100, 1, 6),
        (16, 3, 2),
        (7, 5, 1),
        (33, 4, 4),
        (300, 7, 11),
        (128, 20, 16),
        (48, 9, 21),
    ];

    #[test]
    fn every_width_gives_the_same_bits() {
        for (dims, inputs, outputs) in SHAPES {
            let case = case(dims, inputs, outputs);
            for bag in [false, true] {
                let widths = Width::available();
                let expected = trained(&case, widths[0], bag);
                for width in widths {
                    assert!(trained(&case, width, bag) == expected, "{width:?} {dims} {inputs} {outputs}");
                }
            }
        }
    }

    #[test]
    fn window_follows_the_formula() {
        for (dims, inputs, outputs) in SHAPES {
            let case = case(dims, inputs, outputs);
            for bag in [false, true] {
                let (x, y) = trained(&case, Width::detect(), bag);
                let (naive_x, naive_y) = naive(&case, bag);
                for (matrix, naive) in [(x, naive_x), (y, naive_y)] {
                    for (at, &value) in naive.iter().enumerate() {
                        let number = f64::from(matrix[at / LANES].0[at % LANES]);
                        assert!(
                            (number - value).abs() < 2e-6,
                            "{dims} {inputs} {outputs} {bag}: {number} {value}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn labels_of_each_output_are_followed() {
        let case = case(20, 3, 5);
        let labels = [0.0, 1.0, 1.0, 0.0, 1.0];
        let expected: Vec<Vec<Lanes>> = Width::available()
            .into_iter()
            .map(|width| {
                let mut kernel = WindowKernel::new(width, case.groups, 4, 9);
                let mut x = matrix(1, 7, case.dims, case.groups);
                let mut y = matrix(2, 5, case.dims, case.groups);
                let (old_x, old_y) = (x.clone(), y.clone());
                kernel.set_labels(&labels);
                let mut rows = Rows { matrix: &mut x, indices: &case.inputs };
                kernel.skip_gram(
                    &mut rows,
                    &mut Rows { matrix: &mut y, indices: &case.outputs },
                    &case.rates,
                );
                for (i, &input) in case.inputs.iter().enumerate() {
                    let mut row: Vec<f64> =
                        (0..case.dims).map(|at| number(&old_x, case.groups, input, at)).collect();
                    let before = row.clone();
                    for (j, &output) in case.outputs.iter().enumerate() {
                        let y = |at| number(&old_y, case.groups, output, at);
                        let dot: f64 = before.iter().enumerate().map(|(at, x)| x * y(at)).sum();
                        let pair = i * 5 + j;
                        let rate = f64::from(case.rates[pair / LANES].0[pair % LANES]);
                        let gradient = rate * (f64::from(labels[j]) - 1.0 / (1.0 + (-dot).exp()));
                        row.iter_mut().enumerate().for_each(|(at, x)| *x += gradient * y(at));
                    }
                    for (at, value) in row.iter().enumerate() {
                        assert!((number(&x, case.groups, input, at) - value).abs() < 1e-6);
                    }
                }
                x.extend(y);
                x
            })
            .collect();
        assert!(expected.iter().all(|result| *result == expected[0]));
    }

    #[test]
    fn padding_stays_zero() {
        let case = case(7, 5, 3);
        let (x, _) = trained(&case, Width::detect(), false);
        assert!((7..16).all(|at| number(&x, 1, 1, at) == 0.0));
        assert!(number(&x, 1, 1, 6) != 0.0);
    }

    #[test]
    fn sigmoid_is_accurate_and_bounded() {
        for step in -1_400..=1_400_i16 {
            let x = f32::from(step) * 0.05;
            // SAFETY: the plain form asks for no instruction, and the pointer is to 16 numbers.
            let value = unsafe {
                let mut lanes = [0.0_f32; LANES];
                sigmoid(Plain::splat(x)).store(lanes.as_mut_ptr());
                lanes[3]
            };
            let exact = 1.0 / (1.0 + (-f64::from(x).clamp(-60.0, 60.0)).exp());
            assert!((f64::from(value) - exact).abs() <= 1.2e-7, "{x}: {value} {exact}");
            assert!(value > 0.0 && value <= 1.0);
        }
    }

    #[test]
    #[should_panic(expected = "row outside")]
    fn rows_are_checked() {
        let mut kernel = WindowKernel::new(Width::detect(), 1, 2, 2);
        let mut matrix = vec![Lanes::ZERO; 2];
        let mut outputs = vec![Lanes::ZERO; 2];
        let mut rows = Rows { matrix: &mut matrix, indices: &[0, 2] };
        let mut columns = Rows { matrix: &mut outputs, indices: &[0, 1] };
        kernel.skip_gram(&mut rows, &mut columns, &[Lanes::ZERO]);
    }
}
