#!/bin/sh
# SPDX-License-Identifier: MIT
# With the Python of build/test-venv, or that of CSM_TEST_PYTHON.
python=${CSM_TEST_PYTHON:-$CSM_SOURCE_DIR/build/test-venv/bin/python}
[ -x "$CSM_BINARY_DIR/cryptosmart-replay" ] || { echo "skipped: cryptosmart-replay is not built"; exit 77; }
[ -x "$python" ] || { echo "skipped: no build/test-venv with ccxt"; exit 77; }
exec "$python" "$(dirname "$0")/dialect.py"
