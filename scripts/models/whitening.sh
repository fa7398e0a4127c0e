#!/usr/bin/env bash
# Fits the whitening of the recognisers again and prints the lines for models/models.toml: whitening.sh DATASET GROUP (see dataset.sh)
#
# The optional network's is fitted too if it is installed. Takes two minutes a network for 6,600 photos. The lines must go into the
# manifest before the program takes the files; thresholds (thresholds.sh) and everybody's templates are to be made anew after it.
set -euo pipefail
source "$(dirname "$0")/dataset.sh"
for network in mobilefacenet-192 mobilefacenet-128; do
    if [ -s "models/$network.onnx" ]; then
        target/release/greeter bench whitening --dataset "$dataset" --group "$group" --network "$network" --out "models/$network-whitening.f32"
    fi
done
