#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is not installed yet, starts the daemon and opens the dashboard. sh examples/start.sh [--stop | --no-browser]
#   CRYPTOSMART_HOME  where workspace, configuration and log are kept (default: ~/.local/share/cryptosmart)
set -eu
cd "$(dirname "$0")/.."
home=${CRYPTOSMART_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/cryptosmart}
browser=yes
stop=no
case ${1-} in
'') ;;
--stop) stop=yes ;;
--no-browser)
    browser=no
    [ "${2-}" != --stop ] || stop=yes
    ;;
*)
    sed -n '3,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac

pid_of_daemon() {
    pid=$(cat "$home/daemon.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$(readlink -f "$daemon")" ] && echo "$pid"
}

daemon=${CRYPTOSMARTD:-$HOME/.local/bin/cryptosmartd}
[ "$(id -u)" -ne 0 ] || daemon=${CRYPTOSMARTD:-/usr/local/bin/cryptosmartd}
if [ $stop = yes ]; then
    if pid=$(pid_of_daemon); then
        kill "$pid"
        while [ -e "/proc/$pid" ]; do sleep 0.2; done
        echo "stopped"
    else
        echo "it does not run"
    fi
    exit 0
fi

[ -x "$daemon" ] || sh examples/install.sh
mkdir -p "$home"
chmod 0700 "$home"
[ -e "$home/cryptosmart.yaml" ] || cp examples/daemon/cryptosmart.yaml "$home/cryptosmart.yaml"
"$daemon" -c "$home/cryptosmart.yaml" --check-config
before=0
if ! pid_of_daemon >/dev/null; then
    [ ! -e "$home/daemon.log" ] || before=$(wc -c <"$home/daemon.log")
    setsid "$daemon" -c "$home/cryptosmart.yaml" --workspace "$home/workspace" >>"$home/daemon.log" 2>&1 </dev/null &
    echo $! >"$home/daemon.pid"
fi

# The address stands in the log as soon as the dashboard listens.
address=
for _ in $(seq 100); do
    address=$(tail -c +$((before + 1)) "$home/daemon.log" 2>/dev/null | grep -o 'dashboard on [^"]*' | tail -n 1 | sed 's/^dashboard on //') || true
    [ -z "$address" ] || break
    [ -e "/proc/$(cat "$home/daemon.pid")" ] || break
    sleep 0.1
done
if ! pid_of_daemon >/dev/null; then
    echo "The daemon has ended; the last lines of $home/daemon.log:" >&2
    tail -n 5 "$home/daemon.log" >&2
    exit 1
fi
if [ -z "$("$daemon" -c "$home/cryptosmart.yaml" --workspace "$home/workspace" user list)" ] && [ -t 0 ]; then
    echo "Choose a password for the first user, admin:"
    "$daemon" -c "$home/cryptosmart.yaml" --workspace "$home/workspace" user add admin admin
fi
echo "The dashboard: $address (log: $home/daemon.log; stop: sh examples/start.sh --stop)"
if [ $browser = yes ] && [ -n "$address" ]; then
    for opener in wslview xdg-open open; do
        if command -v $opener >/dev/null 2>&1; then
            $opener "$address" >/dev/null 2>&1 || true
            break
        fi
    done
fi
