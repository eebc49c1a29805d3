#!/usr/bin/env bash
# Measures the recommender's table of README.md and docs/algorithms.md: one worker, four, four with one 8 times slower.
# Usage: tools/measure-mf.sh RATINGS [SEEDS]      prints Markdown; needs the binaries of tools/publish.sh
set -euo pipefail
data=$(realpath "${1:?usage: tools/measure-mf.sh RATINGS [SEEDS]}")
cd "$(dirname "$0")/.."
seeds=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
value() { sed -n "s/^ *\"$2\": \([^,]*\),*$/\1/p" "$1"; }
for ((seed = 1; seed <= seeds; seed++)); do
  for setting in "1 async 1" "4 async 1" "4 bsp 1" "4 async 8" "4 bsp 8"; do
    read -r workers policy slow <<<"$setting"
    out/bin/hpaps train mf --data "$data" --holdout 0.1 --seed "$seed" --workers "$workers" --policy "$policy" --slow "0:$slow" \
      --out "$work/run" --json >"$work/summary.json" 2>/dev/null
    echo "$workers/$policy/$slow $(value "$work/summary.json" test_rmse) $(value "$work/summary.json" train_seconds) $(value "$work/summary.json" uplink_bytes)" >>"$work/all"
  done
done
median() { sort -g | awk '{ v[NR] = $1 } END { printf "%s %s %s", v[int((NR + 3) / 4)], v[int((NR + 1) / 2)], v[int((3 * NR + 3) / 4)] }'; }
echo "| workers | policy | one worker | test RMSE: mean (least to most) | training, s: median (quartiles) | uplink, MB |"
echo "|---|---|---|---|---|---|"
for setting in "1 async 1" "4 async 1" "4 bsp 1" "4 async 8" "4 bsp 8"; do
  read -r workers policy slow <<<"$setting"
  rows=$(grep "^$workers/$policy/$slow " "$work/all")
  read -r low mid high <<<"$(awk '{ print $3 }' <<<"$rows" | median)"
  read -r _ bytes _ <<<"$(awk '{ print $4 }' <<<"$rows" | median)"
  rmse=$(awk '{ s += $2; if (NR == 1 || $2 < l) l = $2; if ($2 > h) h = $2 } END { printf "%.4f (%.4f to %.4f)", s / NR, l, h }' <<<"$rows")
  name=$([[ $slow == 1 ]] && echo "as fast" || echo "$slow times slower")
  [[ $workers == 1 ]] && name="-"
  awk -v w="$workers" -v p="$policy" -v n="$name" -v r="$rmse" -v m="$mid" -v l="$low" -v h="$high" -v b="$bytes" \
    'BEGIN { printf "| %s | `%s` | %s | %s | %.2f (%.2f to %.2f) | %.0f |\n", w, p, n, r, m, l, h, b / 1e6 }'
done
