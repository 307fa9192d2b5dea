//! Files of every format, listed and read.

use super::super::identity::NameBy;
use super::super::quarantine::Unread;
use super::*;

fn rules(format: DocumentFormat, split: Split) -> DocumentRules {
    let identity = Identity::new(NameBy::Path, "").unwrap();
    DocumentRules { format, split, fields: Fields::default(), identity }
}

fn list(file: &Found, rules: &DocumentRules) -> Result<Vec<DocumentRef>, Quarantined> {
    if !rules.splits(&file.source) {
        return Ok(vec![whole_document(file, rules)]);
    }
    read_listing(file, rules).map(|listing| listed_documents(file, rules, &listing).0)
}

fn corpus(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Found>) {
    let folder = tempfile::tempdir().unwrap();
    let found = files
        .iter()
        .map(|(source, text)| {
            let path = folder.path().join(source);
            std::fs::write(&path, text).unwrap();
            let stamp = Stamp { bytes: text.len() as u64, ..Stamp::default() };
            Found { path, source: (*source).to_owned(), bytes: stamp.bytes, stamp }
        })
        .collect();
    (folder, found)
}

fn read(files: &[(&str, &str)], rules: &DocumentRules) -> (Vec<(String, String)>, Vec<Quarantined>) {
    let (_folder, found) = corpus(files);
    let listed = found.iter().flat_map(|file| list(file, rules).unwrap()).collect();
    let (references, mut quarantined) = unique_documents(listed);
    let mut documents = Vec::new();
    let references: Vec<&DocumentRef> = references.iter().collect();
    for outcome in DocumentReader::new(rules).read(&references) {
        match outcome {
            Ok(document) => documents.push((document.id.to_string(), document.text.into_string())),
            Err(unread) => quarantined.push(unread.row),
        }
    }
    (documents, quarantined)
}

