//! The spaces in which documents and recordings are compared as wholes.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::sound::Sound;
use super::words::Words;
use crate::compare::features::FeatureTable;
use crate::compare::spaces::{Space, SpaceKind};
use crate::error::Result;
use crate::math::matrix::Matrix;
use crate::report::StoredTable;

/// Terms that the space of terms has at most, the most frequent ones.
const MOST_TERMS: usize = 100;
/// A term of fewer documents than this relates no documents.
const FEWEST_DOCUMENTS: u32 = 2;

/// The documents of the pairs by their word vectors and by their terms.
pub(super) fn text_spaces(words: &Words, members: &[(usize, usize)], desk: &Desk<'_>) -> Result<Vec<Space>> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    Ok(word_vectors(words, members).into_iter().chain(terms(words, members, desk)?).collect())
}

/// The weights of the most frequent terms of each document, as the `terms` table of this run has them. `None` without such a table, and
/// where terms are hashed.
fn terms(words: &Words, members: &[(usize, usize)], desk: &Desk<'_>) -> Result<Option<Space>> {
    let Some((vocabulary, _)) = &words.vocabulary else { return Ok(None) };
    let shared = (0_u32..).zip(vocabulary.df()).filter(|(_, df)| **df >= FEWEST_DOCUMENTS);
    let columns: BTreeMap<u64, usize> =
        shared.map(|(id, _)| u64::from(id)).take(MOST_TERMS).zip(0..).collect();
    let files: Vec<&str> = words
        .written
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| path.starts_with("terms/"))
        .collect();
    if columns.is_empty() || files.is_empty() {
        return Ok(None);
    }
    let rows: BTreeMap<&str, usize> = members
        .iter()
        .zip(0..)
        .map(|(&(document, _), row)| (&*words.documents[document].doc_id, row))
        .collect();
    let mut matrix = Matrix::zeros(members.len(), columns.len());
    for file in files {
        desk.interrupt.check()?;
        let table = StoredTable::read(desk.folder, file, &["doc_id", "term_id", "weight"])?;
        let (documents, ids, weights) =
            (table.text("doc_id")?, table.counts("term_id")?, table.numbers("weight")?);
        for ((document, id), weight) in documents.iter().zip(&ids).zip(weights) {
            if let (Some(&row), Some(&column), Some(weight)) =
                (rows.get(document.as_str()), columns.get(id), weight)
            {
                matrix.set(row, column, weight);
            }
        }
    }
    Ok(Some(Space { name: "terms".into(), matrix, kind: SpaceKind::Embedding }))
}

/// The mean word vector of each document.
fn word_vectors(words: &Words, members: &[(usize, usize)]) -> Option<Space> {
    let vectors = words.vectors.as_ref()?;
    let missing = vec![f64::NAN; vectors.embeddings.dims()];
    let of_documents = vectors.of_documents(&words.order);
    let rows: Vec<&[f64]> =
        members.iter().map(|&(document, _)| of_documents[document].unwrap_or(&missing)).collect();
    (vectors.embeddings.dims() > 0).then(|| Space {
        name: "embeddings".into(),
        matrix: Matrix::from_rows(&rows),
        kind: SpaceKind::Embedding,
    })
}

/// The cepstra, the mel levels, and all features together.
pub(super) fn sound_spaces(sound: &Sound, features: &FeatureTable) -> Vec<Space> {
    if sound.clips.is_empty() || features.rows() == 0 {
        return Vec::new();
    }
    let space = |name: &str, member: &dyn Fn(&str) -> bool| {
        let columns: Vec<&Vec<f64>> = features
            .names
            .iter()
            .zip(&features.columns)
            .filter(|(name, _)| member(name))
            .map(|(_, column)| column)
            .collect();
        let rows: Vec<Vec<f64>> =
            (0..features.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
        (!columns.is_empty()).then(|| Space {
            name: name.into(),
            matrix: Matrix::from_rows(&rows),
            kind: SpaceKind::Features,
        })
    };
    [
        space("mfcc", &|name| name.starts_with("mfcc_")),
        space("mel", &|name| name.starts_with("mel_")),
        space("sound", &|name| !name.starts_with("mel_") && !name.starts_with("mfcc_")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
