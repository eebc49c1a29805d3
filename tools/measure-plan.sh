#!/usr/bin/env bash
# Holds predictions of hpaps plan to runs over shaped links: time and bytes, predicted over measured. A run of one worker on this host is what is
# measured; then three workers train over 1 Gbit/s and 100 Mbit/s, in some of the cases with a slow one.
# Usage: tools/measure-plan.sh [--write] [--only WORDS] [ROUNDS]     ROUNDS: 5
#   --write       puts the table into docs/benchmarks.md
#   --only WORDS  measures the cases alone whose words begin with these, as in --only "mf 1gbit"
# Server and workers have network namespaces of their own; each worker's cable is narrowed by tc (tbf) in both directions. It needs root, ip and
# tc of iproute2, and the binaries of tools/publish.sh. With ml-latest-small/ratings.csv and a9a/a9a.svm.gz in $HPAPS_DATA, matrix factorisation and the
# default solver of logistic regression are measured as well.
# Exit codes: 0 done, 1 a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "measure-plan.sh: $*" >&2; }
write= only=
case "${1:-}" in
  -h | --help) sed -n '2,11s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
[[ ${1:-} != --only ]] || { only=${2:-}; shift $(($# < 2 ? $# : 2)); }
[[ -z $write || -z $only ]] || { say "a table is of all cases: --write or --only"; exit 2; }
rounds=${1:-5}
[[ $rounds =~ ^[1-9][0-9]?$ && $# -le 1 ]] || { say "ROUNDS is 1 to 99; see --help"; exit 2; }
[[ $EUID -eq 0 ]] && command -v ip >/dev/null && command -v tc >/dev/null || { say "it takes root, ip and tc"; exit 2; }
cd "$(dirname "$0")/.."
[[ -x out/bin/hpaps && -x out/bin/hpaps-server && -x out/bin/hpaps-worker ]] || { say "binaries are missing in out/bin: run tools/publish.sh"; exit 2; }
. tools/measuring.sh
. tools/cables.sh
work=$(mktemp -d)
clean() {
  uncable
  rm -rf "$work"
}
trap clean EXIT
cables 3
ratings=${HPAPS_DATA:-../shared/data}/ml-latest-small/ratings.csv census=${HPAPS_DATA:-../shared/data}/a9a/a9a.svm.gz
# job, rate of the links, how many times slower worker 0 is (1: not), policy, codec, passes
cases=(
  "logreg 100mbit 1 async fp32 60"
  "logreg 100mbit 1 bsp int4 60"
  "logreg 1gbit 20 async fp32 150"
  "logreg 1gbit 20 bsp fp32 60"
)
if [[ -f $ratings ]]; then
  cases+=("mf 100mbit 1 async fp32 20" "mf 100mbit 1 bsp int8 20" "mf 1gbit 8 bsp auto 20")
else
  say "there is no $ratings: matrix factorisation is left out"
fi
if [[ -f $census ]]; then
  cases+=("a9a 1gbit 8 async fp32 600" "a9a 1gbit 8 bsp fp32 300" "a9a 100mbit 8 auto int4 600")
else
  say "there is no $census: the default solver of logistic regression is left out"
fi
if [[ -n $only ]]; then
  chosen=()
  for one in "${cases[@]}"; do [[ $one != "$only"* ]] || chosen+=("$one"); done
  [[ ${#chosen[@]} -gt 0 ]] || { say "no case begins with '$only'"; exit 2; }
  cases=("${chosen[@]}")
fi
out/bin/hpaps generate classification --out "$work/data" --rows 2000 --features 200000 --density 0.00025 --condition 10 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }

# options JOB: its task, and the options of its workers in 'worker_options'
options() {
  task=logreg
  case $1 in
    logreg) worker_options=(--data "$work/data" --l2 0.1 --solver gradient) ;;
    a9a) worker_options=(--data "$census" --l2 1e-3) ;;
    mf) task=mf worker_options=(--data "$ratings" --holdout 0.1) ;;
  esac
}

# measure JOB: a run of one worker, which plans are made of, in $work/JOB
measure() {
  options "$1"
  rm -rf "${work:?}/$1"
  out/bin/hpaps train "$task" "${worker_options[@]}" --workers 1 --codec fp32 --passes "$([[ $1 == a9a ]] && echo 400 || echo 40)" --out "$work/$1" >"$work/printed" 2>"$work/errors" || { cat "$work/errors" >&2; return 1; }
}

# plan JOB RATE SLOW POLICY CODEC PASSES: prediction in $work/plan
plan() {
  local slowed=()
  [[ $3 -eq 1 ]] || slowed=(--slow "0:$3")
  out/bin/hpaps plan "$work/$1" --workers 3 --bandwidth "$2" --server-bandwidth unlimited --latency 50us --one-host "$(nproc)" "${slowed[@]}" --policies "$4" --codecs "$5" --passes "$6" --json \
    >"$work/plan" 2>"$work/errors" || { cat "$work/errors" >&2; return 1; }
}

before=$(load)
for ((round = 1; round <= rounds; round++)); do
  quiet || true
  for job in logreg mf a9a; do
    [[ " ${cases[*]}" != *" $job "* ]] || measure "$job"
  done
  for one in "${cases[@]}"; do
    read -r job rate factor policy codec passes <<<"$one"
    plan "$job" "$(sed "s/mbit/Mbit/; s/gbit/Gbit/" <<<"$rate")" "$factor" "$policy" "$codec" "$passes"
    narrow "$rate" "$([[ $rate == 1gbit ]] && echo 70kb || echo 4kb)" # three links at 1 Gbit/s are more packets than two cores can cut
    quiet || true
    options "$job"
    server_options=(--policy "$policy" --codec "$codec" --passes "$passes")
    slow=
    [[ $factor -eq 1 ]] || slow=$factor
    over "$rate" "$task"
    predicted=("$(number "$work/plan" seconds)" $(($(number "$work/plan" uplink_bytes) + $(number "$work/plan" downlink_bytes))))
    measured=("$(number "$work/out/summary.json" train_seconds)" $(($(number "$work/out/summary.json" uplink_bytes) + $(number "$work/out/summary.json" downlink_bytes))))
    echo "$round $job $rate $factor $policy $codec ${predicted[*]} ${measured[*]}" >>"$work/runs"
    say "round $round of $rounds: $one: predicted ${predicted[0]} s, ${predicted[1]} bytes; measured ${measured[0]} s, ${measured[1]} bytes"
  done
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. Three workers; logreg: 200,000 features by gradient steps (0.8 MB a push and a snapshot in fp32); mf: ml-latest-small, rank 32; a9a: logreg by the default solver; $rounds rounds, each with a measured run of one worker, all predictions and all runs."
  echo
  echo "| job | links | worker 0 slower | policy | codec | measured, s | time, predicted over measured | its quartiles | bytes, predicted over measured | its quartiles |"
  echo "|---|---|---|---|---|---|---|---|---|---|"
  for one in "${cases[@]}"; do
    awk -v one="$one" '
      function sort(v, n,   i, j, t) { for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t } }
      function at(v, n, q,   h, k) { h = 1 + (n - 1) * q; k = int(h); return v[k] + (h - k) * (v[k < n ? k + 1 : k] - v[k]) }
      BEGIN { split(one, w, " ") }
      $2 == w[1] && $3 == w[2] && $4 == w[3] && $5 == w[4] && $6 == w[5] { n++; s[n] = $9; t[n] = $7 / $9; b[n] = $8 / $10 }
      END {
        sort(s, n); sort(t, n); sort(b, n)
        printf "| %s | %s | %s | `%s` | %s | %.2f | %.2f | %.2f to %.2f | %.3f | %.3f to %.3f |\n", w[1], w[2] == "1gbit" ? "1 Gbit/s" : "100 Mbit/s", w[3] == 1 ? "-" : w[3] " times", w[4], w[5], at(s, n, 0.5), at(t, n, 0.5), at(t, n, 0.25), at(t, n, 0.75), at(b, n, 0.5), at(b, n, 0.25), at(b, n, 0.75)
      }' "$work/runs"
  done
} >"$work/table"
cat "$work/table"
[[ -z $write ]] || between plan "$work/table" docs/benchmarks.md