fn strings(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn splits_number_their_pieces() {
    let text = "one\ntwo\n\n \nthree\r\n\nfour";
    let (rows, _) = read(&[("a.txt", text)], &rules(DocumentFormat::Auto, Split::Paragraph));
    assert_eq!(rows, strings(&[("a#1", "one\ntwo"), ("a#2", "three"), ("a#3", "four")]));
    let (rows, _) = read(&[("a.txt", text)], &rules(DocumentFormat::Auto, Split::Line));
    assert_eq!(rows, strings(&[("a#1", "one"), ("a#2", "two"), ("a#5", "three"), ("a#7", "four")]));
    let (rows, _) = read(&[("a.md", "# T\n\nx *y*")], &rules(DocumentFormat::Auto, Split::File));
    assert_eq!(rows, strings(&[("a", "T\n\nx y")]));
    let page = "<title>T</title><p>x <i>y</i><p>z";
    let (rows, _) = read(&[("a.html", page)], &rules(DocumentFormat::Auto, Split::Paragraph));
    assert_eq!(rows, strings(&[("a#1", "x y"), ("a#2", "z")]));
}

/// Ids, groups, kept values and texts of the rows of a file, and the troubles with their places.
type RowsRead = (Vec<String>, Vec<(String, Option<u64>)>);

fn read_rows(name: &str, bytes: &[u8], rules: &DocumentRules) -> RowsRead {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let file = Found { path, source: name.to_owned(), bytes: bytes.len() as u64, stamp: Stamp::default() };
    let (references, broken) = match read_listing(&file, rules) {
        Ok(listing) => listed_documents(&file, rules, &listing),
        Err(row) => (Vec::new(), vec![row]),
    };
    let reader = DocumentReader::new(rules).unpacking_into(folder.path());
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let document = |(reference, outcome): (&DocumentRef, Result<Document, Unread>)| {
        let text = outcome.unwrap().text;
        let keep = reference.keep.iter().map(said).collect::<Vec<_>>().join(",");
        format!("{} {} {keep} {text}", reference.id, said(&reference.group))
    };
    let read = reader.read(&references.iter().collect::<Vec<_>>());
    let rows = references.iter().zip(read).map(document).collect();
    (rows, broken.into_iter().map(|row| (row.code.into_owned(), row.byte_offset)).collect())
}

fn row_rules(split: Split) -> DocumentRules {
    let fields = Fields { group: "who".into(), keep: vec!["lang".into(), "n".into()], ..Fields::default() };
    let identity = Identity::new(NameBy::Path, "^([a-z])").unwrap();
    DocumentRules { format: DocumentFormat::Auto, split, fields, identity }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

const LINES: &[u8] = b"{\"id\": \"x\", \"text\": \"on\\u0065\\n\\ntwo\", \"who\": \"anna\", \"lang\": \"de\", \"n\": 3}\n\
    \n{\"text\": \" no id \", \"lang\": null, \"deep\": {\"text\": [1]}}\n\
    {\"id\": 7, \"text\": \"\"}\r\n\
    {\"id\": \"a\", \"text\": 5}\n{\"id\": \"b\"}\n{\"id\": \"c\", \"text\": \"x\"\n[1]\n{\"text\": \"\xFF\"}\n\
    {\"id\": \"last\", \"text\": \"end\"}";

#[test]
fn json_lines_are_documents_and_a_broken_line_is_one_row() {
    let expected = ["x anna de,3 one\n\ntwo", "f#3 f -,-  no id ", "7 - -,- ", "last l -,- end"];
    let offset =
        |text: &[u8]| LINES.windows(text.len()).position(|window| window == text).map(|at| at as u64);
    let broken = [
        ("wrong_type", offset(b"{\"id\": \"a\"")),
        ("no_text", offset(b"{\"id\": \"b\"")),
        ("not_json", offset(b"{\"id\": \"c\"")),
        ("not_json", offset(b"[1]\n{")),
        ("not_utf8", offset(b"{\"text\": \"\xFF")),
    ]
    .map(|(code, at)| (code.to_owned(), at));
    for (name, bytes) in [
        ("f.jsonl", LINES.to_vec()),
        ("f.NDJSON", LINES.to_vec()),
        ("f.jsonl.gz", gz(LINES)),
        ("f.jsonl.zst", zstd::encode_all(LINES, 1).unwrap()),
    ] {
        let (rows, troubles) = read_rows(name, &bytes, &row_rules(Split::File));
        assert_eq!(
            (rows.as_slice(), troubles.as_slice()),
            (&expected.map(String::from)[..], &broken[..]),
            "{name}"
        );
    }
    let (rows, _) = read_rows("f.jsonl", LINES, &row_rules(Split::Paragraph));
    let expected = ["x#1 anna de,3 one", "x#2 anna de,3 two", "f#3#1 f -,- no id", "last#1 l -,- end"];
    assert_eq!(rows, expected);
    let (rows, _) = read_rows("f.jsonl", LINES, &row_rules(Split::Line));
    assert_eq!(rows[1], "x#3 anna de,3 two");
}

#[test]
fn rows_of_csv_are_documents() {
    let text = b"lang,id,text,who\n,a,\"one,\n\"\"two\"\"\",\nde,,three,anna\nfr,c,\n";
    let (rows, broken) = read_rows("f.csv", text, &row_rules(Split::File));
    assert_eq!(rows, ["a a -,- one,\n\"two\"", "f#2 anna de,- three"]);
    assert_eq!(broken, [("row_width".to_owned(), Some(51))]);
    let tabs: Vec<u8> = text.iter().map(|&byte| if byte == b',' { b'\t' } else { byte }).collect();
    let (rows, _) = read_rows("f.tsv.gz", &gz(&tabs), &row_rules(Split::Line));
    assert_eq!(rows, ["a#1 a -,- one", "a#2 a -,- \"two\"", "f#2#1 anna de,- three"]);
}

#[test]
fn a_file_of_rows_that_cannot_be_read_is_one_row() {
    let rules = row_rules(Split::File);
    let many = b"no json\n".repeat(2000);
    let wide: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (name, bytes, code) in [
        ("a.jsonl", &b"\n \n"[..], "no_documents"),
        ("a.csv", b"", "no_documents"),
        ("a.csv", b"text,id\n", "no_documents"),
        ("a.csv", b"words,id\nx,y\n", "no_text"),
        ("a.csv", b"te\xFFxt,id\nx,y\n", "not_utf8"),
        ("a.jsonl", &many, "not_json"),
        ("a.jsonl", &wide, "not_utf8"),
        ("a.jsonl.gz", b"no gzip", "broken_compression"),
        ("a.parquet", b"PAR1 and no more", "broken_parquet"),
        ("a.parquet", b"", "broken_parquet"),
    ] {
        let (rows, broken) = read_rows(name, bytes, &rules);
        assert_eq!((rows.len(), broken.len()), (0, 1), "{name} {broken:?}");
        assert_eq!(broken[0].0, code, "{name}");
    }
}

#[test]
fn transcripts_are_documents_sorted_by_id_and_repeated_ids_are_quarantined() {
    let files = [("b.trans.txt", "u-2 TWO WORDS\nu-3\n\n"), ("a.trans.txt", "u-9 NINE\nu-2 AGAIN\n")];
    let (rows, quarantined) = read(&files, &rules(DocumentFormat::Auto, Split::File));
    assert_eq!(rows, strings(&[("u-2", "AGAIN"), ("u-3", ""), ("u-9", "NINE")]));
    assert_eq!(quarantined.len(), 1);
    assert_eq!((quarantined[0].source.as_str(), &*quarantined[0].code), ("b.trans.txt", "repeated_id"));
}

#[test]
fn a_file_that_changes_or_vanishes_after_it_was_listed_is_a_row_once() {
    let text = "one\ntwo\nthree\n";
    let (folder, found) = corpus(&[("a.txt", text), ("b.txt", text), ("c.txt", text), ("d.txt", " \n\n")]);
    let rules = rules(DocumentFormat::Auto, Split::Line);
    let listed = found.iter().map(|file| list(file, &rules));
    let (listed, refused): (Vec<_>, Vec<_>) = listed.partition(Result::is_ok);
    let references: Vec<DocumentRef> = listed.into_iter().flat_map(Result::unwrap).collect();
    let refused: Vec<Quarantined> = refused.into_iter().map(Result::unwrap_err).collect();
    assert_eq!((references.len(), refused.len()), (9, 1));
    assert_eq!((&*refused[0].code, &*refused[0].source), ("no_documents", "d.txt"));
    // As long as before: only the contents tell.
    std::fs::write(folder.path().join("a.txt"), "One\nTwo\nThree\n").unwrap();
    std::fs::remove_file(folder.path().join("b.txt")).unwrap();
    let outcomes = DocumentReader::new(&rules).read(&references.iter().collect::<Vec<_>>());
    let codes = references.iter().zip(&outcomes).map(|(reference, outcome)| match outcome {
        Ok(_) => (&*reference.file.source, ""),
        Err(unread) => (unread.row.source.as_str(), &*unread.row.code),
    });
    let codes: std::collections::BTreeSet<_> = codes.collect();
    assert_eq!(
        codes.into_iter().collect::<Vec<_>>(),
        [("a.txt", "changed_while_read"), ("b.txt", "vanished"), ("c.txt", "")]
    );
}

#[test]
fn what_is_no_text_is_quarantined_and_the_rest_is_read() {
    let files = [("a.txt", "good"), ("b.txt", "\0\u{1}bad")];
    let (rows, quarantined) = read(&files, &rules(DocumentFormat::Auto, Split::File));
    assert_eq!(rows, strings(&[("a", "good")]));
    assert_eq!((&*quarantined[0].code, quarantined[0].byte_offset), ("not_text", Some(0)));
}
