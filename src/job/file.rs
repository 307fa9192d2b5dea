//! The job file as text: syntax, unknown keys, overrides. What its sections mean together is the plan's business.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::sections::JobFile;
use crate::error::{Error, Result};

/// Every key with its default and a comment: what `wordwave init` writes, and what unknown keys are held against.
pub const KEYS: &str = include_str!("keys.toml");

impl JobFile {
    /// Reads the job file at `path` and applies `overrides` (`key.path=VALUE`, VALUE in TOML or else a string).
    ///
    /// # Errors
    /// [`Error::JobFile`] with the line and what to write instead; [`Error::Usage`] for an override that is none.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::job_file(&place, format!("cannot be read: {error}; `wordwave init` writes one"))
        })?;
        Self::parse(&text, &place, overrides)
    }

    /// Reads the job file `text`; `place` names it in messages.
    ///
    /// # Errors
    /// As [`JobFile::read`].
    pub fn parse(text: &str, place: &str, overrides: &[String]) -> Result<Self> {
        let spanned = DeTable::parse(text).map_err(|error| syntax(text, place, &error))?;
        let known = known_keys();
        reject_unknown(spanned.get_ref(), &known, "", &|at, message| {
            Error::job_file(format!("{place}:{}", line_of(text, at)), message)
        })?;
        let mut table: toml::Table = toml::from_str(text).map_err(|error| syntax(text, place, &error))?;
        let parsed = |table: &toml::Table| table.clone().try_into::<Self>();
        let mut job = parsed(&table).map_err(|error| wrong_value(text, place, &error))?;
        for assignment in overrides {
            set(&mut table, &known, assignment)?;
            job = parsed(&table).map_err(|error| {
                Error::job_file(place, format!("--set {assignment}: {}", one_line(&error.to_string())))
            })?;
        }
        Ok(job)
    }
}

fn syntax(text: &str, place: &str, error: &toml::de::Error) -> Error {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    Error::job_file(format!("{place}:{line}"), format!("not TOML: {}", error.message()))
}

/// A value of the wrong kind: parsed again from the text, the complaint knows its line.
fn wrong_value(text: &str, place: &str, error: &toml::de::Error) -> Error {
    let located = toml::from_str::<JobFile>(text).err();
    let line = located.as_ref().and_then(toml::de::Error::span).map(|span| line_of(text, span.start));
    let message = one_line(located.as_ref().map_or_else(|| error.message(), toml::de::Error::message));
    Error::job_file(line.map_or_else(|| place.to_owned(), |line| format!("{place}:{line}")), message)
}

/// Without line breaks and without the names of our types.
fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    words
        .join(" ")
        .replace("expected struct JobSection", "expected a section")
        .replace("expected struct ", "expected a section, ")
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// Keys of the contract that [`KEYS`] does not offer as defaults: some stand for another, some are not built yet, which the
/// plan says in its own words.
const FURTHER_KEYS: &str = r#"
    manifest = { path = "", sample_rate = 0, channel = "" }
    tokens = { model = { path = "", train = "", vocab_size = 0 } }
    filters = [{ sigma = 0.0, size = 0, angle = 0.0, db = 0.0, transition_hz = 0.0, q = 0.0, gain_db = 0.0, zero_phase = true,
                 wavelength = 0.0, range = 0.0, amount = 0.0, footprint = "", order = 0, derivative = 0 }]
"#;

fn known_keys() -> toml::Table {
    let mut known: toml::Table = toml::from_str(KEYS).unwrap_or_default();
    let further: toml::Table = toml::from_str(FURTHER_KEYS).unwrap_or_default();
    for (section, keys) in further {
        match (known.get_mut(&section), keys) {
            (Some(toml::Value::Table(present)), toml::Value::Table(keys)) => present.extend(keys),
            (Some(toml::Value::Array(present)), toml::Value::Array(more)) => {
                for (present, more) in present.iter_mut().zip(more) {
                    if let (toml::Value::Table(present), toml::Value::Table(more)) = (present, more) {
                        present.extend(more);
                    }
                }
            }
            (_, keys) => {
                known.insert(section, keys);
            }
        }
    }
    known
}

