#!/usr/bin/env bash
# The crates that are linked into the binary, as CycloneDX 1.5 JSON: packaging/sbom.sh >wordwave.cdx.json
# The same bytes for the same Cargo.lock; set SOURCE_DATE_EPOCH to have a date in it.
set -euo pipefail
cd "$(dirname "$0")/.."
host="$(rustc -vV | sed -n 's/^host: //p')"
# cargo metadata knows the licences, cargo tree the features: which optional crates are really in the binary.
tree() { cargo tree --locked --target "$host" --prefix none --format '{p}' --edges "$1" | cut -d' ' -f1,2 | sort -u; }
built="$(tree normal,build)" linked="$(tree normal,no-proc-macro)"
export built linked
cargo metadata --format-version 1 --locked --filter-platform "$host" | python3 -c '
import datetime, json, os, sys, tomllib, uuid

metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]
with open("Cargo.lock", "rb") as lock:
    locked = tomllib.load(lock)["package"]
checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in locked}
built, linked = (set(os.environ[name].splitlines()) for name in ["built", "linked"])


def is_in(package, lines):
    return "{name} v{version}".format(**package) in lines


def below(id):
    """What a crate is built from; what its tests need is not shipped."""
    needed = [d["pkg"] for d in nodes[id]["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"])]
    return [pkg for pkg in needed if is_in(packages[pkg], built)]


def purl(package):
    return "pkg:cargo/{name}@{version}".format(**package)


def licences(package):
    # Older crates write MIT/Apache-2.0, which is no SPDX expression.
    expression = (package["license"] or "").replace("/", " OR ")
    if expression:
        return [{"expression": expression}]
    return [{"license": {"name": "see " + (package["license_file"] or "its source")}}]


def component(package, kind):
    entry = {"type": kind, "bom-ref": purl(package), "name": package["name"], "version": package["version"],
             "purl": purl(package), "licenses": licences(package)}
    if kind == "library":
        # Excluded: it works at build time alone, as derive macros do.
        entry["scope"] = "required" if is_in(package, linked) else "excluded"
    if package["description"]:
        entry["description"] = " ".join(package["description"].split())
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


reached = [id for id in nodes if is_in(packages[id], built)]
order = sorted(reached, key=lambda id: purl(packages[id]))
components = [component(packages[id], "library") for id in order if id != root]
graph = [{"ref": purl(packages[id]), "dependsOn": sorted({purl(packages[d]) for d in below(id)})} for id in order]
described = {"component": component(packages[root], "application"),
             "tools": {"components": [{"type": "application", "name": "packaging/sbom.sh"}]}}
if "SOURCE_DATE_EPOCH" in os.environ:
    date = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    described["timestamp"] = date.strftime("%Y-%m-%dT%H:%M:%SZ")
serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([components, graph], sort_keys=True))
json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:" + str(serial), "version": 1,
           "metadata": described, "components": components, "dependencies": graph}, sys.stdout, indent=1)
print()
'
