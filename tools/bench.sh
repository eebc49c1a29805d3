#!/usr/bin/env bash
# Measures the programs beside what plain C can do on this machine, in turn, and writes the tables of docs/benchmarks.md.
# Usage: tools/bench.sh [--suites] [--dry] [PAIRS] [OTHER_LIMITS_PROGRAM]     PAIRS: runs of each for every row; 15
#   --suites  runs the BenchmarkDotNet suites too, half an hour, and writes their tables; else those of the last time stay
#   --dry     builds and measures nothing; prints the rows: what would be run, separated by |
#   OTHER_LIMITS_PROGRAM takes the place of native-bench/limits, with the arguments that tools/compare-limits.sh describes
# It waits, a minute in all, for others to leave the processors alone. Exit codes: 0 done, 1 a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "bench.sh: $*" >&2; }
usage() { say "$*; see tools/bench.sh --help"; exit 2; }
suites=
dry=
while [[ ${1:-} == -* ]]; do
  case "$1" in
    -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
    --suites) suites=1 ;;
    --dry) dry=1 ;;
    *) usage "there is no option $1" ;;
  esac
  shift
done
(($# <= 2)) || usage "'$3' is one argument too many"
pairs=${1:-15}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ ]] || usage "PAIRS is '$pairs' and must be a number from 1 to 999"
other=
if [[ -n ${2:-} ]]; then
  [[ -f $2 && -x $2 ]] || usage "$2 is no program"
  other=$(realpath "$2")
fi
cd "$(dirname "$0")/.."
. tools/measuring.sh
page=docs/benchmarks.md
seconds=1

# name | unit | our program, its arguments | what it is held to: the program, its arguments. S stands for the seconds.
# 'limits' is the C program, or the other one; 'hpaps' and 'loops' are ours, where one of our own runs is the bar of another.
# us: the time of a round trip, from the trips in a second; the ratio is that of speeds, above 1 when ours is faster.
rows=()
stress="hpaps stress --limits none --json --seconds S"
for size in 16M 1M 64K 4K; do rows+=("push into the sum, $size|GB/s|$stress --mode push --bytes $size|limits push $size S"); done
for size in 16M 1M 64K 4K; do rows+=("pull, $size|GB/s|$stress --mode pull --bytes $size|limits pull $size S"); done
rows+=(
  "push, full asynchronous path, 1M|GB/s|$stress --path async --bytes 1M|limits push 1M S"
  "round trip, 4K, sleeping|us|$stress --mode trip --bytes 4K --spin never|limits trip 4K S"
  "round trip, 4K, spinning|us|$stress --mode trip --bytes 4K --spin always|limits trip 4K S --spin"
  "push into the sum, 1M, Unix socket|GB/s|$stress --transport unix --bytes 1M|limits push 1M S --unix"
  "push into the sum, 4K, Unix socket|GB/s|$stress --transport unix --bytes 4K|limits push 4K S --unix"
  "push into the sum, 64K, beside 1,000 idle connections; limit: without them|GB/s|$stress --bytes 64K --idle 1000|$stress --bytes 64K"
  "add, out of cache, 16 Mi floats|GB/s|loops add $((16 << 20)) S|limits add 64M S"
  "add, in cache, 64 Ki floats|GB/s|loops add $((64 << 10)) S|limits add 256K S"
)

# words COMMAND: the command line for one of a row's commands, in the array 'line'
words() {
  local program
  read -ra line <<<"${1// S/ $seconds}"
  program=${line[0]}
  case "$program" in
    limits) line[0]=out/bench/limits ;;
    *) line[0]=out/bin/$program; [[ $program != loops ]] || line[0]=out/bench/loops ;;
  esac
  [[ $program == limits && -n $other ]] || return 0
  local bytes
  bytes=$(numfmt --from=iec "${line[2]}")
  [[ ${line[1]} != add ]] || bytes=$((bytes / 4)) # which it counts in floats
  line=("$other" "${line[1]}" "$bytes" "${line[@]:3}")
  line=("${line[@]/#--/}")
}

