//! Comma-separated values (RFC 4180): a header, quoted fields that may hold line ends; and LJSpeech's lines with bars.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::{Cell, Line, Lines, MAX_ROW_BYTES, Row, row_trouble, too_long, without_end};
use crate::corpus::quarantine::Unusable;

/// Hands every record after the header to `each`, with the values of the columns `names`.
pub(super) fn scan(
    lines: &mut Lines<'_>,
    delimiter: u8,
    names: &[&str],
    each: &mut dyn FnMut(Row),
) -> Result<(), Unusable> {
    let mut splitter = Splitter::new(delimiter, true);
    let mut record = Vec::new();
    let Some((_, outcome)) = next_record(lines, delimiter, &mut record)? else { return Ok(()) };
    let header = outcome.and_then(|()| splitter.fields(&record));
    let header =
        header.map_err(|(code, reason)| Unusable::new(code, format!("its header: {reason}")).at(0))?;
    let header: Vec<&str> = header.iter().map(|cell| cell.value.trim()).collect();
    let columns: Vec<Option<usize>> =
        names.iter().map(|name| header.iter().position(|column| column == name)).collect();
    let Some(Some(text)) = columns.first() else {
        let reason = format!(
            "its header has the columns {}, but no {:?}: set documents.fields.text to the one that holds the text",
            header.join(", "),
            names.first().copied().unwrap_or_default()
        );
        return Err(Unusable::new("no_text", reason).at(0));
    };
    let mut number = 0;
    while let Some((start, outcome)) = next_record(lines, delimiter, &mut record)? {
        number += 1;
        let fields = outcome.and_then(|()| splitter.fields(&record)).and_then(|fields| {
            if fields.len() == header.len() {
                return Ok(fields);
            }
            let (found, expected) = (fields.len(), header.len());
            Err((
                "row_width",
                format!("has {found} fields where the header has {expected}: quote or correct it"),
            ))
        });
        let cells = match fields {
            Ok(fields) => Ok(pick(&fields, &columns)),
            Err(("row_too_long", _)) => Err(too_long(number, start)),
            Err((code, reason)) => Err(row_trouble(number, Some(start), code, &reason)),
        };
        let at = start..start + record.len() as u64;
        each(Row { number, at, offset: Some(start), cells, column: *text as u32 });
    }
    Ok(())
}

/// The fields of `columns`. An empty field is a text, but no other value.
fn pick(fields: &[Cell], columns: &[Option<usize>]) -> Vec<Option<Cell>> {
    let taken = columns.iter().map(|column| fields.get((*column)?).cloned());
    taken.enumerate().map(|(place, cell)| cell.filter(|cell| place == 0 || !cell.value.is_empty())).collect()
}

/// Hands every line to `each`: the text is the last of its two or three fields that is not empty, the second value of a row its
/// id.
pub(super) fn scan_piped(
    lines: &mut Lines<'_>,
    names: &[&str],
    each: &mut dyn FnMut(Row),
) -> Result<(), Unusable> {
    let mut splitter = Splitter::new(b'|', false);
    let (mut line, mut number) = (Vec::new(), 0);
    while let Some(read) = lines.next(&mut line)? {
        number += 1;
        let (start, fields) = match read {
            Line::TooLong(start) => (start, Err(too_long(number, start))),
            Line::Whole(_) if line.trim_ascii().is_empty() => continue,
            Line::Whole(start) => {
                let trouble = |(code, reason): (_, String)| row_trouble(number, Some(start), code, &reason);
                (start, splitter.fields(without_end(&line)).map_err(trouble))
            }
        };
        let mut column = 1;
        let cells = fields.and_then(|fields| match fields.as_slice() {
            [id, text, ..] if fields.len() <= 3 => {
                let normalised = fields.get(2).filter(|cell| !cell.value.trim().is_empty());
                column = if normalised.is_some() { 2 } else { 1 };
                let mut cells = vec![Some(normalised.unwrap_or(text).clone()), Some(id.clone())];
                cells.resize(names.len(), None);
                Ok(cells)
            }
            _ => {
                let reason = format!("has {} fields, not id|text|normalised: correct it", fields.len());
                Err(row_trouble(number, Some(start), "row_width", &reason))
            }
        });
        let at = start..start + without_end(&line).len() as u64;
        each(Row { number, at, offset: Some(start), cells, column });
    }
    Ok(())
}

