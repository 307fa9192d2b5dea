//! The arithmetic of a window ([`super::window`]), written once for every width.

use super::vector::{Vector, sigmoid};
use super::{Instructions, LANES, Width};

/// Rows that are `len` numbers long, by their index in a matrix.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) base: *mut f32,
    pub(super) rows: *const u32,
    pub(super) len: usize,
}

impl Block {
    #[inline(always)]
    unsafe fn row(self, index: usize) -> *mut f32 {
        // SAFETY: `check` saw that the row lies in its matrix, and callers keep `index` below the number of rows.
        unsafe { self.base.add(*self.rows.add(index) as usize * self.len) }
    }

    /// `N` rows from `first` on.
    #[inline(always)]
    unsafe fn rows<const N: usize>(self, first: usize) -> [*mut f32; N] {
        let mut rows = [self.base; N];
        for (index, row) in rows.iter_mut().enumerate() {
            // SAFETY: as for `row`.
            *row = unsafe { self.row(first + index) };
        }
        rows
    }
}

/// A window with its scratch, checked, as the widths see it.
#[derive(Clone, Copy)]
pub(super) struct Task {
    pub(super) inputs: Block,
    /// Where an input's new value is taken from before the first and after other blocks of outputs, and where it ends.
    pub(super) start: Block,
    pub(super) middle: Block,
    pub(super) finish: Block,
    pub(super) outputs: Block,
    pub(super) bag: Option<(Block, usize)>,
    pub(super) count: usize,
    pub(super) columns: usize,
    pub(super) rates: *const f32,
    pub(super) labels: *const f32,
    pub(super) products: *mut f32,
    pub(super) gradients: *mut f32,
}

/// Output rows that are handled together: as many as fit the registers twice.
const COLUMNS: usize = 6;

