//! Walking the folders of the globs: every file that matches, once, in an order that does not depend on the disk.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use rayon::prelude::*;

use super::glob::Pattern;
use super::quarantine::{Quarantined, Stage, Unusable, Warned};
use super::stamp::Stamp;
use crate::error::{Error, Result};

/// A file that a glob found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its path relative to the literal folder of the first glob that matched, with `/` between the parts.
    pub source: String,
    /// Its size on disk.
    pub bytes: u64,
    /// Tells whether it is as it was on another night.
    pub stamp: Stamp,
}

impl Found {
    /// The file at `path`; its name is its source.
    ///
    /// # Errors
    /// It is not there.
    pub fn at(path: &Path) -> std::io::Result<Self> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        let source = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { path: path.to_path_buf(), source, bytes: stamp.bytes, stamp })
    }
}

/// What the globs found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Usable files, by source, then path.
    pub found: Vec<Found>,
    /// What matched but is no file to read: links that lead out, devices, names that are no UTF-8.
    pub quarantined: Vec<Quarantined>,
    /// Globs that matched nothing.
    pub warned: Vec<Warned>,
}

/// What a glob matched.
struct Entry {
    path: PathBuf,
    source: String,
    trouble: Option<Unusable>,
}

/// Lists what `include` matches and `exclude` does not. Links to folders are not followed; a link to a file is read where the
/// file lies inside the glob's literal folder; with `follow_links` every link is followed, wherever it leads. `key` is the
/// job-file key, for the message when a folder is missing.
///
/// # Errors
/// [`Error::NothingToDo`] when the literal folder of a glob does not exist: a corpus that is not mounted must not look empty.
pub fn walk(include: &[Pattern], exclude: &[Pattern], follow_links: bool, key: &str) -> Result<Walk> {
    let mut entries: Vec<Entry> = Vec::new();
    // One walk meets no file twice.
    let mut seen = (include.len() > 1).then(HashSet::new);
    let mut is_new = |path: &Path| seen.as_mut().is_none_or(|seen| seen.insert(path.to_path_buf()));
    let mut unmatched = Vec::new();
    for pattern in include {
        let mut matched = false;
        let folder = pattern.folder();
        if !folder.is_dir() {
            return Err(Error::NothingToDo(format!(
                "the folder {} named by {key} = {:?} does not exist; create or mount it, or correct the glob",
                folder.display(),
                pattern.text()
            )));
        }
        let root = fs::canonicalize(folder).map_err(|source| Error::io("open the folder", folder, source))?;
        for entry in WalkBuilder::new(folder)
            .standard_filters(false)
            .follow_links(follow_links)
            .max_depth(pattern.depth())
            .build()
        {
            // The reader of a night job must learn of a folder that cannot be listed; the rest of the corpus still counts.
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let source = below_of(&error, folder);
                    let path = folder.join(&source);
                    // `lost+found/**` excludes the folder too, not only what nobody could list.
                    let below = path.join("any");
                    if !exclude.iter().any(|pattern| pattern.excludes(&path) || pattern.excludes(&below))
                        && is_new(&path)
                    {
                        entries.push(Entry { path, source, trouble: Some(unlisted(&error)) });
                    }
                    continue;
                }
            };
            let path = entry.path();
            if entry.file_type().is_some_and(|kind| kind.is_dir())
                || !pattern.matches(path)
                || exclude.iter().any(|pattern| pattern.excludes(path))
            {
                continue;
            }
            matched = true;
            if is_new(path) {
                let (source, trouble) = examine(&entry, folder, &root);
                entries.push(Entry { path: entry.into_path(), source, trouble });
            }
        }
        if !matched {
            unmatched.push(pattern);
        }
    }
    let mut walk = sorted(entries);
    walk.warned = unmatched.into_iter().map(|pattern| no_match(pattern, key)).collect();
    Ok(walk)
}

fn no_match(pattern: &Pattern, key: &str) -> Warned {
    let reason = format!("matches no file in {}: see whether {key} is right", pattern.folder().display());
    Warned { source: pattern.rest().to_owned(), stage: Stage::Read, code: "no_match".into(), reason }
}

fn unlisted(error: &ignore::Error) -> Unusable {
    if error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Unusable::new("vanished", "was listed, but is gone: removed or renamed while the job ran");
    }
    Unusable::new("unlisted_folder", format!("cannot be listed: {error}; nothing below it was read"))
}

/// The path that an error of the walk is about, below `folder`.
fn below_of(error: &ignore::Error, folder: &Path) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => {
            path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
        }
        ignore::Error::WithDepth { err, .. } => below_of(err, folder),
        ignore::Error::Loop { child, .. } => {
            child.strip_prefix(folder).unwrap_or(child).to_string_lossy().into_owned()
        }
        _ => String::new(),
    }
}

