#!/usr/bin/env bash
# Builds the programs, then trains a recommender twice with one of four workers 8 times slower, nobody waiting (async) and
# with a barrier (bsp), and compares the two.
# Usage: tools/quickstart.sh [RATINGS_FILE]     user, item, rating as CSV, TSV or '::', plain or gzip; without it ratings are generated
# Environment: HPAPS_BIN: folder of the programs, which are then neither built nor checked for;
#   OUT: folder for the results, which must not exist (default: runs/quickstart-DATE-TIME of this repository);
#   RATINGS: how many to generate (default 3000000)
# Exit codes: 0 done, 2 usage or something is missing, 3 bad input, 4 cluster failure, 1 it does not build, 129 and up: stopped
set -euo pipefail

here=${BASH_SOURCE[0]}
[[ $here == */* ]] || here=./$here
here=$(cd "${here%/*}/.." && pwd)
say() { printf 'quickstart.sh: %s\n' "$*" >&2; }
fail() { say "${*:2}"; exit "$1"; }

case "${1:-}" in
  -h | --help)
    while IFS= read -r line; do
      [[ $line == '#'* ]] || break
      [[ $line == '#!'* ]] || printf '%s\n' "${line#'# '}"
    done <"$here/tools/quickstart.sh"
    exit 0
    ;;
  -?*) [[ -e $1 ]] || fail 2 "there is no option $1; see tools/quickstart.sh --help" ;;
esac
(($# <= 1)) || fail 2 "one file of ratings at most; put a name with spaces in quotes; see tools/quickstart.sh --help"
[[ ${RATINGS:=3000000} =~ ^[1-9][0-9]*$ ]] || fail 2 "RATINGS must be a number; it is '$RATINGS'"

# Everything that is missing is told at once, before anything is done.
. "$here/tools/prerequisites.sh"
[[ -n ${HPAPS_BIN:-} ]] || (cd "$here" && prerequisites quickstart.sh) || exit 2
command -v awk >/dev/null || fail 2 "missing: awk: apt-get install gawk; Fedora: dnf install gawk"

data=
if (($#)); then
  [[ -n $1 ]] || fail 3 "the name of the file is empty"
  [[ -e $1 ]] || fail 3 "$1: there is no such file; check the path"
  [[ -f $1 ]] || fail 3 "$1: this is no file; give a file of ratings"
  [[ -r $1 ]] || fail 3 "$1: may not be read by this user; check its permissions"
  [[ -s $1 ]] || fail 3 "$1: the file is empty"
  data=$1
  [[ $data == /* ]] || data=$PWD/$data
fi

child=   # process that the script waits for
group=   # the same, where it has a process group of its own
stopped= # exit code, once the user has asked to stop
step=
out=     # folder of the results, once it was made
log=
# A Ctrl-C reaches programs by itself: the terminal sends it to all of them. Other signals come to this script only.
stop() {
  stopped=$2
  if [[ -n $group ]]; then
    kill -TERM -- "-$group" 2>/dev/null || true
  elif [[ -n $child && $1 != INT ]]; then
    kill -TERM "$child" 2>/dev/null || true
  fi
}
trap 'stop INT 130' INT
trap 'stop TERM 143' TERM
trap 'stop HUP 129' HUP
# shellcheck disable=SC2317,SC2329  # called by the trap
clean() {
  local code=$?
  [[ -z $group ]] || kill -KILL -- "-$group" 2>/dev/null || true
  [[ -z $child ]] || kill -TERM "$child" 2>/dev/null || true
  [[ -z $log ]] || rm -f "$log"
  [[ -z $out || -e $out/async ]] || rm -rf "$out" # nothing was trained: leave nothing; the folder was made by this script
  exit "$code"
}
trap clean EXIT
stop_if_asked() {
  [[ -z $stopped ]] && return
  if [[ -n $out && -e $out/async ]]; then
    say "stopped while $step; what there is is in $out"
  else
    say "stopped while $step"
  fi
  exit "$stopped"
}

# Waits for $child, also beyond signals, which only interrupt 'wait'; its exit code is in $code.
code=0
await() {
  code=0
  wait "$child" || code=$?
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  child=
}

# In the background, so that signals are answered at once, but one that Ctrl-C ends: the shell would let it ignore that.
run() {
  (trap - INT && exec "$@") </dev/null &
  child=$!
  await
  stop_if_asked
}

up_to_date() {
  local program
  for program in hpaps hpaps-server hpaps-worker; do
    "$bin/$program" --version >/dev/null 2>&1 || return 1 # not there, or of another machine
    [[ -z $(newer_than "$here" "$bin/$program") ]] || return 1
  done
}

publish() {
  local start=$SECONDS shown=0 alive
  log=$(mktemp)
  alive="building native programs into out/bin, a minute or two"
  say "$alive"
  set -m # a group of its own: ending only the script would leave the compilers
  "$here/tools/publish.sh" </dev/null >"$log" 2>&1 &
  child=$!
  group=$child
  set +m
  while kill -0 "$child" 2>/dev/null && [[ -z $stopped ]]; do
    if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then
      printf '\rquickstart.sh: building, %d s ' $((SECONDS - start)) >&2
    elif ((SECONDS - start >= shown + 15)); then
      shown=$((SECONDS - start))
      say "building, $shown s"
    fi
    sleep 1 || true
  done
  await
  if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then printf '\r' >&2; fi
  stop_if_asked
  group=
  if ((code)); then
    tail -n 25 "$log" >&2
    ((code == 2)) || code=1
    fail "$code" "tools/publish.sh failed; above is the end of what it said, 'tools/publish.sh' shows all"
  fi
  say "built in $((SECONDS - start)) s"
  rm -f "$log"
  log=
}

step=building
bin=${HPAPS_BIN:-$here/out/bin}
if [[ -n ${HPAPS_BIN:-} ]]; then
  [[ -x $bin/hpaps ]] || fail 3 "$bin/hpaps is missing; run tools/publish.sh, or unset HPAPS_BIN"
elif ! up_to_date; then
  publish
fi

work=${OUT:-}
if [[ -n $work ]]; then
  mkdir "$work" 2>/dev/null || fail 3 "OUT=$work: exists already or cannot be made; name a new folder"
else
  [[ -w $here ]] || fail 3 "$here: may not be written by this user; name a folder for the results in OUT"
  mkdir -p "$here/runs"
  printf -v stamp '%(%Y%m%d-%H%M%S)T' -1
  work=$here/runs/quickstart-$stamp
  for ((number = 2; ; number++)); do
    mkdir "$work" 2>/dev/null && break
    [[ -e $work ]] || fail 3 "$work: cannot be made; name a folder for the results in OUT"
    work=$here/runs/quickstart-$stamp-$number
  done
fi
work=$(cd "$work" && pwd)
out=$work

if [[ -z $data ]]; then
  step="generating ratings"
  data=$work/ratings.csv
  say "generating $RATINGS ratings"
  run "$bin/hpaps" generate ratings --out "$data" --ratings "$RATINGS" || true
  ((code == 0)) || exit "$code"
fi

for policy in async bsp; do
  step="training, policy $policy"
  say "training with policy $policy; worker 0 of 4 is 8 times slower than the others"
  run "$bin/hpaps" train mf --data "$data" --holdout 0.1 --workers 4 --slow 0:8 --seed 1 \
    --policy "$policy" --out "$work/$policy" --json >/dev/null || true
  ((code == 0)) || exit "$code"
done

# Names for a shell, shorter where that leads to the same place.
shown() {
  local path=$1
  [[ $path != "$PWD"/* ]] || path=${path#"$PWD"/}
  printf '%q' "$path"
}
value() { sed -n "s/^ *\"$2\": \([^,]*\),*$/\1/p" "$work/$1/summary.json"; }
for policy in async bsp; do
  echo "$policy $(value $policy train_seconds) $(value $policy test_rmse) $(value $policy passes) $(value $policy uplink_bytes) $(value $policy downlink_bytes)"
done | awk -v async="$work/async/trace.csv" -v bsp="$work/bsp/trace.csv" -f "$here/tools/quickstart.awk"

users=$work/async/model/users-0.txt
user=
[[ ! -s $users ]] || IFS=$'\t' read -r user _ <"$users"
echo
echo "Plots of what happened, for a browser (xdg-open FILE, or copy the file: it needs nothing else):"
echo "  $(shown "$work/async/report.html")"
echo "  $(shown "$work/bsp/report.html")"
echo "Next, what a user might like:"
echo "  $(shown "$bin/hpaps") recommend --model $(shown "$work/async") --user $(printf %q "$user") --top 10"
