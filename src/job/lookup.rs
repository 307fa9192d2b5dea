//! Word vectors of a run or of a file, looked at: neighbours, analogies, agreement with people.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use super::record::RunRecord;
use crate::error::{Error, Result};
use crate::report::{Provenance, StoredTable, Table, tables, write_table};
use crate::text::embeddings::evaluation::{WordSet, evaluate};
use crate::text::embeddings::formats::read_vectors;
use crate::text::embeddings::{CharacterNgrams, Embeddings, KeyedVectors, NgramVectors};

pub use crate::text::embeddings::evaluation::Score;

/// A word near another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbour {
    /// The word.
    pub term: String,
    /// The cosine of the angle between both vectors.
    pub cosine: f32,
}

/// Words with their vectors.
#[derive(Debug)]
pub struct Lexicon {
    place: String,
    words: KeyedVectors,
}

impl Lexicon {
    /// Reads the vectors of the run or the job in a folder, of a table of embeddings, or of a file that another program wrote
    /// (word2vec, GloVe, fastText; .gz and .zst are read through).
    ///
    /// # Errors
    /// [`Error::Usage`] for a run without vectors, [`Error::NothingToDo`] for a file that holds none, [`Error::Io`] and
    /// [`Error::Reading`] where it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let words = if path.is_dir() {
            of_run(&RunRecord::folder_of(path))?
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            let folder = path.parent().unwrap_or(Path::new(""));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let read = keyed(&StoredTable::read(folder, &name, &["term", "vector"])?, "term", None)?;
            read.ok_or_else(|| unusable(path, "the words and their vectors do not fit together"))?
        } else {
            let read = read_vectors(open(path)?).map_err(|error| unusable(path, &error.to_string()))?;
            read.words
        };
        Ok(Self { place: path.display().to_string(), words })
    }

    /// Reads the vectors of the documents of a run.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn documents(path: &Path) -> Result<Self> {
        let folder = RunRecord::folder_of(path);
        let record = RunRecord::read(&folder)?;
        let Some(file) = record.table_files("document_vectors").pop() else {
            let advice = "write documents = \"sif\" or \"dbow\" under [embeddings] of its job";
            return Err(Error::Usage(format!("{} has no vectors of documents: {advice}", folder.display())));
        };
        let table = StoredTable::read(&folder, &file, &["doc_id", "vector"])?;
        let read = keyed(&table, "doc_id", None)?;
        let words =
            read.ok_or_else(|| unusable(&folder, "the documents and their vectors do not fit together"))?;
        Ok(Self { place: path.display().to_string(), words })
    }

    /// The words and their vectors.
    pub(super) fn into_words(self) -> KeyedVectors {
        self.words
    }

    /// How many words there are, and how many numbers a vector has.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.words.terms().len(), self.words.embeddings().dims())
    }

    /// The `count` words nearest to `term`; a word outside the vocabulary is made of its n-grams where they are known.
    ///
    /// # Errors
    /// [`Error::Usage`] for a word without a vector.
    pub fn neighbours(&self, term: &str, count: usize) -> Result<Vec<Neighbour>> {
        let vector = self.words.vector(term).ok_or_else(|| self.unknown(term))?;
        let own: Vec<usize> = self.words.number(term).into_iter().collect();
        Ok(self.named(self.words.nearest_to(&vector, &own, count)))
    }

    /// The `count` words that are to `c` as `b` is to `a`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a word without a vector.
    pub fn analogy(&self, terms: [&str; 3], count: usize) -> Result<Vec<Neighbour>> {
        let found = self.words.analogy(terms, count).map_err(|term| self.unknown(term))?;
        Ok(self.named(found))
    }

    /// Puts every word set in `folder` (`.csv`, `.tsv`, `.txt`) to the vectors, by name.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder or a set cannot be read, [`Error::NothingToDo`] where there is none, or one that is no word set.
    pub fn evaluate(&self, folder: &Path) -> Result<Vec<Score>> {
        let mut scores = Vec::new();
        for path in sets(folder)? {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, error))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let set = WordSet::parse(&name, &text).map_err(|error| unusable(&path, &error))?;
            scores.extend(evaluate(&self.words, &set));
        }
        Ok(scores)
    }

    fn named(&self, found: Vec<(usize, f32)>) -> Vec<Neighbour> {
        let terms = self.words.terms();
        found.into_iter().map(|(number, cosine)| Neighbour { term: terms[number].clone(), cosine }).collect()
    }

    fn unknown(&self, term: &str) -> Error {
        let likeness = |other: &&String| strsim::jaro_winkler(other, term);
        let nearest = self.words.terms().iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let advice =
            nearest.map_or_else(|| "it has none".to_owned(), |near| format!("did you mean {near:?}?"));
        Error::Usage(format!("{} has no vector for {term:?}: {advice}", self.place))
    }
}

