#!/bin/sh
# Writes both lock files: every version with the hashes of all platforms, and no address of any registry.
set -eu
cd "$(dirname "$0")/.."
options="--quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11"
# shellcheck disable=SC2086 # one option per word is meant
.venv/bin/uv pip compile $options --group dev pyproject.toml --output-file requirements.lock
# shellcheck disable=SC2086
sed -n 's/^\(uv==[^ ]*\).*/\1/p' tools/uv.lock | .venv/bin/uv pip compile $options - --output-file tools/uv.lock
