//! The tables of recordings.

use super::super::parquet::{Column, Table};
use super::{groups, optional, strings};
use crate::audio::formants::FORMANTS;
use crate::audio::{FrameColumns, Spectrogram};
use crate::corpus::Digest;

/// A row of the `clips` table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClipRow {
    /// Unique in the run.
    pub clip_id: String,
    /// Path relative to the glob's literal folder.
    pub source: String,
    /// Hash of the file.
    pub blake3: Digest,
    /// The group that the id names.
    pub group: Option<String>,
    /// Hz.
    pub file_sample_rate: u32,
    /// Of the file.
    pub channels: u16,
    /// Of a sample in the file, where the format has such.
    pub bits: Option<u16>,
    /// Length of the recording.
    pub seconds: f64,
    /// Frames analysed.
    pub frames: u32,
    /// A value for each feature name of the run.
    pub values: Vec<Option<f64>>,
}

/// `clips`, by `clip_id`; `names` are those of the rows' values.
#[must_use]
pub fn clips(rows: &[ClipRow], names: &[String]) -> Table {
    let fixed = Table::new("clips")
        .with("clip_id", strings(rows, |row| &row.clip_id))
        .with("source", strings(rows, |row| &row.source))
        .with("blake3", Column::Digests(rows.iter().map(|row| row.blake3).collect()))
        .with("group", groups(rows, |row| &row.group))
        .with("file_sample_rate", Column::U32(rows.iter().map(|row| row.file_sample_rate).collect()))
        .with("channels", Column::U16(rows.iter().map(|row| row.channels).collect()))
        .with("bits", Column::OptU16(rows.iter().map(|row| row.bits).collect()))
        .with("seconds", Column::F64(rows.iter().map(|row| row.seconds).collect()))
        .with("frames", Column::U32(rows.iter().map(|row| row.frames).collect()));
    names.iter().enumerate().fold(fixed, |table, (i, name)| {
        table.with(name, optional(rows, |row| row.values.get(i).copied().flatten()))
    })
}

/// A part of `frames`: the frames of several clips, with `mfcc` coefficients and, where they are asked for, formants.
#[must_use]
pub fn frames(clips: &[(&str, &FrameColumns)], mfcc: usize, formants: bool) -> Table {
    let lengths = || clips.iter().map(|(id, columns)| (*id, columns.seconds.len()));
    let values = |of: fn(&FrameColumns) -> &Vec<f32>| {
        // A set of features that was not asked for has no values: nulls, not a shorter column.
        let column = clips.iter().flat_map(|(_, columns)| {
            let values = of(columns);
            (0..columns.seconds.len()).map(move |frame| values.get(frame).copied())
        });
        Column::OptF32(column.collect())
    };
    let pitch = clips.iter().flat_map(|(_, columns)| {
        (0..columns.seconds.len()).map(|frame| columns.f0_hz.get(frame).copied().flatten())
    });
    Table::new("frames")
        .with(
            "clip_id",
            Column::Str(lengths().flat_map(|(id, n)| std::iter::repeat_n(id.to_owned(), n)).collect()),
        )
        .with("frame", Column::U32(lengths().flat_map(|(_, n)| 0..n as u32).collect()))
        .with(
            "seconds",
            Column::F64(clips.iter().flat_map(|(_, columns)| columns.seconds.iter().copied()).collect()),
        )
        .with("rms_db", values(|columns| &columns.rms_db))
        .with("zcr", values(|columns| &columns.zcr))
        .with("centroid_hz", values(|columns| &columns.centroid_hz))
        .with("bandwidth_hz", values(|columns| &columns.bandwidth_hz))
        .with("rolloff_hz", values(|columns| &columns.rolloff_hz))
        .with("flatness", values(|columns| &columns.flatness))
        .with("flux", values(|columns| &columns.flux))
        .with("f0_hz", Column::OptF32(pitch.collect()))
        .with("voiced", values(|columns| &columns.voiced))
        .with_formants(clips, formants)
        .with_mfcc(clips, mfcc)
}

impl Table {
    fn with_formants(mut self, clips: &[(&str, &FrameColumns)], asked: bool) -> Self {
        for i in 0..if asked { FORMANTS } else { 0 } {
            let values = clips.iter().flat_map(|(_, columns)| columns.formants_hz[i].iter().copied());
            self = self.with(format!("f{}_hz", i + 1), Column::OptF32(values.collect()));
        }
        self
    }

    fn with_mfcc(self, clips: &[(&str, &FrameColumns)], width: usize) -> Self {
        if width == 0 {
            return self;
        }
        let values = clips.iter().flat_map(|(_, columns)| columns.mfcc.iter().copied()).collect();
        self.with("mfcc", Column::ArrayF32 { values, width })
    }
}

/// A part of `spectrograms`: the matrices of several clips, a frame a row.
#[must_use]
pub fn spectrograms(clips: &[(&str, &Spectrogram)], bands: usize, unit: &str) -> Table {
    let lengths = || clips.iter().map(|(id, spectrogram)| (*id, spectrogram.frames));
    let values = clips.iter().flat_map(|(_, spectrogram)| spectrogram.values.iter().copied()).collect();
    let mut table = Table::new("spectrograms")
        .with(
            "clip_id",
            Column::Str(lengths().flat_map(|(id, n)| std::iter::repeat_n(id.to_owned(), n)).collect()),
        )
        .with("frame", Column::U32(lengths().flat_map(|(_, n)| 0..n as u32).collect()))
        .with("values", Column::ArrayF32 { values, width: bands });
    table.notes.push(("unit", unit.to_owned()));
    table
}
