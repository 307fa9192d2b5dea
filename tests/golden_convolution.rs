//! Convolution against `SciPy`: `tests/golden/convolution.json`, where `definitions` says how each value was made.

use serde_json::Value;
use wordwave::convolution::{
    Border, Filter1d, Filter2d, ImageFilter, Kernel1d, Kernel2d, KernelSpec, Mode, Operation, Options,
    Sample, Scratch, Way,
};

use crate::golden_file::{Within, check, check_one, count, golden, list, number, numbers, rows, text};

const FILE: &str = "convolution.json";
const EXACT: Within = Within::Absolute(0.0);
/// Sums of up to 129 products of numbers below 1, in whatever order.
const ROUNDING: Within = Within::Absolute(1e-14);
const SINGLE: Within = Within::Absolute(2e-6);

/// An image row by row, and its shape.
struct Image {
    samples: Vec<f64>,
    rows: usize,
    cols: usize,
}

fn image(value: &Value) -> Image {
    let lines = rows(value);
    Image { rows: lines.len(), cols: lines[0].len(), samples: lines.concat() }
}

fn kernel_2d(value: &Value) -> Kernel2d {
    Kernel2d::from_rows(&rows(value)).unwrap()
}

/// The signals of the file, x[i] = ((37 i + 11) mod 101) / 101 - 0.5.
fn sequence(len: usize) -> Vec<f64> {
    (0..len).map(|i| ((37 * i + 11) % 101) as f64 / 101.0 - 0.5).collect()
}

fn run_1d(filter: &Filter1d<f64>, signal: &[f64]) -> Vec<f64> {
    let mut output = Vec::new();
    filter.apply(signal, &mut output, &mut Scratch::new());
    output
}

fn run_2d<T: Sample>(filter: &Filter2d<T>, samples: &[T], (rows, cols): (usize, usize)) -> Vec<T> {
    let mut output = Vec::new();
    filter.apply(samples, rows, cols, &mut output, &mut Scratch::new());
    output
}

fn by(way: Way) -> Options {
    Options { way: Some(way), ..Options::default() }
}

#[test]
fn signals_by_every_border_and_way() {
    let file = golden(FILE);
    let (mut theirs, mut ours) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for case in list(&file["one_d"]) {
        let signal = numbers(&case["signal"]);
        let kernel = Kernel1d::new(numbers(&case["kernel"])).unwrap();
        for border in Border::ALL {
            theirs.extend(numbers(&case["outputs"][border.name()]));
            let filters = [
                Filter1d::new(&kernel, border),
                Filter1d::with_options(&kernel, border, by(Way::Direct)).unwrap(),
                Filter1d::with_options(&kernel, border, by(Way::Transform)).unwrap(),
            ];
            for (ours, filter) in ours.iter_mut().zip(&filters) {
                ours.extend(run_1d(filter, &signal));
            }
        }
    }
    for (way, ours) in ["plan's choice", "direct", "transform"].iter().zip(&ours) {
        check(&format!("convolve1d, {way}"), ours, &theirs, ROUNDING);
    }
}

#[test]
fn the_centre_is_scipys_origin() {
    for case in list(&golden(FILE)["origin"]) {
        let taps = numbers(&case["kernel"]);
        let origin = case["origin"].as_i64().unwrap();
        let centre = (taps.len() / 2).checked_add_signed(origin as isize).unwrap();
        let kernel = Kernel1d::new(taps).unwrap().with_centre(centre).unwrap();
        let filter = Filter1d::new(&kernel, text(&case["mode"]).parse().unwrap());
        let what = format!("convolve1d, origin {origin}");
        check(&what, &run_1d(&filter, &numbers(&case["signal"])), &numbers(&case["output"]), ROUNDING);
    }
}

#[test]
fn images_by_every_border_and_way() {
    let file = golden(FILE);
    let ways = [Way::Direct, Way::Transform, Way::Separable];
    let (mut ours, mut theirs) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
    let (mut single, mut all) = (Vec::new(), Vec::new());
    for case in list(&file["two_d"]) {
        let Image { samples, rows, cols } = image(&case["image"]);
        let kernel = kernel_2d(&case["kernel"]);
        let narrow: Vec<f32> = samples.iter().map(|sample| *sample as f32).collect();
        for border in Border::ALL {
            let expected = numbers(&case["outputs"][border.name()]);
            for (place, way) in ways.into_iter().enumerate() {
                match Filter2d::with_options(&kernel, border, by(way)) {
                    Ok(filter) => {
                        ours[place].extend(run_2d(&filter, &samples, (rows, cols)));
                        theirs[place].extend(&expected);
                    }
                    Err(error) => assert_eq!((way, kernel.separate()), (Way::Separable, None), "{error}"),
                }
            }
            let found = run_2d(&Filter2d::<f32>::new(&kernel, border), &narrow, (rows, cols));
            single.extend(found.into_iter().map(f64::from));
            all.extend(expected);
        }
    }
    for (place, way) in ways.into_iter().enumerate() {
        check(&format!("convolve, {way}"), &ours[place], &theirs[place], ROUNDING);
    }
    check("convolve, f32, plan's choice", &single, &all, SINGLE);
}

