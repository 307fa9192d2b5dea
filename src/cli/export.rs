//! `wordwave export`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::output::{beside, take_place};
use super::print;
use crate::error::{Error, Result};
use crate::job::RunRecord;
use crate::report::matrix::{MatrixFormat, MatrixValues, TermMatrix};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run's folder, or a job's folder for its latest run
    run: PathBuf,
    /// Whose format
    #[arg(long, value_enum)]
    format: Format,
    /// Where the matrix goes; the ids of its rows and the terms of its columns go to FILE.json
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// What stands in it
    #[arg(long, value_enum, default_value_t = Values::Weight)]
    values: Values,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// `scipy.sparse.load_npz`: compressed sparse rows
    Npz,
    /// Matrix Market
    Mtx,
    /// SVMlight and LIBSVM, columns from 1, every label 0
    Svmlight,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Values {
    /// The weights that the job asked for
    Weight,
    /// Occurrences
    Count,
}

/// Writes the terms of a run as a sparse matrix.
pub(super) fn export(arguments: &Arguments) -> Result<ExitCode> {
    let folder = RunRecord::folder_of(&arguments.run);
    let files = RunRecord::read(&folder)?.table_files("terms");
    if files.is_empty() {
        let advice = "the run has no terms: run a job with a section [bag_of_words]";
        return Err(Error::Usage(advice.to_owned()));
    }
    let format = match arguments.format {
        Format::Npz => MatrixFormat::Npz,
        Format::Mtx => MatrixFormat::Mtx,
        Format::Svmlight => MatrixFormat::Svmlight,
    };
    let values = match arguments.values {
        Values::Weight => MatrixValues::Weights,
        Values::Count => MatrixValues::Counts,
    };
    let matrix = TermMatrix::open(&folder, files, values)?;
    let to = arguments.to.as_path();
    let names = with_json(to);
    let (mut matrix_file, mut names_file) = (beside(to)?, beside(&names)?);
    let mut sink = BufWriter::with_capacity(1 << 18, matrix_file.as_file_mut());
    matrix.write(format, &mut sink, to)?;
    sink.flush().map_err(|error| Error::io("write", to, error))?;
    drop(sink);
    names_file.write_all(matrix.names().as_bytes()).map_err(|error| Error::io("write", &names, error))?;
    take_place(names_file, &names)?;
    take_place(matrix_file, to)?;
    let (rows, columns) = (matrix.documents().len(), matrix.terms().len());
    print(&format!(
        "{}: {rows} documents, {columns} terms; their names are in {}\n",
        to.display(),
        names.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// `matrix.npz.json`
fn with_json(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}
