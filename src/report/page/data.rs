//! What the page shows: plain numbers and strings, filled by the job. Nothing here reads a file, and nothing
//! here differs between two runs over the same input, so the page does not either.

/// Everything that the page shows. An absent part leaves its section out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportData {
    /// Name of the job.
    pub job: String,
    /// Version of wordwave.
    pub version: String,
    /// Hash of the settings that change results; may be empty.
    pub config_hash: String,
    /// The documents, if the job read any kind of text.
    pub documents: Option<DocumentsRead>,
    /// The recordings, if the job read any.
    pub clips: Option<ClipsRead>,
    /// Statistics of words.
    pub words: Option<Words>,
    /// Statistics of the corpus as a whole.
    pub corpus: Option<Corpus>,
    /// Statistics of sound.
    pub sound: Option<Sound>,
    /// Words and voices compared.
    pub relations: Option<Relations>,
    /// Inputs that could not be used; the page shows the first [`super::EXCLUSIONS_SHOWN`].
    pub quarantine: Vec<Exclusion>,
    /// Inputs used in part; the page shows the first [`super::EXCLUSIONS_SHOWN`].
    pub warnings: Vec<Exclusion>,
    /// The tables that the run wrote.
    pub tables: Vec<TableFile>,
}

/// How often something occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// What is counted: a group, a language.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// The documents that were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentsRead {
    /// Documents.
    pub documents: u64,
    /// Tokens in all documents.
    pub tokens: u64,
    /// Distinct terms.
    pub types: u64,
    /// Documents by group, in the order to be shown; empty where the job names no group.
    pub groups: Vec<Count>,
    /// Documents by language; empty where no language was recognised.
    pub languages: Vec<Count>,
    /// Tokens of each document.
    pub lengths: Vec<f64>,
}

/// The recordings that were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClipsRead {
    /// Recordings.
    pub clips: u64,
    /// Their duration together, in seconds.
    pub seconds: f64,
    /// Recordings and seconds by group; empty where the job names no group.
    pub groups: Vec<ClipGroup>,
    /// Seconds of each recording.
    pub durations: Vec<f64>,
}

/// The recordings of one group, usually one speaker.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClipGroup {
    /// The group.
    pub name: String,
    /// Recordings.
    pub clips: u64,
    /// Their duration together, in seconds.
    pub seconds: f64,
}

/// Statistics of words. Lists come best first; the page shows the beginning of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Words {
    /// Terms by collection frequency.
    pub top_terms: Vec<TopTerm>,
    /// Terms that set one group apart, if the job asks for them.
    pub keyness: Option<Keyness>,
    /// Pairs of terms that stand together more often than chance would put them.
    pub collocations: Vec<Collocation>,
    /// Documents that are nearly the same; `None` where the job does not look for them.
    pub duplicates: Option<Vec<Duplicate>>,
    /// Word vectors.
    pub embeddings: Option<Embeddings>,
}

/// A term of the vocabulary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopTerm {
    /// The term.
    pub term: String,
    /// Occurrences in all documents.
    pub cf: u64,
    /// Documents that have it.
    pub df: u64,
    /// Inverse document frequency, as in the vocabulary table.
    pub idf: f64,
}

/// Terms of one group held against the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keyness {
    /// The group.
    pub target: String,
    /// Its terms, most telling first.
    pub terms: Vec<KeyTerm>,
}

/// A term that is more (or less) frequent in the target group than elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyTerm {
    /// The term.
    pub term: String,
    /// Occurrences in the target group.
    pub target_count: u64,
    /// Occurrences elsewhere.
    pub reference_count: u64,
    /// Log-likelihood ratio.
    pub g2: f64,
    /// Probability of such a difference by chance.
    pub p: f64,
    /// The same, corrected for the number of terms.
    pub q: f64,
    /// Binary logarithm of the ratio of relative frequencies.
    pub log_ratio: f64,
}

/// Two terms that stand together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collocation {
    /// First term.
    pub first: String,
    /// Second term.
    pub second: String,
    /// Times they stand together.
    pub count: u64,
    /// Normalised pointwise mutual information, -1 to 1.
    pub npmi: f64,
    /// Log-likelihood ratio.
    pub g2: f64,
}

/// Two documents that share most of their text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Duplicate {
    /// One document.
    pub doc_id_a: String,
    /// The other.
    pub doc_id_b: String,
    /// Shared part of their shingles, 0 to 1.
    pub jaccard: f64,
}

/// The corpus as a whole. Lists come best first; the page shows the beginning of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Corpus {
    /// Zipf's and Heaps'.
    pub laws: Vec<Law>,
    /// Phrases; `None` where the job does not look for them.
    pub phrases: Option<Vec<Phrase>>,
    /// Topics.
    pub topics: Vec<Topic>,
    /// Frequent terms, those that documents share least evenly first.
    pub dispersed: Vec<Dispersed>,
}

