#!/usr/bin/env bash
# Fits the whitening of the recognisers again and prints the lines for models/models.toml: whitening.sh DATASET GROUP
#
# DATASET: a folder of photos a person (evaluation only; none is in the box). GROUP: the people like those who will come, a folder's name
# a line. The optional network's is fitted too if it is installed.
# Takes two minutes a network for 6,600 photos. Thresholds (thresholds.sh) and everybody's templates are to be made anew after it.
set -euo pipefail
[ $# = 2 ] || { echo "usage: $0 DATASET GROUP" >&2; exit 2; }
dataset=$(realpath "$1")
group=$(realpath "$2")
cd "$(dirname "$0")/../.."

cargo build --quiet --release
for network in mobilefacenet-192 mobilefacenet-128; do
    if [ -s "models/$network.onnx" ]; then
        target/release/greeter bench whitening --dataset "$dataset" --group "$group" --network "$network" --out "models/$network-whitening.f32"
    fi
done
