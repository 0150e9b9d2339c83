#!/bin/sh
# SPDX-License-Identifier: MIT
# From nothing to a ranked table on real market data. sh examples/quickstart.sh [--build-only | --run-only]
#   phase 1  installs missing Debian packages (named first; root or sudo), builds into build/quickstart
#   phase 2  timed, without any network: the main job on the bundled data
# Both phases can be repeated; a second run is quicker.
set -u
cd "$(dirname "$0")/.." || exit 1
build=build/quickstart
phases="1 2"
case ${1-} in
'') ;;
--build-only) phases=1 ;;
--run-only) phases=2 ;;
*)
    sed -n '3,6s/^# //p' "$0" >&2
    exit 2
    ;;
esac

seconds() { date +%s; }

install_and_build() {
    . cmake/packages.sh
    packages_install build || return 1
    cuda=OFF
    if command -v nvcc >/dev/null 2>&1; then cuda=AUTO; fi
    echo "Configuring (CUDA: $cuda), see $build/configure.log"
    mkdir -p "$build" || return 1
    if ! cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCSM_TESTS=OFF -DCSM_EXAMPLES=ON -DCSM_CUDA=$cuda \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$build/configure.log" 2>&1; then
        tail -n 30 "$build/configure.log" >&2
        return 1
    fi
    echo "Building with $(nproc) processors"
    cmake --build "$build" -j "$(nproc)"
}

# The main job. No network from here on.
run_main() {
    workspace=$build/workspace
    "$build/cryptosmart" --version
    "$build/cryptosmart" --workspace "$workspace" quickstart --data examples/data --html "$build/report.html"
}

for phase in $phases; do
    began=$(seconds)
    case $phase in
    1)
        echo "== Phase 1: install and build"
        install_and_build || exit 1
        ;;
    2)
        echo "== Phase 2: the main job, without a network"
        run_main || exit 1
        ;;
    esac
    echo "== Phase $phase took $(($(seconds) - began)) s"
done
