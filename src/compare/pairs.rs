//! Which document belongs to which recording.

use std::collections::{BTreeMap, BTreeSet};

/// How documents and recordings find each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairBy {
    /// By the last part of both ids, after the last `/`.
    Stem,
    /// By the whole id.
    Id,
    /// By rows of (`doc_id`, `clip_id`). A document may stand in several rows, and so may a recording.
    File(Vec<(String, String)>),
}

/// Documents with their recordings, as indices into the two lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairing {
    /// (document, clip), by document, then clip.
    pub pairs: Vec<(usize, usize)>,
    /// Documents in no pair, ascending.
    pub unpaired_documents: Vec<usize>,
    /// Recordings in no pair, ascending.
    pub unpaired_clips: Vec<usize>,
    /// Why something that looks like a pair is none: a name that stands twice on one side, a row of the file that names
    /// what is not there.
    pub ambiguous: Vec<PairProblem>,
}

/// Something that could not be paired though it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairProblem {
    /// The stem or id in question.
    pub source: String,
    /// `ambiguous_name`, `unknown_document` or `unknown_clip`.
    pub code: &'static str,
    /// What is wrong and what to do, in a sentence.
    pub reason: String,
}

/// Why a file of pairs could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairsFileError {
    /// The header lacks one of the two columns.
    #[error("the header has no column `{0}`; a file of pairs needs the columns doc_id and clip_id")]
    MissingColumn(&'static str),
    /// A row is too short.
    #[error(
        "line {line}: {found} fields where the header has {expected}; add what is missing or remove the line"
    )]
    ShortRow {
        /// Line of the row's beginning, from 1.
        line: usize,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A quoted field does not end.
    #[error("line {0}: a quoted field that begins here has no closing quote")]
    OpenQuote(usize),
}

/// Pairs `documents` with `clips`, both lists of ids. By stem or id, a name that stands twice on one side pairs nothing and is
/// reported, since any choice would be a guess.
#[must_use]
pub fn pair<S: AsRef<str>>(documents: &[S], clips: &[S], by: &PairBy) -> Pairing {
    let mut pairing = Pairing::default();
    match by {
        PairBy::Stem => pair_by_name(documents, clips, stem, &mut pairing),
        PairBy::Id => pair_by_name(documents, clips, |id| id, &mut pairing),
        PairBy::File(rows) => pair_by_rows(documents, clips, rows, &mut pairing),
    }
    pairing.pairs.sort_unstable();
    pairing.pairs.dedup();
    let paired: BTreeSet<usize> = pairing.pairs.iter().map(|pair| pair.0).collect();
    pairing.unpaired_documents = (0..documents.len()).filter(|i| !paired.contains(i)).collect();
    let paired: BTreeSet<usize> = pairing.pairs.iter().map(|pair| pair.1).collect();
    pairing.unpaired_clips = (0..clips.len()).filter(|i| !paired.contains(i)).collect();
    pairing
}

/// The last part of an id, after the last `/`.
#[must_use]
pub fn stem(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn pair_by_name<S: AsRef<str>>(documents: &[S], clips: &[S], name: fn(&str) -> &str, pairing: &mut Pairing) {
    let documents = by_name(documents, name);
    let clips = by_name(clips, name);
    for (name, document) in &documents {
        let Some(clip) = clips.get(name) else { continue };
        if let ([document], [clip]) = (document.as_slice(), clip.as_slice()) {
            pairing.pairs.push((*document, *clip));
        } else {
            pairing.ambiguous.push(PairProblem {
                source: (*name).to_owned(),
                code: "ambiguous_name",
                reason: format!(
                    "{} and {} are called `{name}`, so none of them is paired; give them different names, or pair by id \
                     or by a file",
                    counted(document.len(), "document"),
                    counted(clip.len(), "recording")
                ),
            });
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn by_name<S: AsRef<str>>(ids: &[S], name: fn(&str) -> &str) -> BTreeMap<&str, Vec<usize>> {
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, id) in ids.iter().enumerate() {
        names.entry(name(id.as_ref())).or_default().push(i);
    }
    names
}

fn pair_by_rows<S: AsRef<str>>(
    documents: &[S],
    clips: &[S],
    rows: &[(String, String)],
    pairing: &mut Pairing,
) {
    let documents = by_name(documents, |id| id);
    let clips = by_name(clips, |id| id);
    for (doc_id, clip_id) in rows {
        let document = single(&documents, doc_id, "document", "unknown_document");
        let clip = single(&clips, clip_id, "recording", "unknown_clip");
        match (document, clip) {
            (Ok(document), Ok(clip)) => pairing.pairs.push((document, clip)),
            (document, clip) => {
                pairing.ambiguous.extend(document.err());
                pairing.ambiguous.extend(clip.err());
            }
        }
    }
}

fn single(
    ids: &BTreeMap<&str, Vec<usize>>,
    id: &str,
    what: &str,
    unknown: &'static str,
) -> Result<usize, PairProblem> {
    match ids.get(id).map_or(&[][..], Vec::as_slice) {
        [one] => Ok(*one),
        [] => Err(PairProblem {
            source: id.to_owned(),
            code: unknown,
            reason: format!(
                "the file of pairs names the {what} `{id}`, which the job does not have; correct the row or include the {what}"
            ),
        }),
        several => Err(PairProblem {
            source: id.to_owned(),
            code: "ambiguous_name",
            reason: format!(
                "{} have the id `{id}`, so the row pairs none of them; give them different ids",
                counted(several.len(), what)
            ),
        }),
    }
}

/// Reads the rows of a file of pairs: comma-separated with a header that names `doc_id` and `clip_id` (RFC 4180: a field may
/// stand in double quotes, a quote in it is doubled). Other columns are passed over, and so are empty lines and a byte order
/// mark.
pub fn parse_pairs_csv(text: &str) -> Result<Vec<(String, String)>, PairsFileError> {
    let mut records = csv_records(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
    let (_, header) = records.next().unwrap_or_default();
    let column = |name: &'static str| {
        header.iter().position(|field| field.trim() == name).ok_or(PairsFileError::MissingColumn(name))
    };
    let (doc_column, clip_column) = (column("doc_id")?, column("clip_id")?);
    records
        .map(|(line, fields)| match (fields.get(doc_column), fields.get(clip_column)) {
            (Some(doc_id), Some(clip_id)) => Ok((doc_id.clone(), clip_id.clone())),
            _ => Err(PairsFileError::ShortRow { line, found: fields.len(), expected: header.len() }),
        })
        .collect()
}

/// The records of a csv text, each with the line on which it begins.
fn csv_records(text: &str) -> Result<Vec<(usize, Vec<String>)>, PairsFileError> {
    let mut records = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut line, mut begun) = (1, 1);
    let mut opened: Option<usize> = None;
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if opened.is_some() && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if opened.is_some() => opened = None,
            _ if opened.is_some() => field.push(c),
            '"' if field.is_empty() => (opened, quoted) = (Some(line), true),
            ',' => fields.push(std::mem::take(&mut field)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                end_record(&mut records, &mut fields, &mut field, begun, quoted);
                (begun, quoted) = (line, false);
            }
            _ => field.push(c),
        }
    }
    if let Some(line) = opened {
        return Err(PairsFileError::OpenQuote(line));
    }
    end_record(&mut records, &mut fields, &mut field, begun, quoted);
    Ok(records)
}