/// The filter that the file's name describes: `median_2d size 3`, `sobel axis 0`, `laplace`.
fn named(name: &str, border: Border) -> ImageFilter<f64> {
    let mut words = name.split(' ');
    let kernel = match words.next().unwrap() {
        "gaussian_2d" => "gaussian",
        "median_2d" => "median",
        "laplace" => "laplacian",
        same => same,
    };
    let mut spec = KernelSpec { name: Some(kernel.to_owned()), border, ..KernelSpec::default() };
    match (words.next(), words.next()) {
        (Some("sigma"), Some(sigma)) => spec.sigma = Some(sigma.parse().unwrap()),
        (Some("size"), Some(size)) => spec.size = Some(size.parse().unwrap()),
        // An angle of 90 degrees points down, along axis 0.
        (Some("axis"), Some(axis)) => spec.angle = Some(if axis == "0" { 90.0 } else { 0.0 }),
        (None, None) => {}
        other => panic!("{name}: {other:?}"),
    }
    spec.build_2d().unwrap()
}

#[test]
fn named_filters_are_scipys() {
    let file = golden(FILE);
    let Image { samples, rows, cols } = image(&file["named_2d"]["image"]);
    for border in Border::ALL {
        for (name, expected) in file["named_2d"][border.name()].as_object().unwrap() {
            let within = if name.starts_with("median") { EXACT } else { ROUNDING };
            let mut found = Vec::new();
            named(name, border).apply(&samples, rows, cols, &mut found, &mut Scratch::new());
            check(&format!("{name}, {border}"), &found, &numbers(expected), within);
        }
    }
}

#[test]
fn gaussian_taps_are_scipys() {
    for case in list(&golden(FILE)["gaussian"]) {
        let sigma = number(&case["sigma"]);
        let kernel = Kernel1d::gaussian(sigma).unwrap();
        assert_eq!(kernel.centre(), count(&case["radius"]));
        check(&format!("gaussian {sigma}"), kernel.taps(), &numbers(&case["taps"]), ROUNDING);
    }
}

#[test]
fn windowed_sincs_are_firwin() {
    for case in list(&golden(FILE)["firwin"]) {
        let (hz, size) = (numbers(&case["hz"]), count(&case["numtaps"]));
        let name = text(&case["kind"]);
        let spec = KernelSpec { name: Some(name.to_owned()), hz, size: Some(size), ..KernelSpec::default() };
        let kernel = spec.kernel_1d(16_000.0).unwrap();
        let expected = numbers(&case["first_taps"]);
        let what = format!("firwin {name} {size}");
        assert_eq!(kernel.taps().len(), size);
        check(&what, &kernel.taps()[..expected.len()], &expected, ROUNDING);
        check_one(&format!("{what}, sum"), kernel.taps().iter().sum(), number(&case["sum"]), ROUNDING);
    }
}

/// The worked example of the course, whose first output is 16: a correlation without a border.
#[test]
fn the_worked_example() {
    let file = golden(FILE);
    let Image { samples, rows, cols } = image(&file["valid"]["image"]);
    let kernel = kernel_2d(&file["valid"]["kernel"]);
    for (name, operation, mode, shape) in [
        ("course", Operation::Correlation, Mode::Valid, (3, 3)),
        ("convolution", Operation::Convolution, Mode::Valid, (3, 3)),
        ("full", Operation::Convolution, Mode::Full, (7, 7)),
    ] {
        let options = Options { operation, mode, ..Options::default() };
        let filter = Filter2d::with_options(&kernel, Border::Constant, options).unwrap();
        assert_eq!(filter.output_shape(rows, cols), shape);
        let found = run_2d(&filter, &samples, (rows, cols));
        check(&format!("worked example, {name}"), &found, &numbers(&file["valid"][name]), EXACT);
        assert!(name != "course" || found[0] == 16.0);
    }
}

#[test]
fn a_long_filter_goes_through_the_transform() {
    let file = golden(FILE);
    let kernel = Kernel1d::lowpass(2000.0, 16_000.0, 129).unwrap();
    let border = text(&file["long"]["mode"]).parse().unwrap();
    let filter = Filter1d::new(&kernel, border);
    assert_eq!(filter.way(), Way::Transform);
    let found: Vec<f64> = run_1d(&filter, &sequence(600)).into_iter().step_by(7).collect();
    check("129 taps over 600 samples", &found, &numbers(&file["long"]["every_7th"]), ROUNDING);
}
