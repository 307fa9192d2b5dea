//! Short complex transforms on registers: the steps of [`super::fourier`].

use super::register::{Number, Register};

/// Complex numbers side by side.
#[derive(Clone, Copy)]
pub(super) struct Complex<V>(pub(super) V, pub(super) V);

// SAFETY of the blocks: the caller's promise that the instructions exist is that of the operations; pointers are good
// for a register where the caller says so.

impl<V: Register> Complex<V> {
    #[inline(always)]
    pub(super) unsafe fn load(re: *const V::Number, im: *const V::Number) -> Self {
        unsafe { Self(V::load(re), V::load(im)) }
    }

    #[inline(always)]
    pub(super) unsafe fn store(self, re: *mut V::Number, im: *mut V::Number) {
        unsafe {
            self.0.store(re);
            self.1.store(im);
        }
    }

    /// The same factor for all, from its real and imaginary part.
    #[inline(always)]
    pub(super) unsafe fn splat(parts: *const V::Number) -> Self {
        unsafe { Self(V::splat(*parts), V::splat(*parts.add(1))) }
    }

    #[inline(always)]
    pub(super) unsafe fn times(self, other: Self) -> Self {
        unsafe {
            let re = self.0.fused_less(other.0, self.1.mul(other.1));
            Self(re, self.0.fused(other.1, self.1.mul(other.0)))
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(self.0.add(other.0), self.1.add(other.1)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(self.0.sub(other.0), self.1.sub(other.1)) }
    }

    /// `self - i other`.
    #[inline(always)]
    unsafe fn turned(self, other: Self) -> Self {
        unsafe { Self(self.0.add(other.1), self.1.sub(other.0)) }
    }

    /// `self + i other`.
    #[inline(always)]
    unsafe fn turned_back(self, other: Self) -> Self {
        unsafe { Self(self.0.sub(other.1), self.1.add(other.0)) }
    }

    /// `self + scale * other` and `self - scale * other`.
    #[inline(always)]
    unsafe fn both(self, other: Self, scale: V) -> [Self; 2] {
        unsafe {
            [
                Self(other.0.fused(scale, self.0), other.1.fused(scale, self.1)),
                Self(other.0.less_fused(scale, self.0), other.1.less_fused(scale, self.1)),
            ]
        }
    }
}

/// Three numbers to their three frequencies.
#[inline(always)]
pub(super) unsafe fn three<V: Register>(a: [Complex<V>; 3]) -> [Complex<V>; 3] {
    unsafe {
        let (half, sine) = (V::splat(V::Number::nearest(0.5)), V::splat(V::Number::nearest(0.75_f64.sqrt())));
        let (sum, difference) = (a[1].add(a[2]), a[1].sub(a[2]));
        let middle = Complex(sum.0.less_fused(half, a[0].0), sum.1.less_fused(half, a[0].1));
        // -i sine (a1 - a2) added and taken away.
        let turned = Complex(difference.1, V::splat(V::Number::default()).sub(difference.0));
        let [first, second] = middle.both(turned, sine);
        [a[0].add(sum), first, second]
    }
}

/// Four numbers to their four frequencies.
#[inline(always)]
pub(super) unsafe fn four<V: Register>(a: [Complex<V>; 4]) -> [Complex<V>; 4] {
    unsafe {
        let (b, c) = (a[0].add(a[2]), a[0].sub(a[2]));
        let (d, e) = (a[1].add(a[3]), a[1].sub(a[3]));
        [b.add(d), c.turned(e), b.sub(d), c.turned_back(e)]
    }
}

/// Eight numbers to their eight frequencies.
#[inline(always)]
pub(super) unsafe fn eight<V: Register>(a: [Complex<V>; 8]) -> [Complex<V>; 8] {
    unsafe {
        let scale = V::splat(V::Number::nearest(std::f64::consts::FRAC_1_SQRT_2));
        let e = four([a[0], a[2], a[4], a[6]]);
        let o = four([a[1], a[3], a[5], a[7]]);
        // (1 - i) / sqrt 2 and (-1 - i) / sqrt 2 times the odd ones, their scale left to `both`.
        let first = Complex(o[1].0.add(o[1].1), o[1].1.sub(o[1].0));
        let third = Complex(o[3].1.sub(o[3].0), V::splat(V::Number::default()).sub(o[3].0).sub(o[3].1));
        let [y1, y5] = e[1].both(first, scale);
        let [y3, y7] = e[3].both(third, scale);
        [e[0].add(o[0]), y1, e[2].turned(o[2]), y3, e[0].sub(o[0]), y5, e[2].turned_back(o[2]), y7]
    }
}
