#!/bin/sh
# Ours beside R on one core, in one run: speed.sh BUILD-FOLDER
set -eu
here=$(dirname "$0")
if ! Rscript -e 'library(surveillance)' >/dev/null 2>&1; then
    echo "skipped: no R with its package surveillance (r-base-core, r-cran-surveillance)"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
taskset -c 0 Rscript "$here/speed.R" "$folder/counts" >"$folder/r"
taskset -c 0 "$1/bench/speed" "$folder/counts" 200 >"$folder/ours"
awk 'NR == FNR { r[$1] = $2; next }
    { printf "%-22s %10.3f ms", $1, $2 }
    $1 in r { printf "   R %10.1f ms   %.0f times", r[$1], r[$1] / $2 }
    { print "" }' "$folder/r" "$folder/ours"
