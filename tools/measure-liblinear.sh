#!/usr/bin/env bash
# Times logistic regression against liblinear (-s 0 -e 1e-5), the same objective, reading and writing left out on both sides.
# Usage: tools/measure-liblinear.sh DATA [PAIRS [GAP [MORE...]]]     prints the ratio of seconds, ours to liblinear's
#   DATA   LIBSVM file, plain or gzip, of labels -1 and +1      PAIRS  runs of each, in turns; 7
#   GAP    relative gap at which ours stops; 1e-6               MORE   for 'hpaps train logreg', as --policy bsp
# Needs the binaries of tools/publish.sh, gcc, and liblinear-train: apt-get install liblinear-tools
#
# liblinear minimises |w|^2/2 + C sum loss, ours is that over C n: with l2 = 1/n, C is 1. Its seconds are those of its library's train(),
# around which a shim of a few lines puts a clock; ours are train_seconds of the summary. The reference is what liblinear reaches with -e 1e-10.
set -euo pipefail
data=$(realpath "${1:?usage: tools/measure-liblinear.sh DATA [PAIRS [GAP [MORE...]]]}")
pairs=${2:-7} gap=${3:-1e-6}
more=("${@:4}")
cd "$(dirname "$0")/.."
. tools/measuring.sh
for tool in liblinear-train gcc awk; do
  command -v "$tool" >/dev/null || { echo "measure-liblinear.sh: $tool is missing: apt-get install liblinear-tools gcc gawk" >&2; exit 2; }
done
[[ -x out/bin/hpaps ]] || { echo "measure-liblinear.sh: out/bin/hpaps is missing: run tools/publish.sh" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clock "$work"
zcat -f "$data" >"$work/data"
rows=$(wc -l <"$work/data")
l2=$(awk -v n="$rows" 'BEGIN { printf "%.17g", 1 / n }')

# liblinear EPSILON: seconds of one training, whose model is in $work/model then
liblinear() { timed "$work" -e "$1" "$work/data" "$work/model"; }

# objective of $work/model, in units of ours, in double
objective() {
  awk -v l2="$l2" '
    FNR == NR { if ($1 == "label") side = $2 > 0 ? 1 : -1; else if ($1 == "w") weights = 1; else if (weights) w[++size] = side * $1; next }
    { m = 0; for (k = 2; k <= NF; k++) { split($k, e, ":"); m += w[e[1]] * e[2] }
      m *= $1 > 0 ? 1 : -1; u = exp(m > 0 ? -m : m); s = 1 + u
      loss += (m > 0 ? 0 : -m) + (s == 1 ? u : log(s) * u / (s - 1)); rows++ }
    END { for (j = 1; j <= size; j++) norm += w[j] * w[j]; printf "%.15f", loss / rows + l2 / 2 * norm }' "$work/model" "$work/data"
}

liblinear 1e-10 >/dev/null
reference=$(objective)
liblinear 1e-5 >/dev/null
reached=$(objective)
for ((pair = 1; pair <= pairs; pair++)); do
  theirs=$(liblinear 1e-5)
  out/bin/hpaps train logreg --data "$data" --l2 "$l2" --workers 2 --target "$gap" --reference "$reference" --time-limit 600 "${more[@]}" \
    --out "$work/run" --json >"$work/summary.json" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  read -r ours reason ended < <(awk -F '[:,]' '/"train_seconds"/ { s = $2 } /"reason"/ { gsub(/[" ]/, "", $2); r = $2 } /"relative_gap"/ { g = $2 } END { print s, r, g }' "$work/summary.json")
  [[ $reason == target ]] || echo "pair $pair: ours ended by '$reason' at a gap of $ended" >&2
  echo "$ours $theirs" >>"$work/pairs"
done

# column EXPRESSION: median and quartiles over the pairs
column() {
  awk "{ print $1 }" "$work/pairs" | sort -g | awk -v f="$2" '{ v[NR] = $1 }
    function at(q, h, k) { h = 1 + (NR - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < NR ? k + 1 : k] - v[k]) }
    END { printf f " (" f " to " f ")\n", at(0.5), at(0.25), at(0.75) }'
}
echo "rows                     $rows, l2 $l2, reference $reference"
echo "liblinear -e 1e-5 gap    $(awk -v f="$reached" -v r="$reference" 'BEGIN { printf "%.2g", (f - r) / r }')"
echo "liblinear, s             $(column '$2' %.3f)"
echo "hpaps to $gap, s        $(column '$1' %.3f)"
echo "ratio, median of $pairs      $(column '$1 / $2' %.3f) (quartiles)"
