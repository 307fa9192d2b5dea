# What a developer types. `just` lists it.

default:
    @just --list

# the sample job
sample:
    cargo run --release -- run corpora/sample/job.toml

test:
    cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# every table of the newest sample run with DuckDB, pandas and Python polars
interop:
    tests/interop/run.sh reports/sample/latest

# the report page in headless Chromium, with pictures under /tmp/wordwave-shots
browser:
    tests/browser/run.sh reports/sample/latest/report.html /tmp/wordwave-shots

# golden values anew, from the pinned oracles
golden:
    python3 -m venv target/golden-venv
    target/golden-venv/bin/pip install -q -r tests/golden/requirements.txt
    target/golden-venv/bin/python tests/golden/make_golden.py

# the largest error of each feature of sound on real recordings, as docs/agreement.md has it (after `just golden`)
agreement FOLDER="../shared/data/librispeech":
    cargo build --release
    target/golden-venv/bin/python tests/oracles/largest_errors.py target/release/wordwave {{FOLDER}}

# the peers on the same work
peers *WHAT:
    benches/peers/run.sh {{WHAT}}

# the Debian package (cargo install cargo-deb --locked)
deb:
    packaging/deb.sh

# the container image
image:
    docker build -f packaging/Dockerfile -t wordwave .

# all crates in the binary, as CycloneDX
sbom:
    packaging/sbom.sh >wordwave.cdx.json

# licences, versions, advisories (cargo install cargo-deny --locked)
deny:
    cargo deny check

# what CI does
ci:
    .ci/run

# a fuzz target for so many seconds: recording, document or job_file
fuzz TARGET SECONDS:
    fuzz/run.sh {{TARGET}} {{SECONDS}}