/// A power law.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Law {
    /// `zipf` or `heaps`.
    pub law: String,
    /// Its exponent.
    pub exponent: Option<f64>,
    /// Its constant.
    pub constant: Option<f64>,
    /// Share of the variance that the line through the logarithms explains.
    pub r2: Option<f64>,
    /// Points of the line.
    pub points: u64,
}

/// Words that are one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Phrase {
    /// The words, joined.
    pub phrase: String,
    /// Times they stand together.
    pub count: u64,
    /// Score.
    pub score: f64,
}

/// A topic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Topic {
    /// Singular value.
    pub singular_value: f64,
    /// Share of the variance.
    pub explained_share: Option<f64>,
    /// Terms with what they count in it, those that count most first.
    pub terms: Vec<(String, f64)>,
}

/// How evenly documents share a term.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dispersed {
    /// The term.
    pub term: String,
    /// Documents that have it.
    pub documents: u64,
    /// Juilland's D.
    pub juilland_d: Option<f64>,
    /// Gries' DP, normalised.
    pub gries_dp_norm: Option<f64>,
}

/// Word vectors, as far as a page can show them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// Dimensions of a vector.
    pub dims: u64,
    /// Words with a vector.
    pub words: u64,
    /// Frequent words with their nearest words.
    pub neighbours: Vec<Neighbours>,
    /// Words in the plane, most frequent first: the first two principal components.
    pub map: Vec<MapWord>,
    /// Share of the variance that each of the two components carries, 0 to 1.
    pub map_variance: Option<(f64, f64)>,
}

/// A word and those nearest to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbours {
    /// The word.
    pub term: String,
    /// Its occurrences.
    pub count: u64,
    /// Nearest words with their cosine, nearest first.
    pub near: Vec<(String, f64)>,
}

/// A word in the plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MapWord {
    /// The word.
    pub term: String,
    /// Its occurrences.
    pub count: u64,
    /// First coordinate.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
    /// Its place in the plane in which near words stay near.
    pub near: [f64; 2],
}

/// Statistics of sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sound {
    /// Each sound feature over all recordings, in the order of the clips table.
    pub features: Vec<FeatureSummary>,
    /// Pictures of some recordings.
    pub spectrograms: Vec<Spectrogram>,
}

/// The distribution of one feature over the recordings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureSummary {
    /// Column name of the feature.
    pub name: String,
    /// Recordings that have it.
    pub n: u64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (divided by n - 1); 0 for a single recording.
    pub sd: f64,
    /// Smallest, lower quartile, median, upper quartile, largest.
    pub quantiles: [f64; 5],
}

impl FeatureSummary {
    /// The summary of a column; what is not finite is left out. `None` where nothing remains. Quartiles are
    /// interpolated linearly, as `NumPy`'s default is.
    #[must_use]
    pub fn of(name: &str, values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
        let quantile = |share: f64| {
            let at = share * (n - 1.0);
            let below = at.floor();
            let low = sorted.get(below as usize).copied().unwrap_or(first);
            let high = sorted.get(at.ceil() as usize).copied().unwrap_or(last);
            low + (high - low) * (at - below)
        };
        Some(Self {
            name: name.to_owned(),
            n: sorted.len() as u64,
            mean,
            sd: if sorted.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 },
            quantiles: [first, quantile(0.25), quantile(0.5), quantile(0.75), last],
        })
    }
}

/// A recording as a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spectrogram {
    /// The recording.
    pub clip_id: String,
    /// Its group; may be empty.
    pub group: String,
    /// What is said in it; may be empty.
    pub transcript: String,
    /// Duration in seconds.
    pub seconds: f64,
    /// Frequency at the upper edge of the picture, in Hz.
    pub max_hz: f64,
    /// Bands of a frame.
    pub bands: usize,
    /// Levels in dB, frame after frame: band `b` of frame `f` is at `f * bands + b`, the lowest band first.
    pub levels_db: Vec<f32>,
    /// Ticks of the frequency axis: Hz, and the position in bands (0 is the lower edge of the picture, `bands` the upper).
    pub ticks_hz: Vec<(f64, f64)>,
    /// Smallest and largest sample of equal stretches of the waveform, [-1, 1]; empty: no waveform is drawn.
    pub envelope: Vec<(f32, f32)>,
    /// Its words where they were said, in order; empty: not known.
    pub words: Vec<SpokenWord>,
    /// The recording as a WAV file for the page's player; empty: none.
    pub wav: Vec<u8>,
}

/// A word where it was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpokenWord {
    /// The word.
    pub term: String,
    /// Begin in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
}

