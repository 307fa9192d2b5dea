//! Times filters on request, for the comparison with the peers and for the planner's constants.
//!
//! ```text
//! cargo bench --bench convolution              the planner's choice beside all ways, on a grid of sizes: its regret
//! cargo bench --bench convolution -- f64       the same in double precision
//! cargo bench --bench convolution -- serve     a case a line on standard input, its milliseconds on standard output
//! ```
//!
//! Cases: `2d-KxK-f32` (dense random taps on 1080 x 1920), `2d-gaussian-SIGMA-f32`, `2d-box-K-f32`, `2d-median-K-f32`,
//! `2d-sobel-f32`, `1d-N-f32` (random taps on 9.6 million samples); `f64` likewise.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use wordwave::convolution::nonlinear::Median;
use wordwave::convolution::{
    Border, Filter1d, Filter2d, Kernel1d, Kernel2d, Mode, Options, Sample, Scratch, Way,
};
use wordwave::math::random::Stream;

const IMAGE: (usize, usize) = (1080, 1920);
const SIGNAL: usize = 9_600_000;

fn random(len: usize, purpose: &str) -> Vec<f64> {
    let mut stream = Stream::new(1, purpose, len as u64);
    (0..len).map(|_| stream.unit_f64() - 0.5).collect()
}

fn samples<T: Sample>(len: usize) -> Vec<T> {
    random(len, "samples").into_iter().filter_map(T::from_f64).collect()
}

fn milliseconds(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

/// A filter that is ready, with its input and room for its output.
fn ready<T: Sample>(case: &str) -> Option<Box<dyn FnMut() -> f64>> {
    let mut parts = case.split('-');
    let (dimensions, what) = (parts.next()?, parts.next()?);
    let size = || case.split('-').nth(2).and_then(|text| text.parse::<f64>().ok());
    if dimensions == "1d" {
        let taps = random(what.parse().ok()?, "taps");
        let shape = Some((1, SIGNAL));
        let options = Options { shape, ..Options::default() };
        let filter =
            Filter1d::<T>::with_options(&Kernel1d::new(taps).ok()?, Border::Constant, options).ok()?;
        let input = samples::<T>(SIGNAL);
        let (mut output, mut scratch) = (Vec::new(), Scratch::new());
        return Some(Box::new(move || milliseconds(|| filter.apply(&input, &mut output, &mut scratch))));
    }
    if what == "median" {
        let median = Median::new(size()? as usize).ok()?;
        let input = samples::<T>(IMAGE.0 * IMAGE.1);
        let (mut output, mut scratch) = (Vec::new(), Scratch::new());
        return Some(Box::new(move || {
            milliseconds(|| median.apply(&input, IMAGE, Border::Mirror, &mut output, &mut scratch))
        }));
    }
    let kernel = match what {
        "gaussian" => Kernel2d::gaussian(size()?).ok()?,
        "box" => Kernel2d::boxcar(size()? as usize).ok()?,
        "sobel" => Kernel2d::sobel(0.0).ok()?,
        square => {
            let side: usize = square.split('x').next()?.parse().ok()?;
            Kernel2d::new(side, side, random(side * side, "taps")).ok()?
        }
    };
    let options = Options { shape: Some(IMAGE), ..Options::default() };
    let filter = Filter2d::<T>::with_options(&kernel, Border::Mirror, options).ok()?;
    let input = samples::<T>(IMAGE.0 * IMAGE.1);
    let (mut output, mut scratch) = (Vec::new(), Scratch::new());
    Some(Box::new(move || milliseconds(|| filter.apply(&input, IMAGE.0, IMAGE.1, &mut output, &mut scratch))))
}

fn serve() {
    let mut cases: HashMap<String, Box<dyn FnMut() -> f64>> = HashMap::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let case = line.trim().to_owned();
        if !cases.contains_key(&case) {
            cases.clear();
            let made = if case.ends_with("f64") { ready::<f64>(&case) } else { ready::<f32>(&case) };
            cases.insert(case.clone(), made.unwrap_or_else(|| panic!("{case}: no such case")));
        }
        let took = cases.get_mut(&case).map_or(0.0, |run| run());
        println!("{took}");
        std::io::stdout().flush().unwrap();
    }
}

/// The median of several runs after one to warm up.
fn median(mut run: impl FnMut() -> f64) -> f64 {
    run();
    let mut times: Vec<f64> = (0..5).map(|_| run()).collect();
    times.sort_by(f64::total_cmp);
    times[2]
}

/// What each way takes beside what was predicted, and how much longer the chosen one took than the fastest.
fn regret<T: Sample>() {
    println!("shape taps regret chosen best way:measured_ms/predicted_ms ..");
    for (rows, cols) in [(64, 64), (80, 400), (300, 300), (1080, 1920)] {
        for side in [3, 5, 7, 9, 11, 13, 15, 21, 31, 63] {
            grid::<T>(&Kernel2d::new(side, side, random(side * side, "taps")).unwrap(), rows, cols);
        }
        grid::<T>(&Kernel2d::gaussian(2.0).unwrap(), rows, cols);
        grid::<T>(&Kernel2d::boxcar(15).unwrap(), rows, cols);
    }
    for len in [1_000, 16_000, 160_000, 1_000_000, 9_600_000] {
        for taps in [3, 16, 33, 64, 101, 200, 401, 1025, 4001, 16_001, 160_000] {
            if taps <= len {
                grid::<T>(&Kernel2d::new(1, taps, random(taps, "taps")).unwrap(), 1, len);
            }
        }
    }
}

fn grid<T: Sample>(kernel: &Kernel2d, rows: usize, cols: usize) {
    let input = samples::<T>(rows * cols);
    let filter = |way| {
        let options = Options { way, shape: Some((rows, cols)), mode: Mode::Same, ..Options::default() };
        Filter2d::<T>::with_options(kernel, Border::Mirror, options).ok()
    };
    let time = |filter: &Filter2d<T>| {
        let (mut output, mut scratch) = (Vec::new(), Scratch::new());
        // Short work is repeated until the clock can tell it.
        let times = (2_000_000 / (rows * cols)).clamp(1, 200);
        let run = || {
            let work =
                || (0..times).for_each(|_| filter.apply(&input, rows, cols, &mut output, &mut scratch));
            milliseconds(work) / times as f64
        };
        median(run)
    };
    let Some(planned) = filter(None) else { return };
    let mut found: Vec<(Way, f64, f64)> = Vec::new();
    for estimate in &planned.choice().considered {
        let way = estimate.way;
        // The direct way of the longest kernels takes minutes and is never the best.
        if way == Way::Direct && kernel.taps().len() * rows * cols > 5_000_000_000 {
            continue;
        }
        let Some(asked) = filter(Some(way)) else { continue };
        found.push((way, time(&asked), estimate.nanoseconds / 1e6));
    }
    let of = |way| found.iter().find(|(other, ..)| *other == way).map_or(f64::INFINITY, |(_, took, _)| *took);
    let Some(&(best, least, _)) = found.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    let (height, across) = kernel.shape();
    let chosen = planned.way();
    print!("{rows}x{cols} {height}x{across} {:.3} {chosen} {best}", of(chosen) / least - 1.0);
    for (way, took, predicted) in &found {
        print!(" {way}:{took:.4}/{predicted:.4}");
    }
    println!();
}

fn main() {
    if std::env::args().any(|argument| argument == "serve") {
        serve();
    } else if std::env::args().any(|argument| argument == "f64") {
        regret::<f64>();
    } else {
        regret::<f32>();
    }
}
