//! Tables: a row header, right-aligned numbers, a container that scrolls by itself. Cells carry the number they
//! show, so that the page's script can sort by it.

use maud::{Markup, html};

use super::number;

/// Longest text that a cell shows.
const CELL_TEXT: usize = 240;

/// A column's heading, and whether it holds numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    numeric: bool,
}

impl Column {
    pub const fn text(title: &'static str) -> Self {
        Self { title, numeric: false }
    }

    pub const fn number(title: &'static str) -> Self {
        Self { title, numeric: true }
    }
}

/// What stands in a cell, and the number it is sorted by.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    shown: Markup,
    key: Option<f64>,
}

impl Cell {
    pub fn text(text: &str) -> Self {
        Self { shown: html! { bdi { (number::clean(text, CELL_TEXT)) } }, key: None }
    }

    /// A name as it stands in files: ids, columns, codes.
    pub fn code(text: &str) -> Self {
        Self { shown: html! { code { bdi { (number::clean(text, CELL_TEXT)) } } }, key: None }
    }

    /// A command to be copied: whole, since a part of it would do something else.
    pub fn command(text: &str) -> Self {
        Self { shown: html! { code { bdi { (number::clean(text, usize::MAX)) } } }, key: None }
    }

    pub fn count(count: u64) -> Self {
        Self { shown: html! { (number::count(count)) }, key: Some(count as f64) }
    }

    pub fn number(value: Option<f64>, shown: impl Fn(f64) -> String) -> Self {
        let value = value.filter(|value| value.is_finite());
        Self { shown: html! { (number::optional(value, shown)) }, key: value }
    }

    /// A number with its interval in small letters.
    pub fn estimate(value: Option<f64>, ends: Option<(f64, f64)>, shown: impl Fn(f64) -> String) -> Self {
        let value = value.filter(|value| value.is_finite());
        let markup = html! {
            (number::optional(value, &shown))
            @if let Some((low, high)) = ends { small.meaning { (shown(low)) " to " (shown(high)) } }
        };
        Self { shown: markup, key: value }
    }

    pub fn markup(shown: Markup) -> Self {
        Self { shown, key: None }
    }

    /// A number as the length of a bar.
    pub fn bar(value: f64, largest: f64) -> Self {
        let percent = if largest > 0.0 { (value / largest * 100.0).clamp(0.0, 100.0) } else { 0.0 };
        let style = format!("width:{percent:.1}%");
        Self { shown: html! { span.bar style=(style) {} }, key: None }
    }
}

/// A table with a name for those who cannot see where it stands.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    pub label: &'a str,
    pub columns: &'a [Column],
    pub rows: Vec<Vec<Cell>>,
}

/// Tables of so many rows get a field to filter them by.
const FILTERED_FROM: usize = 10;

impl Table<'_> {
    pub fn render(&self) -> Markup {
        html! {
            div.scroll role="region" aria-label=(self.label) tabindex="0" {
                table.sortable data-filter[self.rows.len() >= FILTERED_FROM] {
                    caption.unseen { (self.label) }
                    thead { tr {
                        @for column in self.columns {
                            @if column.title.is_empty() { td {} }
                            @else { th scope="col" class=[column.numeric.then_some("num")] { (column.title) } }
                        }
                    } }
                    tbody { @for row in &self.rows { (self.row(row)) } }
                }
            }
        }
    }

    fn row(&self, cells: &[Cell]) -> Markup {
        html! {
            tr {
                @for (at, (cell, column)) in cells.iter().zip(self.columns).enumerate() {
                    @let key = cell.key.map(|key| key.to_string());
                    @let class = if column.numeric { Some("num") } else if column.title.is_empty() { Some("graph") } else { None };
                    @if at == 0 { th scope="row" data-v=[key] class=[class] { (cell.shown) } }
                    @else { td data-v=[key] class=[class] { (cell.shown) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_carry_their_number() {
        let columns = [Column::text("Term"), Column::number("Times"), Column::text("")];
        let rows = vec![vec![Cell::text("<b>&"), Cell::count(1234), Cell::bar(1.0, 2.0)]];
        let page = Table { label: "Terms", columns: &columns, rows }.render().into_string();
        assert!(page.contains("<th scope=\"row\"><bdi>&lt;b&gt;&amp;</bdi></th>"), "{page}");
        assert!(page.contains("<td data-v=\"1234\" class=\"num\">1,234</td>"), "{page}");
        assert!(page.contains("width:50.0%"));
    }
}