type Outcome = Result<(), (&'static str, String)>;

/// Puts the next record that is not empty into `record`, without its end, and gives the byte at which it begins. A quote that is
/// never closed breaks the line in which it stands, not what follows.
fn next_record(
    lines: &mut Lines<'_>,
    delimiter: u8,
    record: &mut Vec<u8>,
) -> Result<Option<(u64, Outcome)>, Unusable> {
    record.clear();
    let mut line = Vec::new();
    let (mut start, mut first_line) = (0, 0);
    let mut state = Quoting::FieldStart;
    loop {
        match lines.next(&mut line)? {
            Some(Line::Whole(_)) if record.is_empty() && without_end(&line).is_empty() => continue,
            Some(Line::Whole(at)) => {
                if record.is_empty() {
                    (start, first_line) = (at, line.len());
                }
                record.extend_from_slice(&line);
                state = state.after(&line, delimiter);
                if state != Quoting::Inside {
                    let len = without_end(record).len();
                    record.truncate(len);
                    return Ok(Some((start, Ok(()))));
                }
                if record.len() <= MAX_ROW_BYTES {
                    continue;
                }
            }
            Some(Line::TooLong(at)) if record.is_empty() => {
                return Ok(Some((at, Err(("row_too_long", String::new())))));
            }
            // What was passed over cannot be put back: all of it is one broken record.
            Some(Line::TooLong(_)) => return Ok(Some((start, Err(("row_too_long", String::new()))))),
            None if record.is_empty() => return Ok(None),
            None => {}
        }
        lines.put_back(&record[first_line..]);
        record.truncate(first_line);
        let len = without_end(record).len();
        record.truncate(len);
        let reason = "a quote is opened and not closed: close it, or double a quote that stands for itself";
        return Ok(Some((start, Err(("open_quote", reason.to_owned())))));
    }
}

/// Where in a field a byte stands; as csv-core has it: a quote opens at the start of a field only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    FieldStart,
    Plain,
    Inside,
    /// After a quote inside: it ends the quoting, or is the first of two.
    Quote,
}

impl Quoting {
    fn after(self, bytes: &[u8], delimiter: u8) -> Self {
        bytes.iter().fold(self, |state, &byte| match (state, byte) {
            (Self::Inside, b'"') => Self::Quote,
            (Self::FieldStart | Self::Quote, b'"') | (Self::Inside, _) => Self::Inside,
            (_, b'\n') => Self::FieldStart,
            (_, byte) if byte == delimiter => Self::FieldStart,
            _ => Self::Plain,
        })
    }
}

