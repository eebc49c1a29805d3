#!/usr/bin/env bash
# Measures the table of README.md: async beside bsp and auto, at equal speeds and with one worker 8 times slower, in turn.
# Usage: tools/readme-table.sh TRAIN.svm[.gz] [RUNS]      prints Markdown; needs the binaries of tools/publish.sh
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?usage: tools/readme-table.sh TRAIN.svm[.gz] [RUNS]}
runs=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
value() { sed -n "s/^ *\"$2\": \([^,]*\),*$/\1/p" "$1"; }
for ((i = 0; i < runs; i++)); do
  for slow in 1 8; do
    for policy in async bsp auto; do
      out/bin/hpaps train logreg --data "$data" --l2 1e-3 --workers 4 --policy "$policy" --slow "0:$slow" \
        --target 1e-3 --reference 0.333340752068716 --time-limit 120 --out "$work/run" --json >"$work/summary.json" 2>/dev/null
      echo "$slow $policy $(value "$work/summary.json" train_seconds) $(value "$work/summary.json" passes) $(value "$work/summary.json" relative_gap) $(value "$work/summary.json" uplink_bytes)" >>"$work/all"
    done
  done
done
median() { sort -g | awk '{ v[NR] = $1 } END { printf "%s %s %s", v[int((NR + 3) / 4)], v[int((NR + 1) / 2)], v[int((3 * NR + 3) / 4)] }'; }
echo "| one worker | policy | training, s: median (quartiles) | passes | uplink, MB | largest gap |"
echo "|---|---|---|---|---|---|"
for slow in 1 8; do
  for policy in async bsp auto; do
    rows=$(grep "^$slow $policy " "$work/all")
    read -r low mid high <<<"$(awk '{ print $3 }' <<<"$rows" | median)"
    read -r _ passes _ <<<"$(awk '{ print $4 }' <<<"$rows" | median)"
    read -r _ bytes _ <<<"$(awk '{ print $6 }' <<<"$rows" | median)"
    gap=$(awk '{ print $5 }' <<<"$rows" | sort -g | tail -1)
    name=$([[ $slow == 1 ]] && echo "as fast as the others" || echo "$slow times slower")
    awk -v n="$name" -v p="$policy" -v m="$mid" -v l="$low" -v h="$high" -v passes="$passes" -v b="$bytes" -v g="$gap" \
      'BEGIN { printf "| %s | `%s` | %.2f (%.2f to %.2f) | %.0f | %.1f | %.2g |\n", n, p, m, l, h, passes, b / 1e6, g }'
  done
done
