#!/bin/sh
# Unpacks Debian packages of any suite and architecture below DIR/ARCH, beside the system.
#
# Two uses: yyjson of Debian 13 on Debian 12, which has none, and the arm64 libraries of the cross
# build. The archive's address and the keyring are the machine's own; apt works in a state of its
# own below DIR, so the system's sources, lists and packages stay as they are. A package that was
# unpacked before is not fetched again.
#
# Usage: tools/debian_fetch.sh [-d] DIR ARCH SUITE PACKAGE...
#   -d  the packages' dependencies too, as apt resolves them for an empty system
set -eu

say() { echo "debian_fetch: $*" >&2; }
die() { say "$*"; exit 1; }

with_deps=false
[ "${1-}" = -d ] && { with_deps=true; shift; }
[ $# -ge 4 ] || die "usage: tools/debian_fetch.sh [-d] DIR ARCH SUITE PACKAGE..."
mkdir -p "$1"
dir=$(cd "$1" && pwd) arch=$2 suite=$3
shift 3

stamps=$dir/$arch/.fetched
missing=
for package in "$@"; do
    [ -f "$stamps/$suite-$package" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || die "this needs apt-get: it runs on Debian 12 and 13"
# shellcheck disable=SC2016  # apt expands these
mirror=$(apt-get indextargets --format '$(SITE)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
    awk -F'|' '$3 == "main" && $2 !~ /[-\/]/ && $1 !~ /security/ { print $1; exit }')
[ -n "$mirror" ] || die "apt's configuration names no Debian archive to take$missing from"
keyring=
for file in /usr/share/keyrings/debian-archive-keyring.gpg \
    /usr/share/keyrings/debian-archive-keyring.pgp; do
    [ -f "$file" ] && { keyring=$file; break; }
done
[ -n "$keyring" ] || die "Debian's keyring is missing: install debian-archive-keyring"

state=$dir/apt-$suite-$arch
mkdir -p "$state/lists/partial" "$state/archives/partial"
# One fetch at a time in one state.
exec 9>"$state/lock"
if command -v flock >/dev/null; then flock 9; fi
: > "$state/status"
echo "deb [arch=$arch signed-by=$keyring] $mirror $suite main" > "$state/sources.list"

apt_own() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
        -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
        -o Dir::Cache::archives="$state/archives" -o APT::Architecture="$arch" \
        -o APT::Architectures="$arch" -o APT::Sandbox::User=root -o Acquire::Retries=3 \
        -o Acquire::Languages=none "$@" >>"$state/log" 2>&1
}
failed() {
    tail -n 20 "$state/log" >&2
    die "could not $1 ($suite, $arch, $mirror)"
}

: > "$state/log"
rm -f "$state"/archives/*.deb
apt_own update || failed "read the archive's lists"
if $with_deps; then
    # shellcheck disable=SC2086  # a list of names
    apt_own install --download-only --no-install-recommends $missing ||
        failed "fetch$missing with what they need"
else
    for package in $missing; do
        (cd "$state/archives" && apt_own download "$package:$arch") || failed "fetch $package"
    done
fi

mkdir -p "$stamps"
for deb in "$state"/archives/*.deb; do
    [ -f "$deb" ] || failed "find what was fetched"
    dpkg-deb -x "$deb" "$dir/$arch" || die "$deb does not unpack"
done
rm -f "$state"/archives/*.deb
for package in $missing; do
    : > "$stamps/$suite-$package"
done
