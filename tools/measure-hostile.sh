#!/usr/bin/env bash
# Measures what an honest worker gets while a stranger attacks the server, beside what it gets while the same stranger hits a sink instead, in turn.
# Usage: tools/measure-hostile.sh [--write] [PAIRS [RATE]]     PAIRS: 11; RATE: connections a second: 200
#   --write  puts the table into docs/benchmarks.md
# The stranger opens connections that send nonsense, a wrong proof, Hello and no more, Hello byte by byte, in turn, and holds the newest 64. It needs the binaries
# of tools/publish.sh. Exit codes: 0 the lower quartile of the ratios is at least 0.9, 1 it is not or a run failed, 2 usage.
set -euo pipefail
say() { echo "measure-hostile.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
pairs=${1:-11}
rate=${2:-200}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $rate =~ ^[1-9][0-9]{0,4}$ && $# -le 2 ]] || { say "PAIRS and RATE are whole numbers above 0; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
seconds=1.5
longest=60
bar=0.9
work=$(mktemp -d)
server= attack= sink=
trap 'kill $server $attack $sink 2>/dev/null || true; rm -rf "$work"' EXIT
(umask 077; head -c 32 /dev/urandom | base64 >"$work/token")

exec {hold}<> <(:) # a pipe that stays open: the sink ends when it does
out/bin/hpaps stress-attack --sink >"$work/sink" <&"$hold" &
sink=$!
for ((tries = 0; tries < 500; tries++)); do [[ -s $work/sink ]] && break; sleep 0.02; done
[[ -s $work/sink ]] || { say "the sink did not start"; exit 1; }

# run server|sink OPTIONS...: an honest worker's GB/s in 'speed' while that is attacked, the rate reached in 'reached'
run() {
  local target=$1
  shift
  serve --policy async --token-file "$work/token" "$@"
  out/bin/hpaps stress-attack --server "$([[ $target == sink ]] && cat "$work/sink" || echo "$address")" --from 127.0.0.2 --rate "$rate" --seconds "$longest" >"$work/attack" &
  attack=$!
  push "$seconds" --token-file "$work/token"
  kill -TERM "$attack"
  wait "$attack" || { say "the stranger failed"; return 1; }
  attack=
  reached=$(number "$work/attack" per_second)
}

rows=("whose address is shut out after 30 failures, as by default|--max-failed-handshakes 30" "who is never shut out|--max-failed-handshakes 1000000000")
before=$(load)
for ((pair = 0; pair < pairs; pair++)); do
  for ((row = 0; row < ${#rows[@]}; row++)); do
    IFS='|' read -r _ options <<<"${rows[row]}"
    read -ra options <<<"$options"
    if (((pair + row) % 2)); then # by turns the first
      run sink "${options[@]}"; other=$speed
      run server "${options[@]}"; under=$speed
    else
      run server "${options[@]}"; under=$speed
      at=$reached
      run sink "${options[@]}"; other=$speed
      reached=$at
    fi
    say "pair $((pair + 1)) of $pairs: $under GB/s attacked, $other GB/s not, at $reached connections a second"
    echo "$under - $other" >>"$work/$row"
    echo "$reached" >>"$work/rates"
  done
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $seconds s a run, $pairs pairs; $rate connections a second wanted, $(sort -n "$work/rates" | head -n 1) reached at least."
  echo
  echo "| full-path push of 1 MiB beside a stranger | the server is attacked | a sink is | ratio, median | its quartiles | |"
  echo "|---|---|---|---|---|---|"
  for ((row = 0; row < ${#rows[@]}; row++)); do
    table_row "${rows[row]%%|*}" GB/s <"$work/$row"
  done
} >"$work/hostile"
cat "$work/hostile"
[[ -z $write ]] || between hostile "$work/hostile" docs/benchmarks.md
awk -F'|' -v bar="$bar" '/^\| who/ { split($6, q, " to "); if (q[1] < bar) { low = 1 } } END { exit low }' "$work/hostile" || { say "a lower quartile is below $bar"; exit 1; }
