//! The name of an item: its id from its source, and its group from its id.

use rayon::prelude::*;
use regex::Regex;

use super::quarantine::{Quarantined, Unusable};

/// What the id of a file is made of: the `id` key of the job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameBy {
    /// The path relative to the glob's literal folder, without extension.
    #[default]
    Path,
    /// The last part of that.
    Stem,
}

/// How items get their ids and groups.
#[derive(Debug, Clone)]
pub struct Identity {
    name_by: NameBy,
    group: Option<Regex>,
}

impl Identity {
    /// `group` is a regular expression whose first capture in the id is the group; empty for none.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the expression.
    pub fn new(name_by: NameBy, group: &str) -> Result<Self, String> {
        if group.is_empty() {
            return Ok(Self { name_by, group: None });
        }
        let regex = Regex::new(group).map_err(|error| format!("group is no regular expression: {error}"))?;
        if regex.captures_len() < 2 {
            return Err(format!(
                "group = {group:?} has no capture: put ( ) around the part that is the group"
            ));
        }
        Ok(Self { name_by, group: Some(regex) })
    }

    /// The id of the file `source`: compression and format extensions go.
    #[must_use]
    pub fn id(&self, source: &str) -> String {
        let plain = source.strip_suffix(".gz").or_else(|| source.strip_suffix(".zst")).unwrap_or(source);
        let name_at = plain.rfind('/').map_or(0, |slash| slash + 1);
        // A leading dot is part of the name, not an extension.
        let end = plain[name_at..].rfind('.').filter(|&dot| dot > 0).map_or(plain.len(), |dot| name_at + dot);
        match self.name_by {
            NameBy::Path => plain[..end].to_owned(),
            NameBy::Stem => plain[name_at..end].to_owned(),
        }
    }

    /// The group of the item `id`, where the expression finds one.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<String> {
        Some(self.group.as_ref()?.captures(id)?.get(1)?.as_str().to_owned())
    }
}

/// Sorts items by id, then source. A repeated id is quarantined; the first by source stays.
pub(super) fn unique<T: Send + Sync>(
    mut items: Vec<T>,
    of: impl Fn(&T) -> (&str, &str) + Sync,
) -> (Vec<T>, Vec<Quarantined>) {
    // Those of one file are in their order already, and moving them takes longer than looking.
    if items.par_windows(2).all(|pair| of(&pair[0]).0 < of(&pair[1]).0) {
        return (items, Vec::new());
    }
    items.par_sort_by(|a, b| of(a).cmp(&of(b)));
    if items.windows(2).all(|pair| of(&pair[0]).0 != of(&pair[1]).0) {
        return (items, Vec::new());
    }
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    let mut quarantined = Vec::new();
    for item in items {
        match kept.last().map(&of) {
            Some((id, source)) if id == of(&item).0 => {
                let reason = format!("the id {id:?} stands for {source} already: rename one of them");
                quarantined.push(Unusable::new("repeated_id", reason).of(of(&item).1));
            }
            _ => kept.push(item),
        }
    }
    (kept, quarantined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lose_their_extensions_only() {
        let path = Identity::new(NameBy::Path, "").unwrap();
        for (source, id) in [
            ("a/b/c.txt", "a/b/c"),
            ("c.txt.gz", "c"),
            ("v1.2/c.md.zst", "v1.2/c"),
            ("a/.hidden", "a/.hidden"),
            ("a.b/c", "a.b/c"),
            ("St. Ives.txt", "St. Ives"),
        ] {
            assert_eq!(path.id(source), id);
        }
        assert_eq!(Identity::new(NameBy::Stem, "").unwrap().id("a/b/c.wav"), "c");
    }

    #[test]
    fn groups_are_the_first_capture() {
        let identity = Identity::new(NameBy::Path, r"^([^/]+)/").unwrap();
        assert_eq!(identity.group("weather/frost").as_deref(), Some("weather"));
        assert_eq!(identity.group("frost"), None);
        assert!(Identity::new(NameBy::Path, "^[a-z]+").unwrap_err().contains("( )"));
        assert!(Identity::new(NameBy::Path, "(").is_err());
    }
}
