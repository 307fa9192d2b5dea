//! safetensors: eight bytes with the length of a JSON header, the header, and the tensors one after the other.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Export, write_numbers};

/// The header's length is filled up to a multiple of this.
const ALIGNMENT: usize = 8;

pub(super) fn write(export: &Export, out: &mut dyn Write) -> io::Result<()> {
    let mut tensors = Map::new();
    let mut end = 0;
    let mut tensor = |name: &str, dtype: &str, shape: &[usize]| {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        tensors
            .insert(name.to_owned(), json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
    };
    let dims = export.embeddings.dims();
    tensor("vectors", "F32", &[export.embeddings.words(), dims]);
    if let Some(ngrams) = export.ngrams {
        tensor("ngrams", "F32", &[ngrams.vectors().words(), dims]);
        tensor("buckets", "U32", &[ngrams.buckets().len()]);
        let which = ngrams.ngrams();
        tensors.insert(
            "__metadata__".to_owned(),
            json!({
                "ngram_min": which.min.to_string(),
                "ngram_max": which.max.to_string(),
                "ngram_buckets": which.buckets.to_string(),
            }),
        );
    }
    let mut header = Value::Object(tensors).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(ALIGNMENT) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    write_numbers(export.embeddings.vectors(), out)?;
    if let Some(ngrams) = export.ngrams {
        write_numbers(ngrams.vectors().vectors(), out)?;
        ngrams.buckets().iter().try_for_each(|bucket| out.write_all(&bucket.to_le_bytes()))?;
    }
    Ok(())
}