/// Words and voices compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relations {
    /// Documents with their recording.
    pub pairs: u64,
    /// Documents without a recording.
    pub unpaired_documents: u64,
    /// Recordings without a document.
    pub unpaired_clips: u64,
    /// Permutations behind each p.
    pub permutations: u64,
    /// Resamplings behind each interval.
    pub bootstrap: u64,
    /// Whether permutations stay within groups.
    pub within_groups: bool,
    /// Every text feature with every sound feature.
    pub relations: Vec<Relation>,
    /// What a word is with how it was said, over words where they were said.
    pub word_relations: Vec<Relation>,
    /// Every text feature with every sound feature, over the means of groups.
    pub group_relations: Vec<Relation>,
    /// The means of groups, by group: of the features in [`super::GROUP_FEATURES`].
    pub group_means: Vec<GroupMean>,
    /// Scatter plots, in the order to be shown; [`super::strongest_relations`] says which are worth one.
    pub scatters: Vec<Scatter>,
    /// Representations of the same items compared as a whole.
    pub spaces: Vec<Space>,
    /// Features predicted from the other side, the best first.
    pub predictions: Vec<Prediction>,
    /// Pairs that fit worst, the worst first.
    pub suspects: Vec<Suspect>,
    /// How many suspects there are in the table.
    pub all_suspects: u64,
    /// Pictures of the recordings of some of them.
    pub suspect_pictures: Vec<Spectrogram>,
}

/// The mean of a feature over the recordings of a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupMean {
    /// The group.
    pub group: String,
    /// Column of the documents, the clips or the pairs.
    pub feature: String,
    /// Items that have it.
    pub n: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub ci_high: Option<f64>,
    /// Benjamini-Hochberg q of the difference from all others.
    pub q: Option<f64>,
}

/// A feature predicted from all features of the other side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// Column of the documents or the clips.
    pub target: String,
    /// Share of its variance that is predicted on held-out pairs.
    pub r2: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub ci_high: Option<f64>,
    /// What shuffled pairs give on average.
    pub null_mean: Option<f64>,
    /// What 95 % of shuffled pairs stay under.
    pub null_q95: Option<f64>,
    /// Permutation p.
    pub p: Option<f64>,
    /// Benjamini-Hochberg q.
    pub q: Option<f64>,
    /// Pairs.
    pub n: u64,
}

/// A pair whose words and sound do not go together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suspect {
    /// The document.
    pub doc_id: String,
    /// The recording.
    pub clip_id: String,
    /// Robust standard deviations from what pairs are like.
    pub score: f64,
    /// Why, in words.
    pub explanation: String,
}

/// A text feature with a sound feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relation {
    /// Column of the documents.
    pub text_feature: String,
    /// Column of the clips.
    pub audio_feature: String,
    /// Pairs that have both.
    pub n: u64,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's correlation.
    pub spearman: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub ci_high: Option<f64>,
    /// Permutation p.
    pub p: Option<f64>,
    /// Benjamini-Hochberg q.
    pub q: Option<f64>,
}

impl Relation {
    /// Whether q is under [`super::Q_LIMIT`].
    #[must_use]
    pub fn is_significant(&self) -> bool {
        self.q.is_some_and(|q| q < super::Q_LIMIT)
    }

    /// Spearman's correlation, if it is a number.
    #[must_use]
    pub fn rho(&self) -> Option<f64> {
        self.spearman.filter(|rho| rho.is_finite())
    }
}

/// One relation, pair by pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scatter {
    /// Column of the documents: the horizontal axis.
    pub text_feature: String,
    /// Column of the clips: the vertical axis.
    pub audio_feature: String,
    /// The pairs.
    pub points: Vec<Point>,
}

/// A pair in a scatter plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    /// The document's id.
    pub id: String,
    /// Value of the text feature.
    pub x: f64,
    /// Value of the sound feature.
    pub y: f64,
}

/// Two representations of the same items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Space {
    /// Representation of the documents.
    pub text_space: String,
    /// Representation of the recordings.
    pub audio_space: String,
    /// `cka`, `rsa`, `cca`, `recall_at_1`, `recall_at_5`, `recall_at_10`, `mrr` or `ami`.
    pub measure: String,
    /// The measure.
    pub estimate: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub ci_high: Option<f64>,
    /// Its mean when the pairs are shuffled.
    pub null_mean: Option<f64>,
    /// Its 95 % quantile when the pairs are shuffled.
    pub null_q95: Option<f64>,
    /// Permutation p.
    pub p: Option<f64>,
    /// Benjamini-Hochberg q.
    pub q: Option<f64>,
    /// Items.
    pub n: u64,
}

/// An input that was not used, or used in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusion {
    /// Path as in the tables.
    pub source: String,
    /// Stage that found it.
    pub stage: String,
    /// Code of the reason.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// Where in the file, if that is known.
    pub byte_offset: Option<u64>,
    /// A shell command that shows the trouble; empty for warnings.
    pub command: String,
}

/// A table of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFile {
    /// File or folder beside the page, such as `documents.parquet`.
    pub file: String,
    /// Its rows.
    pub rows: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_numpy_and_gaps_are_left_out() {
        let summary = FeatureSummary::of("f0", &[4.0, f64::NAN, 1.0, 2.0, 3.0]).expect("values");
        assert_eq!(summary.n, 4);
        assert_eq!(summary.quantiles, [1.0, 1.75, 2.5, 3.25, 4.0]);
        assert!((summary.sd - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!(FeatureSummary::of("f0", &[f64::NAN]).is_none());
    }
}
