#!/bin/sh
# Makes .venv what requirements.lock says, and does nothing when it is that already.
#
# Needs a Python >= 3.11 with venv; PYTHON=/path/to/python3 chooses one. Everything is installed by hash: uv from tools/uv.lock
# by the venv's own pip, the rest by uv, then this checkout in editable form.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE # without compiled files every start of Python costs seconds
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

stamp="$(pwd) $(cat requirements.lock pyproject.toml tools/uv.lock tools/venv.sh | cksum)"
if [ "$(cat .venv/ready 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if is_new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "none")
    echo "Omnifolio needs Python 3.11 or newer; ${PYTHON:-python3} here is: $found." >&2
    echo "Debian, Ubuntu: sudo apt install python3 python3-venv    macOS: brew install python" >&2
    echo "or name one: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make virtual environments." >&2
    echo "Debian, Ubuntu: sudo apt install python3-venv (or python3.X-venv for the version in use), then run make again." >&2
    exit 1
fi

if ! is_new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making .venv with $("$python" --version); the first time takes about half a minute." >&2
    rm -rf .venv
    "$python" -m venv .venv
else
    echo "Bringing .venv up to date." >&2
fi
rm -f .venv/ready
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --compile-bytecode --require-hashes -r requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
printf '%s\n' "$stamp" >.venv/ready
