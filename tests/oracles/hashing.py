"""Golden values of hashed terms: scikit-learn's HashingVectorizer. Usage: python tests/oracles/hashing.py > tests/golden/hashing.json"""
import json

from sklearn.feature_extraction.text import HashingVectorizer

TEXTS = ["About the bird, the bird, bird bird bird", "", "Der Vögel Gezwitscher ist der Vögel Lohn"]
cases = []
for columns in (7, 1000, 2**20):
    for binary in (False, True):
        for norm in ("l2", None):
            rows = HashingVectorizer(n_features=columns, binary=binary, norm=norm, ngram_range=(1, 2)).transform(TEXTS)
            found = []
            for document in range(rows.shape[0]):
                row = rows[document]
                found += sorted([document, int(c), float(w)] for c, w in zip(row.indices, row.data))
            cases.append([columns, binary, norm or "none", found])
print(json.dumps(cases))
