#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the compute core for the CUDA card that is there and runs the tests of the devices, once more under
# compute-sanitizer where that is installed. Exit code 77: no card, or no CUDA compiler. Installs nothing.
# sh tests/gpu.sh [CTEST_LABELS]   (default: backend and model)
set -u
cd "$(dirname "$0")/.." || exit 1
labels=${1-backend|model}
PATH=$PATH:/usr/local/cuda/bin
export PATH
if ! cards=$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader 2>/dev/null) || [ -z "$cards" ]; then
    echo "No CUDA device here (nvidia-smi finds none): the GPU tests did not run."
    exit 77
fi
if ! command -v nvcc >/dev/null 2>&1; then
    echo "There is a CUDA device ($cards), but no nvcc: the GPU tests did not run."
    exit 77
fi
echo "CUDA device: $cards"
nvcc --version | tail -n 2
arch=$(echo "$cards" | head -n 1 | cut -d, -f2 | tr -d ' .')
generator=
if command -v ninja >/dev/null 2>&1; then generator="-G Ninja"; fi
# shellcheck disable=SC2086 # two words or none
cmake -S . -B build/gpu $generator -DCMAKE_BUILD_TYPE=Release -DCSM_IO=OFF -DCSM_EXAMPLES=OFF -DCSM_CUDA=ON \
    -DCMAKE_CUDA_ARCHITECTURES="$arch" && cmake --build build/gpu -j "$(nproc)" || exit 1
# One after another: tests share the card.
ctest --test-dir build/gpu --output-on-failure --no-tests=error -L "$labels" || exit 1
if command -v compute-sanitizer >/dev/null 2>&1; then
    for program in build/gpu/tests/test_backend_*; do
        echo "compute-sanitizer $program"
        compute-sanitizer --error-exitcode 9 "$program" || exit 1
    done
else
    echo "compute-sanitizer is not installed: memory checks on the device did not run."
fi
echo "The GPU tests passed."
