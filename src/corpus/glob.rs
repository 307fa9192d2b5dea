//! Globs of the job file: `*`, `**`, `?`, `[..]`, `{a,b}`, relative to the job file or absolute.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// A glob cut into its literal folder and the pattern below it.
///
/// `text/**/*.txt` beside `/jobs/a.toml` has the literal folder `/jobs/text` and the rest `**/*.txt`. Sources and ids are
/// relative to the literal folder, so that a corpus keeps its names when it moves.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    folder: PathBuf,
    rest: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Reads the glob `text`; a relative one starts at `base`, the job file's folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the glob.
    pub fn parse(text: &str, base: &Path) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("an empty glob matches nothing: write for example \"text/**/*.txt\"".into());
        }
        let parts: Vec<&str> = text.split('/').collect();
        // The last part is never folder: a glob without wildcards names one file.
        let literal = parts
            .iter()
            .position(|part| part.contains(['*', '?', '[', '{']))
            .unwrap_or(parts.len() - 1)
            .min(parts.len() - 1);
        let mut head = parts[..literal].join("/");
        if literal == 1 && parts[0].is_empty() {
            head = "/".into();
        }
        let rest = parts[literal..].join("/");
        let matcher = GlobBuilder::new(&rest)
            .literal_separator(true)
            .build()
            .map_err(|error| format!("the glob {text:?} cannot be read: {}", error.kind()))?
            .compile_matcher();
        Ok(Self { text: text.to_owned(), folder: normalise(&base.join(head)), rest, matcher })
    }

    /// The glob as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The folder before the first wildcard.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The pattern below [`Pattern::folder`]: what remains the same when the corpus moves.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// How many folders down from [`Pattern::folder`] a match can lie; `None` for any number.
    #[must_use]
    pub fn depth(&self) -> Option<usize> {
        (!self.rest.contains("**")).then(|| self.rest.matches('/').count() + 1)
    }

    /// Whether the file `path` matches, its path being taken relative to the literal folder.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        path.strip_prefix(&self.folder).is_ok_and(|below| self.matcher.is_match(below))
    }

    /// Whether an exclusion hits `path`: as a path below its literal folder, or by name when it has no folder at all.
    #[must_use]
    pub fn excludes(&self, path: &Path) -> bool {
        let anywhere =
            !self.text.contains('/') && path.file_name().is_some_and(|name| self.matcher.is_match(name));
        let deep =
            self.text.starts_with("**/") && self.matcher.is_match(path.strip_prefix("/").unwrap_or(path));
        anywhere || deep || self.matches(path)
    }
}

/// Removes `.` and resolves `..` by name, so that globs with and without them find the same files.
#[must_use]
pub fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, Path::new("/jobs/sample")).unwrap()
    }

    #[test]
    fn the_literal_folder_ends_before_the_first_wildcard() {
        assert_eq!(pattern("text/**/*.txt").folder(), Path::new("/jobs/sample/text"));
        assert_eq!(pattern("../other/*.txt").folder(), Path::new("/jobs/other"));
        assert_eq!(pattern("/data/{a,b}/*.wav").folder(), Path::new("/data"));
        assert_eq!(pattern("/*.wav").folder(), Path::new("/"));
        assert_eq!(pattern("notes/one.txt").folder(), Path::new("/jobs/sample/notes"));
        assert_eq!(pattern("notes/one.txt").rest(), "one.txt");
    }

    #[test]
    fn wildcards_match_as_documented() {
        let deep = pattern("text/**/*.{txt,md}");
        assert!(deep.matches(Path::new("/jobs/sample/text/a.txt")));
        assert!(deep.matches(Path::new("/jobs/sample/text/x/y/a.md")));
        assert!(!deep.matches(Path::new("/jobs/sample/text/a.wav")));
        assert!(!pattern("text/*.txt").matches(Path::new("/jobs/sample/text/x/a.txt")));
        assert_eq!(
            (deep.depth(), pattern("text/*.txt").depth(), pattern("{a,b/c}/*").depth()),
            (None, Some(1), Some(3))
        );
        assert!(pattern("text/a?[0-9].txt").matches(Path::new("/jobs/sample/text/ab7.txt")));
    }

    #[test]
    fn exclusions_hit_by_path_and_by_name() {
        assert!(pattern("*.bak").excludes(Path::new("/elsewhere/deep/a.bak")));
        assert!(pattern("**/drafts/*").excludes(Path::new("/data/x/drafts/a.txt")));
        assert!(pattern("text/old/**").excludes(Path::new("/jobs/sample/text/old/a/b.txt")));
        assert!(!pattern("text/old/**").excludes(Path::new("/jobs/sample/text/new/b.txt")));
    }

    #[test]
    fn a_glob_that_cannot_be_read_says_so() {
        assert!(Pattern::parse("text/[a-", Path::new("/")).unwrap_err().contains("text/[a-"));
        assert!(Pattern::parse("", Path::new("/")).is_err());
    }
}
