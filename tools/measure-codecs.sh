#!/usr/bin/env bash
# Measures what coding and decoding a delta costs on one core, beside C that moves the same bytes and does next to nothing with them, in turn.
# Usage: tools/measure-codecs.sh [--write] [PAIRS]     PAIRS: 15
#   --write  puts the table into docs/benchmarks.md
# It builds what it needs: native-bench/loops and native-bench/limits. Exit codes: 0 the medians are at least the bars (coding 0.6, decoding 0.7, topk 1.5 GB/s
# of input), 1 they are not or a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "measure-codecs.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
pairs=${1:-15}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $# -le 1 ]] || { say "PAIRS is a whole number above 0; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
floats=$((16 << 20))
seconds=0.5
topk_bar=1.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# what | command of both programs | the least median of the ratios
rows=(
  "encode int8|encode8|0.6"
  "encode int4|encode4|0.6"
  "decode and aggregate int8|decode8|0.7"
  "decode and aggregate int4|decode4|0.7"
)

native-bench/limits/build.sh
rid=linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)
dotnet publish native-bench/loops -c Release -r "$rid" -o out/publish/"$rid"/loops --nologo -v quiet >&2
cp -f out/publish/"$rid"/loops/loops out/bench/loops.new
mv -f out/bench/loops.new out/bench/loops

# run PROGRAM ARGUMENTS...: its GB/s in 'speed'
run() {
  local program=$1
  shift
  quiet || busy=$((busy + 1))
  timeout 120 out/bench/"$program" "$@" >"$work/printed" || { say "'$program $*' failed"; return 1; }
  speed=$(number "$work/printed" gb_per_second)
}

busy=0
before=$(load)
for ((pair = 0; pair < pairs; pair++)); do
  for ((row = 0; row < ${#rows[@]}; row++)); do
    IFS='|' read -r _ command _ <<<"${rows[row]}"
    if (((pair + row) % 2)); then # by turns the first
      run limits "$command" $((4 * floats)) "$seconds"; limit=$speed
      run loops "$command" "$floats" "$seconds"; ours=$speed
    else
      run loops "$command" "$floats" "$seconds"; ours=$speed
      run limits "$command" $((4 * floats)) "$seconds"; limit=$speed
    fi
    echo "$ours - $limit" >>"$work/$row"
  done
  run loops topk "$floats" "$seconds"
  echo "$speed" >>"$work/topk"
  say "pair $((pair + 1)) of $pairs"
done
runs=$(((2 * ${#rows[@]} + 1) * pairs))
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $seconds s a run, $pairs pairs; others left the processors alone before $((runs - busy)) of $runs runs."
  echo
  echo "| 16 Mi parameters, one core | ours | C | ratio, median | its quartiles | |"
  echo "|---|---|---|---|---|---|"
  for ((row = 0; row < ${#rows[@]}; row++)); do
    table_row "${rows[row]%%|*}" GB/s <"$work/$row"
  done
  echo
  sort -g "$work/topk" | awk '{ v[NR] = $1 } END { printf "The hundredth part of largest magnitude, as int4: %.2f GB/s of input, quartiles %.2f to %.2f.\n", v[int((NR + 1) / 2)], v[int((NR + 3) / 4)], v[int((3 * NR + 3) / 4)] }'
} >"$work/codecs"
cat "$work/codecs"
[[ -z $write ]] || between codecs "$work/codecs" docs/benchmarks.md
met=1
for ((row = 0; row < ${#rows[@]}; row++)); do
  IFS='|' read -r name _ bar <<<"${rows[row]}"
  awk -F'|' -v name=" $name " -v bar="$bar" '$2 == name && $5 + 0 < bar { low = 1 } END { exit low }' "$work/codecs" || { say "$name: below $bar"; met=; }
done
sort -g "$work/topk" | awk -v bar="$topk_bar" '{ v[NR] = $1 } END { exit v[int((NR + 1) / 2)] < bar }' || { say "topk: below $topk_bar GB/s"; met=; }
[[ $met ]]
