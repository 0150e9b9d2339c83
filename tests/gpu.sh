#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything that needs a CUDA card, on a machine that may have nothing but nvcc, CMake, a C compiler and Python with torch.
#   sh tests/gpu.sh              every phase in turn; those that passed on the same sources are not run again
#   sh tests/gpu.sh PHASE...     these phases, each under 8 minutes on one card:
#     carry      on a machine with Debian's packages and no card: puts what the build needs (jansson, libsodium, cmocka,
#                pkg-config) into build/gpu-carry; take that folder along with the tree
#     build      the compute core (-DCSM_IO=OFF) with CUDA for the card that is there
#     parity     every kernel against its CPU twin: shapes, rungs, precisions, the optimiser, trees
#     sanitize   the same tests, smaller, under compute-sanitizer: memcheck, racecheck, initcheck, synccheck
#     bench      against torch.nn.LSTM (cuDNN), a table; results in build/gpu/bench.txt
# Exit code 77: no card, or no nvcc. Installs nothing. A new card is entered by hand: its table in docs/benchmarks.md and its
# compute capability in src/backend/cuda/device.cu, which is what `verified` reports.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/cuda/bin
carried=$PWD/build/gpu-carry
build=build/gpu
export PATH

carry() {
    rm -rf "$carried" && mkdir -p "$carried/lib/pkgconfig" "$carried/include" "$carried/bin" || return 1
    for package in jansson libsodium cmocka; do
        pkg-config --exists "$package" || { echo "$package is not installed here"; return 1; }
        folder=$(pkg-config --variable=pcfiledir "$package")/..
        name=${package#lib}
        cp -a "$folder/lib$name".so* "$carried/lib/" && cp -r /usr/include/"$name"* "$carried/include/" || return 1
        printf '%s\n' "Name: $package" "Description: carried" "Version: $(pkg-config --modversion "$package")" \
            "Libs: -L\${pcfiledir}/.. -l$name" "Cflags: -I\${pcfiledir}/../../include" >"$carried/lib/pkgconfig/$package.pc"
    done
    cp -L "$(command -v pkg-config)" "$carried/bin/pkg-config" || return 1
    ldd "$carried/bin/pkg-config" | sed -n 's/.* => \(.*libpkgconf[^ ]*\) .*/\1/p' | xargs -r -I{} cp -L {} "$carried/lib/"
    echo "Carried: $(du -sh "$carried" | cut -f 1) in build/gpu-carry"
}

card() {
    if ! cards=$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader 2>/dev/null) || [ -z "$cards" ]; then
        echo "No CUDA device here (nvidia-smi finds none): the GPU tests did not run."
        exit 77
    fi
    if ! command -v nvcc >/dev/null 2>&1; then
        echo "There is a CUDA device ($cards), but no nvcc: the GPU tests did not run."
        exit 77
    fi
    arch=$(echo "$cards" | head -n 1 | cut -d, -f2 | tr -d ' .')
    echo "CUDA device: $cards"
    nvcc --version | tail -n 2 | head -n 1
    if [ -d "$carried" ]; then
        PATH=$carried/bin:$PATH
        PKG_CONFIG_PATH=$carried/lib/pkgconfig
        LD_LIBRARY_PATH=$carried/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        export PATH PKG_CONFIG_PATH LD_LIBRARY_PATH
    fi
}

build() {
    generator=
    if command -v ninja >/dev/null 2>&1; then generator="-G Ninja"; fi
    cudnn=OFF
    if [ -f /usr/local/cuda/include/cudnn.h ] || [ -f /usr/include/cudnn.h ]; then cudnn=ON; fi
    # shellcheck disable=SC2086 # two words or none
    cmake -S . -B $build $generator -DCSM_CUDNN=$cudnn -DCMAKE_BUILD_TYPE=Release -DCSM_IO=OFF -DCSM_EXAMPLES=OFF -DCSM_CUDA=ON \
        -DCMAKE_CUDA_ARCHITECTURES="$arch" && cmake --build $build -j "$(nproc)" &&
        python3 tests/checks/cuda_resources.py "$arch"
}

# One after another: tests share the card.
parity() { ctest --test-dir $build --verbose --no-tests=error -R '^backend\.(backend|lstm_cuda|training_cuda|lstm_cudnn|gbt_cuda)$'; }

sanitize() {
    if ! command -v compute-sanitizer >/dev/null 2>&1; then
        echo "compute-sanitizer is not installed: memory and races on the device were not checked."
        return 1
    fi
    CSM_GPU_QUICK=1
    export CSM_GPU_QUICK
    for program in $build/tests/test_backend_lstm_cuda $build/tests/test_backend_gbt_cuda; do
        [ -x "$program" ] || continue
        for tool in memcheck racecheck initcheck synccheck; do
            echo "compute-sanitizer --tool $tool $program"
            compute-sanitizer --tool $tool --error-exitcode 9 "$program" || return 1
        done
    done
}

bench() { python3 tests/gpu/bench_lstm.py $build/tests/gpu/bench_lstm_cuda | tee $build/bench.txt; }

# A phase that passed on the same sources and card is not run again.
phase() {
    stamp=$build/$1.$( (find src include cmake tests/backend tests/gpu tests/gpu.sh CMakeLists.txt -type f -exec cksum {} + | sort; echo "$cards") | cksum | tr -d ' ')
    if [ -f "$stamp" ]; then
        echo "== $1: passed before on these sources"
        return 0
    fi
    echo "== $1"
    began=$(date +%s)
    "$1" || { echo "== $1 FAILED after $(($(date +%s) - began)) s"; exit 1; }
    rm -f "$build/$1."*
    mkdir -p $build && : >"$stamp"
    echo "== $1 passed, $(($(date +%s) - began)) s"
}

[ $# -gt 0 ] || set -- build parity sanitize bench
for name in "$@"; do
    case $name in
    carry) carry || exit 1 ;;
    build | parity | sanitize | bench)
        [ -n "${cards-}" ] || card
        phase "$name"
        ;;
    *)
        sed -n '3,13s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
done
