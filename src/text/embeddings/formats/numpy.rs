//! NumPy's format, version 1.0 (`numpy.lib.format`): a matrix of f32, words by dimensions, in rows.

use std::io::{self, Write};

use super::{Export, write_numbers};

const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
/// The data begin at a multiple of this.
const ALIGNMENT: usize = 64;

pub(super) fn write(export: &Export, out: &mut dyn Write) -> io::Result<()> {
    let (words, dims) = (export.embeddings.words(), export.embeddings.dims());
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({words}, {dims}), }}");
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    write_numbers(export.embeddings.vectors(), out)
}
