#!/usr/bin/env bash
# Makes the photos of assets/demo/ again from the packages they come from: demo_photos.sh [OUT_DIR]
set -euo pipefail
source "$(dirname "$0")/packages.sh"
out=${1:-$here/../../assets/demo}
originals=$work/photos
mkdir -p "$out/enrol" "$originals"

private_python
wheel scikit-image==0.25.2 --python-version 3.11 --platform manylinux_2_17_x86_64
"$python" -m pip download --quiet --no-deps --no-binary face_recognition --dest "$work/packages" face_recognition==1.3.0

portraits=$work/packages/face_recognition-1.3.0.tar.gz
tests=face_recognition-1.3.0/tests/test_images
take "$work"/packages/scikit_image-0.25.2-*.whl skimage/data/astronaut.png 88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5 "$originals/astronaut.png"
take "$portraits" $tests/obama.jpg 0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6 "$originals/obama.jpg"
take "$portraits" $tests/obama2.jpg a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6 "$originals/obama2.jpg"
take "$portraits" $tests/obama3.jpg 76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3 "$originals/obama3.jpg"
take "$portraits" $tests/biden.jpg 3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c "$originals/biden.jpg"

cp "$originals/obama.jpg" "$out/enrol/barack-obama.jpg"
cp "$originals/astronaut.png" "$out/enrol/eileen-collins.png"
"$python" "$here/demo_photos.py" "$originals" "$out/visits"
