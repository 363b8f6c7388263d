#!/bin/sh
# Makes build/carnet_VERSION_ARCH.deb of an installed tree: tools/deb.sh TREE [YYJSON-ROOT]
#
# TREE is what `meson install` left (the binary alone is needed). YYJSON-ROOT names an unpacked
# yyjson that no Debian package of this release provides: its library then comes
# along, in /usr/lib/carnet.
set -eu

tree=$(cd "${1:?usage: tools/deb.sh TREE [YYJSON-ROOT]}" && pwd)
yyjson=${2-}
arch=$(dpkg --print-architecture)
version=$(sed -n "s/^project('carnet'.* version: '\([^']*\)'.*/\1/p" meson.build)
[ -n "$version" ] || { echo "deb: meson.build has no version" >&2; exit 1; }

root=build/deb/root
rm -rf build/deb
mkdir -p build/deb/debian "$root/DEBIAN"
install -D -m 755 "$tree/usr/bin/carnet" "$root/usr/bin/carnet"
strip --strip-unneeded "$root/usr/bin/carnet"
install -D -m 644 packaging/carnet.service "$root/usr/lib/systemd/system/carnet.service"
install -D -m 644 packaging/carnet.default "$root/etc/default/carnet"
install -D -m 644 packaging/copyright "$root/usr/share/doc/carnet/copyright"
install -D -m 644 docs/guides/operate.md "$root/usr/share/doc/carnet/operate.md"
mkdir -p "$root/usr/share/man/man1"
gzip -9n <docs/carnet.1 >"$root/usr/share/man/man1/carnet.1.gz"
{
    printf 'carnet (%s) unstable; urgency=medium\n\n' "$version"
    printf '  * See the history of the repository.\n\n'
    printf ' -- Carnet <carnet@localhost>  %s\n' "$(date -u -R)"
} |
    gzip -9n >"$root/usr/share/doc/carnet/changelog.gz"
for script in postinst prerm postrm; do
    install -m 755 "packaging/$script" "$root/DEBIAN/$script"
done
echo /etc/default/carnet >"$root/DEBIAN/conffiles"

set --
if [ -n "$yyjson" ]; then
    library=$(find "$yyjson/lib" -name 'libyyjson.so.0.*' -type f | head -n 1)
    install -D -m 644 "$library" "$root/usr/lib/carnet/libyyjson.so.0"
    strip --strip-unneeded "$root/usr/lib/carnet/libyyjson.so.0"
    install -m 644 "$yyjson/share/doc/libyyjson0/copyright" \
        "$root/usr/share/doc/carnet/copyright.yyjson"
    set -- --ignore-missing-info -lroot/usr/lib/carnet
fi

# dpkg-shlibdeps wants a source package around it.
printf 'Source: carnet\n\nPackage: carnet\nArchitecture: any\n' >build/deb/debian/control
depends=$(cd build/deb && dpkg-shlibdeps -O "$@" --warnings=1 root/usr/bin/carnet \
    2>shlibdeps.log | sed -n 's/^shlibs:Depends=//p') || true
[ -n "$depends" ] || { cat build/deb/shlibdeps.log >&2; exit 1; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: carnet
Version: $version
Architecture: $arch
Maintainer: Carnet <carnet@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends
Section: science
Priority: optional
Description: FHIR R4 node for a country's health records
 Carnet keeps electronic health records as FHIR R4 resources: it validates, stores, versions and
 searches them, and answers the FHIR REST interface over HTTP. The database is inside the program.
CONTROL
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs md5sum) \
    >"$root/DEBIAN/md5sums"
deb=build/carnet_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null

# What went in works from where it is unpacked, with nothing of the build folder.
rm -rf build/deb/try
dpkg-deb -x "$deb" build/deb/try
paths=$(readelf -d build/deb/try/usr/bin/carnet | sed -n 's/.*R[UN]*PATH.*\[\(.*\)\]/\1/p')
if [ -n "$paths" ] && [ "$paths" != /usr/lib/carnet ]; then
    echo "deb: the binary looks for libraries in the build folder" >&2
    exit 1
fi
LD_LIBRARY_PATH=build/deb/try/usr/lib/carnet build/deb/try/usr/bin/carnet version >/dev/null
echo "$deb"
