#!/usr/bin/env bash
# Reading speed beside liblinear-train's own reader: both read the whole file, in turn; whole processes, wall time.
# liblinear-train runs one iteration at most (-e 1e30) and writes its model nowhere; its solver's share is in its time.
# Usage: tools/bench-reading.sh FILE.svm [PAIRS]     needs liblinear-tools and the binaries of tools/publish.sh
set -euo pipefail
file=${1:?usage: tools/bench-reading.sh FILE.svm [PAIRS]}
pairs=${2:-11}
bin=$(cd "$(dirname "$0")/.." && pwd)/out/bin
command -v liblinear-train >/dev/null || { echo "bench-reading.sh: liblinear-train is missing: apt-get install liblinear-tools" >&2; exit 2; }
[[ -r $file ]] || { echo "bench-reading.sh: $file: there is no such file" >&2; exit 3; }
seconds() { local start=$EPOCHREALTIME; "$@" >/dev/null; local end=$EPOCHREALTIME; awk -v a="$start" -v b="$end" 'BEGIN { print b - a }'; }
seconds "$bin/hpaps" inspect --data "$file" >/dev/null # the first reading fills the page cache
for ((i = 0; i < pairs; i++)); do
  ours=$(seconds "$bin/hpaps" inspect --data "$file")
  theirs=$(seconds liblinear-train -q -s 0 -e 1e30 "$file" /dev/null)
  awk -v a="$ours" -v b="$theirs" 'BEGIN { print b / a, a, b }'
done | sort -g | awk '
  { ratio[NR] = $1; ours += $2; theirs += $3 }
  END {
    printf "times as fast as liblinear-train: median %.2f (quartiles %.2f to %.2f), %d pairs; mean %.3f s and %.3f s\n",
      ratio[int((NR + 1) / 2)], ratio[int((NR + 3) / 4)], ratio[int((3 * NR + 3) / 4)], NR, ours / NR, theirs / NR
  }'
