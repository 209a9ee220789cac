#!/bin/sh
# Makes sure that the Debian packages of apt.txt are there. As root it installs what is missing;
# otherwise it prints the one line to run and exits 2 before anything is built.
set -eu
here=$(dirname "$0")
missing=
for package in $(sed 's/#.*//' "$here/apt.txt"); do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    case "$status" in "install ok installed") ;; *) missing="$missing $package" ;; esac
done
# A Python of one's own (3.11 or newer, with venv) is as good as Debian's.
if "${PYTHON:-python3}" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    missing=$(printf '%s' "$missing" | sed 's/ python3-venv\b//; s/ python3\b//')
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "This machine has no apt-get. Install what these Debian packages hold:$missing" >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "System packages are missing. Run this line, then the same make command again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 2
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of package names, split on purpose
apt-get install -y -qq --no-install-recommends $missing >/dev/null
