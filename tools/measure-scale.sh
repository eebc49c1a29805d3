#!/usr/bin/env bash
# Measures what a connection costs the server: resident memory and processor time with 10 to 1,000 light workers, that are only alive or push 256 bytes a second each, and how long all take to join at once.
# Usage: tools/measure-scale.sh [--write] [RUNS [SECONDS]]     RUNS: 5 of each; SECONDS: 5 of measuring
#   --write  puts the table, the lines through it and what they predict for 10,000 into docs/benchmarks.md
# The workers are connections of one process ('hpaps stress-idle'), over loopback TCP, and show a token. Exit codes: 0 done, 1 a run failed or a worker was not admitted, 2 usage.
set -euo pipefail
say() { echo "measure-scale.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
runs=${1:-5} seconds=${2:-5}
[[ $runs =~ ^[1-9][0-9]?$ && $seconds =~ ^[1-9][0-9]?$ && $# -le 2 ]] || { say "RUNS and SECONDS are whole numbers from 1 to 99; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
for program in hpaps hpaps-server; do
  [[ -x out/bin/$program ]] || { say "out/bin/$program is missing; run tools/publish.sh"; exit 1; }
done
work=$(mktemp -d)
server=''
crowd=''
trap '[[ -z $crowd ]] || kill "$crowd" 2>/dev/null || true; [[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
(umask 077 && head -c 32 /dev/urandom | base64 >"$work/token")

# of_server KEY: kB of memory; spent: processor time in ticks of 10 ms
of_server() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$server/status"; }
spent() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }

# measure WORKERS RATE: a line 'storm seconds, kB before anybody came, kB, processor seconds a second'. RATE 0: nobody pushes.
measure() {
  local workers=$1 rate=() bare kilobytes before after began ended
  [[ $2 == 0 ]] || rate=(--rate "$2")
  serve --policy asp:sum --spin never --workers "$workers" --token-file "$work/token" || return 1
  bare=$(of_server VmRSS)
  mkfifo "$work/say"
  out/bin/hpaps stress-idle --server "$address" --path sum --bytes 256 --connections "$workers" --token-file "$work/token" "${rate[@]}" <"$work/say" >"$work/printed" 2>"$work/errors" &
  crowd=$!
  exec {to}>"$work/say"
  until [[ -n $(number "$work/printed" started_seconds) ]]; do
    kill -0 "$crowd" 2>/dev/null || { cat "$work/errors" "$work/server" >&2; return 1; }
    sleep 0.1
  done
  sleep 2
  before=$(spent) began=$(date +%s.%N)
  sleep "$seconds"
  after=$(spent) ended=$(date +%s.%N) kilobytes=$(of_server VmRSS)
  echo leave >&"$to"
  wait "$crowd" || { cat "$work/errors" "$work/server" >&2; return 1; }
  exec {to}>&- # not before: it ends at once with its input
  crowd=
  wait "$server" || { cat "$work/server" >&2; return 1; }
  server=
  rm "$work/say"
  ! grep -q refused "$work/server" || { cat "$work/server" >&2; return 1; }
  awk -v s="$(number "$work/printed" started_seconds)" -v bare="$bare" -v kb="$kilobytes" -v t="$((after - before))" -v a="$began" -v b="$ended" 'BEGIN { print s, bare, kb, t / 100 / (b - a) }'
}

counts=(10 100 300 1000)
load_before=$(load)
: >"$work/medians"
for ((run = 0; run < runs; run++)); do
  for workers in "${counts[@]}"; do
    for rate in 0 1; do
      measure "$workers" "$rate" >"$work/line" || exit 1
      echo "$workers $rate $(<"$work/line")" >>"$work/lines"
    done
  done
  say "run $((run + 1)) of $runs"
done
for workers in "${counts[@]}"; do
  for rate in 0 1; do
    awk -v w="$workers" -v r="$rate" '
      function sort(v,   i, j, t) { for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
      function median(v) { sort(v); return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
      $1 == w && $2 == r { n++; storm[n] = $3; bare[n] = $4; kb[n] = $5; cpu[n] = $6 }
      END { print w, r, median(storm), median(bare), median(kb), median(cpu), storm[n] }' "$work/lines" >>"$work/medians"
  done
done
# Least squares over the numbers of workers, memory and processor time; the median storm of the largest is scaled, for a line through storms of milliseconds says little.
awk -v many=10000 '
  function put(what, unit, a, b, form) { printf "| %s | " form " %s + " form " %s a connection | **" form " %s** |\n", what, a, unit, b, unit, a + b * many, unit }
  {
    w[NR] = $1; r[NR] = $2; storm[NR] = $3; bare[NR] = $4; kb[NR] = $5; cpu[NR] = $6; slowest[NR] = $7
    n[$2]++; x[$2] += $1; xx[$2] += $1 * $1; y[$2] += $5; xy[$2] += $1 * $5; z[$2] += $6; xz[$2] += $1 * $6
  }
  END {
    print "| light workers | memory of the server, waiting | with them, alive | with them, a push a second | processor, alive | processor, a push a second | all joined after (slowest run) |"
    print "|---|---|---|---|---|---|---|"
    for (k = 1; k <= NR; k += 2)
      printf "| %d | %.1f MB | %.1f MB | %.1f MB | %.2f %% of a core | %.2f %% of a core | %.3f s (%.3f s) |\n", w[k], bare[k] / 1e3 * 1.024, kb[k] / 1e3 * 1.024, kb[k + 1] / 1e3 * 1.024, cpu[k] * 100, cpu[k + 1] * 100, storm[k], slowest[k]
    print ""
    print "| light workers | least squares | predicted for 10,000, not measured |"
    print "|---|---|---|"
    for (rate = 0; rate <= 1; rate++) {
      d = n[rate] * xx[rate] - x[rate] ^ 2
      b = (n[rate] * xy[rate] - x[rate] * y[rate]) / d; a = (y[rate] - b * x[rate]) / n[rate]
      slope[rate] = (n[rate] * xz[rate] - x[rate] * z[rate]) / d; at[rate] = (z[rate] - slope[rate] * x[rate]) / n[rate]
      name = rate ? "a push a second" : "alive"
      printf "| memory, %s | %.1f MB + %.1f kB a connection | **%.0f MB** |\n", name, a * 1.024 / 1e3, b * 1.024, (a + b * many) * 1.024 / 1e3
      printf "| processor, %s | %.2f %% + %.4f %% of a core a connection | **%.0f %% of a core** |\n", name, at[rate] * 100, slope[rate] * 100, (at[rate] + slope[rate] * many) * 100
    }
    printf "| processor of a push of 256 bytes beyond that | %.1f us | a core is full at %.0f pushes a second of 10,000 workers |\n", (slope[1] - slope[0]) * 1e6, (1 - at[0] - slope[0] * many) / (slope[1] - slope[0])
    printf "| all join at once | %.2f ms a worker, of %d | **%.1f s** |\n", storm[NR - 1] / w[NR - 1] * 1e3, w[NR - 1], storm[NR - 1] / w[NR - 1] * many
  }' "$work/medians" >"$work/table"
{
  echo "$(date -u +%F), $(processor); load average $load_before before, $(load) after. Medians of $runs runs; $seconds s of measuring each. A MB is 10^6 bytes."
  echo
  cat "$work/table"
} >"$work/scale"
cat "$work/scale"
[[ -z $write ]] || between scale "$work/scale" docs/benchmarks.md
