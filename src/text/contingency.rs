//! The two-by-two table that collocations and keyness are judged by.

/// Counts a, b, c, d of two binary properties: both, only the first, only the second, neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contingency {
    /// Both properties.
    pub a: u64,
    /// The first without the second.
    pub b: u64,
    /// The second without the first.
    pub c: u64,
    /// Neither.
    pub d: u64,
}

impl Contingency {
    fn total(self) -> f64 {
        (self.a + self.b + self.c + self.d) as f64
    }

    /// Observed and expected count of each cell; the expected ones are products of the margins over the total.
    fn cells(self) -> [(f64, f64); 4] {
        let n = self.total();
        let [a, b, c, d] = [self.a, self.b, self.c, self.d].map(|count| count as f64);
        let expected = |row: f64, column: f64| row * column / n;
        [
            (a, expected(a + b, a + c)),
            (b, expected(a + b, b + d)),
            (c, expected(c + d, a + c)),
            (d, expected(c + d, b + d)),
        ]
    }

    /// Whether both properties meet no more often than by chance: a ≤ E. In whole numbers, so that equality is exact.
    fn is_repelled(self) -> bool {
        u128::from(self.a) * u128::from(self.d) <= u128::from(self.b) * u128::from(self.c)
    }

    fn signed(self, statistic: f64) -> f64 {
        let size = statistic.max(0.0);
        if self.is_repelled() && size > 0.0 { -size } else { size }
    }

    /// The log-likelihood ratio G², `2·Σ O·ln(O/E)` (Dunning 1993), negative where a ≤ E. Zero for a table without margins.
    #[must_use]
    pub fn g2(self) -> f64 {
        let terms = self.cells().map(|(observed, expected)| {
            if observed > 0.0 && expected > 0.0 { observed * libm::log(observed / expected) } else { 0.0 }
        });
        self.signed(2.0 * terms.iter().sum::<f64>())
    }

    /// Pearson's χ², with Yates' correction where an expected count is under 5 and |ad − bc| ≥ N/2, signed as G². Zero for
    /// a table where a margin is empty.
    #[must_use]
    pub fn chi2(self) -> f64 {
        let n = self.total();
        let [a, b, c, d] = [self.a, self.b, self.c, self.d].map(|count| count as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins == 0.0 {
            return 0.0;
        }
        let mut difference = (a * d - b * c).abs();
        if self.cells().iter().any(|(_, expected)| *expected < 5.0) && difference >= n / 2.0 {
            difference -= n / 2.0;
        }
        self.signed(n * difference * difference / margins)
    }

    /// The log odds ratio over its standard error: λ and z of Blaheta and Johnson (2001, "Unsupervised learning of multi-word
    /// verbs") for a pair, 0.5 added to every count, as `textstat_collocations` of quanteda has them. Asymptotically standard
    /// normal where both properties are independent.
    #[must_use]
    pub fn z(self) -> f64 {
        let [a, b, c, d] = [self.a, self.b, self.c, self.d].map(|count| count as f64 + 0.5);
        let lambda = libm::log(a) - libm::log(b) - libm::log(c) + libm::log(d);
        lambda / (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt()
    }
}

/// The probability of a value as large as `statistic`, or larger, under χ² with one degree of freedom; the sign of the
/// statistic is its direction and counts for nothing.
#[must_use]
pub fn chi2_p(statistic: f64) -> f64 {
    libm::erfc((statistic.abs() / 2.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(a: u64, b: u64, c: u64, d: u64) -> Contingency {
        Contingency { a, b, c, d }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} {expected}");
    }

    #[test]
    fn values_of_scipy() {
        // scipy.stats.chi2_contingency(table, correction, lambda_=None or "log-likelihood")
        close(table(10, 20, 30, 140).g2(), G2_EXAMPLE);
        close(table(10, 20, 30, 140).chi2(), CHI2_EXAMPLE);
        close(table(1, 40, 10, 50).g2(), G2_NEGATIVE);
        close(table(1, 40, 10, 50).chi2(), CHI2_YATES);
        close(chi2_p(3.841_458_820_694_124), 0.05);
        close(chi2_p(-6.634_896_601_021_213), 0.01);
    }

    const G2_EXAMPLE: f64 = 3.530_371_950_831_879_6;
    const CHI2_EXAMPLE: f64 = 3.921_568_627_450_980_2;
    const G2_NEGATIVE: f64 = -6.065_009_536_327_651_5;
    const CHI2_YATES: f64 = -3.720_015_295_228_71;

    #[test]
    fn z_is_the_log_odds_over_its_error() {
        // ln(10.5·140.5/(20.5·30.5)) over sqrt(1/10.5 + 1/20.5 + 1/30.5 + 1/140.5)
        let lambda = (10.5 * 140.5 / (20.5 * 30.5_f64)).ln();
        close(
            table(10, 20, 30, 140).z(),
            lambda / (1.0 / 10.5 + 1.0 / 20.5 + 1.0 / 30.5 + 1.0 / 140.5_f64).sqrt(),
        );
        close(table(1, 40, 10, 50).z(), -table(40, 1, 50, 10).z());
        close(table(7, 7, 7, 7).z(), 0.0);
    }

    #[test]
    fn independence_and_empty_margins_are_zero() {
        for table in [table(10, 20, 30, 60), table(0, 0, 0, 0), table(5, 0, 0, 0), table(0, 7, 0, 9)] {
            assert!(table.g2().abs() < 1e-12 && table.chi2() == 0.0, "{table:?}");
        }
        assert_eq!(chi2_p(0.0), 1.0);
    }
}
