#!/usr/bin/env bash
# Sets up whatever is missing and proves the program. Devices are virtual: a V4L2 camera and a PulseAudio sink.
# With --long also what takes longer: rebuilding every network from its package and comparing the outputs, and all mutated pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh --tests "$@"
cargo build --release --locked --workspace

# The recogniser that hears what visitors hear.
python=.runtime/test-python
wanted=$(sha256sum scripts/test-python.txt | cut -d' ' -f1)
if [ "$(cat "$python/made-by" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$python"
    /usr/bin/python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r scripts/test-python.txt
    printf '%s\n' "$wanted" >"$python/made-by"
fi

cargo fmt --all --check
cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
if [ "${1:-}" = --long ]; then
    # Tests that are asked for more, such as tests/mutations.rs, look at this.
    export GREETER_LONG=1
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