/// Trains the window in the given width.
pub(super) fn run(width: Width, task: Task) {
    // SAFETY: `Width` is only made where the processor has the instructions, and tasks are only made after `check`.
    unsafe {
        match width.0 {
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => window::<super::plain::Plain>(task),
            Instructions::Plain => window::<super::plain::Plain>(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => window_avx2(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => window_avx512(task),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn window_avx2(task: Task) {
    // SAFETY: the instructions are enabled here and `run` holds the rest.
    unsafe { window::<super::avx2::Avx2>(task) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn window_avx512(task: Task) {
    // SAFETY: the instructions are enabled here and `run` holds the rest.
    unsafe { window::<super::avx512::Avx512>(task) }
}

// SAFETY of the functions below: all indices stay under the counts of the task, whose pointers `check` has vouched for;
// lists of rows may touch the same numbers only through raw pointers, never through references.

#[inline(always)]
unsafe fn window<V: Vector>(task: Task) {
    unsafe {
        if let Some((contexts, count)) = task.bag {
            mean::<V>(contexts, count, task.inputs);
        }
        let mut row = 0;
        while V::BLOCK >= 4 && row + 4 <= task.count {
            products::<V, 4>(task, row);
            row += 4;
        }
        while row + 2 <= task.count {
            products::<V, 2>(task, row);
            row += 2;
        }
        if row < task.count {
            products::<V, 1>(task, row);
        }
        gradients::<V>(task);
        update::<V>(task);
        if let Some((contexts, count)) = task.bag {
            correct::<V>(contexts, count, task.finish);
        }
    }
}

/// The lane-wise products of `I` inputs with all outputs, 16 partial sums a pair.
#[inline(always)]
unsafe fn products<V: Vector, const I: usize>(task: Task, row: usize) {
    unsafe {
        let mut column = 0;
        while column + COLUMNS <= task.columns {
            product_block::<V, I, COLUMNS>(task, row, column);
            column += COLUMNS;
        }
        match task.columns - column {
            5 => product_block::<V, I, 5>(task, row, column),
            4 => product_block::<V, I, 4>(task, row, column),
            3 => product_block::<V, I, 3>(task, row, column),
            2 => product_block::<V, I, 2>(task, row, column),
            1 => product_block::<V, I, 1>(task, row, column),
            _ => {}
        }
    }
}

#[inline(always)]
unsafe fn product_block<V: Vector, const I: usize, const J: usize>(task: Task, row: usize, column: usize) {
    unsafe {
        let inputs: [*mut f32; I] = task.inputs.rows(row);
        let outputs: [*mut f32; J] = task.outputs.rows(column);
        for part in (0..LANES).step_by(V::WIDTH) {
            let mut sums = [[V::splat(0.0); J]; I];
            for at in (part..task.inputs.len).step_by(LANES) {
                let x: [V; I] = load(inputs, at);
                for j in 0..J {
                    let y = V::load(outputs[j].add(at));
                    for i in 0..I {
                        sums[i][j] = x[i].fused(y, sums[i][j]);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                let to = task.products.add(((row + i) * task.columns + column) * LANES + part);
                for (j, &sum) in sums.iter().enumerate() {
                    sum.store(to.add(j * LANES));
                }
            }
        }
    }
}

/// A register from each row, `at` numbers in. Closures would not inherit the instructions of their function.
#[inline(always)]
unsafe fn load<V: Vector, const N: usize>(rows: [*mut f32; N], at: usize) -> [V; N] {
    unsafe {
        let mut registers = [V::splat(0.0); N];
        for (register, row) in registers.iter_mut().zip(rows) {
            *register = V::load(row.add(at));
        }
        registers
    }
}

/// Sums up the products of 16 pairs at a time and turns them into the gradients g.
#[inline(always)]
unsafe fn gradients<V: Vector>(task: Task) {
    unsafe {
        for batch in (0..task.count * task.columns).step_by(LANES) {
            V::fold(task.products.add(batch * LANES), task.gradients.add(batch));
            for at in (batch..batch + LANES).step_by(V::WIDTH) {
                let error = V::load(task.labels.add(at)).sub(sigmoid(V::load(task.gradients.add(at))));
                V::load(task.rates.add(at)).mul(error).store(task.gradients.add(at));
            }
        }
    }
}

/// Adds the gradients to both sides, a block of outputs at a time. An input's sum runs through all outputs in their order
/// whatever the size of the blocks, an output's through all inputs.
#[inline(always)]
unsafe fn update<V: Vector>(task: Task) {
    unsafe {
        let mut column = 0;
        while column < task.columns {
            let taken = COLUMNS.min(task.columns - column);
            let from = if column == 0 { task.start } else { task.middle };
            let to = if column + taken == task.columns { task.finish } else { task.middle };
            match taken {
                6 => update_block::<V, 6>(task, column, from, to),
                5 => update_block::<V, 5>(task, column, from, to),
                4 => update_block::<V, 4>(task, column, from, to),
                3 => update_block::<V, 3>(task, column, from, to),
                2 => update_block::<V, 2>(task, column, from, to),
                _ => update_block::<V, 1>(task, column, from, to),
            }
            column += taken;
        }
    }
}

#[inline(always)]
unsafe fn update_block<V: Vector, const J: usize>(task: Task, column: usize, from: Block, to: Block) {
    unsafe {
        let outputs: [*mut f32; J] = task.outputs.rows(column);
        for at in (0..task.inputs.len).step_by(V::WIDTH) {
            let old: [V; J] = load(outputs, at);
            let mut new = old;
            for row in 0..task.count {
                let x = V::load(task.inputs.row(row).add(at));
                let mut sum = V::load(from.row(row).add(at));
                let gradients = task.gradients.add(row * task.columns + column);
                for j in 0..J {
                    let gradient = V::splat(*gradients.add(j));
                    sum = gradient.fused(old[j], sum);
                    new[j] = gradient.fused(x, new[j]);
                }
                sum.store(to.row(row).add(at));
            }
            for j in 0..J {
                new[j].store(outputs[j].add(at));
            }
        }
    }
}

/// Registers of a row that are summed together.
const REGISTERS: usize = 8;

/// The mean of the context rows, into the first row of `to`.
#[inline(always)]
unsafe fn mean<V: Vector>(contexts: Block, count: usize, to: Block) {
    unsafe {
        let mut at = 0;
        while at < to.len {
            match (to.len - at) / V::WIDTH {
                1 => mean_block::<V, 1>(contexts, count, to, at),
                2 => mean_block::<V, 2>(contexts, count, to, at),
                3 => mean_block::<V, 3>(contexts, count, to, at),
                4 => mean_block::<V, 4>(contexts, count, to, at),
                5 => mean_block::<V, 5>(contexts, count, to, at),
                6 => mean_block::<V, 6>(contexts, count, to, at),
                7 => mean_block::<V, 7>(contexts, count, to, at),
                _ => mean_block::<V, REGISTERS>(contexts, count, to, at),
            }
            at += REGISTERS * V::WIDTH;
        }
    }
}

#[inline(always)]
unsafe fn mean_block<V: Vector, const N: usize>(contexts: Block, count: usize, to: Block, at: usize) {
    unsafe {
        let mut sums = [V::splat(0.0); N];
        for row in 0..count {
            let context = contexts.row(row).add(at);
            for (register, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add(V::load(context.add(register * V::WIDTH)));
            }
        }
        let share = V::splat(1.0 / count as f32);
        for (register, sum) in sums.iter().enumerate() {
            sum.mul(share).store(to.row(0).add(at + register * V::WIDTH));
        }
    }
}

/// Adds the correction to every context row.
#[inline(always)]
unsafe fn correct<V: Vector>(contexts: Block, count: usize, correction: Block) {
    unsafe {
        let correction_row = correction.row(0);
        for row in 0..count {
            let context = contexts.row(row);
            for at in (0..correction.len).step_by(V::WIDTH) {
                V::load(context.add(at)).add(V::load(correction_row.add(at))).store(context.add(at));
            }
        }
    }
}
