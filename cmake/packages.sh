# SPDX-License-Identifier: MIT
# Sourced by examples/quickstart.sh and tests/run.sh from the top of the tree.

# packages_missing GROUP...: names of cmake/packages-debian.txt that are not installed.
packages_missing() {
    for group in "$@"; do
        sed -n "s/^$group //p" cmake/packages-debian.txt
    done | while read -r package; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

# packages_install GROUP...: installs what is missing and names it first. Needs root or sudo only if something is.
packages_install() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "No apt-get here: the packages of cmake/packages-debian.txt must be present under their own names."
        return 0
    fi
    packages=$(packages_missing "$@")
    if [ -z "$packages" ]; then
        echo "Every Debian package needed is installed."
        return 0
    fi
    echo "Installing with apt-get: $packages"
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "This needs root or sudo. As root: apt-get install --no-install-recommends $packages" >&2
            return 1
        fi
        sudo=sudo
    fi
    $sudo apt-get update -q || return 1
    # shellcheck disable=SC2086 # a list of words
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
}
