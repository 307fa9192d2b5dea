//! Heat maps of correlations: a table whose cells are coloured, so that it reads with eyes, keyboard and screen
//! reader alike. Numbered columns (mel bands, cepstral coefficients) get a narrow map for each family.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::data::Relation;
use super::{feature, number};
use crate::math::linkage::{distances_of_rows, leaf_order};
use crate::math::matrix::Matrix;

/// Steps of colour on each side of zero; the style sheet has a class for each.
const STEPS: f64 = 10.0;
/// Text features that a map shows at most, and sound features of the main map and of all narrow maps.
const ROWS_SHOWN: usize = 40;
const COLUMNS_SHOWN: usize = 60;
const NARROW_COLUMNS_SHOWN: usize = 240;

/// A map: the columns of one family, or all that have none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map<'a> {
    /// Family as [`feature::family`] names it; empty for the main map.
    pub family: String,
    pub columns: Vec<&'a str>,
}

/// The relations laid out: which rows, which maps, how far the colours reach.
#[derive(Debug)]
pub(super) struct HeatMaps<'a> {
    pub rows: Vec<&'a str>,
    pub main: Map<'a>,
    pub narrow: Vec<Map<'a>>,
    /// Correlation at the ends of the colour scale.
    pub reach: f64,
    /// Features left out for room.
    pub left_out: usize,
    cells: BTreeMap<(&'a str, &'a str), &'a Relation>,
}

impl<'a> HeatMaps<'a> {
    /// Lays out relations so that features with like correlations stand side by side; the columns of a family stay in their order.
    pub fn of(relations: &'a [Relation]) -> Self {
        let mut maps = Self {
            rows: Vec::new(),
            main: Map { family: String::new(), columns: Vec::new() },
            narrow: Vec::new(),
            reach: reach(relations),
            left_out: 0,
            cells: BTreeMap::new(),
        };
        let (mut rows, mut columns) = (BTreeSet::new(), BTreeSet::new());
        for relation in relations {
            let (row, column) = (relation.text_feature.as_str(), relation.audio_feature.as_str());
            maps.cells.insert((row, column), relation);
            if rows.insert(row) {
                maps.rows.push(row);
            }
            if columns.insert(column) {
                maps.add_column(column);
            }
        }
        maps.join_small_families();
        maps.keep_to_limits();
        maps.order_by_likeness();
        maps
    }

    /// Rows by their correlations with the main map's columns (or all, where it has none), and its columns by theirs with the rows.
    fn order_by_likeness(&mut self) {
        let columns: Vec<&str> = if self.main.columns.is_empty() {
            self.narrow.iter().flat_map(|map| map.columns.iter().copied()).collect()
        } else {
            self.main.columns.clone()
        };
        let rows = self.rows.iter();
        let by_row: Vec<Vec<f64>> =
            rows.map(|row| columns.iter().map(|column| self.rho(row, column)).collect()).collect();
        let columns = self.main.columns.iter();
        let by_column: Vec<Vec<f64>> =
            columns.map(|column| self.rows.iter().map(|row| self.rho(row, column)).collect()).collect();
        self.rows = in_order(&self.rows, &by_row);
        self.main.columns = in_order(&self.main.columns, &by_column);
    }

    /// A correlation; 0 where there is none.
    fn rho(&self, row: &str, column: &str) -> f64 {
        self.cells.get(&(row, column)).and_then(|relation| relation.rho()).unwrap_or(0.0)
    }

    /// The largest correlation of a column, of whichever sign.
    fn strength(&self, column: &str) -> f64 {
        self.rows.iter().map(|row| self.rho(row, column).abs()).fold(0.0, f64::max)
    }

    fn add_column(&mut self, column: &'a str) {
        let Some((family, _)) = feature::family(column) else {
            self.main.columns.push(column);
            return;
        };
        match self.narrow.iter_mut().find(|map| map.family == family) {
            Some(map) => map.columns.push(column),
            None => self.narrow.push(Map { family, columns: vec![column] }),
        }
    }

