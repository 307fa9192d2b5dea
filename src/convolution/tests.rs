//! Every way, border and mode against the definition, on shapes drawn at random.

use proptest::prelude::*;

use super::*;

/// The position of what stands at `index` of `n` samples, by walking there one sample at a time.
fn walk(n: usize, index: isize, border: Border) -> Option<usize> {
    let n = n as isize;
    let (mut i, mut step) = (0, index.signum());
    for _ in 0..index.abs() {
        let next = i + step;
        let outside = next < 0 || next >= n;
        i = match border {
            _ if !outside => next,
            Border::Constant => return None,
            Border::Nearest => i,
            Border::Wrap => next.rem_euclid(n),
            Border::Reflect => {
                step = -step;
                i
            }
            Border::Mirror if n == 1 => i,
            Border::Mirror => {
                step = -step;
                i + step
            }
        };
    }
    Some(i as usize)
}

/// A sample of an image continued by its border.
fn at(image: &[f64], cols: usize, (r, c): (isize, isize), border: Border) -> f64 {
    let (row, col) = (walk(image.len() / cols, r, border), walk(cols, c, border));
    row.zip(col).map_or(0.0, |(r, c)| image[r * cols + c])
}

/// The definition, output by output.
fn naive(kernel: &Kernel2d, image: &[f64], cols: usize, border: Border, options: Options) -> Vec<f64> {
    let (height, width) = kernel.shape();
    let rows = image.len() / cols;
    let (a, b) = kernel.centre();
    let flip = options.operation == Operation::Convolution;
    let range = |n: usize, taps: usize, centre: usize| {
        let (n, taps) = (n as isize, taps as isize);
        let centre = if flip { centre as isize } else { taps - 1 - centre as isize };
        match options.mode {
            Mode::Same => 0..n,
            Mode::Full => -centre..n + taps - 1 - centre,
            Mode::Valid => taps - 1 - centre..n - centre,
        }
    };
    let mut output = Vec::new();
    for i in range(rows, height, a) {
        for j in range(cols, width, b) {
            let terms = (0..height * width).map(|t| {
                let (down, right) = ((t / width) as isize - a as isize, (t % width) as isize - b as isize);
                let place = if flip { (i - down, j - right) } else { (i + down, j + right) };
                kernel.taps()[t] * at(image, cols, place, border)
            });
            output.push(terms.sum());
        }
    }
    output
}

fn run(kernel: &Kernel2d, image: &[f64], cols: usize, border: Border, options: Options) -> Vec<f64> {
    let filter = Filter2d::with_options(kernel, border, options).unwrap();
    let (rows, mut output) = (image.len() / cols, vec![7.0; 3]);
    filter.apply(image, rows, cols, &mut output, &mut Scratch::new());
    let (out_rows, out_cols) = filter.output_shape(rows, cols);
    assert_eq!(output.len(), out_rows * out_cols);
    output
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-3_f64, |scale, x| scale.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "output {i}: {a} for {b}");
    }
}

fn values(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.0..1.0, len)
}

fn options() -> impl Strategy<Value = Options> {
    let operation = prop::sample::select(vec![Operation::Convolution, Operation::Correlation]);
    let mode = prop::sample::select(vec![Mode::Full, Mode::Same, Mode::Valid]);
    (operation, mode).prop_map(|(operation, mode)| Options { operation, mode, ..Options::default() })
}

fn border() -> impl Strategy<Value = Border> {
    prop::sample::select(Border::ALL.to_vec())
}

