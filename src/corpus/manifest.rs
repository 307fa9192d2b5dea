//! Manifests: rows that name a recording, or a part of one, and its words: NeMo's JSON lines, CSV, LJSpeech's metadata.csv.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::contents::{stream_contents, unreadable};
use super::digest::Digest;
use super::documents::{DocumentFormat, DocumentRef, Place, delimiter_of, document_file};
use super::identity::{Identity, NameBy};
use super::quarantine::{Quarantined, Unusable};
use super::recordings::ClipRef;
use super::rows::{Layout, Row, RowPlace, scan_lines};
use super::stamp::Stamp;
use super::walk::Found;

/// The values of a row, by the names that NeMo gives them.
const NAMES: [&str; 5] = ["text", "audio_filepath", "speaker", "offset", "duration"];

/// A part of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// Where it begins, in nanoseconds.
    pub offset_ns: u64,
    /// How long it is; `None`: to the end of the recording.
    pub duration_ns: Option<u64>,
}

impl Cut {
    /// The frame at which it begins at `sample_rate` Hz, and how many it has.
    #[must_use]
    pub fn frames(&self, sample_rate: u32) -> (u64, Option<u64>) {
        let frames = |ns: u64| {
            let frames = (u128::from(ns) * u128::from(sample_rate) + 500_000_000) / 1_000_000_000;
            u64::try_from(frames).unwrap_or(u64::MAX)
        };
        (frames(self.offset_ns), self.duration_ns.map(frames))
    }
}

