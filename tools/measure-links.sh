#!/usr/bin/env bash
# Measures what a codec is worth over a link: the time to a target with each, in turn, over loopback, 1 Gbit/s and 100 Mbit/s.
# Usage: tools/measure-links.sh [--write] [ROUNDS]     ROUNDS: 5
#   --write  puts the table into docs/benchmarks.md
# Server and two workers have network namespaces of their own; each worker's cable is narrowed by tc (tbf) in both directions. It needs root, ip and
# tc of iproute2, and the binaries of tools/publish.sh. Exit codes: 0 done, 1 a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "measure-links.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
rounds=${1:-5}
[[ $rounds =~ ^[1-9][0-9]?$ && $# -le 1 ]] || { say "ROUNDS is 1 to 99; see --help"; exit 2; }
[[ $EUID -eq 0 ]] && command -v ip >/dev/null && command -v tc >/dev/null || { say "it takes root, ip and tc"; exit 2; }
cd "$(dirname "$0")/.."
[[ -x out/bin/hpaps && -x out/bin/hpaps-server && -x out/bin/hpaps-worker ]] || { say "binaries are missing in out/bin: run tools/publish.sh"; exit 2; }
. tools/measuring.sh
. tools/cables.sh
codecs=(fp32 int8 int4 auto)
links=(loopback 1gbit 100mbit)
target=3e-2
l2=0.1
work=$(mktemp -d)
clean() {
  uncable
  rm -rf "$work"
}
trap clean EXIT
cables 2
out/bin/hpaps generate classification --out "$work/data" --rows 2000 --features 200000 --density 0.00025 --condition 10 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
out/bin/hpaps simulate logreg --data "$work/data" --l2 $l2 --workers 1 --passes 2000 --json >"$work/reference" 2>"$work/errors"
reference=$(number "$work/reference" objective)

worker_options=(--data "$work/data" --l2 $l2 --solver gradient)

# run LINK CODEC: seconds to the target in 'seconds', bytes of payload in 'bytes'
run() {
  server_options=(--codec "$2" --target $target --reference "$reference" --passes 3000)
  over "$1" logreg
  grep -q '"reason": "target"' "$work/out/summary.json" || { say "$2 over $1 did not reach the target"; return 1; }
  seconds=$(number "$work/out/summary.json" train_seconds)
  bytes=$(($(number "$work/out/summary.json" uplink_payload_bytes) + $(number "$work/out/summary.json" downlink_payload_bytes)))
}

before=$(load)
for ((round = 1; round <= rounds; round++)); do
  for link in "${links[@]}"; do
    [[ $link == loopback ]] || narrow "$link"
    for codec in "${codecs[@]}"; do
      quiet || true
      run "$link" "$codec"
      echo "$round $link $codec $seconds $bytes" >>"$work/runs"
      say "round $round of $rounds: $link, $codec: $seconds s, $bytes bytes"
      [[ $codec != auto ]] || grep ' codec ' "$work/server" >&2 || true
    done
  done
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. Two workers, logistic regression of 200,000 features by gradient steps (0.8 MB a push and a snapshot in fp32) to a gap of $target; $rounds rounds, all codecs in turn in each."
  echo
  echo "| link | fp32 | int8 | int4 | auto | fp32 over auto | its quartiles | auto over the best of the three | its quartiles |"
  echo "|---|---|---|---|---|---|---|---|---|"
  for link in "${links[@]}"; do
    awk -v link="$link" '
      function sort(v, n,   i, j, t) { for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
      function at(v, n, q,   h, k) { h = 1 + (n - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < n ? k + 1 : k] - v[k]) }
      $2 == link { s[$3, $1] = $4; if ($1 > n) n = $1 }
      END {
        printf "| %s |", link
        for (c = 1; c <= 4; c++) {
          codec = c == 1 ? "fp32" : c == 2 ? "int8" : c == 3 ? "int4" : "auto"
          for (k = 1; k <= n; k++) v[k] = s[codec, k]
          sort(v, n)
          m[c] = at(v, n, 0.5)
          printf " %.2f s |", m[c]
        }
        best = m[1] <= m[2] && m[1] <= m[3] ? "fp32" : m[2] <= m[3] ? "int8" : "int4"
        for (k = 1; k <= n; k++) { v[k] = s["fp32", k] / s["auto", k]; w[k] = s["auto", k] / s[best, k] }
        sort(v, n); sort(w, n)
        printf " %.2f | %.2f to %.2f | %.2f (%s) | %.2f to %.2f |\n", at(v, n, 0.5), at(v, n, 0.25), at(v, n, 0.75), at(w, n, 0.5), best, at(w, n, 0.25), at(w, n, 0.75)
      }' "$work/runs"
  done
} >"$work/links"
cat "$work/links"
[[ -z $write ]] || between links "$work/links" docs/benchmarks.md
