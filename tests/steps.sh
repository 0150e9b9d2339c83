# SPDX-License-Identifier: MIT
# The steps of tests/run.sh, in the order in which they run.

shared_data=${CSM_SHARED_DATA-}

# configure_and_build PRESET OPTIONS...: as far as it goes (-k 0), so that one broken file hides nothing else.
build() {
    preset=$1
    shift
    cmake --preset "$preset" -DCSM_CUDA=OFF ${shared_data:+-DCSM_SHARED_DATA="$shared_data"} "$@" &&
        cmake --build "build/$preset" -j "$jobs" -- -k 0
}

# The same build with the same options that a user of the quickstart gets.
quickstart_build() { sh examples/quickstart.sh --build-only; }

# What follows the build: the main job, without any network.
quickstart_run() {
    if [ ! -x build/quickstart/cryptosmart ]; then
        echo "build/quickstart/cryptosmart is not built"
        return 77
    fi
    if unshare -rn true 2>/dev/null; then
        unshare -rn sh examples/quickstart.sh --run-only
    elif [ "$(id -u)" -eq 0 ] && unshare -n true 2>/dev/null; then
        unshare -n sh examples/quickstart.sh --run-only
    else
        echo "this machine permits no network namespace (unshare -rn)"
        return 77
    fi
}

format() {
    tool=clang-format-14
    if ! command -v $tool >/dev/null 2>&1; then
        echo "the layout is that of clang-format 14, which is not here"
        return 77
    fi
    find src include tests examples bindings \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' \) 2>/dev/null >"$logs/format.files"
    xargs $tool --dry-run -Werror --ferror-limit=5 <"$logs/format.files" && echo ": $(wc -l <"$logs/format.files") files"
}

