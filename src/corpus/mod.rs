//! Disk to [`Document`] and [`Clip`]: globs, walking, document formats, encodings, recordings.
//!
//! This stage decides what belongs to a job and reads it. Everything that cannot be used becomes a [`Quarantined`] row and
//! everything used in part a [`Warned`] row; neither ends the job.

mod alignments;
mod codecs;
mod command;
mod contents;
mod decoding;
mod digest;
mod documents;
mod edit_list;
mod encoding;
mod glob;
mod html;
mod identity;
mod lookahead;
mod manifest;
mod markdown;
mod quarantine;
mod reader;
mod recordings;
mod resample;
mod rows;
mod stamp;
mod text_hashes;
mod walk;
mod wav;

pub use alignments::{TimedWord, TimedWords, read_alignment};
pub use contents::Contents;
pub use digest::Digest;
pub use documents::{
    Document, DocumentFile, DocumentFormat, DocumentReader, DocumentRef, DocumentRules, DocumentText,
    KeptTexts, Listing, ShardReader, Split, decode_document, listed_documents, read_and_keep, read_listing,
    unique_documents, whole_document,
};
pub use glob::{Pattern, normalise};
pub use identity::{Identity, NameBy};
pub use manifest::{Cut, Manifest, read_manifest};
pub use quarantine::{Quarantined, Stage, Unread, Warned};
pub use reader::{RecordingContents, RecordingReader, open_contents_of, read_contents_of};
pub use recordings::{
    Channel, Clip, ClipRef, Decoding, RecordingRules, decode_clip, decode_recording, index_clips, read_clip,
    read_recording, unique_clips,
};
pub use rows::Fields;
pub use stamp::Stamp;
pub use walk::{Found, Walk, walk};
