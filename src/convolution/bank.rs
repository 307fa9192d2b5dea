//! Many kernels over one input: a Gabor bank, the two halves of a complex kernel, the derivatives of an image.

use super::border::Border;
use super::kernel::{Kernel2d, KernelError};
use super::plan::Plan;
use super::planner::Choice;
use super::sample::Sample;
use super::way::{Options, Scratch, Way};

/// Kernels made ready to run over the same inputs. Those of one shape that go through the transform share it: each tile of
/// the input is read and transformed once for all of them.
///
/// ```
/// use wordwave::convolution::{Bank, Border, Kernel2d, Options, Scratch};
/// let edges = [Kernel2d::sobel(0.0)?, Kernel2d::sobel(90.0)?];
/// let bank = Bank::<f32>::new(&edges, Border::Nearest, Options::default())?;
/// let mut outputs = Vec::new();
/// bank.apply(&[0.0, 0.0, 1.0, 1.0], 1, 4, &mut outputs, &mut Scratch::new());
/// assert_eq!(outputs, [vec![0.0, 4.0, 4.0, 0.0], vec![0.0; 4]]);
/// # Ok::<(), wordwave::convolution::KernelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bank<T> {
    plans: Vec<Plan<T>>,
    border: Border,
}

impl<T: Sample> Bank<T> {
    /// A filter for each kernel. Fails where a kernel cannot go the way that the options name.
    pub fn new(kernels: &[Kernel2d], border: Border, options: Options) -> Result<Self, KernelError> {
        let mut plans: Vec<Plan<T>> =
            kernels.iter().map(|kernel| Plan::new(kernel, options)).collect::<Result<_, _>>()?;
        // A transform that is shared costs each kernel half: where one goes that way, the others of its shape do too.
        if let Some(first) = plans.iter().find(|plan| plan.way() == Way::Transform) {
            let shape = first.choice().taps;
            let shared = Options { way: Some(Way::Transform), ..options };
            for (plan, kernel) in plans.iter_mut().zip(kernels) {
                if plan.choice().taps == shape && options.way.is_none() {
                    *plan = Plan::new(kernel, shared)?;
                }
            }
        }
        Ok(Self { plans, border })
    }

    /// Fills an output for each kernel, row by row; an empty image gives empty outputs.
    ///
    /// # Panics
    /// Where `input` is not `rows * cols` samples long.
    pub fn apply(
        &self,
        input: &[T],
        rows: usize,
        cols: usize,
        outputs: &mut Vec<Vec<T>>,
        scratch: &mut Scratch<T>,
    ) {
        assert_eq!(input.len(), rows * cols, "an image of {rows} x {cols}");
        outputs.resize_with(self.plans.len(), Vec::new);
        if Plan::run_together(&self.plans, input, (rows, cols), self.border, outputs, scratch) {
            return;
        }
        for (plan, output) in self.plans.iter().zip(outputs) {
            plan.run(input, (rows, cols), self.border, output, scratch);
        }
    }

    /// For each kernel how an image of `rows` by `cols` goes, and what was chosen for the usual one.
    pub fn plans(&self, rows: usize, cols: usize) -> impl Iterator<Item = (Option<Choice>, &Choice)> {
        self.plans.iter().map(move |plan| (plan.predict(rows, cols), plan.choice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::Filter2d;

    #[test]
    fn a_bank_gives_what_its_kernels_give() {
        let kernel = |seed: usize| {
            let taps = (0..17 * 19).map(|i| libm::sin((i * 31 + seed) as f64));
            Kernel2d::new(17, 19, taps.collect()).unwrap()
        };
        let kernels = [kernel(1), kernel(2), kernel(3)];
        let mut input: Vec<f64> = (0..150 * 333).map(|i| libm::sin(f64::from(i) * 12.9)).collect();
        for wild in [0.0, f64::NAN] {
            input[7000] = wild;
            for way in [None, Some(Way::Transform), Some(Way::Direct)] {
                let options = Options { way, ..Options::default() };
                let bank = Bank::new(&kernels, Border::Reflect, options).unwrap();
                let mut outputs = Vec::new();
                bank.apply(&input, 150, 333, &mut outputs, &mut Scratch::new());
                for (kernel, output) in kernels.iter().zip(&outputs) {
                    let mut alone = Vec::new();
                    let filter = Filter2d::with_options(kernel, Border::Reflect, options).unwrap();
                    filter.apply(&input, 150, 333, &mut alone, &mut Scratch::new());
                    let same = |a: f64, b: f64| (a - b).abs() < 1e-9 || a.is_nan() && b.is_nan();
                    assert!(output.iter().zip(&alone).all(|(&a, &b)| same(a, b)), "{way:?}");
                }
            }
        }
    }
}