spdx() {
    find src include tests examples cmake bindings CMakeLists.txt .ci -type f \
        \( -name '*.c' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' \
        -o -name '*.i' -o -name '*.cs' -o -name CMakeLists.txt -o -name run \) 2>/dev/null >"$logs/spdx.files"
    xargs grep -L 'SPDX-License-Identifier: MIT' <"$logs/spdx.files" | sed 's/$/: no SPDX line/' | grep . && return 1
    echo ": $(wc -l <"$logs/spdx.files") files"
}

cppcheck_sources() {
    mkdir -p build/cppcheck
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --cppcheck-build-dir=build/cppcheck --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
        --suppressions-list=tests/checks/cppcheck.txt -j "$jobs" -DCSM_WITH_IO=1 -DCSM_BUILDING=1 -D_GNU_SOURCE -D__linux__ \
        -Iinclude -Isrc src examples
}

# A program that cannot fail on a planted defect is no check.
layering() { python3 tests/checks/layering.py && python3 tests/checks/layering.py --self-test; }

compute_symbols() {
    python3 tests/checks/symbols.py build/compute-only/libcryptosmart.so core backend indicator model calibrate rank
}

coverage() {
    mkdir -p build/coverage-report
    gcovr --root . --object-directory build/asan --filter 'src/' --gcov-ignore-parse-errors \
        --json-summary build/coverage-report/summary.json --txt build/coverage-report/files.txt --print-summary \
        >build/coverage-report/summary.txt || return 1
    sed -n 's/^lines: /: lines of src\/ run by the tests: /p' build/coverage-report/summary.txt
    echo ": by file: build/coverage-report/files.txt"
    sort -t% -k1 build/coverage-report/files.txt
}

# What PyPI has for tests, in an environment of its own: requirements FILE...
python_environment() {
    if [ ! -x build/test-venv/bin/python ]; then python3 -m venv build/test-venv || return 1; fi
    for file in "$@"; do
        [ -f "$file" ] || continue
        # nothing to ask of the network when the same file was installed before
        stamp=build/test-venv/$(sha256sum <"$file" | cut -c 1-16)
        [ -f "$stamp" ] && continue
        if ! build/test-venv/bin/pip install -q -r "$file"; then
            echo "PyPI cannot be reached or lacks something; tests that need $file are skipped"
            return 77
        fi
        touch "$stamp"
    done
    return 0
}

# Into the release build: the library is there already.
csharp_build() {
    if ! command -v mcs >/dev/null 2>&1; then
        echo "no mcs: the C# bindings are not built"
        return 77
    fi
    build release -DCSM_BINDINGS=ON
}

csharp_asan() {
    command -v mcs >/dev/null 2>&1 || { echo "no mcs: the C# bindings are not built"; return 77; }
    build asan -DCSM_COVERAGE=ON -DCSM_BINDINGS=ON && ctest --test-dir build/asan --output-on-failure --no-tests=error -R '^csharp\.tests$'
}

plain() {
    step headers "public headers alone: strict C99 and C++11, gcc and clang" sh tests/checks/headers.sh
    step layering "layering of stages" layering
    step readme "README and documents: example, links, commands" python3 tests/checks/readme.py
    step spdx "licence line of every file" spdx
    step format "clang-format" format
    step python "Python environment of the tests (PyPI)" python_environment tests/requirements.txt
    if [ -x build/test-venv/bin/python ]; then
        CSM_TEST_PYTHON=$PWD/build/test-venv/bin/python
        export CSM_TEST_PYTHON
    fi
    step release-build "release: build" build release -DCSM_BINDINGS=OFF
    ctest_step release-tests "release: tests" build/release
    step symbols "exported symbols, headers and docs/symbols.txt agree" \
        python3 tests/checks/symbols.py build/release/libcryptosmart.so
    step asan-build "AddressSanitizer and UndefinedBehaviorSanitizer, counting lines: build" build asan -DCSM_COVERAGE=ON -DCSM_BINDINGS=OFF
    find build/asan -name '*.gcda' -delete
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        ctest_step asan-tests "AddressSanitizer and UndefinedBehaviorSanitizer: tests" build/asan
    step coverage "lines covered" coverage
    step compute-build "compute core alone (no curl, HDF5, SQLite): build" build compute-only
    ctest_step compute-tests "compute core alone: tests" build/compute-only
    step compute-symbols "compute core alone: exported symbols" compute_symbols
    step quickstart-build "quickstart: install and build" quickstart_build
    step guest "the library never prints, exits or keeps global state" python3 tests/checks/guest.py build/quickstart
    step install "install; build and run a program against the installed copy" sh tests/install/run.sh build/quickstart
    step quickstart "quickstart: the main job without a network" quickstart_run
    step cuda-resources "CUDA kernels: compile, no spills (one architecture)" cuda_resources 90
    step python-bindings "Python bindings: wheel, tests and notebook" sh tests/bindings/python.sh
    step csharp-build "C# bindings and desktop program: build" csharp_build &&
        ctest_step csharp-tests "C# bindings and desktop program: tests" build/release -L '^csharp$'
    step tidy "clang-tidy" python3 tests/checks/tidy.py build/quickstart
    step cppcheck "cppcheck" cppcheck_sources
}

# ---- --full -------------------------------------------------------------------------------------------------

# Only compiles: the cards that run it are elsewhere (tests/gpu.sh).
cuda_resources() { python3 tests/checks/cuda_resources.py "$@"; }

cuda_architectures() {
    PATH=$PATH:/usr/local/cuda/bin
    if ! command -v nvcc >/dev/null 2>&1; then
        echo "no nvcc"
        return 77
    fi
    wanted=
    for arch in 75 80 86 89 90 100 120; do
        if nvcc --list-gpu-arch | grep -qx "compute_$arch"; then wanted="$wanted;$arch"; fi
    done
    echo ": architectures${wanted} of $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/CUDA \1/p')"
    cmake -S . -B build/cuda -G Ninja -DCMAKE_BUILD_TYPE=Release -DCSM_IO=OFF -DCSM_EXAMPLES=OFF -DCSM_CUDA=ON \
        -DCMAKE_CUDA_ARCHITECTURES="${wanted#;}" && cmake --build build/cuda -j "$jobs" --target cryptosmart &&
        # shellcheck disable=SC2086 # words
        cuda_resources $(echo "$wanted" | tr ';' ' ')
}

# Screenshots stay in build/dashboard/.
dashboard() {
    CSM_BINARY_DIR=$PWD/build/release CSM_SOURCE_DIR=$PWD build/test-venv/bin/python tests/daemon/web_browser.py
}

abi() {
    tag=$(git describe --tags --abbrev=0 2>/dev/null) || { echo "no tag to compare with"; return 77; }
    command -v abidiff >/dev/null 2>&1 || { echo "abidiff is not installed"; return 77; }
    rm -rf build/abi && git worktree prune && git worktree add -f build/abi/tree "$tag" || return 1
    cmake -S build/abi/tree -B build/abi/build -G Ninja -DCSM_TESTS=OFF -DCSM_EXAMPLES=OFF -DCSM_CUDA=OFF &&
        cmake --build build/abi/build -j "$jobs" &&
        abidiff --no-added-syms build/abi/build/libcryptosmart.so build/quickstart/libcryptosmart.so
    code=$?
    git worktree remove --force build/abi/tree
    return $code
}

# fuzz SECONDS: every target for that long, as many at once as there are processors; finds stay in build/fuzz/found.
fuzz() {
    mkdir -p build/fuzz/found build/fuzz/grown
    find build/fuzz/tests/fuzz -name 'fuzz_*' -type f -perm -u+x | sort >build/fuzz/targets
    [ -s build/fuzz/targets ] || { echo "no fuzz target"; return 1; }
    # shellcheck disable=SC2016 # expanded by the inner shell
    xargs -P "$jobs" -I{} sh -c '
        name=$(basename "$1"); name=${name#fuzz_}
        mkdir -p "build/fuzz/grown/$name"
        "$1" -max_total_time="$2" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="build/fuzz/found/$name-" \
            "build/fuzz/grown/$name" "tests/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1 && exit 0
        echo "fuzz_$name found something:"; tail -n 40 "build/fuzz/$name.log"; exit 1' _ {} "$1" <build/fuzz/targets || return 1
    echo ": $(wc -l <build/fuzz/targets) targets, $1 s each"
}

tree_oracles() {
    for oracle in exchange explain; do
        CSM_LIBRARY=build/release/libcryptosmart.so build/test-venv/bin/python "tests/model/oracle/$oracle.py" || return 1
    done
}

# A month of the daemon's life: discovery every 10 minutes, kills at random instants.
daemon_month() {
    [ -x build/release/cryptosmartd ] || { echo "cryptosmartd is not built"; return 77; }
    CSM_BINARY_DIR=$PWD/build/release CSM_SOURCE_DIR=$PWD python3 tests/daemon/simulation.py 30 60 10m
}

full() {
    step python-full "Python environment of the oracles (PyPI)" python_environment tests/requirements.txt tests/requirements-full.txt &&
        step oracles "golden values from their sources" \
            build/test-venv/bin/python tests/checks/oracles.py build/oracles &&
        step tree-oracles "trees against LightGBM, XGBoost, shap and onnxruntime" tree_oracles
    step python-wheels "Python wheels, self-contained, for each Python at hand" sh tests/bindings/python.sh wheels
    step python-asan "Python bindings under AddressSanitizer" sh tests/bindings/python.sh asan
    step csharp-asan "C# bindings under AddressSanitizer" csharp_asan
    step cuda "CUDA files for every architecture" cuda_architectures
    step simulation "evidence under daily looks, 4000 simulated runs" build/release/tests/test_calibrate_simulation 4000 1000
    step loop "three months through the learning loop, killed 60 times" build/release/tests/test_pipeline_loop 60
    step daemon-month "a simulated month of the daemon, with kills" daemon_month
    step tsan-build "ThreadSanitizer: build" build tsan
    TSAN_OPTIONS=halt_on_error=1 ctest_step tsan-tests "ThreadSanitizer: tests" build/tsan -L '^(core|indicator|model|net|store)$'
    step fuzz-build "libFuzzer (clang): build" build fuzz
    step fuzz "fuzzing, a minute a target" fuzz 60
    step dashboard "dashboard in Chromium: a user's way, every state, accessibility" dashboard
    step abi "ABI against the last tag" abi
    step debootstrap "both commands in a bare Debian 12" sh tests/debootstrap.sh --user
}

# ---- --soak -------------------------------------------------------------------------------------------------

# Kills and fuzzes until the hours are over; every round is a step.
soak() {
    until=$(($(date +%s) + $1 * 3600))
    step release-build "release: build" build release
    step fuzz-build "libFuzzer (clang): build" build fuzz
    round=0
    while [ "$(date +%s)" -lt "$until" ]; do
        round=$((round + 1))
        ctest_step "kill-$round" "round $round: kills and recovery" build/release -R '(kill|recover|crash|lock)' \
            --repeat until-fail:20 || return 1
        step "fuzz-$round" "round $round: fuzzing, five minutes a target" fuzz 300 || return 1
    done
}
