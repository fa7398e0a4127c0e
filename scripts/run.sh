#!/usr/bin/env bash
# Sets up whatever is missing, builds, and greets. With a greeter.toml of your own beside it, that one is used; without, the demo's
# two people are preloaded, and where there is no camera either, the demo's recording is played.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
cargo build --release --locked --quiet
greeter=target/release/greeter

if [ -f greeter.toml ]; then
    exec "$greeter" run "$@"
fi
config=assets/demo/greeter.toml
if [ ! -d data/demo/store ]; then
    echo "run: no greeter.toml; preloading the demo's two people"
    "$greeter" --config "$config" sync assets/demo/roster.csv --photos assets/demo
fi
if compgen -G '/dev/video*' >/dev/null; then
    exec "$greeter" --config "$config" run "$@"
fi
echo "run: no camera; playing the demo's recording (assets/demo/visits)"
exec "$greeter" --config "$config" run --camera assets/demo/visits "$@"
