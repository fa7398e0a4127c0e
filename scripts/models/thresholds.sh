#!/usr/bin/env bash
# Computes the [thresholds.*] tables of models/models.toml again and prints them: thresholds.sh DATASET GROUP (see dataset.sh)
#
# The packs with the optional network are measured too if it is installed. Takes a minute for 250 photos.
set -euo pipefail
source "$(dirname "$0")/dataset.sh"
for pack in default mobilefacenet-128 both; do
    if [ "$pack" = default ] || [ -s models/mobilefacenet-128.onnx ]; then
        target/release/greeter bench thresholds --dataset "$dataset" --group "$group" --pack "$pack"
        echo
    fi
done
