//! Short transforms in straight-line code: real ones of 8 to 64 numbers, complex ones of 16, 25 and 32.

use super::butterfly::{Complex, eight, four};
use super::register::{Number, Register};

/// Roots of one as far as the real transforms and those of 16 and 32 ask for: W^k = exp(-2 pi i k / 64).
pub(super) const ROOTS: usize = 64;

// SAFETY of the blocks below: the caller promises the instructions, that numbers are good for the loads, and tables of
// `ROOTS` roots, or of 25 for the transform of 25.

/// Every `stride`-th number.
#[derive(Clone, Copy)]
pub(super) struct Strided<T> {
    pub(super) first: *const T,
    pub(super) stride: usize,
}

impl<T: Number> Strided<T> {
    #[inline(always)]
    unsafe fn load<V: Register<Number = T>>(self, index: usize) -> V {
        unsafe { V::load(self.first.add(index * self.stride)) }
    }

    /// The numbers with even or odd index.
    #[inline(always)]
    unsafe fn half(self, odd: usize) -> Self {
        unsafe { Self { first: self.first.add(odd * self.stride), stride: 2 * self.stride } }
    }
}

#[inline(always)]
unsafe fn negative<V: Register>(x: V) -> V {
    unsafe { V::splat(V::Number::default()).sub(x) }
}

/// The frequencies 0 to 2 of four real numbers. Here and below, the first and the last have no imaginary part, and what
/// stands there is not used.
#[inline(always)]
unsafe fn real_4<V: Register>(x: Strided<V::Number>, _: *const V::Number) -> [Complex<V>; 3] {
    unsafe {
        let (a, b, c, d) = (x.load::<V>(0), x.load::<V>(1), x.load::<V>(2), x.load::<V>(3));
        let (even, odd) = (a.add(c), b.add(d));
        [Complex(even.add(odd), a), Complex(a.sub(c), d.sub(b)), Complex(even.sub(odd), a)]
    }
}

/// The transform of 2n real numbers from those of the even and of the odd ones:
/// X[k] = E[k] + W^k O[k] and X[n - k] = conj(E[k] - W^k O[k]).
macro_rules! real {
    ($name:ident, $half:ident, $bins:literal, $last:literal, $middle:literal, [$($k:literal)*]) => {
        #[inline(always)]
        pub(super) unsafe fn $name<V: Register>(x: Strided<V::Number>, roots: *const V::Number) -> [Complex<V>; $bins] {
            unsafe {
                let even = $half::<V>(x.half(0), roots);
                let odd = $half::<V>(x.half(1), roots);
                let mut all = [even[0]; $bins];
                all[0].0 = even[0].0.add(odd[0].0);
                all[$last].0 = even[0].0.sub(odd[0].0);
                all[$middle] = Complex(even[$middle].0, negative(odd[$middle].0));
                $(
                    let turn = Complex::<V>::splat(roots.add(2 * ($k * ROOTS / (2 * $last))));
                    let turned = odd[$k].times(turn);
                    all[$k] = Complex(even[$k].0.add(turned.0), even[$k].1.add(turned.1));
                    all[$last - $k] = Complex(even[$k].0.sub(turned.0), turned.1.sub(even[$k].1));
                )*
                all
            }
        }
    };
}

real!(real_8, real_4, 5, 4, 2, [1]);
real!(real_16, real_8, 9, 8, 4, [1 2 3]);
real!(real_32, real_16, 17, 16, 8, [1 2 3 4 5 6 7]);
real!(real_64, real_32, 33, 32, 16, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]);

/// Row `$k` of the columns' frequencies, column j turned by W^(j k), and its transform; a turn is `$step` of the roots'.
macro_rules! row {
    ($row:ident($($extra:ident)?), $roots:ident, $step:literal, $k:literal, $first:ident $(, $column:ident $j:literal)*) => {
        $row([$first[$k], $(turned($column[$k], $step * $j * $k, $roots)),*] $(, $extra)?)
    };
}

/// Sixteen numbers to their sixteen frequencies.
#[inline(always)]
pub(super) unsafe fn sixteen<V: Register>(a: [Complex<V>; 16], roots: *const V::Number) -> [Complex<V>; 16] {
    unsafe {
        let c0 = four([a[0], a[4], a[8], a[12]]);
        let c1 = four([a[1], a[5], a[9], a[13]]);
        let c2 = four([a[2], a[6], a[10], a[14]]);
        let c3 = four([a[3], a[7], a[11], a[15]]);
        let r0 = four([c0[0], c1[0], c2[0], c3[0]]);
        let r1 = row!(four(), roots, 4, 1, c0, c1 1, c2 2, c3 3);
        let r2 = row!(four(), roots, 4, 2, c0, c1 1, c2 2, c3 3);
        let r3 = row!(four(), roots, 4, 3, c0, c1 1, c2 2, c3 3);
        [
            r0[0], r1[0], r2[0], r3[0], r0[1], r1[1], r2[1], r3[1], r0[2], r1[2], r2[2], r3[2], r0[3], r1[3],
            r2[3], r3[3],
        ]
    }
}