/// A kernel of any shape and centre, and an image that may be smaller.
fn kernel_and_image() -> impl Strategy<Value = (Kernel2d, Vec<f64>, usize)> {
    (1..8_usize, 1..8_usize, 1..12_usize, 1..40_usize).prop_flat_map(|(height, width, rows, cols)| {
        let centre = (0..height, 0..width);
        (values(height * width), centre, values(rows * cols)).prop_map(move |(taps, centre, image)| {
            let kernel = Kernel2d::new(height, width, taps).unwrap().with_centre(centre).unwrap();
            (kernel, image, cols)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_is_the_definition((kernel, image, cols) in kernel_and_image(), border in border(), options in options()) {
        let expected = naive(&kernel, &image, cols, border, options);
        close(&run(&kernel, &image, cols, border, options), &expected, 1e-13);
        for way in [Way::Direct, Way::Transform] {
            close(&run(&kernel, &image, cols, border, Options { way: Some(way), ..options }), &expected, 1e-12);
        }
        let column = Kernel1d::new(kernel.taps()[..kernel.shape().1].to_vec()).unwrap();
        let product = Kernel2d::from_outer(&column, &column).unwrap();
        let separable = Options { way: Some(Way::Separable), ..options };
        close(
            &run(&product, &image, cols, border, separable),
            &naive(&product, &image, cols, border, options),
            1e-12,
        );
    }

    #[test]
    fn boxes_are_the_definition_by_running_sums(
        (height, width) in (1..20_usize, 1..40_usize), (image, cols) in (1..30_usize, 1..90_usize)
            .prop_flat_map(|(rows, cols)| (values(rows * cols), Just(cols))),
        missing in any::<prop::sample::Index>(), border in border(), options in options(),
    ) {
        let kernel = Kernel2d::new(height, width, vec![0.25; height * width]).unwrap();
        let running = Options { way: Some(Way::Running), ..options };
        let found = run(&kernel, &image, cols, border, running);
        close(&found, &naive(&kernel, &image, cols, border, options), 1e-13);
        // A NaN is in the sums that hold it and in no other; the others keep their bits.
        let mut wild = image.clone();
        wild[missing.index(image.len())] = f64::NAN;
        let expected = naive(&kernel, &wild, cols, border, options);
        for ((a, b), before) in run(&kernel, &wild, cols, border, running).iter().zip(expected).zip(found) {
            prop_assert!(a.is_nan() == b.is_nan() && (a.is_nan() || *a == before));
        }
    }

    #[test]
    fn a_stride_keeps_what_is_there_without_it(
        (kernel, image, cols) in kernel_and_image(), border in border(), options in options(),
        stride in (1..5_usize, 1..5_usize),
    ) {
        for way in [None, Some(Way::Direct), Some(Way::Transform)] {
            let all = run(&kernel, &image, cols, border, Options { way, ..options });
            let found = run(&kernel, &image, cols, border, Options { way, stride, ..options });
            let width = Filter2d::<f64>::with_options(&kernel, border, options).unwrap();
            let width = width.output_shape(image.len() / cols, cols).1.max(1);
            let kept = all.chunks(width).step_by(stride.0).flat_map(|row| row.iter().step_by(stride.1).copied());
            close(&found, &kept.collect::<Vec<_>>(), 1e-12);
        }
    }

    #[test]
    fn what_is_shifted_comes_out_shifted((kernel, image, cols) in kernel_and_image(), by in 0..40_usize) {
        let by = by % image.len();
        let turned = |image: &[f64]| {
            // Round the end of each row, as the border has it.
            let mut image = image.to_vec();
            image.chunks_exact_mut(cols).for_each(|row| row.rotate_left(by % cols));
            image
        };
        let filtered = |x: &[f64]| run(&kernel, x, cols, Border::Wrap, Options::default());
        close(&filtered(&turned(&image)), &turned(&filtered(&image)), 1e-13);
    }

    #[test]
    fn filters_are_linear((kernel, image, cols) in kernel_and_image(), border in border(), scale in -3.0..3.0) {
        let other: Vec<f64> = image.iter().rev().copied().collect();
        let sum: Vec<f64> = image.iter().zip(&other).map(|(a, b)| scale * a + b).collect();
        let filtered = |x: &[f64]| run(&kernel, x, cols, border, Options::default());
        let expected: Vec<f64> =
            filtered(&image).iter().zip(filtered(&other)).map(|(a, b)| scale * a + b).collect();
        close(&filtered(&sum), &expected, 1e-13);
    }

    #[test]
    fn long_kernels_on_signals_are_the_definition(
        taps in (1..150_usize).prop_flat_map(values), signal in (1..200_usize).prop_flat_map(values),
        border in border(), options in options(),
    ) {
        let kernel = Kernel1d::new(taps).unwrap();
        let expected = naive(&kernel.clone().into_row(), &signal, signal.len(), border, options);
        let mut scratch = Scratch::new();
        let mut output = Vec::new();
        for way in [None, Some(Way::Direct), Some(Way::Transform)] {
            let filter = Filter1d::with_options(&kernel, border, Options { way, ..options }).unwrap();
            filter.apply(&signal, &mut output, &mut scratch);
            close(&output, &expected, 1e-12);
            prop_assert_eq!(output.len(), filter.output_len(signal.len()));
        }
    }
}

#[test]
fn the_worked_example() {
    let image =
        [9., 4., 1., 2., 2., 1., 1., 1., 0., 4., 1., 2., 1., 0., 6., 1., 0., 0., 2., 2., 9., 6., 7., 4., 4.];
    let kernel = Kernel2d::new(3, 3, vec![0., 2., 1., 4., 1., 0., 1., 0., 1.]).unwrap();
    let valid =
        Options { operation: Operation::Correlation, mode: Mode::Valid, way: None, ..Options::default() };
    let output = run(&kernel, &image, 5, Border::Reflect, valid);
    assert_eq!((output.len(), output[0]), (9, 16.0));
}

#[test]
fn an_impulse_gives_the_taps_at_the_centre() {
    for (taps, centre) in [(4, 2), (5, 2), (5, 0), (100, 50), (100, 99)] {
        let kernel: Vec<f64> = (1..=taps).map(f64::from).collect();
        let kernel = Kernel1d::new(kernel).unwrap().with_centre(centre).unwrap();
        let mut impulse = [0.0; 301];
        impulse[150] = 1.0;
        let mut output = Vec::new();
        Filter1d::new(&kernel, Border::Constant).apply(&impulse, &mut output, &mut Scratch::new());
        close(&output[150 - centre..][..taps as usize], kernel.taps(), 1e-13);
        assert!(output[..150 - centre].iter().all(|x| x.abs() < 1e-11));
    }
}

/// The choice for a kernel without any structure.
fn choice_for_noise(rows: usize, cols: usize, shape: (usize, usize)) -> Way {
    let taps = (0..rows * cols).map(|i| libm::sin((i * i) as f64)).collect();
    let options = Options { shape: Some(shape), ..Options::default() };
    let kernel = Kernel2d::new(rows, cols, taps).unwrap();
    Filter2d::<f32>::with_options(&kernel, Border::Reflect, options).unwrap().way()
}

#[test]
fn the_plan_chooses_by_kernel_and_shape() {
    let large = (1080, 1920);
    assert_eq!([3, 7, 41].map(|k| choice_for_noise(k, k, large)), [Way::Direct, Way::Direct, Way::Transform]);
    assert_eq!([3, 2000].map(|k| choice_for_noise(1, k, (1, 1 << 20))), [Way::Direct, Way::Transform]);
    assert_eq!(choice_for_noise(41, 41, (5, 5)), Way::Direct);
    let plane = |kernel: Kernel2d| Filter2d::<f32>::new(&kernel, Border::Reflect);
    assert_eq!(plane(Kernel2d::gaussian(3.0).unwrap()).way(), Way::Separable);
    assert_eq!(plane(Kernel2d::boxcar(101).unwrap()).way(), Way::Running);
    assert_eq!(Filter1d::<f32>::new(&Kernel1d::boxcar(1001).unwrap(), Border::Wrap).way(), Way::Running);
}

#[test]
fn a_choice_says_what_it_knows() {
    let filter = Filter2d::<f32>::new(&Kernel2d::gaussian(2.0).unwrap(), Border::Reflect);
    let choice = filter.choice();
    assert_eq!((choice.taps, choice.outputs, choice.asked), ((17, 17), (1024, 1024), false));
    assert_eq!((choice.chosen.way, choice.chosen.products), (Way::Separable, 1));
    assert!(choice.considered.is_sorted_by_key(|estimate| estimate.nanoseconds));
    assert_eq!(choice.considered.len(), 3);
    let line = choice.to_string();
    assert!(line.starts_with("17 x 17 taps, 1024 x 1024 outputs, ") && line.contains("separable"), "{line}");
    let small = filter.predict(2, 3).unwrap();
    assert!(small.chosen.nanoseconds < choice.chosen.nanoseconds && small.outputs == (2, 3));
}

#[test]
fn a_way_that_a_kernel_cannot_go_is_refused() {
    let with = |way| Options { way: Some(way), ..Options::default() };
    let line = Kernel1d::derivative();
    let way = Way::Separable;
    let error = Filter1d::<f64>::with_options(&line, Border::Wrap, with(way)).unwrap_err();
    assert_eq!(error, KernelError::Way { way: way.name() });
    let full = Kernel2d::laplacian();
    assert!(Filter2d::<f64>::with_options(&full, Border::Wrap, with(Way::Separable)).is_err());
}

#[test]
fn empty_inputs_give_empty_outputs() {
    for border in Border::ALL {
        let mut output = vec![1.0_f32];
        Filter1d::new(&Kernel1d::boxcar(99).unwrap(), border).apply(&[], &mut output, &mut Scratch::new());
        assert!(output.is_empty());
        for (rows, cols) in [(0, 0), (0, 5), (5, 0)] {
            output = vec![1.0];
            let filter = Filter2d::new(&Kernel2d::gaussian(1.0).unwrap(), border);
            filter.apply(&[], rows, cols, &mut output, &mut Scratch::new());
            assert!(output.is_empty());
        }
    }
}

#[test]
fn what_is_not_finite_reaches_the_same_outputs_by_every_way() {
    let kernel = Kernel2d::gaussian(2.0).unwrap();
    let mut image = vec![0.5; 90 * 120];
    image[40 * 120 + 60] = f64::NAN;
    image[41 * 120 + 62] = f64::NEG_INFINITY;
    let with = |way| {
        let options = Options { way: Some(way), ..Options::default() };
        run(&kernel, &image, 120, Border::Mirror, options).iter().map(|x| x.is_finite()).collect::<Vec<_>>()
    };
    let direct = with(Way::Direct);
    assert_eq!(direct.iter().filter(|finite| !**finite).count(), 17 * 17 + 17 + 2 * 16);
    assert_eq!(direct, with(Way::Separable));
    assert_eq!(direct, with(Way::Transform));
}

#[test]
fn single_precision_ways_agree_to_a_hundred_thousandth() {
    let signal: Vec<f32> = (0..20_000).map(|i| libm::sinf((i * i % 9973) as f32)).collect();
    for taps in [33, 301, 3001] {
        let kernel = Kernel1d::lowpass(1000.0, 8000.0, taps).unwrap();
        let with = |way| {
            let options = Options { way: Some(way), ..Options::default() };
            let mut output = Vec::new();
            let filter = Filter1d::<f32>::with_options(&kernel, Border::Reflect, options).unwrap();
            filter.apply(&signal, &mut output, &mut Scratch::new());
            output.into_iter().map(f64::from).collect::<Vec<_>>()
        };
        close(&with(Way::Transform), &with(Way::Direct), 1e-5);
    }
}

#[test]
fn a_scratch_may_be_shared_by_filters_and_sizes() {
    let mut scratch = Scratch::new();
    let mut output = Vec::new();
    for round in 0..2 {
        for (sigma, len) in [(0.5, 10), (30.0, 4000), (2.0, 3)] {
            let signal: Vec<f64> = (0..len).map(|i| f64::from(i % 7)).collect();
            let filter = Filter1d::new(&Kernel1d::gaussian(sigma).unwrap(), Border::Wrap);
            filter.apply(&signal, &mut output, &mut scratch);
            let mut fresh = Vec::new();
            filter.apply(&signal, &mut fresh, &mut Scratch::new());
            assert_eq!(output, fresh, "round {round}, sigma {sigma}");
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let (rows, cols) = (700, 900);
    let image: Vec<f32> = (0..rows * cols).map(|i| libm::sinf((i * i % 9973) as f32)).collect();
    let noise = Kernel2d::new(9, 9, (0..81).map(|i| libm::sin(f64::from(i * i))).collect()).unwrap();
    let (blob, flat) = (Kernel2d::gaussian(3.0).unwrap(), Kernel2d::boxcar(21).unwrap());
    for (kernel, way) in
        [(&noise, Way::Direct), (&noise, Way::Transform), (&blob, Way::Separable), (&flat, Way::Running)]
    {
        let with = |threads| {
            let options = Options { way: Some(way), threads, ..Options::default() };
            let filter = Filter2d::<f32>::with_options(kernel, Border::Mirror, options).unwrap();
            let mut output = Vec::new();
            filter.apply(&image, rows, cols, &mut output, &mut Scratch::new());
            output
        };
        let one = with(1);
        assert!([2, 3, 7].into_iter().all(|threads| with(threads) == one), "{way}");
    }
    let names = ["median", "bilateral", "closing"];
    for (name, size) in names.into_iter().zip([5, 5, 7]) {
        let range = (name == "bilateral").then_some(0.5);
        let spec =
            KernelSpec { name: Some(name.to_owned()), size: Some(size), range, ..KernelSpec::default() };
        let filter = spec.build_2d::<f32>().unwrap();
        let with = |threads| {
            let mut output = Vec::new();
            filter.apply(&image, rows, cols, &mut output, &mut Scratch::with_threads(threads));
            output
        };
        let one = with(1);
        assert!([2, 3, 7].into_iter().all(|threads| with(threads) == one), "{name}");
    }
}

#[test]
fn the_smallest_numbers_are_not_lost() {
    let kernel = Kernel1d::new(vec![0.5, 1.0, 0.5]).unwrap();
    let tiny = f64::from_bits(8);
    let signal: Vec<f64> = (0..100).map(|i| if i % 7 == 0 { tiny } else { 0.0 }).collect();
    let mut output = Vec::new();
    for way in [Way::Direct, Way::Running, Way::Transform] {
        let kernel = if way == Way::Running { Kernel1d::new(vec![1.0; 3]).unwrap() } else { kernel.clone() };
        let options = Options { way: Some(way), ..Options::default() };
        let filter = Filter1d::<f64>::with_options(&kernel, Border::Constant, options).unwrap();
        filter.apply(&signal, &mut output, &mut Scratch::new());
        let side = if way == Way::Running { tiny } else { f64::from_bits(4) };
        // A transform rounds within a block.
        let close = |a: f64, b: f64| a == b || way == Way::Transform && (a - b).abs() <= tiny;
        assert!(
            close(output[7], tiny)
                && close(output[6], side)
                && close(output[8], side)
                && close(output[10], 0.0),
            "{way}"
        );
    }
}
