//! What is made of trained word vectors: the nearest words of each, vectors of documents, files for other programs.

use super::desk::Desk;
use super::key::Key;
use super::plan::{DocumentVectors, EmbeddingsPlan};
use super::vectors::WordVectors;
use crate::error::Result;
use crate::report::{DocumentRow, Written, tables};
use crate::text::embeddings::formats::{Export, ExportFormat, WORDS_FILE};
use crate::text::embeddings::{Embeddings, nearest_of_all, nearly_nearest_of_all, remove_common_component};

/// Of more words than this the nearest are found by a graph, which misses some.
const EXACT_WORDS: usize = 200_000;

/// Writes everything that `plan` asks for beside the vectors themselves, whose key is `key`. Each part is kept by itself: another
/// format or number of neighbours costs no training.
pub(super) fn export(
    plan: &EmbeddingsPlan,
    vectors: &WordVectors,
    (documents, order): (&[DocumentRow], &[usize]),
    key: &Key,
    desk: &Desk<'_>,
) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    if plan.neighbours > 0 {
        desk.interrupt.check()?;
        let key = Key::of("neighbours", &(key, plan.neighbours));
        let written = desk.remember(&key, || {
            let near = nearest_of_every(&vectors.embeddings, plan.neighbours);
            let written = desk.write(tables::neighbours(&vectors.words, &near), "neighbours.parquet")?;
            Ok(((), vec![written]))
        });
        all.extend(written?.1);
    }
    if plan.documents != DocumentVectors::None {
        desk.interrupt.check()?;
        let ids: Vec<&str> = documents.iter().map(|row| &*row.doc_id).collect();
        let key = Key::of("document_vectors", &(key, plan.documents == DocumentVectors::Sif, &ids));
        let written = desk.remember(&key, || {
            let rows = of_documents(plan.documents, vectors, &ids, order);
            let rows: Vec<(&str, &[f64])> = rows.iter().map(|(id, vector)| (*id, &vector[..])).collect();
            let table = tables::document_vectors(&rows, vectors.embeddings.dims());
            Ok(((), vec![desk.write(table, "document_vectors.parquet")?]))
        });
        all.extend(written?.1);
    }
    let terms: Vec<&str> = vectors.words.iter().map(|word| word.term.as_str()).collect();
    let export = Export { terms: &terms, embeddings: &vectors.embeddings, ngrams: vectors.ngrams.as_ref() };
    for &format in &plan.formats {
        desk.interrupt.check()?;
        let written = desk.remember(&Key::of("export", &(key, format.name())), || {
            Ok(((), vec![desk.stream_file(format.file(), |out| export.write(format, out))?]))
        });
        all.extend(written?.1);
    }
    if plan.formats.iter().copied().any(ExportFormat::has_words_apart) {
        let written = desk.remember(&Key::of("export", &(key, "words")), || {
            Ok(((), vec![desk.stream_file(WORDS_FILE, |out| export.write_words(out))?]))
        });
        all.extend(written?.1);
    }
    Ok(all)
}

/// The nearest words of every word: all of them, or where they are many nearly all.
pub(super) fn nearest_of_every(embeddings: &Embeddings, count: usize) -> Vec<Vec<(usize, f32)>> {
    let words = embeddings.vectors().len() / embeddings.dims().max(1);
    let all = if words > EXACT_WORDS { nearly_nearest_of_all } else { nearest_of_all };
    all(embeddings, count)
}

/// The documents that have a vector, by id.
fn of_documents<'a>(
    kind: DocumentVectors,
    vectors: &WordVectors,
    ids: &[&'a str],
    order: &[usize],
) -> Vec<(&'a str, Vec<f64>)> {
    let found = ids.iter().zip(vectors.of_documents(order));
    let mut rows: Vec<(&str, Vec<f64>)> =
        found.filter_map(|(id, vector)| Some((*id, vector?.to_vec()))).collect();
    if kind == DocumentVectors::Sif {
        let mut vectors: Vec<&mut Vec<f64>> = rows.iter_mut().map(|(_, vector)| vector).collect();
        remove_common_component(&mut vectors);
    }
    rows
}