/// The source name of an entry, and why it cannot be read where it cannot.
fn examine(entry: &DirEntry, folder: &Path, root: &Path) -> (String, Option<Unusable>) {
    let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
    let source = below.to_string_lossy().into_owned();
    if below.to_str().is_none() {
        return (source, Some(Unusable::new("name_not_utf8", "the file's name is not UTF-8: rename it")));
    }
    let Some(kind) = entry.file_type() else {
        return (source, Some(Unusable::new("not_a_file", "no ordinary file: leave it out with `exclude`")));
    };
    if kind.is_symlink() {
        return (source, link_trouble(entry.path(), root));
    }
    if !kind.is_file() {
        let reason = "a device, socket or pipe, not a file: leave it out with `exclude`";
        return (source, Some(Unusable::new("not_a_file", reason)));
    }
    (source, None)
}

/// Why the link at `path` is not read, where it is not.
fn link_trouble(path: &Path, root: &Path) -> Option<Unusable> {
    let (code, reason) = match fs::canonicalize(path) {
        Err(error) => ("broken_link", format!("a link that leads nowhere ({error}): mend or remove it")),
        Ok(target) if !target.starts_with(root) => {
            ("link_outside", "a link that leads out of the corpus folder is not followed".to_owned())
        }
        Ok(target) if target.is_dir() => {
            ("link_to_folder", "a link to a folder is not followed: name the folder in a glob".to_owned())
        }
        Ok(target) if target.is_file() => return None,
        Ok(_) => ("not_a_file", "a link to a device, socket or pipe: leave it out with `exclude`".to_owned()),
    };
    Some(Unusable::new(code, reason))
}

fn sorted(entries: Vec<Entry>) -> Walk {
    let mut walk = Walk::default();
    let outcomes: Vec<std::result::Result<Found, Quarantined>> = entries
        .into_par_iter()
        .map(|Entry { path, source, trouble }| {
            if let Some(trouble) = trouble {
                return Err(trouble.of(&source));
            }
            let stamp =
                fs::metadata(&path).map_or_else(|_| Stamp::default(), |metadata| Stamp::of(&metadata));
            Ok(Found { path, source, bytes: stamp.bytes, stamp })
        })
        .collect();
    for outcome in outcomes {
        match outcome {
            Ok(found) => walk.found.push(found),
            Err(row) => walk.quarantined.push(row),
        }
    }
    walk.found.sort_by(|a, b| (&a.source, a.path.as_os_str()).cmp(&(&b.source, b.path.as_os_str())));
    walk.quarantined.sort();
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_once_sorted_and_links_out_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("c/deep")).unwrap();
        for name in ["c/b.txt", "c/a.txt", "c/deep/z.txt", "c/skip.bak", "outside.txt"] {
            fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(at("c"), at("c/deep/loop")).unwrap();
        std::os::unix::fs::symlink(at("outside.txt"), at("c/out.txt")).unwrap();
        std::os::unix::fs::symlink(at("c/a.txt"), at("c/in.txt")).unwrap();
        let parse = |text: &str| Pattern::parse(text, folder.path()).unwrap();
        let walk = walk(&[parse("c/**/*"), parse("c/*.txt")], &[parse("*.bak")], false, "documents.include")
            .unwrap();
        let sources: Vec<&str> = walk.found.iter().map(|found| found.source.as_str()).collect();
        assert_eq!(sources, ["a.txt", "b.txt", "deep/z.txt", "in.txt"]);
        let codes: Vec<_> = walk.quarantined.iter().map(|row| (row.source.as_str(), &*row.code)).collect();
        assert_eq!(codes, [("deep/loop", "link_to_folder"), ("out.txt", "link_outside")]);
        let followed = super::walk(&[parse("c/**/*")], &[], true, "documents.include").unwrap();
        assert!(followed.found.iter().any(|found| found.source == "out.txt"));
        let codes: Vec<_> =
            followed.quarantined.iter().map(|row| (row.source.as_str(), &*row.code)).collect();
        assert_eq!(codes, [("deep/loop", "unlisted_folder")]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let pattern = Pattern::parse("nowhere/*.txt", Path::new("/tmp/none")).unwrap();
        let error = walk(&[pattern], &[], false, "documents.include").unwrap_err();
        assert_eq!(error.exit_code(), 65);
        assert!(
            error.to_string().contains("/tmp/none/nowhere")
                && error.to_string().contains("documents.include")
        );
    }
}
