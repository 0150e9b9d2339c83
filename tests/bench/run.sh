#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures this library beside its peers. sh tests/bench/run.sh [GROUP... | CASE...]   (nothing: every case)
#   groups: gbt lstm features io calibration backtest dashboard; -l lists the cases
# Builds in build/bench, installs the asked cases' peers from PyPI into build/bench-venv, prints one line a case and
# writes build/bench/results/CASE.json. CSM_SHARED_DATA names the folder of recorded data (../shared).
# BENCH_ROUNDS (5) is the number of interleaved rounds, BENCH_QUICK=1 shrinks the work to a smoke test.
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd)
: "${CSM_SHARED_DATA:=$root/../shared}"
export CSM_SHARED_DATA
venv=$root/build/bench-venv
python=$venv/bin/python
frame=$root/tests/bench/frame.py

if [ ! -x "$python" ]; then
    python3 -m venv "$venv"
    "$python" -m pip install -q --disable-pip-version-check numpy
fi
if [ "${1-}" = -l ]; then
    exec "$python" "$frame" list
fi
cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DCSM_CUDA=OFF -DCSM_EXAMPLES=OFF -DCSM_SHARED_DATA="$CSM_SHARED_DATA" >/dev/null
ninja -C build/bench cryptosmart >/dev/null
"$python" "$frame" requires "$@" | while read -r package; do
    [ -z "$package" ] || "$python" -m pip install -q --disable-pip-version-check "$package"
done
# One thread a peer unless a case says otherwise: libraries that start their own pools are told so before they load.
exec "$python" "$frame" run "$@"
