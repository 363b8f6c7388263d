#!/bin/sh
# Builds for arm64 and runs the quick tests under qemu-user within 1 GiB: tools/cross.sh DEPS
#
# The arm64 libraries are Debian's own packages of this machine's release, unpacked below
# DEPS/arm64; the system gets no foreign architecture.
set -eu

deps=${1:?usage: tools/cross.sh DEPS}
mkdir -p "$deps"
deps=$(cd "$deps" && pwd)
sysroot=$deps/arm64
memory_bytes=1073741824
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
gcc_major=$(aarch64-linux-gnu-gcc -dumpversion | cut -d. -f1)

tools/debian_fetch.sh -d "$deps" arm64 "$codename" libc6-dev "libgcc-$gcc_major-dev" zlib1g-dev \
    libzstd-dev libsqlite3-dev libmicrohttpd-dev libpcre2-dev libutf8proc-dev libxml2-dev \
    libarchive-dev libssl-dev libgnutls28-dev libargon2-dev libpq-dev libcurl4-gnutls-dev \
    libfido2-dev     libcmocka-dev
if [ "$codename" = bookworm ]; then
    tools/debian_fetch.sh "$deps" arm64 trixie libyyjson0 libyyjson-dev
    options="-Dyyjson_root=$sysroot/usr -Dyyjson_triplet=aarch64-linux-gnu"
else
    tools/debian_fetch.sh -d "$deps" arm64 "$codename" libyyjson-dev
    options=
fi

libraries=$sysroot/usr/lib/aarch64-linux-gnu:$sysroot/lib/aarch64-linux-gnu
mkdir -p build
cat >build/arm64.ini <<INI
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-gcc-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$sysroot', '-E', 'LD_LIBRARY_PATH=$libraries']

[built-in options]
c_args = ['--sysroot=$sysroot']
c_link_args = ['--sysroot=$sysroot']

[properties]
sys_root = '$sysroot'
pkg_config_libdir = ['$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig', '$sysroot/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
INI
echo "# options: -Dbuildtype=release -Doptimization=2 -Dfault=true $options" >>build/arm64.ini
if ! cmp -s build/arm64.ini build/arm64/.cross.ini; then
    rm -rf build/arm64
    mkdir -p build/arm64
    # shellcheck disable=SC2086
    meson setup build/arm64 --cross-file build/arm64.ini -Dbuildtype=release -Doptimization=2 \
        -Dfault=true \
        $options >build/arm64.log 2>&1 || { cat build/arm64.log >&2; exit 1; }
    cp build/arm64.ini build/arm64/.cross.ini
fi
ninja -C build/arm64 >build/arm64.log 2>&1 || { tail -n 60 build/arm64.log >&2; exit 1; }

# Some tests start a program by its name: a script of that name puts qemu in front.
put_qemu_before() {
    [ "$(head -c 2 "$1" | tr -d '\0')" = '#!' ] || mv "$1" "$1.arm64"
    cat >"$1" <<SH
#!/bin/sh
exec qemu-aarch64 -L '$sysroot' -E 'LD_LIBRARY_PATH=$libraries' '$PWD/$1.arm64' "\$@"
SH
    chmod +x "$1"
}
put_qemu_before build/arm64/src/cli/carnet
put_qemu_before build/arm64/tests/conformance/path_lines

code=0
rm -f build/arm64/meson-logs/testlog.json
# What is limited is address space, of which glibc sets aside 128 MiB for a thread's allocations
# without using it: two such places are enough here.
MALLOC_ARENA_MAX=2 prlimit --as=$memory_bytes \
    meson test -C build/arm64 --no-rebuild --suite quick --no-suite house \
    --timeout-multiplier 10 --print-errorlogs >build/arm64.test.log 2>&1 || code=$?
python3 tools/test_counts.py build/arm64 build/stage-counts || code=1
[ $code = 0 ] || tail -n 12 build/arm64.test.log >&2
exit $code
