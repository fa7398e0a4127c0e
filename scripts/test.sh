#!/usr/bin/env bash
# Sets up whatever is missing and proves the program. Devices are virtual: a V4L2 camera and a PulseAudio sink.
# With --long also what takes longer: rebuilding every network from its package and comparing the outputs, all mutated pictures, and hearing
# sixty surnames with a recogniser that knows all of English.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh --tests "$@"
cargo build --release --locked --workspace

# private_python FOLDER REQUIREMENTS: makes it, and again whenever its requirements change.
private_python() {
    local wanted
    wanted=$(sha256sum "$2" | cut -d' ' -f1)
    [ "$(cat "$1/made-by" 2>/dev/null)" = "$wanted" ] && return
    rm -rf "$1"
    /usr/bin/python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
    printf '%s\n' "$wanted" >"$1/made-by"
}
# The recogniser that hears what visitors hear.
private_python .runtime/test-python scripts/test-python.txt

cargo fmt --all --check
cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
if [ "${1:-}" = --long ]; then
    # Tests that are asked for more, such as tests/mutations.rs, look at this.
    export GREETER_LONG=1
    private_python .runtime/hear-python scripts/hear-python.txt
    scripts/models/rebuild.sh
    scripts/models/verify.sh
fi
# One test binary after the other, as cargo does; within one, tests that need the same device take turns by themselves.
# What a test measured, and why one was skipped, is shown.
log=.runtime/test.log
total() {
    # Some tests run themselves again in a process of its own; those inner runs leave the other tests out and do not count.
    awk '/^test result:.* 0 filtered out/ { passed += $4; failed += $6 } END { printf "total: %d passed, %d failed\n", passed, failed }' "$log"
}
trap total EXIT
cargo test --release --locked --package greeter -- --show-output 2>&1 | tee "$log"
