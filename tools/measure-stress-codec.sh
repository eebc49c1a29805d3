#!/usr/bin/env bash
# Measures parameters a second through the full asynchronous path over loopback: a codec beside fp32, in turn, deltas made by the worker in both.
# Usage: tools/measure-stress-codec.sh [CODEC [PAIRS [SIZE [MODE]]]]     CODEC: int4; PAIRS: 9; SIZE: 16M, of a push in fp32; MODE: push
# It needs the binaries of tools/publish.sh. Exit codes: 0 done, 1 a run failed, 2 usage.
set -euo pipefail
say() { echo "measure-stress-codec.sh: $*" >&2; }
case "${1:-}" in
  -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
esac
codec=${1:-int4} pairs=${2:-9} size=${3:-16M} mode=${4:-push}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $# -le 4 ]] || { say "PAIRS is a whole number above 0; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# measure CODEC: GB/s of parameters and bytes of a push, in 'speed' and 'bytes'
measure() {
  timeout 120 out/bin/hpaps stress --path async --mode "$mode" --codec "$1" --bytes "$size" --seconds 2 --verify --json --limits none >"$work/printed" 2>"$work/errors" \
    || { cat "$work/errors" >&2; return 1; }
  speed=$(number "$work/printed" parameters_gb_per_second)
  bytes=$(number "$work/printed" coded_bytes)
}

echo "$(processor); load $(load)"
for ((pair = 0; pair < pairs; pair++)); do
  quiet || true
  measure fp32
  plain=$speed plain_bytes=$bytes
  measure "$codec"
  echo "$speed $plain $bytes $plain_bytes"
done >"$work/pairs"
awk -v codec="$codec" -v mode="$mode" -v size="$size" '
  function sort(v,   i, j, t) { for (i = 2; i <= NR; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
  { a[NR] = $1; b[NR] = $2; r[NR] = $1 / $2; bytes = $3; plain = $4 }
  END {
    sort(a); sort(b); sort(r); mid = int((NR + 1) / 2)
    printf "%s of %s: %s %.2f GB/s of parameters, fp32 %.2f GB/s; ratio %.2f (%.2f to %.2f) in %d pairs; %d bytes, %d in fp32\n", mode, size, codec, a[mid], b[mid], r[mid], r[1], r[NR], NR, bytes, plain
  }' "$work/pairs"
echo "load after $(load)"
