#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs a build folder into a temporary prefix and builds examples/quickstart.c against the copy, by the CMake package
# and by pkg-config; each then reads a workspace that the installed program made of the bundled sample. sh tests/install/run.sh BUILD_FOLDER
set -eu
cd "$(dirname "$0")/../.."
build=$1
prefix=$(mktemp -d)
trap 'rm -rf "$prefix" "$work"' EXIT
work=$(mktemp -d)

fail() {
    echo "install: $*" >&2
    exit 1
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log"
library=$(find "$prefix" -name 'libcryptosmart.so')
[ -n "$library" ] || fail "no libcryptosmart.so under the prefix"
folder=$(dirname "$library")

# What is installed, and nothing else of the tree.
for header in include/cryptosmart/*; do
    cmp -s "$header" "$prefix/$header" || fail "$header is not installed"
done
[ -f "$folder/pkgconfig/cryptosmart.pc" ] || fail "no pkg-config file"
[ -f "$folder/cmake/cryptosmart/cryptosmartConfig.cmake" ] || fail "no CMake package"
find "$prefix" -name LICENSE | grep -q . || fail "no licence"
if grep -rn -e "$PWD" "$folder/pkgconfig" "$folder/cmake" "$prefix/include"; then fail "a path of the build tree is installed"; fi
if grep -rn -e csm_flags "$folder/cmake"; then fail "csm_flags leaks into the exported targets"; fi

# SONAME is the major version; the build tree is not in RUNPATH.
major=$(sed -n 's/^#define CSM_VERSION_MAJOR //p' include/cryptosmart/core.h)
readelf -d "$library" >"$work/dynamic"
grep -q "SONAME.*\[libcryptosmart\.so\.$major\]" "$work/dynamic" || fail "SONAME is not libcryptosmart.so.$major"
if grep -E 'R(UN)?PATH' "$work/dynamic" | grep -F "$PWD"; then fail "RUNPATH names the build tree"; fi

export LD_LIBRARY_PATH="$folder"
# A workspace with a small model. Its newest data are of 2023, so that nothing can pass the gate now.
"$prefix/bin/cryptosmart" -c tests/install/small.yaml --workspace "$work/workspace" quickstart --data examples/data >"$work/made" 2>&1 ||
    { cat "$work/made"; fail "the installed program makes no workspace"; }

try() { # BINARY HOW: first without a workspace, which it must say and end 1, then with one
    if "$1" "$work/nowhere" >"$work/out" 2>"$work/err"; then fail "quickstart ($2) took a missing workspace"; fi
    grep -q "nowhere" "$work/err" || { cat "$work/err"; fail "quickstart ($2) does not name the missing workspace"; }
    [ ! -s "$work/out" ] || fail "quickstart ($2) printed something"
    [ ! -e "$work/nowhere" ] || fail "quickstart ($2) made the workspace that it should only read"
    "$1" "$work/workspace" >"$work/out" 2>"$work/err" || { cat "$work/err"; fail "quickstart ($2) cannot read a workspace"; }
    [ "$(cat "$work/out")" = "no reliable opportunities" ] || { cat "$work/out"; fail "quickstart ($2) shows something else"; }
}

cmake -G Ninja -S tests/install -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DSOURCE="$PWD/examples/quickstart.c" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "find_package(cryptosmart) failed"; }
cmake --build "$work/cmake" >"$work/log" 2>&1 || { cat "$work/log"; fail "the CMake project does not build"; }
try "$work/cmake/quickstart" "CMake package"

export PKG_CONFIG_PATH="$folder/pkgconfig"
[ "$(pkg-config --modversion cryptosmart)" = "$(sed -n 's/^project(cryptosmart VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)" ] ||
    fail "pkg-config gives another version"
# shellcheck disable=SC2046 # flags are words
gcc -std=c11 -Wall -Wextra -Werror $(pkg-config --cflags cryptosmart) -o "$work/quickstart" examples/quickstart.c \
    $(pkg-config --libs cryptosmart) -lm
try "$work/quickstart" "pkg-config"

for program in "$prefix"/bin/*; do
    [ -x "$program" ] || continue
    env -u LD_LIBRARY_PATH "$program" --version >"$work/out" || fail "$(basename "$program") --version fails from the prefix"
done
echo ": $(find "$prefix" -type f | wc -l) files installed"
