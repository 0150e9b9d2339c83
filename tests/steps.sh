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
    git ls-files -co --exclude-standard '*.c' '*.h' '*.cu' '*.cuh' >"$logs/format.files" 2>/dev/null ||
        find src include tests examples bindings -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' >"$logs/format.files"
    xargs $tool --dry-run -Werror --ferror-limit=5 <"$logs/format.files" && echo ": $(wc -l <"$logs/format.files") files"
}

spdx() {
    git grep -L -E 'SPDX-License-Identifier: MIT' -- '*.c' '*.h' '*.cu' '*.cuh' '*.sh' '*.py' '*.cmake' 'CMakeLists.txt' \
        '*/CMakeLists.txt' | sed 's/$/: no SPDX line/' | grep . && return 1
    return 0
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
    gcovr --root . --object-directory build/asan --filter 'src/' --exclude-throw-branches --gcov-ignore-parse-errors -j "$jobs" \
        --json-summary build/coverage-report/summary.json --txt build/coverage-report/files.txt --print-summary \
        >build/coverage-report/summary.txt || return 1
    sed -n 's/^lines: /: lines of src\/ run by the tests: /p' build/coverage-report/summary.txt
    echo ": by file: build/coverage-report/files.txt"
    sort -t% -k1 build/coverage-report/files.txt
}

plain() {
    step headers "public headers alone: strict C99 and C++11, gcc and clang" sh tests/checks/headers.sh
    step layering "layering of stages" layering
    step spdx "licence line of every file" spdx
    step format "clang-format" format
    step release-build "release: build" build release
    ctest_step release-tests "release: tests" build/release
    step symbols "exported symbols, headers and docs/symbols.txt agree" \
        python3 tests/checks/symbols.py build/release/libcryptosmart.so
    step asan-build "AddressSanitizer and UndefinedBehaviorSanitizer, counting lines: build" build asan -DCSM_COVERAGE=ON
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
    step tidy "clang-tidy" python3 tests/checks/tidy.py build/quickstart
    step cppcheck "cppcheck" cppcheck_sources
}
