#!/bin/sh
# Builds the portal: portal.sh SOURCE WORK. The result is WORK/portal.c, for meson's option portal.
#
# What npm fetches stays in WORK, never in the source tree, and is fetched anew only when the lock
# changes. Needs node (18 or newer) and npm. Exits with 77 where there is none, or where npm could
# not fetch; with another status when the portal itself is wrong.
set -eu

source=$1
mkdir -p "$2"
work=$(cd "$2" && pwd)
tools=$(cd "$(dirname "$0")" && pwd)
node_min=18
fetch_seconds=120

skip() { echo "portal: $*" >&2; exit 77; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    skip "there is no node or no npm"
fi
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
[ "$major" -ge "$node_min" ] || skip "node is older than v$node_min"

# The sources, as they are now, beside what npm fetched.
for entry in "$work"/* "$work"/.[!.]*; do
    case ${entry##*/} in
        node_modules|installed|npm.log|build.log|portal.c|dist) ;;
        *) rm -rf "$entry" ;;
    esac
done
(cd "$source" && tar -cf - --exclude=./node_modules .) | (cd "$work" && tar -xf -)

cd "$work"
if ! cmp -s package-lock.json installed || [ ! -d node_modules ]; then
    rm -f installed
    timeout "$fetch_seconds" npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
        </dev/null >npm.log 2>&1 || {
        tail -n 15 npm.log >&2
        if grep -qE 'EUSAGE|EINTEGRITY|EJSONPARSE' npm.log; then exit 1; fi
        skip "npm could not fetch what the portal is built with"
    }
    cp package-lock.json installed
fi
CARNET_PORTAL_OUT="$work/dist" npm run --silent build >build.log 2>&1 ||
    { tail -n 40 build.log >&2; exit 1; }
python3 "$tools/portal_pack.py" dist portal.c
