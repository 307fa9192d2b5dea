//! Files that a command writes for its user: they appear whole or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A file in the folder of `output`: what is written takes its place once it is whole, so that a full disk spoils nothing.
pub(super) fn beside(output: &Path) -> Result<NamedTempFile> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let suffix = format!(".{}", output.extension().and_then(|e| e.to_str()).unwrap_or_default());
    let builder = tempfile::Builder::new()
        .suffix(&suffix)
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder);
    builder.map_err(|error| Error::io("create a file beside", output, error))
}

/// Lets what was written beside it take the place of `output`.
pub(super) fn take_place(beside: NamedTempFile, output: &Path) -> Result<()> {
    beside.persist(output).map(drop).map_err(|error| Error::io("write", output, error.error))
}
