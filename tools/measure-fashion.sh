#!/usr/bin/env bash
# Trains on Fashion-MNIST, one class against the rest, with two workers and with liblinear-train -s 0, in turn: seconds of training, accuracy on the test set.
# Usage: tools/measure-fashion.sh [--write] [ROUNDS [CLASS...]]     ROUNDS: 7; CLASS: 6 and 0, shirts and T-shirts, the hardest to tell apart
#   --write  puts the table into docs/benchmarks.md
# Seven rounds of both take three minutes on a quiet machine. Each as users have it: liblinear at its default epsilon, ours until --plateau 20:1e-3; the same objective, l2 = 1 / rows for -c 1. Reading and writing are left
# out on both sides. It needs the binaries of tools/publish.sh, gcc, the images (HPAPS_DATA/fashion-mnist or Debian's) and liblinear-train:
# apt-get install dataset-fashion-mnist liblinear-tools gcc. Exit codes: 0 each ratio's upper quartile is at most 1.5 and no accuracy more than 0.1 points below, 1 not so, or a run failed, 2 usage.
set -euo pipefail
say() { echo "measure-fashion.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
rounds=${1:-7}
shift || true
classes=("$@")
((${#classes[@]})) || classes=(6 0)
[[ $rounds =~ ^[1-9][0-9]{0,2}$ ]] || { say "ROUNDS is a whole number above 0; see --help"; exit 2; }
for class in "${classes[@]}"; do [[ $class =~ ^[0-9]$ ]] || { say "a CLASS is 0 to 9; see --help"; exit 2; }; done
cd "$(dirname "$0")/.."
. tools/measuring.sh
for tool in liblinear-train liblinear-predict gcc awk; do
  command -v "$tool" >/dev/null || { say "$tool is missing: apt-get install liblinear-tools gcc gawk"; exit 2; }
done
[[ -x out/bin/hpaps ]] || { say "out/bin/hpaps is missing: run tools/publish.sh"; exit 2; }
images=
for folder in ${HPAPS_DATA:+"$HPAPS_DATA/fashion-mnist"} /usr/share/datasets/fashion-mnist; do
  [[ ! -e $folder/train-images-idx3-ubyte.gz ]] || { images=$folder; break; }
done
[[ -n $images ]] || { say "the images are missing: apt-get install dataset-fashion-mnist"; exit 2; }
bar=1.5
points=0.1
names=("T-shirts" trousers pullovers dresses coats sandals shirts sneakers bags "ankle boots")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clock "$work"

# ours, theirs: one training; seconds and accuracy in percent are added to a file
ours() {
  out/bin/hpaps train logreg --data "$work/train$1" --test "$work/t10k$1" --l2 "$l2" --workers 2 --plateau 20:1e-3 --out "$work/run" --json >"$work/summary" 2>"$work/log" || { cat "$work/log" >&2; return 1; }
  echo "$(number "$work/summary" train_seconds) $(number "$work/summary" test_accuracy | awk '{ print 100 * $1 }') $(number "$work/summary" passes)" >>"$work/ours$1"
}
theirs() {
  local seconds accuracy
  seconds=$(timed "$work" "$work/train$1" "$work/model")
  accuracy=$(liblinear-predict "$work/t10k$1" "$work/model" /dev/null | awk -F '[(/)]' 'NF > 2 { print 100 * $2 / $3 }')
  [[ $accuracy =~ ^[0-9.]+$ ]] || { say "liblinear-predict told no accuracy"; return 1; }
  echo "$seconds $accuracy" >>"$work/theirs$1"
}

before=$(load)
quietly=0
for class in "${classes[@]}"; do
  for set in train t10k; do
    out/bin/hpaps convert idx --images "$images/$set-images-idx3-ubyte.gz" --labels "$images/$set-labels-idx1-ubyte.gz" --positive "$class" --out "$work/$set$class" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  done
  l2=$(awk 'END { printf "%.17g", 1 / NR }' "$work/train$class")
  for ((round = 0; round < rounds; round++)); do
    if quiet; then ((++quietly)); fi
    if ((round % 2)); then ours "$class"; theirs "$class"; else theirs "$class"; ours "$class"; fi
    say "class $class, pair $((round + 1)) of $rounds: ours $(tail -n 1 "$work/ours$class") (s, %, passes), liblinear's $(tail -n 1 "$work/theirs$class") (s, %)"
  done
  rm -f "$work/train$class" "$work/t10k$class"
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $rounds pairs a class; others left the processors alone before $quietly of $((rounds * ${#classes[@]})) pairs. 60,000 images to train on, 10,000 to test."
  echo
  echo "| class against the rest | ours, s | liblinear, s | ratio, median | its quartiles | passes | test accuracy, ours: least to most | liblinear's |"
  echo "|---|---|---|---|---|---|---|---|"
  for class in "${classes[@]}"; do
    paste -d ' ' "$work/ours$class" "$work/theirs$class" | awk -v name="${names[class]}" '
      function sort(v,   i, j, t) { for (i = 2; i <= NR; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
      function at(v, q,   h, k) { h = 1 + (NR - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < NR ? k + 1 : k] - v[k]) }
      { a[NR] = $1; b[NR] = $4; r[NR] = $1 / $4; own[NR] = $2; p[NR] = $3; other = $5 }
      END {
        sort(a); sort(b); sort(r); sort(own); sort(p)
        printf "| %s | %.2f | %.2f | %.2f | %.2f to %.2f | %.0f | %.2f %% to %.2f %% | %.2f %% |\n", name, at(a, 0.5), at(b, 0.5), at(r, 0.5), at(r, 0.25), at(r, 0.75), at(p, 0.5), own[1], own[NR], other
      }'
  done
} >"$work/fashion"
cat "$work/fashion"
[[ -z $write ]] || between fashion "$work/fashion" docs/benchmarks.md
awk -F'|' -v bar="$bar" -v points="$points" 'NR > 4 { split($6, q, " to "); split($8, own, " %"); if (q[2] > bar || own[1] < $9 - points - 1e-9) low = 1 } END { exit low }' "$work/fashion" \
  || { say "a ratio's upper quartile is above $bar, or an accuracy more than $points points below liblinear's"; exit 1; }
