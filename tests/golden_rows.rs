//! Rows of Parquet and CSV as pyarrow and Python's csv module wrote them: `tests/golden/rows.json`.

use base64::Engine as _;
use serde_json::Value;
use wordwave::corpus::{
    DocumentFormat, DocumentReader, DocumentRef, DocumentRules, Fields, Found, Identity, NameBy, Split,
    listed_documents, read_listing,
};

use crate::golden_file::{golden, list, text};

#[test]
fn rows_are_read_as_they_were_written() {
    let fields = Fields {
        id: "key".into(),
        text: "words".into(),
        group: "who".into(),
        keep: ["lang", "count", "sure"].map(String::from).to_vec(),
    };
    let identity = Identity::new(NameBy::Path, "").unwrap();
    let rules = DocumentRules { format: DocumentFormat::Auto, split: Split::File, fields, identity };
    let folder = tempfile::tempdir().unwrap();
    for file in list(&golden("rows.json")["files"]) {
        let name = text(&file["name"]);
        let path = folder.path().join(name);
        let bytes = base64::engine::general_purpose::STANDARD.decode(text(&file["base64"])).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let found = Found::at(&path).unwrap();
        let listing = read_listing(&found, &rules).unwrap_or_else(|row| panic!("{name}: {row:?}"));
        let (references, broken) = listed_documents(&found, &rules, &listing);
        let expected = list(&file["rows"]);
        assert_eq!(references.len(), expected.len(), "{name}: {broken:?}");
        // Rows without a text: CSV cannot have them.
        let without = if name.ends_with(".parquet") { 3 } else { 0 };
        assert_eq!(broken.len(), without, "{name}: {broken:?}");
        assert!(broken.iter().all(|row| row.code == "no_text"), "{name}: {broken:?}");
        let documents = DocumentReader::new(&rules).read(&references.iter().collect::<Vec<_>>());
        for ((reference, document), row) in references.iter().zip(documents).zip(expected) {
            let document = document.unwrap_or_else(|unread| panic!("{name}: {unread:?}"));
            assert_eq!(written(reference, &document.text), list(row), "{name}");
        }
    }
}

/// A document as the golden file has it.
fn written(reference: &DocumentRef, text: &str) -> Vec<Value> {
    let id_and_text = [Some(reference.id.to_string()), Some(text.to_owned()), reference.group.clone()];
    id_and_text.into_iter().chain(reference.keep.clone()).map(Value::from).collect()
}
