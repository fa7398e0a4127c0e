#!/usr/bin/env bash
# Checks the networks that rebuild.sh left in OUT_DIR against models/ and the original weights: verify.sh [OUT_DIR]
set -euo pipefail
source "$(dirname "$0")/packages.sh"
private_python
voice_python
"$python" "$here/verify.py" "${1:-$work/rebuilt}" "$here/../../models" "$work/weights" "$here/../../assets/demo/enrol/eileen-collins.png"
"$voice_python" "$here/verify_voice.py" "$here/../../models" "$work/weights"
