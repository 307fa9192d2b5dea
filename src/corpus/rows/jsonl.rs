//! JSON lines: an object in each line.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{Cell, Line, Lines, Row, row_trouble, too_long, without_end};
use crate::corpus::quarantine::Unusable;

/// Hands every line that is not blank to `each`; its number is that of the line.
pub(super) fn scan(lines: &mut Lines<'_>, names: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Unusable> {
    let (mut line, mut number) = (Vec::new(), 0);
    while let Some(read) = lines.next(&mut line)? {
        number += 1;
        let (start, cells) = match read {
            Line::TooLong(start) => (start, Err(too_long(number, start))),
            Line::Whole(_) if line.trim_ascii().is_empty() => continue,
            Line::Whole(start) => {
                let trouble = |(code, reason): (_, String)| row_trouble(number, Some(start), code, &reason);
                (start, cells(&line, names).map_err(trouble))
            }
        };
        let at = start..start + without_end(&line).len() as u64;
        each(Row { number, at, offset: Some(start), cells, column: 0 });
    }
    Ok(())
}

/// The values `names` of the object written in `line`; a code and a reason where it is none.
pub(super) fn cells(line: &[u8], names: &[&str]) -> Result<Vec<Option<Cell>>, (&'static str, String)> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to() + 1;
        ("not_utf8", format!("its byte {at} is no UTF-8: convert it, or remove the row"))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text.trim_ascii());
    let cells = Named(names).deserialize(&mut deserializer).and_then(|cells| {
        deserializer.end()?;
        Ok(cells)
    });
    cells.map_err(|error| {
        // A line is the first line.
        let what = error.to_string().replace(" line 1 column", " byte");
        ("not_json", format!("is no JSON object: {what}; correct or remove it"))
    })
}

/// Takes the values of these names out of an object and passes over the others.
struct Named<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Vec<Option<Cell>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Vec<Option<Cell>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut cells = vec![None; self.0.len()];
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if !self.0.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let cell = match map.next_value::<Value>()? {
                Value::Null => None,
                Value::String(text) => Some(Cell::text(text)),
                other => Some(Cell { value: other.to_string(), is_text: false }),
            };
            // A field may be asked for under two names.
            for (name, place) in self.0.iter().zip(&mut cells) {
                if *name == key {
                    place.clone_from(&cell);
                }
            }
        }
        Ok(cells)
    }
}