    /// A family of up to three is no family: its columns go to the main map.
    fn join_small_families(&mut self) {
        let (small, large) =
            std::mem::take(&mut self.narrow).into_iter().partition(|map| map.columns.len() < 4);
        self.narrow = large;
        let small: Vec<Map<'_>> = small;
        self.main.columns.extend(small.into_iter().flat_map(|map| map.columns));
    }

    fn keep_to_limits(&mut self) {
        let mut room = NARROW_COLUMNS_SHOWN;
        self.left_out = self.rows.len().saturating_sub(ROWS_SHOWN)
            + self.main.columns.len().saturating_sub(COLUMNS_SHOWN);
        self.rows.truncate(ROWS_SHOWN);
        let mut strongest: Vec<(f64, &str)> =
            self.main.columns.iter().map(|column| (self.strength(column), *column)).collect();
        strongest.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        self.main.columns = strongest.into_iter().take(COLUMNS_SHOWN).map(|(_, column)| column).collect();
        for map in &mut self.narrow {
            self.left_out += map.columns.len().saturating_sub(room);
            map.columns.truncate(room);
            room -= map.columns.len();
        }
        self.narrow.retain(|map| !map.columns.is_empty());
    }

    /// One map as a table.
    pub fn render(&self, map: &Map<'_>, label: &str) -> Markup {
        let is_narrow = !map.family.is_empty();
        html! {
            div.scroll role="region" aria-label=(label) tabindex="0" {
                table.heat.narrow[is_narrow] data-tips {
                    caption.unseen { (label) }
                    thead { tr {
                        td.corner {}
                        @for column in &map.columns { (column_heading(column)) }
                    } }
                    tbody { @for row in &self.rows {
                        tr {
                            th scope="row" title=[feature::meaning(row)] { (number::clean(row, 24)) }
                            @for column in &map.columns { (self.cell(row, column)) }
                        }
                    } }
                }
            }
        }
    }

    fn cell(&self, row: &str, column: &str) -> Markup {
        let Some((relation, rho)) = self.cells.get(&(row, column)).and_then(|r| r.rho().map(|rho| (r, rho)))
        else {
            return html! { td.none title=(format!("{} × {}\nno correlation", number::clean(row, 40), number::clean(column, 40))) { i { "–" } } };
        };
        let class = colour_class(rho, self.reach, relation.is_significant());
        html! { td class=(class) title=(description(relation, rho)) { i { (short(rho)) } } }
    }

    /// The colour scale with its ends.
    pub fn scale(&self) -> Markup {
        let ends = number::decimal(self.reach, 1);
        html! {
            div.scale {
                span { "−" (ends) }
                span.ramp aria-hidden="true" {
                    @for step in (1..=10).rev() { i class=(format!("n{step}")) {} }
                    i.z {}
                    @for step in 1..=10 { i class=(format!("p{step}")) {} }
                }
                span { "+" (ends) }
                span.key { i.s aria-hidden="true" {} "q < 0.05" }
            }
        }
    }
}

/// Names in the order of clusters of their rows of numbers.
fn in_order<'a>(names: &[&'a str], rows: &[Vec<f64>]) -> Vec<&'a str> {
    let order = leaf_order(&distances_of_rows(&Matrix::from_rows(rows)));
    order.into_iter().filter_map(|at| names.get(at).copied()).collect()
}

/// A family's column shows its number, any other its name.
fn column_heading(column: &str) -> Markup {
    let title = feature::meaning_or_name(column);
    html! {
        th scope="col" title=(title) {
            @if let Some((_, number)) = feature::family(column) { (number) }
            @else { span { (number::clean(column, 24)) } }
        }
    }
}

/// The largest correlation, up to the next tenth, at least 0.3.
fn reach(relations: &[Relation]) -> f64 {
    let largest = relations.iter().filter_map(Relation::rho).fold(0.0, |most: f64, rho| most.max(rho.abs()));
    ((largest * 10.0 - 1e-9).ceil() / 10.0).clamp(0.3, 1.0)
}

