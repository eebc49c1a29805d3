#!/usr/bin/env bash
# Measures full-path pushes with the monitoring port in use, a scrape of /metrics a second and three readers of /events, beside pushes without it, in turn.
# Usage: tools/measure-monitor.sh [--write] [PAIRS]     PAIRS: 15
#   --write  puts the table into docs/benchmarks.md
# It needs the binaries of tools/publish.sh, and curl. Exit codes: 0 the lower quartile of the ratios is at least 0.95, 1 it is not or a run failed, 2 usage.
set -euo pipefail
say() { echo "measure-monitor.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
pairs=${1:-15}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $# -le 1 ]] || { say "PAIRS is a whole number above 0; see --help"; exit 2; }
command -v curl >/dev/null || { say "no curl: apt-get install curl"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
seconds=3
bar=0.95
pages=3
work=$(mktemp -d)
server=
readers=()
leave() { ((${#readers[@]} == 0)) || kill "${readers[@]}" 2>/dev/null || true; readers=(); }
trap 'leave; kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

# run with|without: GB/s in 'speed'
run() {
  if [[ $1 == without ]]; then
    serve --policy async
    push "$seconds"
    return
  fi
  serve --policy async --monitor 127.0.0.1:0
  local page monitor= tries
  for ((tries = 0; tries < 100; tries++)); do
    monitor=$(sed -n 's/.*monitoring at \([^ ]*\).*/\1/p' "$work/server")
    [[ -z $monitor ]] || break
    sleep 0.02
  done
  # Two processes, for a Prometheus and browsers would be on machines of their own: what they take of this one is not the server's.
  local readings=()
  for ((page = 0; page < pages; page++)); do readings+=(-o "$work/page$page" "${monitor}events"); done
  curl -sNZ --parallel-immediate "${readings[@]}" 2>/dev/null &
  readers=($!)
  curl -sf --rate 1/s -o "$work/scrape#1" "${monitor}metrics?scrape=[1-1000]" &
  readers+=($!)
  push "$seconds"
  leave
  ((scrapes += $(grep -ls '^hpaps_pushes_total' "$work"/scrape* | wc -l)))
  rm -f "$work"/scrape*
  for ((page = 0; page < pages; page++)); do
    seconds_seen=$(grep -c '^event: status' "$work/page$page" || true)
    ((seconds_seen >= 1)) || { say "page $page got no status"; return 1; }
  done
}

scrapes=0
before=$(load)
for ((pair = 0; pair < pairs; pair++)); do
  if ((pair % 2)); then # by turns the first
    run without; other=$speed
    run with; under=$speed
  else
    run with; under=$speed
    run without; other=$speed
  fi
  say "pair $((pair + 1)) of $pairs: $under GB/s monitored, $other GB/s not"
  echo "$under - $other" >>"$work/pairs"
done
((scrapes >= pairs)) || { say "only $scrapes scrapes were answered"; exit 1; }
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $seconds s a run, $pairs pairs; $pages readers of /events, a scrape a second ($scrapes in all)."
  echo
  echo "| full-path push of 1 MiB | with the monitoring port in use | without | ratio, median | its quartiles | |"
  echo "|---|---|---|---|---|---|"
  table_row "one worker" GB/s <"$work/pairs"
} >"$work/monitor"
cat "$work/monitor"
[[ -z $write ]] || between monitor "$work/monitor" docs/benchmarks.md
sort -g <(awk '{ print $1 / $3 }' "$work/pairs") | awk -v bar="$bar" '{ v[NR] = $1 } END { h = 1 + (NR - 1) / 4; k = int(h); exit !(NR > 0 && v[k] + (h - k) * (v[k + 1] - v[k]) >= bar) }' || { say "the lower quartile is below $bar"; exit 1; }