/// Writes scores as a table, to one file.
///
/// # Errors
/// [`Error::Io`] where the disk fails, [`Error::Table`] where the table cannot be written.
pub fn write_scores(scores: &[Score], path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let table: Table = tables::evaluation(scores);
    let provenance = Provenance { job: "evaluate".to_owned(), config_hash: String::new() };
    write_table(table, folder, &name, &provenance).map(drop)
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::NothingToDo(format!("{}: {why}", path.display()))
}

/// A file, unpacked where its name says that it is packed.
fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file))),
        Some("zst") => Box::new(zstd::Decoder::new(file).map_err(|error| Error::io("unpack", path, error))?),
        _ => Box::new(file),
    })
}

fn of_run(folder: &Path) -> Result<KeyedVectors> {
    let record = RunRecord::read(folder)?;
    let Some(file) = record.table_files("embeddings").pop() else {
        let advice = "its job has no [embeddings]";
        return Err(Error::Usage(format!("{} has no word vectors: {advice}", folder.display())));
    };
    let ngrams = match record.table_files("subwords").pop() {
        Some(file) => of_ngrams(folder, &file, &record)?,
        None => None,
    };
    let table = StoredTable::read(folder, &file, &["term", "vector"])?;
    keyed(&table, "term", ngrams)?
        .ok_or_else(|| unusable(folder, "the words and their vectors do not fit together"))
}

fn keyed(table: &StoredTable, name: &str, ngrams: Option<NgramVectors>) -> Result<Option<KeyedVectors>> {
    let terms = table.text(name)?;
    let (vectors, dims) = table.vectors("vector")?;
    Ok(Embeddings::new(dims, vectors).and_then(|vectors| KeyedVectors::new(terms, vectors, ngrams)))
}

fn of_ngrams(folder: &Path, file: &str, record: &RunRecord) -> Result<Option<NgramVectors>> {
    let table = StoredTable::read(folder, file, &["bucket", "vector"])?;
    let buckets = table.counts("bucket")?.into_iter().map(|bucket| bucket as u32).collect();
    let (vectors, dims) = table.vectors("vector")?;
    let section = &record.job["embeddings"];
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64()?).ok();
    let which = (|| {
        let (min, max) = (number(&section["subwords"][0])?, number(&section["subwords"][1])?);
        Some(CharacterNgrams { min, max, buckets: number(&section["buckets"])? })
    })();
    Ok(which.zip(Embeddings::new(dims, vectors)).and_then(|(which, v)| NgramVectors::new(which, buckets, v)))
}

/// The word sets in a folder, by name.
fn sets(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let failed = |error| Error::io("list", folder, error);
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("csv" | "tsv" | "txt")) {
            sets.push(path);
        }
    }
    if sets.is_empty() {
        let advice = "name a folder with word sets: tables word1,word2,similarity (.csv, .tsv) or analogies under headings (.txt)";
        return Err(unusable(folder, advice));
    }
    sets.sort();
    Ok(sets)
}
