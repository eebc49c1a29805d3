#!/usr/bin/env bash
# Starts servers and workers by hand, as processes on this host: what 'hpaps train logreg' does, in a few lines.
# Usage: tools/launch/local.sh DATA WORKERS [flags of hpaps-server]
# Example: tools/launch/local.sh train.svm 4 --passes 200 --out run
# Environment: HPAPS_BIN: folder of the programs (default: out/bin of this repository, or bin of an archive that was unpacked); HPAPS_SERVERS: how many servers (default 1);
# L2 (default 1e-3); SEED (default 1)
set -euo pipefail

case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
esac
if (($# < 2)) || [[ ! $2 =~ ^[1-9][0-9]*$ ]]; then
  echo "local.sh: DATA and a number of WORKERS are needed; see tools/launch/local.sh --help" >&2
  exit 2
fi
data=$1
workers=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
me=local.sh
# shellcheck source=tools/launch/servers.sh
. "$here/servers.sh"
find_programs hpaps-server hpaps-worker
count_servers
if [[ ! -r $data || -d $data ]]; then
  echo "local.sh: $data: there is no such file, or it may not be read" >&2
  exit 3
fi

logs=$(mktemp -d)
server= # the first one
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
for ((shard = 0; shard < servers; shard++)); do
  of_shard "$shard" "$@"
  "$bin/hpaps-server" --listen 127.0.0.1:0 --workers "$workers" "${own[@]}" 2> >(tee -i "$logs/server-$shard" >&2) &
  children+=("$!")
done
server=${children[0]}
# All addresses in 'addresses', with commas between them; false while one does not listen yet.
all_listen() {
  local shard address
  addresses=
  for ((shard = 0; shard < servers; shard++)); do
    address=$(sed -n 's/.*listening at \([^ ]*\) for .*/\1/p' "$logs/server-$shard" 2>/dev/null || true)
    [[ -n $address ]] || return 1
    addresses+=${addresses:+,}$address
  done
}
failed=0 # exit code of a worker, or of a server after the first
# What has ended other than well, of the children from this one on, ends the job: the server would wait for it. Asked twice it waits for nobody.
look_after() {
  local child
  for ((child = $1; child < ${#children[@]} && !failed; child++)); do
    ! kill -0 "${children[child]}" 2>/dev/null || continue
    wait "${children[child]}" || failed=$?
    ((failed)) || continue
    kill -TERM "$server" 2>/dev/null || true
    if ((child < servers)); then
      sleep 0.5 || true
      kill -TERM "$server" 2>/dev/null || true
    fi
  done
}
listen=0
for _ in {1..300}; do
  if all_listen; then
    listen=1
    break
  fi
  look_after 1
  if ((failed)) || ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.1 || true
done

if ((listen && !stop)); then
  for ((rank = 0; rank < workers; rank++)); do
    "$bin/hpaps-worker" logreg --server "$addresses" --data "$data" --part "$rank/$workers" \
      --l2 "${L2:-1e-3}" --seed "${SEED:-1}" &
    children+=("$!")
  done
  # A worker that fails before training leaves the server waiting for it: end it then, and not after its time limit.
  while kill -0 "$server" 2>/dev/null; do
    look_after 1
    sleep 0.2 || true
  done
elif kill -0 "$server" 2>/dev/null && ((!stop && !failed)); then
  echo "local.sh: the servers did not say within 30 s where they listen; ended" >&2
  exit 4
fi
code=0
wait "$server" || code=$?
# A worker's bad input is the cause, and what the server says of it only follows, as of a server that was refused; nothing of that if the user stopped all.
if ((!stop && (failed == 2 || failed == 3 || (failed && code == 0)))); then
  code=$failed
fi
((code <= 4)) || code=4 # killed
exit "$code"
