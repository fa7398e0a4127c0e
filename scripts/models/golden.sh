#!/usr/bin/env bash
# Makes models/golden/ again from models/ and assets/demo/enrol/.
set -euo pipefail
source "$(dirname "$0")/packages.sh"
private_python
exec "$python" "$here/golden.py" "$here/../../models" "$here/../../assets/demo/enrol"
