#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/start.sh: starts the daemon once, tells where its dashboard is, and stops it; the unit file has no fault that systemd sees.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/csm-start-XXXXXX") || exit 1
start() {
    # another name, so that the program beside the library is found by its own path
    CRYPTOSMART_HOME=$folder/home CRYPTOSMARTD=$CSM_BINARY_DIR/cryptosmartd CRYPTOSMART__DAEMON__PORT=0 \
        CRYPTOSMART__KRAKEN__URL=http://127.0.0.1:9/0 sh "$CSM_SOURCE_DIR/examples/start.sh" "$@" </dev/null
}
trap 'start --stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
fault() {
    echo "FAULT: $*"
    cat "$folder/said"
    exit 1
}

start --no-browser >"$folder/said" 2>&1 || fault "it does not start"
address=$(sed -n 's/^The dashboard: \([^ ]*\) .*/\1/p' "$folder/said")
pid=$(cat "$folder/home/daemon.pid")
if command -v curl >/dev/null; then
    curl -fsS "$address/healthz" >>"$folder/said" 2>&1 || fault "$address does not answer"
fi
start --no-browser >"$folder/said" 2>&1 || fault "it does not start again"
[ "$(cat "$folder/home/daemon.pid")" = "$pid" ] || fault "a second daemon was started"
start --stop >"$folder/said" 2>&1 && [ ! -e "/proc/$pid" ] || fault "it does not stop"
start --stop >"$folder/said" 2>&1 && grep -q "does not run" "$folder/said" || fault "it is not seen to be stopped"

if command -v systemd-analyze >/dev/null; then
    sed "s|@PREFIX@/bin/cryptosmartd|/bin/true|; s|@PREFIX@|/usr|" "$CSM_SOURCE_DIR/examples/daemon/cryptosmartd.service" >"$folder/cryptosmartd.service"
    systemd-analyze verify "$folder/cryptosmartd.service" >"$folder/said" 2>&1 && ! grep -q cryptosmartd.service: "$folder/said" || fault "the unit"
fi
echo "started, found, stopped"
