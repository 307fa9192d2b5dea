//! The bytes of each format, from the tables of a small run.

use std::io::Cursor;

use super::*;
use crate::report::{Column, Provenance, Table, write_table};

/// Four documents over three terms; the first and the third have none of them.
fn run(folder: &Path) -> Vec<String> {
    let provenance = Provenance { job: "test".into(), config_hash: "abc".into() };
    let strings = |values: &[&str]| Column::Str(values.iter().map(|value| (*value).to_owned()).collect());
    let write = |table: Table, file: &str| drop(write_table(table, folder, file, &provenance).unwrap());
    std::fs::create_dir(folder.join("terms")).unwrap();
    write(Table::new("documents").with("doc_id", strings(&["a", "b", "c", "d"])), "documents.parquet");
    write(Table::new("vocabulary").with("term", strings(&["the", "bird", "wo\"rd"])), "vocabulary.parquet");
    let part = |ids: &[&str], terms: &[u32], counts: &[u32], weights: &[f32]| {
        Table::new("terms")
            .with("doc_id", strings(ids))
            .with("term_id", Column::U32(terms.to_vec()))
            .with("count", Column::U32(counts.to_vec()))
            .with("weight", Column::F32(weights.to_vec()))
    };
    write(part(&["b", "b"], &[0, 2], &[3, 1], &[0.5, 0.1]), "terms/part-00000.parquet");
    write(part(&["d"], &[1], &[2], &[1.0]), "terms/part-00001.parquet");
    ["terms/part-00000.parquet", "terms/part-00001.parquet"].map(str::to_owned).to_vec()
}

fn written(format: MatrixFormat, values: MatrixValues) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let files = run(folder.path());
    let matrix = TermMatrix::open(folder.path(), files, values).unwrap();
    let mut sink = Cursor::new(Vec::new());
    matrix.write(format, &mut sink, Path::new("matrix")).unwrap();
    sink.into_inner()
}

fn text(format: MatrixFormat, values: MatrixValues) -> String {
    String::from_utf8(written(format, values)).unwrap()
}

#[test]
fn matrix_market_has_a_line_an_entry() {
    assert_eq!(
        text(MatrixFormat::Mtx, MatrixValues::Weights),
        "%%MatrixMarket matrix coordinate real general\n4 3 3\n2 1 0.5\n2 3 0.1\n4 2 1\n"
    );
    assert_eq!(
        text(MatrixFormat::Mtx, MatrixValues::Counts),
        "%%MatrixMarket matrix coordinate integer general\n4 3 3\n2 1 3\n2 3 1\n4 2 2\n"
    );
}

#[test]
fn svmlight_has_a_line_a_document() {
    assert_eq!(text(MatrixFormat::Svmlight, MatrixValues::Weights), "0\n0 1:0.5 3:0.1\n0\n0 2:1\n");
}

/// The members of an archive by its directory, each with the bytes after its local header.
fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, bytes: usize| {
        archive[at..at + bytes].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    // The end record, its locator before it, and the ZIP64 record that this points to.
    let end = archive.len() - 22;
    assert_eq!((number(end, 4), number(end - 20, 4)), (0x0605_4b50, 0x0706_4b50));
    let record = number(end - 12, 8);
    assert_eq!(number(record, 4), 0x0606_4b50);
    let (count, mut at) = (number(record + 32, 8), number(record + 48, 8));
    let mut found = Vec::new();
    for _ in 0..count {
        assert_eq!(number(at, 4), 0x0201_4b50);
        let name = number(at + 28, 2);
        let extra = at + 46 + name;
        let (size, start) = (number(extra + 4, 8), number(extra + 20, 8));
        assert_eq!((number(start, 4), number(start + 14, 4)), (0x0403_4b50, number(at + 16, 4)));
        let data = start + 30 + name + number(start + 28, 2);
        let bytes = archive[data..data + size].to_vec();
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        assert_eq!(crc.sum() as usize, number(at + 16, 4));
        found.push((String::from_utf8(archive[at + 46..extra].to_vec()).unwrap(), bytes));
        at = extra + number(at + 30, 2);
    }
    assert_eq!(at, record, "the directory ends where its record begins");
    found
}

/// Header and elements of a .npy file.
fn array(bytes: &[u8]) -> (String, Vec<u8>) {
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    (
        String::from_utf8(bytes[10..10 + length].to_vec()).unwrap().trim_end().to_owned(),
        bytes[10 + length..].to_vec(),
    )
}

#[test]
fn npz_holds_the_arrays_of_compressed_sparse_rows() {
    let le = |numbers: &[i32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let wide = |numbers: &[i64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let data = [0.5_f32, 0.1, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let found = members(&written(MatrixFormat::Npz, MatrixValues::Weights));
    let expected = [
        ("indices.npy", "<i4", "(3,)", le(&[0, 2, 1])),
        ("indptr.npy", "<i4", "(5,)", le(&[0, 0, 2, 2, 3])),
        ("format.npy", "|S3", "()", b"csr".to_vec()),
        ("shape.npy", "<i8", "(2,)", wide(&[4, 3])),
        ("data.npy", "<f4", "(3,)", data),
    ];
    assert_eq!(found.len(), expected.len());
    for ((name, bytes), (expected_name, kind, shape, elements)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        assert_eq!(array(bytes), (header, elements), "{name}");
    }
    let counts = members(&written(MatrixFormat::Npz, MatrixValues::Counts));
    assert_eq!(array(&counts[4].1).1, wide(&[3, 1, 2]));
}

#[test]
fn names_stand_beside_and_tables_that_disagree_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = run(folder.path());
    let matrix = TermMatrix::open(folder.path(), files.clone(), MatrixValues::Counts).unwrap();
    let names: serde_json::Value = serde_json::from_str(&matrix.names()).unwrap();
    assert_eq!(names["documents"].as_array().unwrap().len(), 4);
    assert_eq!(names["terms"][2], "wo\"rd");
    files.reverse();
    let matrix = TermMatrix::open(folder.path(), files, MatrixValues::Counts).unwrap();
    let refused =
        matrix.write(MatrixFormat::Mtx, &mut Cursor::new(Vec::new()), Path::new("matrix")).unwrap_err();
    assert!(refused.to_string().contains("has \"b\" where documents has no such row"), "{refused}");
}
