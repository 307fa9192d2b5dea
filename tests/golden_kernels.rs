//! Filters by name against `SciPy`, scikit-image and OpenCV: `tests/golden/kernels.json`, where `definitions` says how
//! each value was made.

use serde_json::Value;
use wordwave::convolution::analytic::analytic;
use wordwave::convolution::kernels::sinc::Pass;
use wordwave::convolution::recursive::{Cascade, Recursive, Section, a_weighting};
use wordwave::convolution::{Border, Kernel1d, Kernel2d, KernelSpec, Scratch, SignalFilter};

use crate::golden_file::{Within, check, count, golden, list, number, numbers, rows, text};

const FILE: &str = "kernels.json";
const EXACT: Within = Within::Absolute(0.0);
const ROUNDING: Within = Within::Absolute(1e-14);

/// The signals of the file, x[i] = ((37 i + 11) mod 101) / 101 - 0.5.
fn sequence(len: usize) -> Vec<f64> {
    (0..len).map(|i| ((37 * i + 11) % 101) as f64 / 101.0 - 0.5).collect()
}

fn spec(name: &str) -> KernelSpec {
    KernelSpec { name: Some(name.to_owned()), ..KernelSpec::default() }
}

#[test]
fn kaiser_designs_are_kaiserord_and_firwin() {
    for case in list(&golden(FILE)["kaiser"]) {
        let (name, hz) = (text(&case["kind"]), numbers(&case["hz"]));
        let pass = match name {
            "lowpass" => Pass::Low(hz[0]),
            "highpass" => Pass::High(hz[0]),
            "bandpass" => Pass::Band([hz[0], hz[1]]),
            _ => Pass::Outside([hz[0], hz[1]]),
        };
        let kernel =
            Kernel1d::kaiser(pass, 16_000.0, number(&case["db"]), number(&case["transition_hz"])).unwrap();
        check(&format!("kaiser {name}"), kernel.taps(), &numbers(&case["taps"]), ROUNDING);
    }
}

#[test]
fn savitzky_golay_is_scipys_with_every_border() {
    let file = golden(FILE);
    for case in list(&file["savgol"]) {
        let [size, order, derivative] = ["size", "order", "derivative"].map(|key| count(&case[key]));
        let kernel = Kernel1d::savitzky_golay(size, order, derivative).unwrap();
        check(
            &format!("savgol {size} {order} {derivative}"),
            kernel.taps(),
            &numbers(&case["taps"]),
            ROUNDING,
        );
    }
    for (mode, expected) in file["savgol_filter"].as_object().unwrap() {
        let filter = KernelSpec {
            size: Some(7),
            order: Some(3),
            derivative: Some(1),
            border: mode.parse().unwrap(),
            ..spec("savgol")
        };
        let mut found = Vec::new();
        filter.build_1d(1.0).unwrap().apply(&sequence(20), &mut found, &mut Scratch::new());
        check(&format!("savgol_filter {mode}"), &found, &numbers(expected), ROUNDING);
    }
}

#[test]
fn the_analytic_signal_is_scipys() {
    for case in list(&golden(FILE)["hilbert"]) {
        let len = count(&case["len"]);
        let found: Vec<f64> = analytic(&sequence(len)).iter().map(|value| value.im).collect();
        check(&format!("hilbert {len}"), &found, &numbers(&case["imaginary"]), ROUNDING);
    }
}

/// A row of scipy's sos.
fn section(value: &Value) -> Section {
    let [b0, b1, b2, _, a1, a2] = numbers(value)[..] else { panic!("six coefficients") };
    Section { feed_forward: [b0, b1, b2], feed_back: [a1, a2] }
}

#[test]
fn sections_are_the_cookbooks_prototypes_and_butterworths() {
    let file = golden(FILE);
    for case in list(&file["biquads"]).iter().chain(list(&file["butterworth"])) {
        let name = text(&case["name"]);
        let gains = ["peaking", "low_shelf", "high_shelf"].contains(&name);
        let filter = KernelSpec {
            hz: vec![number(&case["hz"])],
            q: case.get("q").map(number),
            gain_db: gains.then(|| number(&case["gain_db"])),
            ..spec(name)
        };
        let SignalFilter::Recursive(filter) = filter.build_1d::<f64>(16_000.0).unwrap() else {
            panic!("{name}")
        };
        let (found, expected) = (filter.cascade().sections()[0], section(&case["sos"]));
        check(name, &found.feed_forward, &expected.feed_forward, Within::Absolute(1e-12));
        check(name, &found.feed_back, &expected.feed_back, Within::Absolute(1e-12));
    }
}

