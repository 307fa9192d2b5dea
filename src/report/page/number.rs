//! Numbers as a person reads them: thousands separated, two or three digits that matter, a true minus sign.

/// What stands where there is no number.
pub(super) const ABSENT: &str = "–";

/// `2904` as `2,904`.
pub(super) fn count(n: u64) -> String {
    separate(&n.to_string())
}

/// Commas into the whole part of a plain decimal number.
fn separate(plain: &str) -> String {
    let (sign, unsigned) = plain.strip_prefix('-').map_or(("", plain), |rest| ("\u{2212}", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A number with `digits` that matter; whole parts are never rounded away, very large and very small ones get
/// a power of ten.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return ABSENT.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let precision = digits.max(1) - 1;
    let scientific = format!("{value:.precision$e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..7).contains(&exponent) {
        let decimals = usize::try_from(precision as i32 - exponent).unwrap_or(0);
        return decimal(value, decimals);
    }
    format!("{}×10{}", mantissa.replace('-', "\u{2212}"), superscript(exponent))
}

fn superscript(exponent: i32) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(u32::from('⁰') + digit.to_digit(10).unwrap_or(0)).unwrap_or('⁰'),
    };
    exponent.to_string().chars().map(raised).collect()
}

/// A number with a fixed count of decimals and no negative zero.
pub(super) fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return ABSENT.to_owned();
    }
    let plain = format!("{value:.decimals$}");
    let is_zero = plain.chars().all(|c| matches!(c, '-' | '0' | '.'));
    separate(if is_zero { plain.trim_start_matches('-') } else { &plain })
}

/// A correlation, with its sign: `+0.43`.
pub(super) fn correlation(value: f64) -> String {
    let text = decimal(value, 2);
    let has_sign = text.starts_with(['\u{2212}', '–']) || text == "0.00";
    if has_sign { text } else { format!("+{text}") }
}

/// A probability with two digits that matter.
pub(super) fn probability(value: f64) -> String {
    match value {
        tiny if tiny < 1e-4 => "< 0.0001".to_owned(),
        sure if sure > 0.995 => "1.0".to_owned(),
        other => significant(other, 2),
    }
}

/// A probability after its letter: `p = 0.012`, `p < 0.0001`.
pub(super) fn probability_of(letter: char, value: Option<f64>) -> String {
    let shown = optional(value, probability);
    if shown.starts_with('<') { format!("{letter} {shown}") } else { format!("{letter} = {shown}") }
}

/// A number that may be absent, shown by `shown`.
pub(super) fn optional(value: Option<f64>, shown: impl Fn(f64) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| ABSENT.to_owned(), shown)
}

/// Seconds as a duration: `4.2 s`, `2 min 45 s`, `3 h 12 min`.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return ABSENT.to_owned();
    }
    if seconds < 59.95 {
        return format!("{} s", decimal(seconds, usize::from(seconds < 9.95)));
    }
    let whole = seconds.round() as u64;
    let (minutes, hours) = (whole / 60, whole / 3600);
    if hours == 0 {
        return join_units(minutes, "min", whole % 60, "s");
    }
    if hours < 100 {
        return join_units(hours, "h", (whole / 60) % 60, "min");
    }
    format!("{} h", count(hours))
}

fn join_units(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        return format!("{} {large_unit}", count(large));
    }
    format!("{} {large_unit} {small} {small_unit}", count(large))
}

/// `1 document`, `32 documents`.
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A text for display: control characters become their picture, marks that turn the direction of writing around
/// are replaced, and what is longer than `limit` ends in `…`.
pub(super) fn clean(text: &str, limit: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(limit)
        .map(|c| match u32::from(c) {
            code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
            0x7f..=0x9f | 0x202a..=0x202e | 0x2066..=0x2069 => '\u{fffd}',
            _ => c,
        })
        .collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(significant(1234.5, 3), "1,234");
        assert_eq!(significant(-0.012_34, 3), "\u{2212}0.0123");
        assert_eq!(significant(0.000_012, 2), "1.2×10⁻⁵");
        assert_eq!(significant(9.999, 3), "10.0");
        assert_eq!(significant(f64::NAN, 3), ABSENT);
        assert_eq!(correlation(0.431), "+0.43");
        assert_eq!(correlation(-0.001), "0.00");
        assert_eq!(correlation(-0.97), "\u{2212}0.97");
        assert_eq!(probability(1.0), "1.0");
        assert_eq!(probability(0.001), "0.0010");
        assert_eq!(probability_of('q', Some(1e-9)), "q < 0.0001");
    }

    #[test]
    fn durations_choose_their_unit() {
        assert_eq!(duration(4.23), "4.2 s");
        assert_eq!(duration(59.97), "1 min");
        assert_eq!(duration(165.2), "2 min 45 s");
        assert_eq!(duration(11_520.0), "3 h 12 min");
        assert_eq!(duration(3_600_000.0), "1,000 h");
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(clean("a\nb\0", 9), "a␊b␀");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("gpj.\u{202e}exe", 9), "gpj.\u{fffd}exe");
    }
}
