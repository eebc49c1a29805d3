#!/usr/bin/env bash
# Measures what several servers cost beside one, in turn: processor time of a GB pushed to 2 (no thread spins), and the time of a push of 64 KiB to 4 until all have acknowledged it.
# Usage: tools/measure-shards.sh [--write] [PAIRS]     PAIRS: 15
#   --write  puts the table into docs/benchmarks.md
# Worker and servers are threads of one process, over loopback TCP. It builds native-bench/loops. Exit codes: 0 the medians are at most 1.15 and 1.3, 1 they are not or a run failed, 2 usage.
set -euo pipefail
say() { echo "measure-shards.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
pairs=${1:-15}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $# -le 1 ]] || { say "PAIRS is a whole number above 0; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish native-bench/loops/loops.csproj -c Release -r linux-x64 -v quiet -o "$work/loops" >"$work/published" 2>&1 || { cat "$work/published" >&2; exit 1; }

# what | command of loops | floats | servers | key of what is compared | unit | bar
rows=(
  "processor time of a GB pushed, 64 KiB a push|pushes|16384|2|processor_seconds_per_gb|s|"
  "processor time of a GB pushed, 1 MiB a push|pushes|262144|2|processor_seconds_per_gb|s|"
  "processor time of a GB pushed, 4 MiB a push|pushes|1048576|2|processor_seconds_per_gb|s|1.15"
  "a push of 64 KiB until it is acknowledged|trips|16384|4|microseconds|us|1.3"
  "a push of 1 MiB until it is acknowledged|trips|262144|4|microseconds|us|"
)
missed=0
{
  echo "| what | servers | with them | with one | ratio, median | its quartiles | at most |"
  echo "|---|---|---|---|---|---|---|"
} >"$work/table"
before=$(load)
for row in "${rows[@]}"; do
  IFS='|' read -r what command floats servers key unit bar <<<"$row"
  : >"$work/pairs"
  for ((pair = 0; pair < pairs; pair++)); do
    counts=("$servers" 1)
    ((pair % 2)) || counts=(1 "$servers") # by turns the first
    for count in "${counts[@]}"; do
      "$work/loops/loops" "$command" "$floats" 1 "$count" >"$work/$count.json" || exit 1
    done
    echo "$(number "$work/$servers.json" "$key") $(number "$work/1.json" "$key")" >>"$work/pairs"
  done
  say "$what: $pairs pairs"
  awk -v what="$what" -v servers="$servers" -v unit="$unit" -v bar="$bar" '
    function sort(v,   i, j, t) { for (i = 2; i <= NR; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
    function at(v, q,   h, k) { h = 1 + (NR - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < NR ? k + 1 : k] - v[k]) }
    { a[NR] = $1; b[NR] = $2; r[NR] = $1 / $2 }
    END {
      sort(a); sort(b); sort(r)
      form = unit == "us" ? "%.0f us" : "%.3f s"
      printf "| %s | %s | " form " | " form " | %.2f | %.2f to %.2f | %s |\n", what, servers, at(a, 0.5), at(b, 0.5), at(r, 0.5), at(r, 0.25), at(r, 0.75), bar == "" ? "-" : bar
      exit bar != "" && at(r, 0.5) > bar
    }' "$work/pairs" >>"$work/table" || missed=1
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $pairs pairs of 1 s; worker and servers are threads of one process, over loopback TCP."
  echo
  cat "$work/table"
} >"$work/shards"
cat "$work/shards"
[[ -z $write ]] || between shards "$work/shards" docs/benchmarks.md
((missed == 0)) || { say "a median is above what is allowed"; exit 1; }