/// Cuts records into fields.
pub(super) struct Splitter {
    reader: Reader,
    delimiter: u8,
    out: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    pub fn new(delimiter: u8, quoting: bool) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).quoting(quoting).terminator(Terminator::Any(b'\n'));
        Self { reader: builder.build(), delimiter, out: Vec::new(), ends: Vec::new() }
    }

    /// The fields of one record without its end.
    pub fn fields(&mut self, record: &[u8]) -> Result<Vec<Cell>, (&'static str, String)> {
        self.reader.reset();
        self.out.resize(record.len() + 1, 0);
        let most = record.iter().filter(|&&byte| byte == self.delimiter).count() + 2;
        self.ends.resize(most, 0);
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, more_read, more_written, more_ended) = self.reader.read_record(
                record.get(read..).unwrap_or_default(),
                &mut self.out[written..],
                &mut self.ends[ended..],
            );
            (read, written, ended) = (read + more_read, written + more_written, ended + more_ended);
            // There is room for every byte: the record ends, or its bytes do.
            if result != ReadRecordResult::InputEmpty {
                break;
            }
        }
        let text = std::str::from_utf8(self.out.get(..written).unwrap_or_default()).map_err(|_| {
            let at = std::str::from_utf8(record).err().map_or(0, |error| error.valid_up_to()) + 1;
            ("not_utf8", format!("its byte {at} is no UTF-8: convert it, or remove the row"))
        })?;
        let mut from = 0;
        let ends = self.ends.get(..ended).unwrap_or_default().iter();
        let fields =
            ends.map(|&end| Cell::text(text.get(std::mem::replace(&mut from, end)..end).unwrap_or_default()));
        Ok(fields.collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Number, offset and cells of a row.
    type Found = (usize, u64, Result<Vec<Option<String>>, String>);

    fn rows(text: &[u8], names: &[&str]) -> Vec<Found> {
        let mut rows = Vec::new();
        let mut reader = text;
        let mut lines = Lines::new(&mut reader).unwrap();
        scan(&mut lines, b',', names, &mut |row| {
            let values = |cells: Vec<Option<Cell>>| {
                cells.into_iter().map(|cell| cell.map(|cell| cell.value)).collect()
            };
            rows.push((
                row.number,
                row.at.start,
                row.cells.map(values).map_err(|trouble| trouble.code.into_owned()),
            ));
        })
        .unwrap();
        rows
    }

    #[allow(clippy::unnecessary_wraps, reason = "a row as it is found")]
    fn some(values: &[&str]) -> Result<Vec<Option<String>>, String> {
        Ok(values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect())
    }

    #[test]
    fn quoted_fields_hold_line_ends_quotes_and_delimiters() {
        let text = b"\xEF\xBB\xBFid,text\r\na,\"one\r\n\"\"two\"\", three\"\r\n\r\nb,5\" pipe\r\nc,last";
        let expected = [
            (1, 12, some(&["one\r\n\"two\", three", "a"])),
            (2, 39, some(&["5\" pipe", "b"])),
            (3, 50, some(&["last", "c"])),
        ];
        assert_eq!(rows(text, &["text", "id"]), expected);
    }

    #[test]
    fn a_broken_record_is_one_and_the_rest_is_read() {
        let text = b"id,text\na,one,more\nb,\xFFtwo\nc,\"never closed\nd,four\ne\nf,six\n";
        let codes: Vec<(u64, String)> = rows(text, &["text", "id"])
            .into_iter()
            .map(|(_, at, cells)| (at, cells.map_or_else(|code| code, |_| "used".into())))
            .collect();
        let expected = [
            (8, "row_width"),
            (19, "not_utf8"),
            (26, "open_quote"),
            (42, "used"),
            (49, "row_width"),
            (51, "used"),
        ];
        assert_eq!(codes, expected.map(|(at, code)| (at, code.to_owned())));
    }

    #[test]
    fn a_header_without_the_text_is_told_with_what_it_has() {
        let mut reader = &b"name,words\nx,y\n"[..];
        let mut lines = Lines::new(&mut reader).unwrap();
        let trouble = scan(&mut lines, b',', &["text"], &mut |_| ()).unwrap_err();
        assert!(trouble.reason.contains("name, words") && trouble.code == "no_text", "{trouble:?}");
    }

    fn written(fields: &[String]) -> String {
        let quoted: Vec<String> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        quoted.join(",") + "\n"
    }

    proptest! {
        #[test]
        fn what_is_written_with_quotes_is_read_back(table in prop::collection::vec(("[a\",\n\r é]{0,9}", "[x\",\n]{1,5}"), 0..9)) {
            let text = table.iter().fold("text,id\n".to_owned(), |text, (a, b)| text + &written(&[a.clone(), b.clone()]));
            let read = rows(text.as_bytes(), &["text", "id"]);
            let expected: Vec<_> = table.into_iter().map(|(a, b)| Ok(vec![Some(a), Some(b)])).collect();
            prop_assert_eq!(read.into_iter().map(|(_, _, cells)| cells).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn any_bytes_are_cut_into_records_that_cover_them(bytes in prop::collection::vec(prop::sample::select(&b"\"\",,\n\r\xFFab "[..]), 0..60)) {
            let text = [b"text\n", &bytes[..]].concat();
            let mut at = 0;
            for (_, start, _) in rows(&text, &["text"]) {
                prop_assert!(start > at);
                at = start;
            }
        }
    }
}
