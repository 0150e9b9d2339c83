#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and installs the library and its programs. sh examples/install.sh [--prefix DIR] [--cpu] [--service]
#   --prefix DIR  where to (default: /usr/local for root, ~/.local otherwise)
#   --cpu         without CUDA, also where nvcc is
#   --service     also a systemd unit with a user of its own (root only); the workspace is /var/lib/cryptosmart/workspace
# Can be repeated; a second run is quicker. What it needs from the distribution is named before it is installed.
set -eu
cd "$(dirname "$0")/.."
prefix=
service=no
cuda=OFF
if command -v nvcc >/dev/null 2>&1; then cuda=AUTO; fi
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -gt 1 ] || { echo "--prefix needs a folder" >&2; exit 2; }
        prefix=$2
        shift
        ;;
    --cpu) cuda=OFF ;;
    --service) service=yes ;;
    *)
        sed -n '3,7s/^# //p' "$0" >&2
        exit 2
        ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    prefix=$HOME/.local
    [ "$(id -u)" -ne 0 ] || prefix=/usr/local
fi
if [ $service = yes ] && [ "$(id -u)" -ne 0 ]; then
    echo "--service wants root" >&2
    exit 2
fi

. cmake/packages.sh
packages_install build
build=build/install
mkdir -p $build
echo "Configuring (CUDA: $cuda), see $build/configure.log"
cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCSM_TESTS=OFF -DCSM_EXAMPLES=ON -DCSM_CUDA=$cuda \
    -DCMAKE_INSTALL_PREFIX="$prefix" >$build/configure.log 2>&1 || { tail -n 30 $build/configure.log >&2; exit 1; }
echo "Building with $(nproc) processors"
cmake --build $build -j "$(nproc)"
cmake --install $build >$build/install.log
echo "Installed below $prefix"

[ $service = yes ] || exit 0
getent passwd cryptosmart >/dev/null || useradd --system --home-dir /var/lib/cryptosmart --shell /usr/sbin/nologin cryptosmart
install -d -m 0755 /etc/cryptosmart
[ -e /etc/cryptosmart/cryptosmart.yaml ] || install -m 0644 examples/daemon/cryptosmart.yaml /etc/cryptosmart/cryptosmart.yaml
if [ ! -e /etc/cryptosmart/secrets.env ]; then
    install -m 0600 -o cryptosmart -g cryptosmart /dev/null /etc/cryptosmart/secrets.env
fi
sed "s|@PREFIX@|$prefix|g" examples/daemon/cryptosmartd.service >/etc/systemd/system/cryptosmartd.service
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --now cryptosmartd.service
    systemctl --no-pager --lines=5 status cryptosmartd.service
else
    echo "systemd does not run here; the unit lies in /etc/systemd/system"
fi
