#!/usr/bin/env bash
# A private Python with what a list of requirements names, made once and again whenever the list changes.
# usage: scripts/private-python.sh FOLDER REQUIREMENTS
set -euo pipefail
[ $# = 2 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }

wanted=$(sha256sum "$2" | cut -d' ' -f1)
[ "$(cat "$1/made-by" 2>/dev/null)" = "$wanted" ] && exit 0
rm -rf "$1"
# Debian's own Python first: another python3 on the path may lack venv.
/usr/bin/python3 -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
printf '%s\n' "$wanted" >"$1/made-by"
