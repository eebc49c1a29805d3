# shellcheck shell=bash
# What scripts that measure share. Sourced.

# ticks: of all processors since the start, and those of them that were idle
ticks() { awk '/^cpu / { for (k = 2; k <= 9; k++) all += $k; print all, $5 + $6; exit }' /proc/stat; }

# Are others quiet, less than a tenth of the processors' time spent? Waits for that while there is patience, a minute in all.
patience=${patience:-300}
quiet() {
  local before after
  while :; do
    before=$(ticks)
    sleep 0.2
    after=$(ticks)
    awk -v a="$before" -v b="$after" 'BEGIN { split(a, x); split(b, y); exit !(y[2] - x[2] >= 0.9 * (y[1] - x[1])) }' && return 0
    ((--patience > 0)) || { patience=1; return 1; }
  done
}

# number FILE KEY...: what the JSON in a file says for the first of these keys that it has; nothing if it has none
number() {
  local file=$1 key found
  shift
  for key in "$@"; do
    found=$(sed -n "s/.*\"$key\": *\([0-9.eE+-]*\).*/\1/p" "$file" | head -n 1)
    [[ -z $found ]] || { echo "$found"; return; }
  done
}

# table_row NAME UNIT: a row of Markdown, medians and quartiles of the pairs that it reads: a line has our speed, our allocated bytes or -,
# the speed of the limit. UNIT us: the speeds are round trips in a second, and shown as the time of one.
table_row() {
  awk -v name="$1" -v unit="$2" '
    function sort(v,   i, j, t) { for (i = 2; i <= NR; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
    function at(v, q,   h, k) { h = 1 + (NR - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < NR ? k + 1 : k] - v[k]) }
    function shown(v,   mid) { mid = at(v, 0.5); return sprintf(unit == "us" ? "%.1f us" : "%.2f GB/s", unit == "us" ? 1e6 / mid : mid) }
    { a[NR] = $1; b[NR] = $3; r[NR] = $1 / $3; if ($2 != "-") { counted = 1; if ($2 > most) most = $2 } }
    END {
      sort(a); sort(b); sort(r)
      printf "| %s | %s | %s | %.2f | %.2f to %.2f | %s |\n", name, shown(a), shown(b), at(r, 0.5), at(r, 0.25), at(r, 0.75), counted ? most + 0 : "-"
    }'
}

# serve OPTIONS...: starts hpaps-server --plain at a free port of loopback, or fails; its address in 'address', its id in 'server'. What it says goes
# to a file in $work; who sources this sets that, and ends 'server' at the end.
serve() {
  local tries
  : >"$work/server" # not the address of the last one
  out/bin/hpaps-server --listen 127.0.0.1:0 --plain "$@" 2>"$work/server" </dev/null &
  server=$!
  for ((tries = 0; tries < 500; tries++)); do
    address=$(sed -n 's/.*listening at \([^ ]*\) for .*/\1/p' "$work/server")
    [[ -z $address ]] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.02
  done
  cat "$work/server" >&2
  return 1
}

# push SECONDS OPTIONS...: GB/s of one worker that pushes 1 MiB after 1 MiB along the whole path to the server of 'serve', in 'speed'. The server ends.
push() {
  local seconds=$1
  shift
  timeout 120 out/bin/hpaps stress --server "$address" --path async --mode push --bytes 1M --seconds "$seconds" --json "$@" >"$work/printed" 2>"$work/errors" \
    || { cat "$work/errors" "$work/server" >&2; return 1; }
  speed=$(number "$work/printed" parameters_gb_per_second)
  wait "$server" || { cat "$work/server" >&2; return 1; }
  server=
}

# between NAME FILE PAGE: puts the file between the page's markers of that name. Needs $work.
between() {
  grep -qx "<!-- $1:begin -->" "$3" && grep -qx "<!-- $1:end -->" "$3" || { echo "$3 has no markers $1:begin and $1:end" >&2; return 1; }
  awk -v name="$1" -v file="$2" '
    $0 == "<!-- " name ":end -->" { inside = 0 }
    !inside { print }
    $0 == "<!-- " name ":begin -->" { inside = 1; print ""; while ((getline line < file) > 0) print line; print "" }' "$3" >"$work/page"
  cat "$work/page" >"$3"
}

# clock FOLDER: puts a shim there that measures the library's train() of liblinear, so without reading and writing. Needs gcc.
clock() {
  cat >"$1/clock.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
void *train(const void *problem, const void *parameter) {
  void *(*real)(const void *, const void *) = dlsym(RTLD_NEXT, "train");
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  void *model = real(problem, parameter);
  clock_gettime(CLOCK_MONOTONIC, &b);
  fprintf(stderr, "%.9f\n", b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9);
  return model;
}
C
  gcc -O1 -shared -fPIC -o "$1/clock.so" "$1/clock.c" -ldl
}

# timed FOLDER OPTIONS...: seconds of one training of liblinear-train -s 0 -c 1, by the shim in that folder
timed() {
  local folder=$1
  shift
  LD_PRELOAD="$folder/clock.so" liblinear-train -q -s 0 -c 1 "$@" 2>"$folder/seconds" || { cat "$folder/seconds" >&2; return 1; }
  [[ $(cat "$folder/seconds") =~ ^[0-9.]+$ ]] || { echo "liblinear-train was not timed: $(cat "$folder/seconds")" >&2; return 1; }
  cat "$folder/seconds"
}

load() { cut -d' ' -f1-3 /proc/loadavg; }
processor() { echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"; }
