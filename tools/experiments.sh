#!/usr/bin/env bash
# Makes the tables of docs/algorithms.md that compare policies anew, and fails if what is said of them does not hold.
# Usage: tools/experiments.sh [--write]
#   --write  puts the tables into docs/algorithms.md
# On the virtual clock: the same figures on every machine of one kind. It needs a9a/a9a.svm.gz in $HPAPS_DATA or ../shared/data, and the binaries of
# tools/publish.sh. Exit codes: 0 done, 1 a claim does not hold or a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "experiments.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
(($# == 0)) || { say "unknown argument '$1'; see --help"; exit 2; }
cd "$(dirname "$0")/.."
. tools/measuring.sh
data=
for folder in "${HPAPS_DATA:-}" ../shared/data; do
  [[ -n $data || ! -e $folder/a9a/a9a.svm.gz ]] || data=$folder/a9a/a9a.svm.gz
done
[[ -n $data ]] || { say "a9a/a9a.svm.gz is neither in \$HPAPS_DATA nor in ../shared/data"; exit 2; }
[[ -x out/bin/hpaps ]] || { say "out/bin/hpaps is missing: tools/publish.sh"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
policies=(async bsp:1 bsp auto)

# seconds POLICY OPTION...: virtual seconds to the target
seconds() {
  local policy=$1
  shift
  out/bin/hpaps simulate logreg --data "$data" --l2 3.071158748e-05 --workers 8 --pass-time 10ms --codec fp32 --passes 100000 --target 1e-6 --reference 0.323379582464847 \
    --policy "$policy" "$@" --json >"$work/run" 2>"$work/errors" || { cat "$work/errors" >&2; return 1; }
  grep -q '"reason": "target"' "$work/run" || { say "$policy $* did not reach the target"; return 1; }
  number "$work/run" virtual_seconds
}

failed=0
{
  echo "| speeds | \`async\` | \`bsp:1\` | \`bsp\` | \`auto\` | \`auto\` over the best of the others |"
  echo "|---|---|---|---|---|---|"
} >"$work/policies"
while IFS='|' read -r what options; do
  read -ra given <<<"$options"
  row= best= auto=
  for policy in "${policies[@]}"; do
    taken=$(seconds "$policy" "${given[@]}")
    row+=$(awk -v s="$taken" 'BEGIN { printf " %.2f s |", s }')
    if [[ $policy == auto ]]; then auto=$taken; else best=$(awk -v a="${best:-1e9}" -v b="$taken" 'BEGIN { print a < b ? a : b }'); fi
  done
  ratio=$(awk -v a="$auto" -v b="$best" 'BEGIN { printf "%.2f", a / b }')
  say "$what:$row $ratio"
  echo "| $what |$row $ratio |" >>"$work/policies"
  awk -v r="$ratio" 'BEGIN { exit !(r <= 1.05) }' || { say "auto takes $ratio times as long as the best of the others: $what"; failed=1; }
done <<'END'
equal|
one 3 times slower|--slow 0:3
one 8 times slower|--slow 0:8
one 30 times slower|--slow 0:30
bursts, sigma 0.5|--slow-random 0.5
bursts, sigma 1|--slow-random 1
changing|--slow 0:8@0s-0.5s,1:8@0.5s-1s,2:4@1s-1000s
END
cat "$work/policies"
[[ -z $write ]] || between policies "$work/policies" docs/algorithms.md
exit $failed
