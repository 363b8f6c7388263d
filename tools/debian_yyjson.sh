#!/bin/sh
# Fetches Debian 13's yyjson packages into DIR for a Debian 12 host, which has none.
#
# The archive's address and the keyring come from the machine's own apt configuration; apt works in
# a state of its own below DIR, so the system's sources, lists and packages stay as they are.
# Usage: tools/debian_yyjson.sh DIR [ARCH]
set -eu

dir=${1:?usage: tools/debian_yyjson.sh DIR [ARCH]}
arch=${2:-$(dpkg --print-architecture)}
[ -f "$dir/$arch/usr/include/yyjson.h" ] && exit 0

mirror=$(apt-get indextargets --format '$(SITE)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
    awk -F'|' '$2 ~ /^(bookworm|stable|oldstable)$/ && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "dev: apt knows no Debian main archive to take yyjson from" >&2; exit 1; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keyring" ] || { echo "dev: $keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
state=$dir/apt-$arch
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/etc"
: > "$state/status"
echo "deb [arch=$arch signed-by=$keyring] $mirror trixie main" > "$state/sources.list"
apt_own() {
    apt-get -q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" \
        -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root "$@"
}
apt_own update >"$state/log" 2>&1 || { cat "$state/log" >&2; exit 1; }
(cd "$state" && apt_own download "libyyjson-dev:$arch" "libyyjson0:$arch") >>"$state/log" 2>&1 ||
    { cat "$state/log" >&2; exit 1; }
mkdir -p "$dir/$arch"
for deb in "$state"/libyyjson*.deb; do
    dpkg-deb -x "$deb" "$dir/$arch"
done
[ -f "$dir/$arch/usr/include/yyjson.h" ] || { echo "dev: yyjson did not arrive in $dir/$arch" >&2; exit 1; }