fn reject_unknown(
    table: &DeTable<'_>,
    known: &toml::Table,
    prefix: &str,
    complain: &impl Fn(usize, String) -> Error,
) -> Result<()> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let Some(reference) = known.get(name) else {
            return Err(complain(key.span().start, unknown(&full, name, known)));
        };
        match (value.get_ref(), reference) {
            (DeValue::Table(inner), toml::Value::Table(reference)) => {
                reject_unknown(inner, reference, &full, complain)?;
            }
            (DeValue::Array(items), toml::Value::Array(references)) => {
                for item in items {
                    if let (DeValue::Table(inner), Some(toml::Value::Table(reference))) =
                        (item.get_ref(), references.first())
                    {
                        reject_unknown(inner, reference, &full, complain)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unknown(full: &str, name: &str, known: &toml::Table) -> String {
    let nearest =
        known.keys().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    let hint = nearest.map_or_else(String::new, |nearest| {
        let prefix = full.strip_suffix(name).unwrap_or("");
        format!("; did you mean {prefix}{nearest}?")
    });
    format!("unknown key {full}{hint}")
}

fn set(table: &mut toml::Table, known: &toml::Table, assignment: &str) -> Result<()> {
    let Some((path, text)) = assignment.split_once('=') else {
        return Err(Error::Usage(format!("--set {assignment}: write --set key.path=VALUE")));
    };
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()));
    let mut parts: Vec<&str> = path.trim().split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let (mut place, mut reference) = (table, known);
    let mut walked = String::new();
    for part in parts {
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
        reference = match reference.get(part) {
            Some(toml::Value::Table(inner)) => inner,
            Some(toml::Value::Array(_)) => {
                let hint = format!("{walked} is a list: write --set '{walked}=[{{ … }}]'");
                return Err(Error::Usage(format!("--set {assignment}: {hint}")));
            }
            _ => {
                let message = unknown(&walked, part, reference);
                return Err(Error::Usage(format!("--set {assignment}: {message}")));
            }
        };
        let entry = place.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry
            .as_table_mut()
            .ok_or_else(|| Error::Usage(format!("--set {assignment}: {walked} is no section")))?;
    }
    if !reference.contains_key(last) {
        return Err(Error::Usage(format!("--set {assignment}: {}", unknown(path.trim(), last, reference))));
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JobFile> {
        JobFile::parse(text, "job.toml", &[])
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let mut documented = parse(KEYS).unwrap();
        assert_eq!(documented.filters.len(), 1);
        documented.filters.clear();
        let empty = parse(
            "[documents]\n[tokens]\n[bag_of_words]\n[statistics]\n[embeddings]\n[clips]\n[spectrogram]\n[features]\n[compare]\n[report]",
        )
        .unwrap();
        assert_eq!(documented, empty);
    }

    #[test]
    fn an_absent_section_is_a_stage_that_does_not_run() {
        let job = parse("[job]\nname = \"x\"\n[documents]\n").unwrap();
        assert!(job.documents.is_some() && job.clips.is_none() && job.report.is_none());
    }

    #[test]
    fn unknown_keys_name_their_line_and_the_nearest_key() {
        for (text, place, hint) in [
            ("[job]\nnmae = \"x\"", "job.toml:2", "did you mean job.name?"),
            ("[embedings]\ndims = 3", "job.toml:1", "did you mean embeddings?"),
            ("[features]\n\npitch = { min_hertz = 3 }", "job.toml:3", "did you mean features.pitch.min_hz?"),
            ("[[filters]]\nonn = 'waveform'", "job.toml:2", "did you mean filters.on?"),
            ("[tokens]\nmodel = { pathh = 'x' }", "job.toml:2", "did you mean tokens.model.path?"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.starts_with(place) && message.contains(hint), "{message}");
        }
    }

    #[test]
    fn wrong_values_name_their_line() {
        let message = parse("[job]\nseed = \"x\"").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:2"), "{message}");
        let message = parse("[job\n").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:1") && message.contains("not TOML"), "{message}");
        let message = parse("[documents]\n\nsplit = \"word\"").unwrap_err().to_string();
        assert!(message.starts_with("job.toml:3") && message.contains("paragraph"), "{message}");
    }

    #[test]
    fn overrides_take_toml_values_or_strings() {
        let overrides = [
            "embeddings.epochs=1",
            "job.output=/tmp/out",
            "documents.include=[\"/x/**/*.md\"]",
            "job.name=\"n\"",
        ];
        let job = JobFile::parse("[job]\nseed = 3", "job.toml", &overrides.map(String::from)).unwrap();
        assert_eq!(job.embeddings.unwrap().epochs, 1);
        assert_eq!((job.job.output.as_str(), job.job.name.as_str(), job.job.seed), ("/tmp/out", "n", 3));
        assert_eq!(job.documents.unwrap().include, ["/x/**/*.md"]);
        for (bad, hint) in [("job.nam=3", "job.name"), ("jobs.name=3", "job"), ("x", "key.path=VALUE")] {
            let error = JobFile::parse("", "job.toml", &[bad.to_owned()]).unwrap_err();
            assert_eq!(error.exit_code(), 64);
            assert!(error.to_string().contains(hint), "{error}");
        }
        let error = JobFile::parse("", "job.toml", &["job.seed=x".to_owned()]).unwrap_err();
        assert_eq!(error.exit_code(), 78);
    }
}