fn colour_class(rho: f64, reach: f64, significant: bool) -> String {
    let step = (rho.abs() / reach * STEPS).round().min(STEPS) as u32;
    let colour = match step {
        0 => "z".to_owned(),
        step => format!("{}{step}", if rho < 0.0 { 'n' } else { 'p' }),
    };
    if significant { format!("{colour} s") } else { colour }
}

/// `0.43` as `.43`: a cell has room for three characters.
fn short(rho: f64) -> String {
    let text = number::decimal(rho, 2);
    if text.ends_with("1.00") { text.replace("1.00", "1.0") } else { text.replace("0.", ".") }
}

/// Everything about a relation in three lines.
pub(super) fn description(relation: &Relation, rho: f64) -> String {
    let interval = relation.ci_low.zip(relation.ci_high).map_or_else(String::new, |(low, high)| {
        format!(", 95 % interval {} to {}", number::correlation(low), number::correlation(high))
    });
    format!(
        "{} × {}\nρ = {}{interval}\n{}, {}, n = {}",
        number::clean(&relation.text_feature, 40),
        number::clean(&relation.audio_feature, 40),
        number::correlation(rho),
        number::probability_of('p', relation.p),
        number::probability_of('q', relation.q),
        number::count(relation.n),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(text: &str, sound: &str, rho: f64) -> Relation {
        Relation {
            text_feature: text.into(),
            audio_feature: sound.into(),
            n: 32,
            spearman: Some(rho),
            q: Some(if rho.abs() > 0.4 { 0.01 } else { 0.5 }),
            ..Relation::default()
        }
    }

    #[test]
    fn families_stand_apart_and_every_cell_is_there() {
        let columns = ["seconds", "mel_01_mean", "mel_02_mean", "mel_03_mean", "mel_04_mean", "x_1"];
        let all: Vec<Relation> = ["tokens", "chars"]
            .iter()
            .flat_map(|row| columns.iter().map(|column| relation(row, column, 0.45)))
            .collect();
        let maps = HeatMaps::of(&all);
        assert_eq!(maps.rows, ["tokens", "chars"]);
        assert_eq!((maps.main.columns.len(), maps.main.columns.contains(&"x_1")), (2, true));
        assert_eq!(maps.narrow.first().map(|map| map.columns.len()), Some(4));
        let page = maps.render(&maps.main, "map").into_string();
        assert_eq!(page.matches("<td class=\"p9 s\"").count(), 4, "{page}");
        assert!(page.contains("tokens × seconds\nρ = +0.45\np = –, q = 0.010, n = 32"));
    }

    #[test]
    fn like_features_stand_side_by_side() {
        let rho = |row: &str, column: &str| {
            if row.starts_with('a') == column.starts_with('a') { 0.6 } else { -0.2 }
        };
        let all: Vec<Relation> = ["a1", "b1", "a2", "b2"]
            .iter()
            .flat_map(|row| {
                ["b", "ax", "bx", "a"].iter().map(|column| relation(row, column, rho(row, column)))
            })
            .collect();
        let maps = HeatMaps::of(&all);
        let changes = |names: &[&str]| {
            names.windows(2).filter(|two| two[0].as_bytes()[0] != two[1].as_bytes()[0]).count()
        };
        assert_eq!(
            (changes(&maps.rows), changes(&maps.main.columns)),
            (1, 1),
            "{:?} {:?}",
            maps.rows,
            maps.main
        );
    }

    #[test]
    fn colours_reach_from_end_to_end() {
        assert_eq!(colour_class(-1.0, 1.0, false), "n10");
        assert_eq!(colour_class(0.04, 1.0, false), "z");
        assert_eq!(colour_class(0.5, 0.5, true), "p10 s");
        assert_eq!(
            (short(-0.43), short(0.999), short(0.07)),
            ("\u{2212}.43".into(), "1.0".into(), ".07".into())
        );
    }

    #[test]
    fn missing_and_undefined_cells_are_shown_as_such() {
        let all = [relation("a", "b", f64::NAN), relation("c", "d", 0.1)];
        let maps = HeatMaps::of(&all);
        assert_eq!(maps.render(&maps.main, "map").into_string().matches("td class=\"none\"").count(), 3);
    }
}
