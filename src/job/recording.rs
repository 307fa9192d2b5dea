//! One recording of a run, to be looked at and listened to: its levels as the run stored them, or analysed again.

use std::path::{Path, PathBuf};

use super::clip::{Plans, Scratch};
use super::desk::{Desk, at_rest};
use super::inputs;
use super::inventory::Inventory;
use super::page::{decibels, ticks};
use super::plan::{ClipsPlan, Plan};
use super::record::RunRecord;
use super::sections::JobFile;
use super::store::Store as Kept;
use super::syncing::Syncing;
use crate::audio::griffin_lim::{self, Inversion};
use crate::audio::{SpectrogramSettings, Store};
use crate::corpus::read_clip;
use crate::error::{Error, Result};
use crate::report::{StoredTable, page};

/// A recording of a run.
#[derive(Debug, Clone)]
pub struct Recording {
    clip_id: String,
    seconds: f64,
    sample_rate: u32,
    /// Their `store` says what the matrix holds.
    settings: SpectrogramSettings,
    /// Frames by bands or bins.
    matrix: Vec<f32>,
}

impl Recording {
    /// The recording `clip_id` of the run in `folder`. Its matrix is the stored one; where the run stored none, its levels are
    /// made anew from the corpus.
    ///
    /// # Errors
    /// [`Error::Usage`] where the run has no such recording, or the corpus has it no longer; [`Error::Io`] and
    /// [`Error::Reading`] where tables cannot be read.
    pub fn find(folder: &Path, clip_id: &str) -> Result<Self> {
        let record = RunRecord::read(folder)?;
        let (seconds, file_sample_rate) = row_of(folder, &record, clip_id)?;
        let refused = |why: String| Error::Usage(format!("{}: {why}", folder.display()));
        let mut file: JobFile =
            serde_json::from_value(record.job.clone()).map_err(|error| refused(error.to_string()))?;
        // Files that the other sections name may have gone since.
        (file.documents, file.compare) = (None, None);
        (file.tokens, file.bag_of_words, file.statistics, file.embeddings) = (None, None, None, None);
        let plan = Plan::new(file, &PathBuf::from(&record.job_file))?;
        let clips = plan.clips.as_ref().ok_or_else(|| refused("its job has no [clips]".to_owned()))?;
        let mut settings = clips.spectrogram;
        let (matrix, seconds, sample_rate) = match settings.store {
            Store::None => {
                settings.store = Store::Mel;
                analysed(&plan, clips, clip_id).map_err(refused)?
            }
            Store::Mel | Store::Power => {
                let rate =
                    if clips.rules.sample_rate == 0 { file_sample_rate } else { clips.rules.sample_rate };
                (stored(folder, &record, clip_id)?, seconds, rate)
            }
        };
        Ok(Self { clip_id: clip_id.to_owned(), seconds, sample_rate, settings, matrix })
    }

    /// A picture of its spectrogram, as an SVG file.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is nothing to see: no whole frame.
    pub fn picture(&self) -> Result<String> {
        let (bands, levels_db, ticks_hz) = if self.settings.store == Store::Power {
            let level = |power: &f32| 10.0 * libm::log10f(power.max(1e-10));
            let bins = self.settings.bins();
            let nyquist = f64::from(self.sample_rate) / 2.0;
            let ticks = ticks(&self.settings, self.sample_rate).into_iter();
            let ticks = ticks.map(|(hz, _)| (hz, hz / nyquist * (bins - 1) as f64 + 0.5)).collect();
            (bins, self.matrix.iter().map(level).collect(), ticks)
        } else {
            let ticks = ticks(&self.settings, self.sample_rate);
            (self.settings.mels, decibels(&self.matrix, self.settings.profile), ticks)
        };
        page::spectrogram_svg(&page::Spectrogram {
            clip_id: self.clip_id.clone(),
            seconds: self.seconds,
            max_hz: f64::from(self.sample_rate) / 2.0,
            bands,
            levels_db,
            ticks_hz,
            ..page::Spectrogram::default()
        })
        .ok_or_else(|| self.refused("has no whole frame: there is nothing to see"))
    }

    /// The sound that the matrix keeps, and its rate.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is no whole frame, or more than some twenty minutes.
    pub fn sound(&self) -> Result<(Inversion, u32)> {
        griffin_lim::invert(&self.settings, self.sample_rate, &self.matrix)
            .map(|inversion| (inversion, self.sample_rate))
            .ok_or_else(|| self.refused("has no whole frame, or is longer than some twenty minutes"))
    }

    fn refused(&self, why: &str) -> Error {
        Error::Usage(format!("{} {why}", self.clip_id))
    }
}

/// Seconds and sample rate of a recording by the run's table.
fn row_of(folder: &Path, record: &RunRecord, clip_id: &str) -> Result<(f64, u32)> {
    let missing = |advice: String| Error::Usage(format!("the run has no recording {clip_id:?}: {advice}"));
    let Some(file) = record.table_files("clips").pop() else {
        return Err(missing("its job has no [clips]".to_owned()));
    };
    let table = StoredTable::read(folder, &file, &["clip_id", "seconds", "file_sample_rate"])?;
    let ids = table.text("clip_id")?;
    let Some(row) = ids.iter().position(|id| id == clip_id) else {
        let likeness = |id: &&String| strsim::jaro_winkler(id, clip_id);
        let nearest = ids.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        return Err(missing(nearest.map_or("it has none".to_owned(), |id| format!("did you mean {id:?}?"))));
    };
    let seconds = table.numbers("seconds")?.get(row).copied().flatten().unwrap_or_default();
    Ok((seconds, table.counts("file_sample_rate")?.get(row).copied().unwrap_or_default() as u32))
}

/// The rows of a recording in the spectrograms table.
fn stored(folder: &Path, record: &RunRecord, clip_id: &str) -> Result<Vec<f32>> {
    let mut matrix = Vec::new();
    for file in record.table_files("spectrograms") {
        let ids = StoredTable::read(folder, &file, &["clip_id"])?.text("clip_id")?;
        let Some(first) = ids.iter().position(|id| id == clip_id) else { continue };
        let rows = ids[first..].iter().take_while(|id| *id == clip_id).count();
        let (values, width) = StoredTable::read(folder, &file, &["values"])?.vectors("values")?;
        matrix.extend_from_slice(values.get(first * width..(first + rows) * width).unwrap_or_default());
    }
    Ok(matrix)
}

/// The mel levels of a recording as it lies in the corpus now, its seconds and its rate.
fn analysed(
    plan: &Plan,
    clips: &ClipsPlan,
    clip_id: &str,
) -> std::result::Result<(Vec<f32>, f64, u32), String> {
    let nowhere = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (store, inventory) = (Kept::look(nowhere.path()), Inventory::open(nowhere.path(), true));
    at_rest(plan, &store, &inventory, |desk| {
        let desk = Desk { folder: nowhere.path(), syncing: &Syncing::default(), ..*desk };
        let inputs = inputs::clips(clips, &desk).map_err(|error| error.to_string())?;
        let gone = || {
            format!(
                "the recording {clip_id:?} is not in the corpus any more, and the run stored no spectrogram"
            )
        };
        let reference = inputs.find(clip_id).ok_or_else(gone)?;
        let clip = read_clip(reference, &clips.rules).map_err(|unread| unread.row.reason)?;
        let levels = Plans::new(clips).mel_levels(&clip, &mut Scratch::default())?;
        let seconds = clip.samples.len() as f64 / f64::from(clip.sample_rate);
        Ok((levels.values, seconds, clip.sample_rate))
    })
}
