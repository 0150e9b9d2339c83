#!/bin/sh
# SPDX-License-Identifier: MIT
# The desktop program on a virtual display: its rows are the ledger's, its pages are drawn, its background work commits or is cancelled.
set -eu
if [ -n "${CSM_SANITIZE-}" ]; then
    echo "under AddressSanitizer the C# tests alone are run"
    exit 77
fi
if ! command -v xvfb-run >/dev/null 2>&1; then
    echo "no xvfb-run: the desktop program was not shown"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$CSM_BINARY_DIR/csharp"
"$CSM_MONO" --debug CryptoSmartTests.exe workspace "$work/workspace" "$work/settings.yaml"

# show FOLDER ROWS OPTIONS...: shows it once and compares; prints the ledger's rows, of which there must be more than ROWS
show() {
    folder=$work/$1
    before=$2
    shift 2
    mkdir "$folder"
    NO_AT_BRIDGE=1 HOME=$work xvfb-run -a -s "-screen 0 1440x900x24" "$CSM_MONO" --debug cryptosmart-desktop.exe "$work/workspace" \
        --settings "$work/settings.yaml" --picture "$folder" "$@" 2>"$folder/err" || { cat "$folder/err" >&2; exit 1; }
    "$CSM_MONO" --debug DesktopCheck.exe "$work/workspace" "$folder" "$before"
}

rows=$(show first 0)
rows=$(show predicted "$rows" --run predict)
grep '^doing' "$work/predicted/texts" | grep -q ' coins shown' || { grep '^doing' "$work/predicted/texts"; exit 1; }
show cancelled $((rows - 1)) --run train --cancel >/dev/null
grep -qx 'doing	cancelled, nothing half done' "$work/cancelled/texts" || { grep '^doing' "$work/cancelled/texts"; exit 1; }
# a setting is kept, read back by the next start, and refused when it is wrong
show changed $((rows - 1)) --set gate.participation=0.02 >/dev/null
grep -q 'participation: 0.02' "$work/settings.yaml" || { cat "$work/settings.yaml"; exit 1; }
grep -q 'horizons: \["7d", "30d"\]' "$work/settings.yaml" || { cat "$work/settings.yaml"; exit 1; }
show refused $((rows - 1)) --set gate.threshold=0.5 >/dev/null
grep -q '^settings	gate.participation	0.02$' "$work/refused/texts" || { grep gate "$work/refused/texts"; exit 1; }
grep -q '^settings	message	.*gate.threshold' "$work/refused/texts" || { grep message "$work/refused/texts"; exit 1; }
if grep -q 'threshold' "$work/settings.yaml"; then cat "$work/settings.yaml"; exit 1; fi
if [ -n "${CSM_PICTURES-}" ]; then
    mkdir -p "$CSM_PICTURES"
    cp "$work"/first/*.png "$CSM_PICTURES"
fi
echo "5 times shown, $rows rows in the ledger"
