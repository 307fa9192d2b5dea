//! Formats against files of gensim and fastText (`tests/golden/make_vectors.py`), and against what is broken.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::text::embeddings::{CharacterNgrams, KeyedVectors};

fn golden(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors").join(file)).unwrap()
}

fn said() -> Value {
    serde_json::from_slice(&golden("vectors.json")).unwrap()
}

fn near(ours: &[f32], theirs: &Value, within: f64) {
    let theirs: Vec<f64> = theirs.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((f64::from(*ours) - theirs).abs() <= within, "{ours} {theirs}");
    }
}

fn same_neighbours(words: &KeyedVectors, found: &[(usize, f32)], theirs: &Value) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(found.len(), theirs.len());
    for ((number, cosine), theirs) in found.iter().zip(theirs) {
        assert_eq!(words.terms()[*number], theirs[0].as_str().unwrap());
        assert!((f64::from(*cosine) - theirs[1].as_f64().unwrap()).abs() < 1e-5);
    }
}

#[test]
fn models_of_fasttext_give_its_vectors() {
    let said = said();
    for (name, model) in said["models"].as_object().unwrap() {
        let read = read_vectors(&golden(model["file"].as_str().unwrap())[..]).unwrap();
        assert_eq!(read.format, VectorFormat::Fasttext);
        let words: Vec<&str> =
            model["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(read.words.terms(), words);
        for (word, vector) in model["vectors"].as_object().unwrap() {
            match read.words.vector(word) {
                Some(ours) => near(&ours, vector, 1e-7),
                // fastText gives zeros for a word of which it knows nothing.
                None => near(&[0.0; 5], vector, 0.0),
            }
        }
        assert_eq!(read.words.ngrams().is_some(), name != "words");
        let of = model["nearest"]["of"].as_str().unwrap();
        let theirs = &model["nearest"]["are"];
        let number = read.words.number(of).unwrap();
        let n = theirs.as_array().unwrap().len();
        let found = read.words.nearest_to(&read.words.vector(of).unwrap(), &[number], n);
        same_neighbours(&read.words, &found, theirs);
    }
}

#[test]
fn files_of_gensim_in_every_form_are_one() {
    let said = &said()["gensim_words"];
    let terms: Vec<&str> =
        said["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    for (file, format, within) in [
        ("gensim.txt", VectorFormat::Word2vec, 1e-7),
        ("gensim.bin", VectorFormat::Word2vecBinary, 0.0),
        ("glove.txt", VectorFormat::Glove, 1e-7),
    ] {
        let read = read_vectors(&golden(file)[..]).unwrap();
        assert_eq!((read.format, read.repeated, read.mended), (format, 0, 0));
        assert_eq!(read.words.terms(), terms);
        for (word, vector) in said["vectors"].as_object().unwrap() {
            near(&read.words.vector(word).unwrap(), vector, within);
        }
        let of = said["nearest"]["of"].as_str().unwrap();
        let found =
            read.words.nearest_to(&read.words.vector(of).unwrap(), &[read.words.number(of).unwrap()], 5);
        same_neighbours(&read.words, &found, &said["nearest"]["are"]);
        let [a, b, c] = [0, 1, 2].map(|i| said["analogy"]["of"][i].as_str().unwrap());
        same_neighbours(&read.words, &read.words.analogy([a, b, c], 5).unwrap(), &said["analogy"]["are"]);
    }
}

fn export_of(terms: &[&str], vectors: &Embeddings, format: ExportFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    Export { terms, embeddings: vectors, ngrams: None }.write(format, &mut bytes).unwrap();
    bytes
}

#[test]
fn matrices_are_laid_out_as_their_readers_expect() {
    let vectors = Embeddings::new(3, vec![1.0, -2.5, 3.0, 0.0, 5.0, 1e-8]).unwrap();
    let npy = export_of(&["a", "b c"], &vectors, ExportFormat::Npy);
    assert_eq!(npy.len() % 4, 0);
    let header = u16::from_le_bytes([npy[8], npy[9]]) as usize + 10;
    assert_eq!((header % 64, npy.len() - header), (0, 24));
    assert!(std::str::from_utf8(&npy[10..header]).unwrap().contains("'shape': (2, 3)"));
    assert_eq!(npy[header + 4..header + 8], (-2.5_f32).to_le_bytes());
    let tensors = export_of(&["a", "b"], &vectors, ExportFormat::Safetensors);
    let length = u64::from_le_bytes(tensors[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&tensors[8..8 + length]).unwrap();
    assert_eq!(header["vectors"]["shape"], serde_json::json!([2, 3]));
    assert_eq!(header["vectors"]["data_offsets"], serde_json::json!([0, 24]));
    assert_eq!((length % 8, tensors.len()), (0, 8 + length + 24));
    let which = CharacterNgrams { min: 3, max: 4, buckets: 9 };
    let ngrams = NgramVectors::new(which, vec![2, 7], Embeddings::new(3, vec![0.5; 6]).unwrap()).unwrap();
    let mut bytes = Vec::new();
    let export = Export { terms: &["a", "b"], embeddings: &vectors, ngrams: Some(&ngrams) };
    export.write(ExportFormat::Safetensors, &mut bytes).unwrap();
    assert_eq!(bytes[bytes.len() - 4..], 7_u32.to_le_bytes());
    let mut words = Vec::new();
    Export { terms: &["a\nb", "c d"], embeddings: &vectors, ngrams: None }.write_words(&mut words).unwrap();
    assert_eq!(words, b"a_b\nc d\n");
}

#[test]
fn a_number_that_looks_like_the_end_of_a_line_makes_no_text() {
    // The first bytes of the first number are "1\n".
    let looks = f32::from_le_bytes(*b"1\nqq");
    for (words, dims) in [(1, 1), (1, 3), (2, 2), (5_000, 2)] {
        let terms: Vec<String> = (0..words).map(|word| format!("w{word}")).collect();
        let mut values = vec![0.7; words * dims];
        values[0] = looks;
        let vectors = Embeddings::new(dims, values).unwrap();
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let read = read_vectors(&export_of(&terms, &vectors, ExportFormat::Word2vecBinary)[..]).unwrap();
        assert_eq!(read.words.embeddings(), &vectors, "{words} {dims}");
    }
    // A number of four characters is as long as one in binary.
    let text = read_vectors(&b"1 1\na 1.25\n"[..]).unwrap();
    assert_eq!(text.words.embeddings().vectors(), [1.25]);
}

#[test]
fn what_is_broken_is_named_with_its_place() {
    let text = |text: &str| read_vectors(text.as_bytes()).unwrap_err().to_string();
    for (file, said) in [
        ("", "empty"),
        ("2 3\na 1 2 3\n", "line 2: is the last of 1 words, but the first line says 2"),
        ("1 3\na 1 2 3\nb 1 2 3\n", "first line says 1"),
        ("2 3\na 1 2 3\nb 1 2\n", "line 3: is not a word and 3 numbers"),
        ("2 3\na 1 2\nb 1 2 3\n", "line 2: is not a word and 3 numbers"),
        ("1 2\na 1 NaN\n", "line 2: holds NaN"),
        ("1 0\na\n", "0 numbers"),
        ("1 70000\na\n", "70000 numbers"),
        ("the\n", "0 numbers"),
        ("a 1 2\nb 1 x\n", "line 2"),
        ("18446744073709551615 3\na 1 2 3\n", "first line says 18446744073709551615"),
    ] {
        let found = text(file);
        assert!(found.contains(said), "{file:?}: {found}");
    }
    let cut = |file: &str, length: usize| read_vectors(&golden(file)[..length]).unwrap_err().to_string();
    assert!(cut("gensim.bin", 300).contains("the file ends inside a vector"), "{}", cut("gensim.bin", 300));
    for length in [5, 8, 40, 64, 90, 200, 1_000, 2_800] {
        let found = cut("fasttext-subwords.bin", length);
        assert!(found.starts_with("byte ") && found.contains("fetch it again"), "{length}: {found}");
    }
    let mut wrong = golden("fasttext-subwords.bin");
    wrong[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read_vectors(&wrong[..]).unwrap_err().to_string().starts_with("byte 8: 4294967295 dimensions"));
}

#[test]
fn published_files_have_spaces_in_words_repeats_and_other_encodings() {
    let read = read_vectors(&b"3 2\n. . 1 2 \r\na\xFF 3 4\na\xFF 5 6\n"[..]).unwrap();
    assert_eq!(read.words.terms(), [". .", "a\u{FFFD}"]);
    assert_eq!((read.repeated, read.mended), (1, 2));
    assert_eq!(read.words.embeddings().vectors(), [1.0, 2.0, 3.0, 4.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        words in prop::collection::btree_set("[^\\s\\x00-\\x20]{1,8}", 1..20),
        dims in 1_usize..7,
        numbers in prop::collection::vec(-1e30_f32..1e30, 140),
    ) {
        let terms: Vec<&str> = words.iter().map(String::as_str).collect();
        let vectors = Embeddings::new(dims, numbers[..terms.len() * dims].to_vec()).unwrap();
        for format in [ExportFormat::Word2vec, ExportFormat::Word2vecBinary, ExportFormat::FasttextVec] {
            let read = read_vectors(&export_of(&terms, &vectors, format)[..]).unwrap();
            prop_assert_eq!(read.words.embeddings(), &vectors);
            prop_assert_eq!(read.words.terms(), &terms);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..4) {
        let mut file = match kind {
            0 => b"3 2\n".to_vec(),
            1 => golden("fasttext-softmax.bin")[..120].to_vec(),
            2 => b"the 1 2\n".to_vec(),
            _ => Vec::new(),
        };
        file.extend(bytes);
        let _ = read_vectors(&file[..]);
    }
}
