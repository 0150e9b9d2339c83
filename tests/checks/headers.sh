#!/bin/sh
# SPDX-License-Identifier: MIT
# Every public header by itself as strict C99 and C++11, with gcc and clang.
cd "$(dirname "$0")/../.." || exit 1
warnings="-Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror"
failed=0
count=0
try() { # COMPILER LANGUAGE STANDARD WARNINGS
    for header in include/cryptosmart/*.h; do
        name=${header#include/}
        # twice: a header must stand being included again
        if ! printf '#include <%s>\n#include <%s>\ntypedef int csm_not_empty;\n' "$name" "$name" |
            $1 -x "$2" -std="$3" $4 -fsyntax-only -Iinclude -; then
            echo "$name fails as $3 with $1"
            failed=1
        fi
        count=$((count + 1))
    done
}
cxx_warnings="-Wall -Wextra -Wpedantic -Werror"
try gcc c c99 "$warnings"
try clang c c99 "$warnings"
try g++ c++ c++11 "$cxx_warnings"
try clang++ c++ c++11 "$cxx_warnings"
echo ": $count compilations"
exit $failed
