//! Which relations come first: by significance and size, and the few that say different things.

use std::collections::BTreeMap;

use super::data::Relation;
use super::feature;

/// The strongest relations that differ in what they say: by size of Spearman's correlation, significant ones
/// first; no feature stands in more than two, and the columns of one family (`mel_01_mean`, `mel_02_mean`, …)
/// count as one feature.
#[must_use]
pub fn strongest_relations(relations: &[Relation], limit: usize) -> Vec<&Relation> {
    let mut used: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for relation in by_strength(relations) {
        if chosen.len() == limit {
            break;
        }
        let text = (true, feature::family_name(&relation.text_feature));
        let sound = (false, feature::family_name(&relation.audio_feature));
        if used.get(&text).is_some_and(|&n| n > 1) || used.get(&sound).is_some_and(|&n| n > 1) {
            continue;
        }
        *used.entry(text).or_default() += 1;
        *used.entry(sound).or_default() += 1;
        chosen.push(relation);
    }
    chosen
}

/// Relations that have a correlation, significant ones first, then by its size, then by name.
pub(super) fn by_strength(relations: &[Relation]) -> Vec<&Relation> {
    let mut sorted: Vec<&Relation> = relations.iter().filter(|relation| relation.rho().is_some()).collect();
    let size = |relation: &Relation| relation.rho().map_or(0.0, f64::abs);
    sorted.sort_by(|a, b| {
        b.is_significant()
            .cmp(&a.is_significant())
            .then(size(b).total_cmp(&size(a)))
            .then_with(|| (&a.text_feature, &a.audio_feature).cmp(&(&b.text_feature, &b.audio_feature)))
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(text: &str, sound: &str, rho: f64, q: f64) -> Relation {
        Relation {
            text_feature: text.into(),
            audio_feature: sound.into(),
            spearman: Some(rho),
            q: Some(q),
            ..Relation::default()
        }
    }

    #[test]
    fn strongest_are_significant_first_and_differ() {
        let all = [
            relation("tokens", "zcr_mean", 0.99, 0.4),
            relation("tokens", "mel_01_mean", -0.9, 0.01),
            relation("tokens", "mel_02_mean", 0.8, 0.01),
            relation("chars", "mel_03_mean", 0.7, 0.01),
            relation("chars", "seconds", 0.6, 0.01),
            relation("ttr", "seconds", f64::NAN, 0.01),
        ];
        let names: Vec<&str> =
            strongest_relations(&all, 6).iter().map(|relation| relation.audio_feature.as_str()).collect();
        assert_eq!(names, ["mel_01_mean", "mel_02_mean", "seconds"]);
    }
}
