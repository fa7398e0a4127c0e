#!/usr/bin/env bash
# Fits models/mediapipe-to-five.toml again: fit_points.sh DATASET_DIR TEACHER_ONNX [OUT_FILE]
#
# DATASET_DIR holds a folder of photos for each person (LFW, for one); TEACHER_ONNX is yunet_n_dynamic.onnx of libfacedetection.train.
set -euo pipefail
source "$(dirname "$0")/packages.sh"
private_python
exec "$python" "$here/fit_points.py" "$1" "$2" "$here/../../models/mediapipe-face-short.onnx" "${3:-$here/../../models/mediapipe-to-five.toml}"
