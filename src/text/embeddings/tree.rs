//! The Huffman tree of hierarchical softmax: frequent words have short paths (Morin and Bengio 2005; `word2vec.c`).

/// For each word the inner nodes from the root to it, and which way it goes at each.
pub(super) struct Tree {
    /// Where the path of each word begins, and at last where it ends.
    starts: Vec<usize>,
    nodes: Vec<u32>,
    labels: Vec<f32>,
    longest: usize,
}

impl Tree {
    /// The tree of words with falling `counts`. Node 0 is the root; there is one node less than words.
    pub(super) fn new(counts: &[u64]) -> Self {
        let words = counts.len();
        let inner = words.saturating_sub(1);
        // Leaves by falling count from 0, inner nodes in the order in which they are made from `words` on.
        let mut weights: Vec<u64> = counts.to_vec();
        let mut parents = vec![0; words + inner];
        let mut second = vec![false; words + inner];
        let (mut leaves, mut made) = (words, words);
        for node in words..words + inner {
            for is_second in [false, true] {
                // Both queues rise; of equal weights the inner node is taken, as `word2vec.c` does.
                let take_leaf = leaves > 0 && (made >= node || weights[leaves - 1] < weights[made]);
                let child = if take_leaf {
                    leaves -= 1;
                    leaves
                } else {
                    made += 1;
                    made - 1
                };
                let weight: u64 = weights[child];
                if is_second {
                    weights[node] = weights[node].saturating_add(weight);
                } else {
                    weights.push(weight);
                }
                parents[child] = node;
                second[child] = is_second;
            }
        }
        let mut tree = Self { starts: vec![0], nodes: Vec::new(), labels: Vec::new(), longest: 0 };
        let root = (words + inner).saturating_sub(1);
        for word in 0..words {
            let first = tree.nodes.len();
            let mut at = word;
            while at != root {
                tree.labels.push(if second[at] { 0.0 } else { 1.0 });
                at = parents[at];
                tree.nodes.push((root - at) as u32);
            }
            tree.nodes[first..].reverse();
            tree.labels[first..].reverse();
            tree.longest = tree.longest.max(tree.nodes.len() - first);
            tree.starts.push(tree.nodes.len());
        }
        tree
    }

    /// The inner nodes on the way to a word.
    pub(super) fn nodes(&self, word: u32) -> &[u32] {
        &self.nodes[self.range(word)]
    }

    /// For each of them 1 where the way goes to the lighter side, else 0.
    pub(super) fn labels(&self, word: u32) -> &[f32] {
        &self.labels[self.range(word)]
    }

    fn range(&self, word: u32) -> std::ops::Range<usize> {
        self.starts[word as usize]..self.starts[word as usize + 1]
    }

    /// Nodes on the longest way.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// How many inner nodes there are.
    pub(super) fn inner(&self) -> usize {
        self.starts.len().saturating_sub(2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_as_long_as_gensims() {
        // tests/golden/make_vectors.py: counts and code lengths of gensim's tree. Huffman trees of one text may differ, the
        // sum of count times length does not.
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors/vectors.json");
        let said: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let rows: Vec<[u64; 2]> =
            serde_json::from_value(said["gensim_words"]["code_lengths"].clone()).unwrap();
        let counts: Vec<u64> = rows.iter().map(|row| row[0]).collect();
        let tree = Tree::new(&counts);
        let ours: u64 = (0..).zip(&counts).map(|(word, count)| count * tree.nodes(word).len() as u64).sum();
        assert_eq!(ours, rows.iter().map(|[count, length]| count * length).sum::<u64>());
    }

    #[test]
    fn few_words() {
        assert_eq!((Tree::new(&[]).inner(), Tree::new(&[]).longest()), (0, 0));
        let one = Tree::new(&[5]);
        assert_eq!((one.inner(), one.nodes(0)), (0, &[][..]));
        let two = Tree::new(&[5, 3]);
        assert_eq!((two.nodes(0), two.nodes(1)), (&[0][..], &[0][..]));
        assert_ne!(two.labels(0), two.labels(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn codes_are_prefix_free_and_as_short_as_they_can_be(
            mut counts in prop::collection::vec(1_u64..1_000, 2..60),
        ) {
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let tree = Tree::new(&counts);
            prop_assert_eq!(tree.inner(), counts.len() - 1);
            // Kraft's sum of a full tree is one.
            let kraft: f64 = (0..counts.len()).map(|w| 0.5_f64.powi(tree.nodes(w as u32).len() as i32)).sum();
            prop_assert!((kraft - 1.0).abs() < 1e-9);
            let codes: std::collections::BTreeSet<Vec<(u32, bool)>> = (0..counts.len() as u32)
                .map(|w| tree.nodes(w).iter().copied().zip(tree.labels(w).iter().map(|&l| l > 0.5)).collect())
                .collect();
            prop_assert_eq!(codes.len(), counts.len());
            prop_assert!((0..counts.len() as u32).all(|w| tree.nodes(w)[0] == 0));
            // The cost is the sum of the weights of the inner nodes of the naive tree.
            let mut heap: Vec<u64> = counts.clone();
            let mut cost = 0;
            while heap.len() > 1 {
                heap.sort_unstable_by(|a, b| b.cmp(a));
                let sum = heap.pop().unwrap() + heap.pop().unwrap();
                cost += sum;
                heap.push(sum);
            }
            let ours: u64 = counts.iter().zip(0..).map(|(c, w)| c * tree.nodes(w).len() as u64).sum();
            prop_assert_eq!(ours, cost);
        }
    }
}