if [[ -n $dry ]]; then
  for row in "${rows[@]}"; do
    IFS='|' read -r name unit ours limit <<<"$row"
    words "$ours"
    left=${line[*]}
    words "$limit"
    echo "$name|$unit|$left|${line[*]}"
  done
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
busy=0

# measure UNIT COMMAND: speed, and bytes allocated or -, in 'measured'
measure() {
  local keys=(parameters_gb_per_second gb_per_second) speed allocated
  [[ $1 != us ]] || keys=(messages_per_second round_trips_per_second per_second)
  words "$2"
  quiet || busy=$((busy + 1))
  timeout 300 "${line[@]}" >"$work/printed" 2>"$work/errors" || { cat "$work/errors" >&2; say "'${line[*]}' failed"; exit 1; }
  speed=$(number "$work/printed" "${keys[@]}")
  allocated=$(number "$work/printed" allocated_bytes)
  [[ -n $speed ]] || { say "'${line[*]}' printed none of ${keys[*]}: $(cat "$work/printed")"; exit 1; }
  measured="$speed ${allocated:--}"
}

compare() {
  local pair row name unit ours limit a b runs=$((2 * pairs * ${#rows[@]})) before
  before=$(load)
  for ((pair = 0; pair < pairs; pair++)); do # a disturbance meets one pair of every row, not every pair of one row
    say "pair $((pair + 1)) of $pairs"
    for ((row = 0; row < ${#rows[@]}; row++)); do
      IFS='|' read -r _ unit ours limit <<<"${rows[row]}"
      if (((pair + row) % 2)); then # by turns the first
        measure "$unit" "$limit" && b=$measured
        measure "$unit" "$ours" && a=$measured
      else
        measure "$unit" "$ours" && a=$measured
        measure "$unit" "$limit" && b=$measured
      fi
      echo "$a $b" >>"$work/$row"
    done
  done
  {
    echo "$(date -u +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores; load average $before before, $(load) after."
    echo "Others left the processors alone before $((runs - busy)) of $runs runs: $( ((busy)) && echo "not quiet" || echo quiet)."
    echo "$seconds s a run, $pairs pairs; limit: $( [[ -n $other ]] && echo "another program of the kind of" || echo "the C program") \`native-bench/limits\`."
    echo
    echo "| | ours | limit | ratio of speeds, median | its quartiles | allocated bytes, most |"
    echo "|---|---|---|---|---|---|"
    for ((row = 0; row < ${#rows[@]}; row++)); do
      IFS='|' read -r name unit _ <<<"${rows[row]}"
      table_row "$name" "$unit" <"$work/$row"
    done
  } >"$work/bench"
  between bench "$work/bench" "$page"
  cat "$work/bench"
}

# BenchmarkDotNet's own tables, one for each class.
run_suites() {
  local file
  rm -rf out/bench/suites
  dotnet run -c Release --project native-bench -- --native --filter '*' --artifacts out/bench/suites >"$work/suites.log" 2>&1 \
    || { tail -n 25 "$work/suites.log" >&2; say "the suites failed"; exit 1; }
  {
    echo "$(date -u +%F), load average $(load) after."
    for file in out/bench/suites/results/*-report-github.md; do
      file=${file##*/HpAsyncPs.Bench.}
      printf '\n%s\n\n' "${file%Benchmarks-report-github.md}:"
      sed -n '/^|/{s/ *$//;s/[*][*]//g;p}' "out/bench/suites/results/HpAsyncPs.Bench.$file"
    done
  } >"$work/suites"
  between suites "$work/suites" "$page"
}

tools/publish.sh >&2
native-bench/limits/build.sh
rid=linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)
dotnet publish native-bench/loops -c Release -r "$rid" -o out/publish/"$rid"/loops --nologo -v quiet >&2
cp -f out/publish/"$rid"/loops/loops out/bench/loops.new
mv -f out/bench/loops.new out/bench/loops
compare
[[ -z $suites ]] || run_suites
