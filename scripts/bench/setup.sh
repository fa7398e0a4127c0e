#!/usr/bin/env bash
# Makes .runtime/bench-python: what `greeter bench search` and `greeter bench vision` are measured against. Does nothing when it is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=.runtime/bench-python
if cmp -s scripts/bench/requirements.txt "$python/made-from"; then
    exit 0
fi
rm -rf "$python"
# Debian's own Python first: another python3 on the path may lack venv.
maker=/usr/bin/python3
[ -x "$maker" ] || maker=python3
"$maker" -m venv "$python" || { echo 'bench setup: python3 has no venv; on Debian: apt-get install python3-venv' >&2; exit 1; }
"$python/bin/python" -m pip install --quiet --disable-pip-version-check --requirement scripts/bench/requirements.txt
cp scripts/bench/requirements.txt "$python/made-from"
