#!/usr/bin/env bash
# Unpack the photographs that Debian packages carry into training/data (about 800 MB). Needs apt-get and dpkg.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/data/packages"
cd "$here/data/packages"
apt-get download endless-sky-data gnome-backgrounds mate-backgrounds ukui-wallpapers \
    plasma-workspace-wallpapers lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
for package in *.deb; do dpkg -x "$package" "$here/data"; done
