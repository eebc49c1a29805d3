#!/usr/bin/env bash
# Compares out/bench/limits with another program that measures the same, in turn, and prints the ratio of their speeds.
# Usage: tools/compare-limits.sh OTHER_BINARY [PAIRS]     PAIRS: runs of each for every row; 7
#   OTHER_BINARY is called as: push|pull BYTES SECONDS [WINDOW] [spin] [unix], trip BYTES SECONDS [spin] [unix], add FLOATS SECONDS
#   and prints one JSON object with "gb_per_second" and "microseconds" (of a message, a round trip, a sweep).
# A ratio above 1 says that ours is faster. It waits, a minute in all, for others to leave the processors alone: who shares a core with
# somebody else measures the scheduler. What a second of processor does depends on others less than what a second does.
# On a quiet machine of two cores a program beside itself scatters by a tenth from pair to pair over sockets: 5 % takes 30 pairs, not 7.
set -euo pipefail
usage="usage: tools/compare-limits.sh OTHER_BINARY [PAIRS]"
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,8s/^# //p' "$0"; exit 0; }
[[ $# -eq 1 || $# -eq 2 ]] || { echo "$usage" >&2; exit 2; }
[[ -f $1 && -x $1 ]] || { echo "compare-limits.sh: $1 is no program; $usage" >&2; exit 2; }
other=$(realpath "$1")
pairs=${2:-7}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ ]] || { echo "compare-limits.sh: PAIRS is '$pairs' and must be a number from 1 to 999; $usage" >&2; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
native-bench/limits/build.sh
ours=out/bench/limits
seconds=0.6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# row | our arguments | our key | the other's arguments | its key
rows=()
for command in push pull; do
  for size in 4K 64K 1M 16M; do
    rows+=("$command $size|$command $size $seconds|gb_per_second|$command $(numfmt --from=iec "$size") $seconds|gb_per_second")
  done
done
rows+=(
  "trip 4K|trip 4K $seconds|round_trip_us|trip 4096 $seconds|microseconds"
  "trip 4K spinning|trip 4K $seconds --spin|round_trip_us|trip 4096 $seconds spin|microseconds"
  "add 16 Mi floats|add 64M $seconds|gb_per_second|add $((16 * 1024 * 1024)) $seconds|gb_per_second"
  "add 64 Ki floats|add 256K $seconds|gb_per_second|add $((64 * 1024)) $seconds|gb_per_second"
)

# Counts in either program what goes over its sockets, and writes: bytes, seconds of processor of both its processes, seconds.
cat >"$work/tally.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
static double bytes, began;
static double clock_now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static double processor(int who) {
  struct rusage u;
  getrusage(who, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
ssize_t send(int s, const void *from, size_t count, int flags) {
  static ssize_t (*real)(int, const void *, size_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "send");
  ssize_t n = real(s, from, count, flags);
  if (n > 0) bytes += n;
  return n;
}
ssize_t recv(int s, void *to, size_t count, int flags) {
  static ssize_t (*real)(int, void *, size_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "recv");
  ssize_t n = real(s, to, count, flags);
  if (n > 0) bytes += n;
  return n;
}
__attribute__((constructor)) static void begin(void) { began = clock_now(); }
__attribute__((destructor)) static void end(void) {
  FILE *file = fopen(getenv("LIMITS_TALLY"), "w");
  if (!file) return;
  fprintf(file, "%.0f %.6f %.6f\n", bytes, processor(RUSAGE_SELF) + processor(RUSAGE_CHILDREN), clock_now() - began);
  fclose(file);
}
C
"${CC:-$(command -v gcc || command -v clang)}" -O2 -shared -fPIC -o "$work/tally.so" "$work/tally.c" -ldl

# run KEY PROGRAM ARGUMENTS: what it prints for KEY, and the tally; zeros if there was none (a static program)
run() {
  local key=$1 number
  shift
  echo 0 0 0 >"$work/tally"
  timeout 120 env LIMITS_TALLY="$work/tally" LD_PRELOAD="$work/tally.so" "$@" >"$work/printed" || { echo "compare-limits.sh: '$*' failed" >&2; return 1; }
  number=$(sed -n "s/.*\"$key\": *\([0-9.eE+-]*\).*/\1/p" "$work/printed")
  [[ -n $number ]] || { echo "compare-limits.sh: '$*' printed no \"$key\": $(cat "$work/printed")" >&2; return 1; }
  echo "$number $(cat "$work/tally")"
}

busy=0
for ((pair = 0; pair < pairs; pair++)); do # a disturbance meets one pair of every row, not every pair of one row
  for ((row = 0; row < ${#rows[@]}; row++)); do
    IFS='|' read -r _ our_arguments our_key other_arguments other_key <<<"${rows[row]}"
    read -ra our_words <<<"$our_arguments"
    read -ra other_words <<<"$other_arguments"
    quiet || busy=$((busy + 1)) # before either, so that both come after the same pause
    a=$(run "$our_key" "$ours" "${our_words[@]}")
    quiet || busy=$((busy + 1))
    b=$(run "$other_key" "$other" "${other_words[@]}")
    echo "$a $b" >>"$work/$row"
  done
done

printf '%-18s %12s %12s   %-26s %s\n' "" ours other "speed, ours to other's" "work in a second of processor"
for ((row = 0; row < ${#rows[@]}; row++)); do
  IFS='|' read -r name _ our_key _ <<<"${rows[row]}"
  awk -v name="$name" -v key="$our_key" '
    function sort(v,   i, j, t) { for (i = 2; i <= NR; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
    function at(v, q,   h, k) { h = 1 + (NR - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < NR ? k + 1 : k] - v[k]) }
    function ratio(v) { sort(v); return sprintf("%.3f (%.3f to %.3f)", at(v, 0.5), at(v, 0.25), at(v, 0.75)) }
    # 1 to 4: ours: number, bytes, processor, seconds; 5 to 8: the same of the other. Without a socket, work is speed times seconds.
    {
      time = key == "round_trip_us"; a[NR] = $1; b[NR] = $5; speed[NR] = time ? $5 / $1 : $1 / $5
      sockets = $2 * $6 > 0; alone = $2 + $6 == 0
      if ((sockets || alone) && $3 * $7 > 0) work[NR] = (sockets ? $2 / $6 : speed[NR] * $4 / $8) * $7 / $3
      else unknown = 1
    }
    END {
      unit = time ? "us" : "GB/s"; sort(a); sort(b)
      printf "%-18s %7.2f %-4s %7.2f %-4s   %-26s ", name, at(a, 0.5), unit, at(b, 0.5), unit, ratio(speed)
      print (unknown || name ~ /spinning/ ? "-" : ratio(work))
    }' "$work/$row"
done
echo "Medians (quartiles) of $pairs pairs of $seconds s; $busy of $((2 * pairs * ${#rows[@]})) runs began while others kept the processors busy."