#[test]
fn cascades_run_as_sosfilt_and_sosfiltfilt() {
    let file = golden(FILE);
    let design = |name, hz, q, gain_db| KernelSpec { hz: vec![hz], q: Some(q), gain_db, ..spec(name) };
    let sections: Vec<Section> =
        [design("biquad_lowpass", 1000.0, 0.7, None), design("peaking", 3000.0, 2.0, Some(6.0))]
            .iter()
            .map(|spec| match spec.build_1d::<f64>(16_000.0).unwrap() {
                SignalFilter::Recursive(filter) => filter.cascade().sections()[0],
                SignalFilter::Taps(_) => panic!("a section"),
            })
            .collect();
    let run = |border, zero_phase, len| {
        let mut found = Vec::new();
        let filter = Recursive::new(Cascade::new(sections.clone()), border, zero_phase);
        filter.apply(&sequence(len), &mut found, &mut Scratch::new());
        found
    };
    check("sosfilt", &run(Border::Constant, false, 60), &numbers(&file["sosfilt"]), ROUNDING);
    for (mode, expected) in file["sosfiltfilt"].as_object().unwrap() {
        let found: Vec<f64> = run(mode.parse().unwrap(), true, 400).into_iter().step_by(7).collect();
        check(&format!("sosfiltfilt {mode}"), &found, &numbers(expected), Within::Absolute(1e-9));
    }
}

#[test]
fn a_weighting_is_the_bilinear_transform_of_its_poles() {
    for case in list(&golden(FILE)["a_weighting"]) {
        let rate = number(&case["sample_rate"]);
        let cascade = a_weighting(rate).unwrap();
        let angles = numbers(&case["hz"]).into_iter().map(|hz| 2.0 * std::f64::consts::PI * hz / rate);
        let found: Vec<f64> = angles.map(|angle| 20.0 * cascade.response(angle).norm().log10()).collect();
        check(&format!("A-weighting at {rate} Hz"), &found, &numbers(&case["db"]), Within::Absolute(1e-9));
    }
}

#[test]
fn gabor_kernels_are_scikit_images() {
    for case in list(&golden(FILE)["gabor"]) {
        let [sigma, wavelength, angle] = ["sigma", "wavelength", "angle"].map(|key| number(&case[key]));
        let real = Kernel2d::gabor(sigma, wavelength, angle, 7).unwrap();
        let imaginary = Kernel2d::gabor_imaginary(sigma, wavelength, angle, 7).unwrap();
        check("gabor, real", real.taps(), &numbers(&case["real"]), ROUNDING);
        check("gabor, imaginary", imaginary.taps(), &numbers(&case["imaginary"]), ROUNDING);
    }
}

/// The filter that the file's name describes: `erosion size 3`, `opening disc 5`.
fn named(name: &str, border: Border) -> KernelSpec {
    let words: Vec<&str> = name.split(' ').collect();
    let mut spec = KernelSpec { border, ..spec(words[0]) };
    match (words[1], words[2]) {
        ("sigma", sigma) => spec.sigma = Some(sigma.parse().unwrap()),
        (word, size) => {
            spec.size = Some(size.parse().unwrap());
            spec.footprint = (word == "disc").then(|| word.to_owned());
        }
    }
    if words[0] == "bilateral" {
        (spec.sigma, spec.range) = (Some(1.5), Some(0.3));
    }
    spec
}

#[test]
fn filters_of_images_are_those_of_scipy_and_opencv() {
    let file = golden(FILE);
    let image = rows(&file["images"]["image"]);
    let (height, width, samples) = (image.len(), image[0].len(), image.concat());
    let run = |spec: &KernelSpec| {
        let mut found = Vec::new();
        spec.build_2d().unwrap().apply(&samples, height, width, &mut found, &mut Scratch::new());
        found
    };
    check("scharr", &run(&spec("scharr")), &numbers(&file["images"]["scharr"]), ROUNDING);
    for border in Border::ALL {
        for (name, expected) in file["images"][border.name()].as_object().unwrap() {
            let within = match name.split(' ').next().unwrap() {
                "box" | "laplacian_of_gaussian" => ROUNDING,
                "bilateral" => Within::Absolute(2e-6),
                _ => EXACT,
            };
            check(&format!("{name}, {border}"), &run(&named(name, border)), &numbers(expected), within);
        }
    }
}