/// The rows of a manifest: what is kept of it so that it need not be read to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Hash of the file as it lies on disk.
    pub blake3: Digest,
    rows: Vec<ManifestRow>,
    /// Rows of which neither a document nor a recording comes.
    broken: Vec<Unusable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ManifestRow {
    id: String,
    speaker: Option<String>,
    words: Result<Words, Unusable>,
    recording: Result<Recording, Unusable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Words {
    place: RowPlace,
    bytes: u64,
    blake3: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Recording {
    /// As written.
    audio: String,
    cut: Option<Cut>,
}

/// Reads the rows of the manifest `file`.
///
/// # Errors
/// The row of the quarantine table for a file that cannot be read or is no manifest.
pub fn read_manifest(file: &Found) -> Result<Manifest, Quarantined> {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    let naming = Naming::new(file);
    let scan = |reader: &mut dyn BufRead| -> Result<(), Unusable> {
        let head = reader.fill_buf().map_err(|error| unreadable(&error))?;
        let layout = layout(head, &file.source)?;
        scan_lines(reader, layout, &NAMES, &mut |row| match &row.cells {
            Err(trouble) => broken.push(trouble.clone()),
            Ok(_) => rows.push(naming.row(&row, layout)),
        })
    };
    let outcome = stream_contents(&file.path, scan).and_then(|((), blake3)| {
        if rows.is_empty() && broken.is_empty() {
            return Err(
                Unusable::new("no_documents", "has no rows: no document comes of it").with_content(blake3)
            );
        }
        Ok(blake3)
    });
    match outcome {
        Ok(blake3) => Ok(Manifest { blake3, rows, broken }),
        Err(mut trouble) => {
            if trouble.code == "no_text" {
                "its header has no column text: name the one that holds the words so"
                    .clone_into(&mut trouble.reason);
            }
            Err(trouble.of(&file.source))
        }
    }
}

/// What a manifest is, by its first line.
fn layout(head: &[u8], source: &str) -> Result<Layout, Unusable> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let has = |what: &[u8]| first.windows(what.len()).any(|window| window == what);
    if first.is_empty() || first.starts_with(b"{") {
        return Ok(Layout::JsonLines);
    }
    if has(b"audio_filepath") {
        let delimiter = if has(b"\t") { b'\t' } else { delimiter_of(source) };
        return Ok(Layout::Csv { delimiter });
    }
    if has(b"|") {
        return Ok(Layout::Piped);
    }
    let reason = "is no manifest: neither JSON lines, nor CSV with a column audio_filepath, nor LJSpeech's id|text|normalised";
    Err(Unusable::new("no_manifest", reason).at(0))
}

/// How rows get their ids.
struct Naming {
    identity: Option<Identity>,
    folder: PathBuf,
    file_id: String,
}

impl Naming {
    fn new(file: &Found) -> Self {
        let identity = Identity::new(NameBy::Path, "").ok();
        let file_id =
            identity.as_ref().map_or_else(|| file.source.clone(), |identity| identity.id(&file.source));
        Self { identity, folder: folder_of(file).to_path_buf(), file_id }
    }

    fn row(&self, row: &Row, layout: Layout) -> ManifestRow {
        let recording = recording(row, layout);
        let id = match (&recording, layout) {
            (Err(_), _) => format!("{}#{}", self.file_id, row.number),
            (Ok(_), Layout::Piped) => row.value(1).unwrap_or_default().to_owned(),
            (Ok(recording), _) => self.id(recording),
        };
        let words = row
            .text("text")
            .map(|text| Words {
                place: RowPlace { layout, at: row.at.clone(), column: row.column },
                bytes: text.len() as u64,
                blake3: Digest::of(text.as_bytes()),
            })
            .map_err(|trouble| {
                let reason = "its text is missing or is no text: the recording has no document; add it";
                row.trouble(if trouble.code == "no_text" { "no_text" } else { "wrong_type" }, reason)
            });
        ManifestRow { id, speaker: row.value(2).map(str::to_owned), words, recording }
    }

    /// The path of the recording without its extension, from the manifest's folder; with `@` and the seconds where a part begins.
    fn id(&self, recording: &Recording) -> String {
        let below = Path::new(&recording.audio).strip_prefix(&self.folder).ok().and_then(Path::to_str);
        let plain = below.unwrap_or(&recording.audio);
        let plain = plain.strip_prefix("./").unwrap_or(plain);
        let id = self.identity.as_ref().map_or_else(|| plain.to_owned(), |identity| identity.id(plain));
        match recording.cut {
            Some(Cut { offset_ns, .. }) if offset_ns > 0 => format!("{id}@{}", offset_ns as f64 / 1e9),
            _ => id,
        }
    }
}

fn recording(row: &Row, layout: Layout) -> Result<Recording, Unusable> {
    let Some(audio) = row.value(1) else {
        return Err(row.trouble("no_recording", "it names no recording: add audio_filepath"));
    };
    if layout == Layout::Piped {
        return Ok(Recording { audio: format!("wavs/{audio}.wav"), cut: None });
    }
    let nanoseconds = |of: usize| match row.value(of).map(|seconds| (seconds, seconds.trim().parse::<f64>()))
    {
        None => Ok(None),
        Some((_, Ok(seconds))) if (0.0..1e9).contains(&seconds) => Ok(Some((seconds * 1e9).round() as u64)),
        Some((written, _)) => {
            let reason = format!("{} = {written:?} is no number of seconds: correct it", NAMES[of]);
            Err(row.trouble("wrong_type", &reason))
        }
    };
    let (offset, duration_ns) = (nanoseconds(3)?, nanoseconds(4)?);
    let cut = (offset.is_some() || duration_ns.is_some())
        .then_some(Cut { offset_ns: offset.unwrap_or(0), duration_ns });
    Ok(Recording { audio: audio.to_owned(), cut })
}

fn folder_of(file: &Found) -> &Path {
    file.path.parent().unwrap_or(Path::new(""))
}

impl Manifest {
    /// The documents, and the rows of which none comes.
    #[must_use]
    pub fn documents(&self, file: &Found) -> (Vec<DocumentRef>, Vec<Quarantined>) {
        let whole = document_file(file, DocumentFormat::Manifest, None);
        let (mut documents, mut broken) = (Vec::new(), self.broken.clone());
        for row in &self.rows {
            match &row.words {
                Err(trouble) => broken.push(trouble.clone()),
                Ok(words) => documents.push(DocumentRef {
                    id: row.id.as_str().into(),
                    file: Arc::clone(&whole),
                    bytes: words.bytes,
                    blake3: Some(words.blake3),
                    group: row.speaker.clone(),
                    keep: Vec::new(),
                    place: Place::Row(Box::new((words.place.clone(), None))),
                }),
            }
        }
        (documents, broken.into_iter().map(|trouble| trouble.of(&file.source)).collect())
    }

    /// The recordings that are there, and a row for each that is not.
    #[must_use]
    pub fn recordings(&self, file: &Found) -> (Vec<ClipRef>, Vec<Quarantined>) {
        let outcomes: Vec<Result<ClipRef, Quarantined>> =
            self.rows.par_iter().map(|row| row.clip(file)).collect();
        let (mut clips, mut missing) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(clip) => clips.push(clip),
                Err(row) => missing.push(row),
            }
        }
        // A recording that is missing is so once, however many parts of it are asked for.
        missing.sort();
        missing.dedup();
        (clips, missing)
    }
}

