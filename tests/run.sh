#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test. sh tests/run.sh [--full | --soak [HOURS]]
#   (nothing)  what every change must pass; under 40 minutes on 2 cores
#   --full     also every CUDA architecture, ThreadSanitizer, all oracles, fuzzing campaigns, the ABI, a bare Debian
#   --soak     kills and fuzzes for hours (default 4)
# Installs missing Debian packages (named first; root or sudo) and works in build/. The last line is "N passed, N failed,
# N skipped"; the exit code is 0 when nothing failed. CSM_SHARED_DATA names the folder of recorded data (../shared).
set -u
cd "$(dirname "$0")/.." || exit 1
LC_ALL=C
export LC_ALL
tier=plain
hours=4
case ${1-} in
'') ;;
--full) tier=full ;;
--soak)
    tier=soak
    hours=${2-4}
    ;;
*)
    sed -n '3,6s/^# //p' "$0" >&2
    exit 2
    ;;
esac
jobs=$(nproc 2>/dev/null || echo 2)
logs=build/logs
mkdir -p "$logs" || exit 1
started=$(date +%s)
exec 3>&1
. cmake/packages.sh
. tests/lib.sh
. tests/steps.sh

echo "cryptosmart tests ($tier), $jobs processors, logs in $logs/"
echo
more=
[ "$tier" = full ] && more=full
# shellcheck disable=SC2086 # none or one word
if ! packages_install build test $more; then
    failed=1
    failures="
  packages: see above"
    totals
    exit 1
fi
if [ "$tier" = soak ]; then
    soak "$hours"
else
    plain
    [ "$tier" = plain ] || full
fi
totals
