#!/usr/bin/env bash
# Computes the [thresholds.*] tables of models/models.toml again and prints them: thresholds.sh DATASET GROUP
#
# DATASET: a folder of photos a person (evaluation only; none is in the box). GROUP: the people like those who will come, a folder's name
# a line. The packs with the optional network are measured too if it is installed. Takes a minute for 250 photos.
set -euo pipefail
[ $# = 2 ] || { echo "usage: $0 DATASET GROUP" >&2; exit 2; }
dataset=$(realpath "$1")
group=$(realpath "$2")
cd "$(dirname "$0")/../.."

cargo build --quiet --release
for pack in default mobilefacenet-128 both; do
    if [ "$pack" = default ] || [ -s models/mobilefacenet-128.onnx ]; then
        target/release/greeter bench thresholds --dataset "$dataset" --group "$group" --pack "$pack"
        echo
    fi
done