impl ManifestRow {
    fn clip(&self, file: &Found) -> Result<ClipRef, Quarantined> {
        let Recording { audio, cut } =
            self.recording.as_ref().map_err(|trouble| trouble.clone().of(&file.source))?;
        let path = folder_of(file).join(audio);
        let trouble = |code: &'static str, reason: String| Unusable::new(code, reason).of(audio);
        let metadata = fs::metadata(&path).map_err(|error| {
            let reason = format!(
                "{} names it, but it cannot be found ({error}): correct the row or copy the recording there",
                file.source
            );
            trouble("missing_recording", reason)
        })?;
        if !metadata.is_file() {
            return Err(trouble(
                "not_a_file",
                format!("{} names it, but it is no file: correct the row", file.source),
            ));
        }
        let stamp = Stamp::of(&metadata);
        Ok(ClipRef {
            id: self.id.clone(),
            path,
            source: audio.clone(),
            bytes: cut.and_then(|cut| cut.bytes()).map_or(stamp.bytes, |bytes| bytes.min(stamp.bytes)),
            stamp,
            blake3: None,
            group: self.speaker.clone(),
            cut: *cut,
        })
    }
}

impl Cut {
    /// About how many bytes of a recording it is.
    fn bytes(&self) -> Option<u64> {
        const BYTES_PER_SECOND: u64 = 96_000;
        Some(self.duration_ns? / 1_000_000_000 * BYTES_PER_SECOND + BYTES_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{DocumentReader, DocumentRules, Fields, Split};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(name: &str, text: &[u8]) -> (Self, Found) {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("wavs")).unwrap();
            for audio in ["a.wav", "b.flac", "wavs/LJ-1.wav", "wavs/LJ-2.wav"] {
                fs::write(folder.path().join(audio), audio).unwrap();
            }
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let found = Found { path, source: name.to_owned(), bytes: 0, stamp: Stamp::default() };
            (Self(folder), found)
        }
    }

    /// Documents and recordings, each in a line, and codes of what is neither.
    fn read(name: &str, text: &[u8]) -> (Vec<String>, Vec<String>, Vec<(String, String)>) {
        let (folder, file) = Folder::new(name, text);
        let manifest = match read_manifest(&file) {
            Ok(manifest) => manifest,
            Err(row) => return (Vec::new(), Vec::new(), vec![(row.source, row.code.into_owned())]),
        };
        let (documents, mut broken) = manifest.documents(&file);
        let (clips, missing) = manifest.recordings(&file);
        broken.extend(missing);
        let rules = DocumentRules {
            format: DocumentFormat::Manifest,
            split: Split::File,
            fields: Fields::default(),
            identity: Identity::new(NameBy::Path, "").unwrap(),
        };
        let group = |group: &Option<String>| group.clone().unwrap_or_default();
        let reader = DocumentReader::new(&rules).unpacking_into(folder.0.path());
        let texts = reader.read(&documents.iter().collect::<Vec<_>>());
        let document = |(reference, read): (&DocumentRef, Result<crate::corpus::Document, _>)| {
            let read: Result<_, crate::corpus::Unread> = read;
            format!("{} {} {}", reference.id, group(&reference.group), read.unwrap().text)
        };
        let clip = |clip: &ClipRef| {
            let cut =
                clip.cut.map(|cut| (cut.offset_ns / 1_000_000, cut.duration_ns.map(|ns| ns / 1_000_000)));
            format!("{} {} {} {cut:?}", clip.id, group(&clip.group), clip.source)
        };
        (
            documents.iter().zip(texts).map(document).collect(),
            clips.iter().map(clip).collect(),
            broken.into_iter().map(|row| (row.source, row.code.into_owned())).collect(),
        )
    }

    fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn json_lines_name_recordings_parts_of_them_and_their_words() {
        let text = br#"{"audio_filepath": "a.wav", "text": "one", "duration": 1.5, "speaker": "anna"}
{"audio_filepath": "./b.flac", "text": "two", "offset": 0.25, "duration": 2}
{"audio_filepath": "b.flac", "text": "three", "offset": 3}
{"audio_filepath": "gone.wav", "text": "four"}
{"audio_filepath": "gone.wav", "text": "five", "offset": 1}
{"audio_filepath": "a.wav", "offset": 9}
{"text": "six"}
{"audio_filepath": "a.wav", "text": "seven", "offset": -1}
no json
"#;
        let (documents, clips, broken) = read("m.json", text);
        let expected = [
            "a anna one",
            "b@0.25  two",
            "b@3  three",
            "gone  four",
            "gone@1  five",
            "m#7  six",
            "m#8  seven",
        ];
        assert_eq!(documents, expected);
        let expected = [
            "a anna a.wav Some((0, Some(1500)))",
            "b@0.25  ./b.flac Some((250, Some(2000)))",
            "b@3  b.flac Some((3000, None))",
            "a@9  a.wav Some((9000, None))",
        ];
        assert_eq!(clips, expected);
        let expected = [
            ("m.json", "not_json"),
            ("m.json", "no_text"),
            ("gone.wav", "missing_recording"),
            ("m.json", "no_recording"),
            ("m.json", "wrong_type"),
        ];
        let (mut broken, mut expected) = (broken, pairs(&expected));
        broken.sort();
        expected.sort();
        assert_eq!(broken, expected);
    }

    #[test]
    fn csv_and_the_lines_of_ljspeech_are_manifests_too() {
        let (documents, clips, broken) =
            read("m.csv", b"speaker,audio_filepath,text\nanna,a.wav,\"one, two\"\n,b.flac,three\n");
        assert_eq!(documents, ["a anna one, two", "b  three"]);
        assert_eq!(clips, ["a anna a.wav None", "b  b.flac None"]);
        assert!(broken.is_empty());
        let (documents, clips, broken) =
            read("metadata.csv", b"LJ-1|In 1910 \"he|In nineteen ten \"he\nLJ-2|two|\nLJ-3|three\nno bars\n");
        assert_eq!(documents, ["LJ-1  In nineteen ten \"he", "LJ-2  two", "LJ-3  three"]);
        assert_eq!(clips, ["LJ-1  wavs/LJ-1.wav None", "LJ-2  wavs/LJ-2.wav None"]);
        assert_eq!(broken, pairs(&[("metadata.csv", "row_width"), ("wavs/LJ-3.wav", "missing_recording")]));
    }

    #[test]
    fn what_is_no_manifest_is_one_row() {
        for (name, text, code) in [
            ("m.csv", &b"path,text\na.wav,one\n"[..], "no_manifest"),
            ("m.csv", b"audio_filepath,words\na.wav,one\n", "no_text"),
            ("m.jsonl", b"", "no_documents"),
            ("m.jsonl.gz", b"{}", "broken_compression"),
            ("m.jsonl", b"\xFF\xFE{\0", "no_manifest"),
        ] {
            let (documents, clips, broken) = read(name, text);
            assert_eq!((documents.len(), clips.len()), (0, 0));
            assert_eq!(broken, pairs(&[(name, code)]));
        }
    }

    #[test]
    fn a_part_is_counted_in_frames() {
        let cut = |offset_ns, duration_ns| Cut { offset_ns, duration_ns }.frames(44_100);
        assert_eq!(cut(1_000_000_000, Some(500_000_000)), (44_100, Some(22_050)));
        assert_eq!(cut(22_676, None), (1, None));
        assert_eq!(cut(u64::MAX, Some(0)).1, Some(0));
    }
}
