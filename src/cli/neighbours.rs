//! `wordwave neighbours` and `wordwave analogy`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::print;
use crate::error::{Error, Result};
use crate::job::{Lexicon, Neighbour};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, a job's folder for its latest run, or a file of vectors: .parquet, word2vec, GloVe, fastText
    vectors: PathBuf,
    /// Words whose neighbours are wanted
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// How many of each
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// The words are ids of documents of a run whose job has embeddings.documents: documents near them
    #[arg(long)]
    documents: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct AnalogyArguments {
    /// A run's folder, a job's folder for its latest run, or a file of vectors: .parquet, word2vec, GloVe, fastText
    vectors: PathBuf,
    /// A word, as man
    a: String,
    /// What it is to this, as king
    b: String,
    /// so is this, as woman, to the words that are printed
    c: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Near<'a> {
    term: &'a str,
    neighbours: Vec<Neighbour>,
}

pub(super) fn neighbours(arguments: &Arguments) -> Result<ExitCode> {
    let read = if arguments.documents { Lexicon::documents } else { Lexicon::read };
    let lexicon = read(&arguments.vectors)?;
    let near = arguments
        .words
        .iter()
        .map(|term| lexicon.neighbours(term, arguments.count).map(|neighbours| Near { term, neighbours }));
    let near = near.collect::<Result<Vec<Near>>>()?;
    if arguments.json {
        return json(&near);
    }
    let mut out = "word\tneighbour\tcosine\n".to_owned();
    for Near { term, neighbours } in &near {
        for Neighbour { term: other, cosine } in neighbours {
            let _ = writeln!(out, "{}\t{}\t{cosine:.4}", cell(term), cell(other));
        }
    }
    print(&out)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn analogy(arguments: &AnalogyArguments) -> Result<ExitCode> {
    let lexicon = Lexicon::read(&arguments.vectors)?;
    let terms = [arguments.a.as_str(), arguments.b.as_str(), arguments.c.as_str()];
    let found = lexicon.analogy(terms, arguments.count)?;
    if arguments.json {
        return json(&found);
    }
    let mut out = "word\tcosine\n".to_owned();
    for Neighbour { term, cosine } in &found {
        let _ = writeln!(out, "{}\t{cosine:.4}", cell(term));
    }
    print(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<ExitCode> {
    let json =
        serde_json::to_string_pretty(value).map_err(|error| Error::Output(std::io::Error::other(error)))?;
    print(&(json + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A word without what would break its row or move a terminal's cursor.
fn cell(term: &str) -> String {
    term.replace(char::is_control, "\u{fffd}")
}
