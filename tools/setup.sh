#!/bin/sh
# Makes a virtual environment with the locked packages and this project. `make setup` calls it; safe to run twice.
set -eu

python=$1
venv=$2

fail() {
    printf '\nmake setup: %s\n' "$1" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or later is needed, and '$python' is not that. Name another: make setup PYTHON=python3.12"

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"  # left half-made by a set-up that was interrupted
    "$python" -m venv "$venv" || fail "the venv could not be made. On Debian and Ubuntu: apt-get install python3-venv"
fi

printf 'Installing the locked packages into %s (about a minute the first time) …\n' "$venv"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --require-hashes -r requirements.lock ||
    fail "the packages could not be installed. Without a network: set PIP_FIND_LINKS to a directory of wheels
(made by 'pip download -r requirements.lock' elsewhere), or try again when the package index can be reached."

PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . ||
    fail "Wufeng itself could not be installed; the lines above say why."
