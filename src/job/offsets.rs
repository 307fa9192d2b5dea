//! Where the tokens stand in their texts: the table `tokens`, a part for each shard of documents.

use std::ops::Range;

use rayon::prelude::*;

use super::content::Content;
use super::counting::shards_of;
use super::desk::Desk;
use super::inputs::Inputs;
use super::key::Key;
use super::plan::DocumentsPlan;
use super::store::Kept;
use crate::corpus::{DocumentReader, DocumentRef};
use crate::error::Result;
use crate::report::{TokenRows, Written, tables};
use crate::text::tokens::{TokenBuffer, Tokenizer};

/// Reads the documents again and writes the places of their tokens; a part whose documents are as they were is laid there as it is.
pub(super) fn run(
    plan: &DocumentsPlan,
    inputs: &Inputs<DocumentRef>,
    contents: &[Content],
    (tokenizer, model): (&Tokenizer, Option<&str>),
    desk: &Desk<'_>,
) -> Result<Vec<Written>> {
    let references = &inputs.references;
    let reader = DocumentReader::new(&plan.rules).unpacking_into(desk.folder);
    let part = |(number, shard): (usize, Range<usize>)| {
        desk.interrupt.check()?;
        let name = format!("tokens/part-{number:05}.parquet");
        let ids: Vec<&str> = references[shard.clone()].iter().map(|reference| &*reference.id).collect();
        let key = Key::of("tokens", &(&desk.settings.tokens, model, ids, contents.get(shard.clone())));
        let known = desk.store.load::<Kept<()>>(&key).and_then(|kept| {
            kept.written.first().and_then(|written| desk.lay(written, &name, &kept.config_hash))
        });
        let written = if let Some(written) = known {
            written
        } else {
            let rows = places(&references[shard.clone()], &reader, tokenizer);
            let written = desk.write(tables::tokens(rows), &name)?;
            desk.keep(&key, &(), std::slice::from_ref(&written));
            written
        };
        desk.stages.advance(shard.len() as u64);
        Ok(written)
    };
    desk.make_folder("tokens")?;
    let mut shards = shards_of(references);
    if shards.is_empty() {
        // A table exists even when nothing was read: one part without rows.
        shards.push(0..0);
    }
    desk.stages.time("tokens", references.len() as u64, "documents", || {
        shards.into_par_iter().with_max_len(1).enumerate().map(part).collect()
    })
}

/// What cannot be read or cut stands in quarantine already, and has no tokens here.
fn places(shard: &[DocumentRef], reader: &DocumentReader<'_>, tokenizer: &Tokenizer) -> TokenRows {
    let mut rows = TokenRows::default();
    let mut buffer = TokenBuffer::default();
    let references: Vec<&DocumentRef> = shard.iter().collect();
    for document in reader.read(&references).into_iter().flatten() {
        let before = rows.len();
        let found = |token: &str, span: Range<usize>| rows.push(token, &span);
        if tokenizer.for_each_span(&document.text, &mut buffer, found).is_err() {
            rows.truncate(before);
        }
        rows.end_document(document.id.to_string());
    }
    rows
}