fn end_record(
    records: &mut Vec<(usize, Vec<String>)>,
    fields: &mut Vec<String>,
    field: &mut String,
    line: usize,
    quoted: bool,
) {
    if !fields.is_empty() || !field.is_empty() || quoted {
        fields.push(std::mem::take(field));
        records.push((line, std::mem::take(fields)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_stem() {
        let pairing = pair(&["t/b", "t/a", "t/x", "c"], &["w/c", "a", "w/b", "y"], &PairBy::Stem);
        assert_eq!(pairing.pairs, [(0, 2), (1, 1), (3, 0)]);
        assert_eq!(pairing.unpaired_documents, [2]);
        assert_eq!(pairing.unpaired_clips, [3]);
        assert!(pairing.ambiguous.is_empty());
    }

    #[test]
    fn a_stem_that_stands_twice_pairs_nothing() {
        let pairing = pair(&["p/a", "q/a", "b", "p/z", "q/z"], &["a", "b"], &PairBy::Stem);
        assert_eq!(pairing.pairs, [(2, 1)]);
        assert_eq!(pairing.unpaired_documents, [0, 1, 3, 4]);
        assert_eq!(pairing.unpaired_clips, [0]);
        assert_eq!(pairing.ambiguous.len(), 1, "z has no recording and is merely unpaired");
        assert_eq!(pairing.ambiguous[0].source, "a");
        assert!(pairing.ambiguous[0].reason.starts_with("2 documents and 1 recording are called `a`"));
    }

    #[test]
    fn by_id_needs_the_whole_id() {
        let pairing = pair(&["p/a", "b"], &["a", "b"], &PairBy::Id);
        assert_eq!(pairing.pairs, [(1, 1)]);
    }

    #[test]
    fn by_rows() {
        let rows = [("d2", "c1"), ("d1", "c1"), ("d1", "c0"), ("d1", "c0"), ("d9", "c0"), ("d0", "c9")];
        let rows = rows.map(|(doc, clip)| (doc.to_owned(), clip.to_owned())).to_vec();
        let pairing = pair(&["d0", "d1", "d2"], &["c0", "c1", "c2"], &PairBy::File(rows));
        assert_eq!(pairing.pairs, [(1, 0), (1, 1), (2, 1)]);
        assert_eq!(pairing.unpaired_documents, [0]);
        assert_eq!(pairing.unpaired_clips, [2]);
        let codes: Vec<&str> = pairing.ambiguous.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["unknown_document", "unknown_clip"]);
    }

    #[test]
    fn csv_with_quotes() {
        let text = "\u{feff}note,clip_id,doc_id\r\nx,c1,d1\r\n\r\n\"a, \"\"b\"\"\nc\",\"c,2\",d2\r\n";
        let rows = parse_pairs_csv(text).unwrap();
        assert_eq!(rows, [("d1".into(), "c1".into()), ("d2".into(), "c,2".into())]);
    }

    #[test]
    fn csv_errors_name_the_place() {
        assert_eq!(parse_pairs_csv(""), Err(PairsFileError::MissingColumn("doc_id")));
        assert_eq!(parse_pairs_csv("doc_id,clip\n"), Err(PairsFileError::MissingColumn("clip_id")));
        let short = PairsFileError::ShortRow { line: 3, found: 1, expected: 2 };
        assert_eq!(parse_pairs_csv("doc_id,clip_id\na,b\nc\n"), Err(short));
        assert_eq!(parse_pairs_csv("doc_id,clip_id\na,\"b\n"), Err(PairsFileError::OpenQuote(2)));
    }
}
