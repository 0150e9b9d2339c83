#!/bin/sh
# SPDX-License-Identifier: MIT
# The C program and its C# twin make the same bits of the same file.
set -eu
if [ -n "${CSM_SANITIZE-}" ]; then
    echo "under AddressSanitizer the C# tests alone are run"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bars=$CSM_SOURCE_DIR/tests/bindings/same/bars.csv
"$CSM_BINARY_DIR/tests/same" "$bars" >"$work/c"
"$CSM_MONO" --debug "$CSM_BINARY_DIR/csharp/CryptoSmartTests.exe" same "$bars" >"$work/csharp"
[ "$(wc -l <"$work/c")" -gt 30000 ] || { echo "only $(wc -l <"$work/c") numbers"; exit 1; }
cmp "$work/c" "$work/csharp"
echo "$(wc -l <"$work/c") numbers have the same bits in C and C#"
