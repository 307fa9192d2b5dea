//! `wordwave evaluate`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::neighbours::json;
use super::print;
use crate::error::Result;
use crate::job::{Lexicon, Score, write_scores};

const HELP: &str = "\
A table word1,word2,similarity (.csv, .tsv) asks for Spearman's rank correlation of cosines with the similarity that people gave; \
pairs with a word that has no vector are left out, and counted. A list of a b c d under headings `: section` (.txt) asks what is to c as b is \
to a, among the 30,000 most frequent words, a, b and c left out; d is the right answer. Words are compared in lower case.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// A run's folder, a job's folder for its latest run, or a file of vectors: .parquet, word2vec, GloVe, fastText
    vectors: PathBuf,
    /// The folder of the word sets
    #[arg(long, value_name = "DIR")]
    wordsets: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the scores to FILE as a Parquet table too
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
}

pub(super) fn evaluate(arguments: &Arguments) -> Result<ExitCode> {
    let scores = Lexicon::read(&arguments.vectors)?.evaluate(&arguments.wordsets)?;
    if let Some(path) = &arguments.table {
        write_scores(&scores, path)?;
    }
    if arguments.json {
        return json(&scores);
    }
    print(&text(&scores))?;
    Ok(ExitCode::SUCCESS)
}

/// The scores for a person, in hundredths.
fn text(scores: &[Score]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<44}{:<10}{:>8}{:>18}{:>16}{:>10}",
        "set", "measure", "x 100", "95 % interval", "used", "coverage"
    );
    for score in scores {
        let name = match score.section.as_str() {
            "" => score.set.clone(),
            section => format!("  {section}"),
        };
        let hundredths =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.1}", 100.0 * value));
        let interval = match (score.ci_low, score.ci_high) {
            (Some(_), Some(_)) => format!("{} to {}", hundredths(score.ci_low), hundredths(score.ci_high)),
            _ => "-".to_owned(),
        };
        let _ = writeln!(
            out,
            "{:<44}{:<10}{:>8}{:>18}{:>16}{:>9.1}%",
            name.replace(char::is_control, "\u{fffd}"),
            score.measure,
            hundredths(score.estimate),
            interval,
            format!("{} of {}", score.used, score.questions),
            100.0 * score.coverage()
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_said_in_hundredths() {
        let score = Score {
            set: "men".into(),
            section: String::new(),
            measure: "spearman",
            questions: 4,
            used: 3,
            estimate: Some(0.6452),
            ci_low: Some(-0.5),
            ci_high: None,
        };
        let said = text(&[score.clone(), Score { section: "plural".into(), estimate: None, ..score }]);
        assert!(said.contains("64.5") && said.contains("3 of 4") && said.contains("75.0%"), "{said}");
        assert!(said.lines().nth(2).is_some_and(|line| line.starts_with("  plural")), "{said}");
    }
}
