#!/bin/sh
# SPDX-License-Identifier: MIT
# From nothing: both commands in a Debian 12 that has nothing installed, with a fresh clone, each twice.
#   sh tests/debootstrap.sh [--user] [COMMAND...]    as root; about 4 GB under TMPDIR
# --user: as a user with sudo instead of as root (sudo is then installed first, as any such machine has it).
# COMMAND...: other commands than the two, each run in the clone. The mirror is this machine's, from /etc/apt.
# CSM_SHARED_DATA, when set, is visible inside, read-only.
set -u
script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")

# ---- inside: a mount namespace of its own, so that every mount ends with it ------------------------------------

if [ "${1-}" = --inside ]; then
    root=$2
    who=$3
    shift 3
    mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev/shm" &&
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" || exit 1
    if [ -n "${CSM_SHARED_DATA-}" ]; then
        mkdir "$root/shared" && mount --bind "$CSM_SHARED_DATA" "$root/shared" && mount -o remount,bind,ro "$root/shared" || exit 1
        CSM_SHARED_DATA=/shared
    fi
    # a real root and no chroot: user namespaces are refused in a chroot
    mkdir -p "$root/before" && cd "$root" && pivot_root . before && cd / && umount -l /before || exit 1
    home=$(getent passwd "$who" | cut -d: -f6)
    for command in "$@"; do
        echo
        echo "=== $who, $(date -u +%H:%M:%S): $command"
        began=$(date +%s)
        setpriv --reuid="$who" --regid="$who" --init-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" USER="$who" \
            LANG=C.UTF-8 ${CSM_SHARED_DATA:+CSM_SHARED_DATA=/shared} ${PIP_CERT:+PIP_CERT="$PIP_CERT"} \
            ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} sh -c "cd /tree && $command" ||
            { echo "=== FAILED after $(($(date +%s) - began)) s: $command"; exit 1; }
        echo "=== $(($(date +%s) - began)) s"
    done
    exit 0
fi

# ---- outside ------------------------------------------------------------------------------------------------------

cd "$(dirname "$script")/.." || exit 1
who=root
if [ "${1-}" = --user ]; then
    who=guest
    shift
fi
[ $# -gt 0 ] || set -- "sh examples/quickstart.sh" "sh examples/quickstart.sh" "sh tests/run.sh" "sh tests/run.sh"
[ "$(id -u)" -eq 0 ] || { echo "debootstrap.sh needs root"; exit 77; }
command -v debootstrap >/dev/null 2>&1 || { echo "debootstrap is not installed (apt-get install debootstrap)"; exit 77; }

# The first mirror that has the main suite of Debian 12, in either format of apt.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n 's/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) bookworm .*/\2/p' | head -n 1)
if [ -z "$mirror" ]; then
    mirror=$(awk '/^URIs:/ { uri = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == "bookworm") { print uri; exit } }' \
        /etc/apt/sources.list.d/*.sources 2>/dev/null)
fi
[ -n "$mirror" ] || { echo "no mirror of Debian 12 (bookworm) in /etc/apt"; exit 77; }

root=$(mktemp -d) || exit 1
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' INT TERM
echo "Debian 12 from $mirror into $root"
if ! debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1; then
    tail -n 20 "$root.log"
    rm -f "$root.log"
    exit 1
fi
rm -f "$root.log"
chmod 755 "$root"

# What this machine needs to reach its mirrors, and nothing else of it.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -f "$file" ]; then cp -L "$file" "$root$file"; fi
done
rm -f "$root/etc/apt/sources.list" # debootstrap's: the main suite alone
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
    if [ -f "$file" ]; then cp "$file" "$root$file"; fi
done
if [ $who = guest ]; then
    chroot "$root" sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends sudo && useradd -m guest &&
        echo "guest ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/guest' >/dev/null || exit 1
fi
git clone -q . "$root/tree" && chroot "$root" chown -R "$who" /tree || exit 1
unshare --mount --propagation private sh "$script" --inside "$root" "$who" "$@" || exit 1
echo "Everything worked from nothing."