/// Thirty-two numbers to their thirty-two frequencies.
#[inline(always)]
pub(super) unsafe fn thirty_two<V: Register>(
    a: [Complex<V>; 32],
    roots: *const V::Number,
) -> [Complex<V>; 32] {
    unsafe {
        let c0 = eight([a[0], a[4], a[8], a[12], a[16], a[20], a[24], a[28]]);
        let c1 = eight([a[1], a[5], a[9], a[13], a[17], a[21], a[25], a[29]]);
        let c2 = eight([a[2], a[6], a[10], a[14], a[18], a[22], a[26], a[30]]);
        let c3 = eight([a[3], a[7], a[11], a[15], a[19], a[23], a[27], a[31]]);
        let r0 = four([c0[0], c1[0], c2[0], c3[0]]);
        let r1 = row!(four(), roots, 2, 1, c0, c1 1, c2 2, c3 3);
        let r2 = row!(four(), roots, 2, 2, c0, c1 1, c2 2, c3 3);
        let r3 = row!(four(), roots, 2, 3, c0, c1 1, c2 2, c3 3);
        let r4 = row!(four(), roots, 2, 4, c0, c1 1, c2 2, c3 3);
        let r5 = row!(four(), roots, 2, 5, c0, c1 1, c2 2, c3 3);
        let r6 = row!(four(), roots, 2, 6, c0, c1 1, c2 2, c3 3);
        let r7 = row!(four(), roots, 2, 7, c0, c1 1, c2 2, c3 3);
        [
            r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0], r0[1], r1[1], r2[1], r3[1], r4[1], r5[1],
            r6[1], r7[1], r0[2], r1[2], r2[2], r3[2], r4[2], r5[2], r6[2], r7[2], r0[3], r1[3], r2[3], r3[3],
            r4[3], r5[3], r6[3], r7[3],
        ]
    }
}

/// Twenty-five numbers to their twenty-five frequencies; its roots are those of 25.
#[inline(always)]
pub(super) unsafe fn twenty_five<V: Register>(
    a: [Complex<V>; 25],
    roots: *const V::Number,
) -> [Complex<V>; 25] {
    unsafe {
        let c0 = five([a[0], a[5], a[10], a[15], a[20]], roots);
        let c1 = five([a[1], a[6], a[11], a[16], a[21]], roots);
        let c2 = five([a[2], a[7], a[12], a[17], a[22]], roots);
        let c3 = five([a[3], a[8], a[13], a[18], a[23]], roots);
        let c4 = five([a[4], a[9], a[14], a[19], a[24]], roots);
        let r0 = five([c0[0], c1[0], c2[0], c3[0], c4[0]], roots);
        let r1 = row!(five(roots), roots, 1, 1, c0, c1 1, c2 2, c3 3, c4 4);
        let r2 = row!(five(roots), roots, 1, 2, c0, c1 1, c2 2, c3 3, c4 4);
        let r3 = row!(five(roots), roots, 1, 3, c0, c1 1, c2 2, c3 3, c4 4);
        let r4 = row!(five(roots), roots, 1, 4, c0, c1 1, c2 2, c3 3, c4 4);
        [
            r0[0], r1[0], r2[0], r3[0], r4[0], r0[1], r1[1], r2[1], r3[1], r4[1], r0[2], r1[2], r2[2], r3[2],
            r4[2], r0[3], r1[3], r2[3], r3[3], r4[3], r0[4], r1[4], r2[4], r3[4], r4[4],
        ]
    }
}

/// Five numbers to their five frequencies, by the cosines and sines of a fifth of a turn and of two.
#[inline(always)]
unsafe fn five<V: Register>(a: [Complex<V>; 5], roots: *const V::Number) -> [Complex<V>; 5] {
    unsafe {
        let (one, two) = (Complex::<V>::splat(roots.add(10)), Complex::<V>::splat(roots.add(20)));
        let (p, q) = (sum(a[1], a[4]), sum(a[2], a[3]));
        let (r, s) = (difference(a[1], a[4]), difference(a[2], a[3]));
        // The real parts of the turns are even in k, the imaginary ones, which are negative here, odd.
        let (x, y) = (a[0].0, a[0].1);
        let u = Complex(p.0.fused(one.0, q.0.fused(two.0, x)), p.1.fused(one.0, q.1.fused(two.0, y)));
        let v = Complex(p.0.fused(two.0, q.0.fused(one.0, x)), p.1.fused(two.0, q.1.fused(one.0, y)));
        let w = Complex(r.0.fused(one.1, s.0.mul(two.1)), r.1.fused(one.1, s.1.mul(two.1)));
        let z = Complex(r.0.fused_less(two.1, s.0.mul(one.1)), r.1.fused_less(two.1, s.1.mul(one.1)));
        let first = sum(a[0], sum(p, q));
        // u + i w, v + i z, v - i z, u - i w
        [
            first,
            Complex(u.0.sub(w.1), u.1.add(w.0)),
            Complex(v.0.sub(z.1), v.1.add(z.0)),
            Complex(v.0.add(z.1), v.1.sub(z.0)),
            Complex(u.0.add(w.1), u.1.sub(w.0)),
        ]
    }
}

#[inline(always)]
unsafe fn sum<V: Register>(a: Complex<V>, b: Complex<V>) -> Complex<V> {
    unsafe { Complex(a.0.add(b.0), a.1.add(b.1)) }
}

#[inline(always)]
unsafe fn difference<V: Register>(a: Complex<V>, b: Complex<V>) -> Complex<V> {
    unsafe { Complex(a.0.sub(b.0), a.1.sub(b.1)) }
}

/// x W^k.
#[inline(always)]
unsafe fn turned<V: Register>(x: Complex<V>, k: usize, roots: *const V::Number) -> Complex<V> {
    unsafe { x.times(Complex::splat(roots.add(2 * k))) }
}
