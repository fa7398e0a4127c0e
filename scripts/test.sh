#!/usr/bin/env bash
# Sets up whatever is missing and proves the program. Devices are virtual: a V4L2 camera and a PulseAudio sink.
# usage: scripts/test.sh                everything but what takes long
#        scripts/test.sh --long         lists the parts of what takes long
#        scripts/test.sh --long PART    runs one of them, each less than 45 minutes
set -euo pipefail
cd "$(dirname "$0")/.."

list_parts() {
    cat <<'PARTS'
damage         Five hundred flipped bits, and every file cut off, lost or of an earlier day, among a thousand people.
faults         Three hundred failing system calls, fifty full disks, a hundred kills beside a running robot.
networks       Every network is rebuilt from the package that it came from, and the outputs are compared.
mutations      20,000 damaged pictures.
power          Three hundred power cuts.
voices         Two hundred interruptions, eighty voices that break in, a thousand utterances.
pilot          Forty visits to a robot that decides names and says none.
strangers      Three hundred strangers before a robot that knows five hundred people.
surnames       Sixty surnames are heard by a recogniser that knows all of English.
PARTS
    tests/scenes/part.py --list
}

part=
if [ $# -gt 0 ]; then
    if [ "$1" != --long ] || [ $# -gt 2 ]; then
        sed -n '3,5s/^# //p' "$0" >&2
        exit 2
    fi
    parts=$(list_parts)
    if [ $# = 1 ]; then
        printf '%s\n' "$parts"
        exit 0
    fi
    part=$2
    if ! cut -d' ' -f1 <<<"$parts" | grep -qxF -e "$part"; then
        printf 'there is no part %s; there are:\n%s\n' "$part" "$parts" >&2
        exit 2
    fi
fi

setup=(--tests)
[ "$part" = networks ] && setup+=(--long)
scripts/setup.sh "${setup[@]}"
cargo build --release --locked --workspace

# One test binary after the other, as cargo does; within one, tests that need the same device take turns by themselves.
# What a test measured, and why one was skipped, is shown.
log=.runtime/test.log
total() {
    # Some tests run themselves again in a process of its own; those inner runs leave the other tests out and do not count.
    awk '/^test result:.* 0 filtered out/ { passed += $4; failed += $6 } END { printf "total: %d passed, %d failed\n", passed, failed }' "$log"
}
cargo_test() {
    cargo test --release --locked --package greeter "$@" --show-output 2>&1 | tee "$log"
}

# Tests that are asked for more look at this.
[ -z "$part" ] || export GREETER_LONG=1
case $part in
    '')
        # The recogniser that hears what visitors hear, and what greeter is measured against.
        scripts/private-python.sh .runtime/test-python scripts/test-python.txt
        scripts/bench/setup.sh
        cargo fmt --all --check
        cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
        /usr/bin/python3 -B -m unittest discover --quiet --start-directory tests/scenes
        trap total EXIT
        cargo_test --
        ;;
    networks)
        scripts/models/rebuild.sh
        scripts/models/verify.sh
        ;;
    power) cargo_test --test power -- ;;
    faults) cargo_test --test io_faults -- ;;
    damage) cargo_test --test damage -- ;;
    mutations) cargo_test --test mutations -- ;;
    voices) cargo_test --test speech_faults -- ;;
    pilot) cargo_test --test pilot -- ;;
    strangers) cargo_test --test recognition -- ;;
    surnames)
        scripts/private-python.sh .runtime/hear-python scripts/hear-python.txt
        cargo_test --test heard sixty_surnames --
        ;;
    *) tests/scenes/part.py "$part" ;;
esac
