#!/bin/sh
# SPDX-License-Identifier: MIT
# Days of the daemon's life with kills; tests/run.sh --full runs a month.
[ -x "$CSM_BINARY_DIR/cryptosmart-replay" ] || { echo "skipped: cryptosmart-replay is not built"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
case $CSM_BINARY_DIR in
*/release) exec python3 "$(dirname "$0")/simulation.py" 2 8 1h ;;
*) exec python3 "$(dirname "$0")/simulation.py" 1 3 6h ;; # instrumented, and slower
esac
