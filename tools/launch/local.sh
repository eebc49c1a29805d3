#!/usr/bin/env bash
# Starts a server and its workers by hand, as processes on this host: what 'hpaps train logreg' does, in a few lines.
# Usage: tools/launch/local.sh DATA WORKERS [flags of hpaps-server]
# Example: tools/launch/local.sh train.svm 4 --passes 200 --out run
# Environment: HPAPS_BIN: folder of the programs (default: out/bin of this repository); L2 (default 1e-3); SEED (default 1)
set -euo pipefail

case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
esac
if (($# < 2)) || [[ ! $2 =~ ^[1-9][0-9]*$ ]]; then
  echo "local.sh: DATA and a number of WORKERS are needed; see tools/launch/local.sh --help" >&2
  exit 2
fi
data=$1
workers=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${HPAPS_BIN:-$here/../../out/bin}
for program in hpaps-server hpaps-worker; do
  if [[ ! -x $bin/$program ]]; then
    echo "local.sh: $bin/$program is missing; run tools/publish.sh, or set HPAPS_BIN" >&2
    exit 3
  fi
done
if [[ ! -r $data || -d $data ]]; then
  echo "local.sh: $data: there is no such file, or it may not be read" >&2
  exit 3
fi

logs=$(mktemp -d)
server=
children=()
# Ends what is left, by process id: first asks, then, after two seconds, forces.
# shellcheck disable=SC2317  # called by the trap
end_children() {
  local pid
  for pid in "${children[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for _ in {1..20}; do
    local left=0
    for pid in "${children[@]}"; do
      if kill -0 "$pid" 2>/dev/null; then left=1; fi
    done
    ((left)) || break
    sleep 0.1
  done
  for pid in "${children[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  rm -rf "$logs"
}
trap end_children EXIT
# The server answers these with a last evaluation, and saves the model; the workers leave when it tells them to.
stop=0
trap 'stop=1; [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true' INT TERM

# Port 0 takes a free one; the server says in its log which. The shell lets background processes ignore Ctrl-C by itself.
"$bin/hpaps-server" --listen 127.0.0.1:0 --workers "$workers" "$@" 2> >(tee -i "$logs/server" >&2) &
server=$!
children+=("$server")
address=
for _ in {1..300}; do
  address=$(sed -n 's/.*listening at \([^ ]*\) for .*/\1/p' "$logs/server" 2>/dev/null || true)
  [[ -z $address ]] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1 || true
done

failed=0 # exit code of a worker
if [[ -n $address ]] && ((!stop)); then
  for ((rank = 0; rank < workers; rank++)); do
    "$bin/hpaps-worker" logreg --server "$address" --data "$data" --part "$rank/$workers" \
      --l2 "${L2:-1e-3}" --seed "${SEED:-1}" &
    children+=("$!")
  done
  # A worker that fails before training leaves the server waiting for it: end it then, and not after its time limit.
  while kill -0 "$server" 2>/dev/null; do
    for pid in "${children[@]:1}"; do
      if ((!failed)) && ! kill -0 "$pid" 2>/dev/null; then
        wait "$pid" || { failed=$?; kill -TERM "$server" 2>/dev/null || true; }
      fi
    done
    sleep 0.2 || true
  done
elif kill -0 "$server" 2>/dev/null && ((!stop)); then
  echo "local.sh: the server did not say within 30 s where it listens; ended" >&2
  exit 4
fi
code=0
wait "$server" || code=$?
# A worker's bad input is the cause, and what the server says of it only follows; nothing of that if the user stopped all.
if ((!stop && (failed == 3 || code == 0))); then
  code=$failed
fi
exit "$code"
