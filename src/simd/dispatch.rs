//! Work that is compiled once for every width.

use super::register::{Number, Register};
use super::{Instructions, Width};

/// Something to do with registers.
///
/// # Safety
///
/// `run` may be called only where the instructions of `V` exist; its other promises are those of the implementing type,
/// which is only made after its pointers and lengths are checked.
pub(super) trait Work<T: Number> {
    /// What it leaves.
    type Output;
    /// Does it; always inlined, so that it is compiled for the instructions of the caller.
    unsafe fn run<V: Register<Number = T>>(self) -> Self::Output;
}

/// Does the work in the form of this width.
pub(super) fn dispatch<T: Number, W: Work<T>>(width: Width, work: W) -> W::Output {
    // SAFETY: `Width` is only made where the processor has the instructions.
    unsafe {
        match width.0 {
            Instructions::Plain => work.run::<T::Plain>(),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(work),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(work),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => work.run::<T::Neon>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Number, W: Work<T>>(work: W) -> W::Output {
    align_stack();
    // SAFETY: the instructions are enabled here.
    unsafe { work.run::<T::Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512<T: Number, W: Work<T>>(work: W) -> W::Output {
    align_stack();
    // SAFETY: the instructions are enabled here.
    unsafe { work.run::<T::Avx512>() }
}

/// Makes the caller's frame begin at a cache line: only where a local asks for that does LLVM align the places to which registers
/// are spilled, and every second one lies across two lines otherwise.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn align_stack() {
    #[repr(align(64))]
    struct Line(std::mem::MaybeUninit<[u8; 64]>);
    let line = Line(std::mem::MaybeUninit::uninit());
    std::hint::black_box(&line.0);
}
