#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the C# tests in a temporary folder, garbage collected at every hundredth allocation; with the library built for AddressSanitizer under that (Mono keeps its own signal
# handlers, and leaves memory of its own to the system when it ends).
set -u
CSM_TEST_FOLDER=$(mktemp -d)
export CSM_TEST_FOLDER
MONO_GC_DEBUG=collect-before-allocs=100
export MONO_GC_DEBUG
trap 'rm -rf "$CSM_TEST_FOLDER"' EXIT
if [ -n "${CSM_SANITIZE-}" ]; then
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
        ASAN_OPTIONS=handle_segv=0:handle_sigfpe=0:handle_abort=0:detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        "$CSM_MONO" --debug "$CSM_BINARY_DIR/csharp/CryptoSmartTests.exe"
else
    "$CSM_MONO" --debug "$CSM_BINARY_DIR/csharp/CryptoSmartTests.exe"
fi
