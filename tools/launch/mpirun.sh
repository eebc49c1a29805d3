#!/usr/bin/env bash
# Starts servers and workers by one mpirun of Open MPI: rank 0 is the server, or the first ranks are, each other rank a worker with its part of the data.
# Usage: tools/launch/mpirun.sh WORKERS [flags of hpaps-server] -- TASK [flags of hpaps-worker]
# Example: tools/launch/mpirun.sh 4 --token-file token --passes 200 --out run -- logreg --token-file token --data train.svm
# Environment: HPAPS_BIN: folder of the programs, the same on all hosts (default: out/bin of this repository, or bin of an archive that was unpacked); HPAPS_SERVERS: how many
# of the ranks are servers (default 1); HPAPS_RENDEZVOUS: folder on a file system that all hosts share (default: one of its own in the current folder, removed at the end);
# HPAPS_MPIRUN: more flags of mpirun, as in '--hostfile hosts --oversubscribe'
# Data and token have the same paths on every host. Off loopback a token is needed: --token-file, or HPAPS_TOKEN_FILE.
set -euo pipefail

case "${1:-}" in
  -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;;
esac
if (($# < 1)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "mpirun.sh: a number of WORKERS is needed first; see tools/launch/mpirun.sh --help" >&2
  exit 2
fi
workers=$1
shift
server=()
while (($#)) && [[ $1 != -- ]]; do
  server+=("$1")
  shift
done
if (($# < 2)); then
  echo "mpirun.sh: '-- TASK' and flags of hpaps-worker are needed, as in -- logreg --data train.svm; see tools/launch/mpirun.sh --help" >&2
  exit 2
fi
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
me=mpirun.sh
# shellcheck source=tools/launch/servers.sh
. "$here/servers.sh"
find_programs hpaps-server hpaps-worker
count_servers
if ! command -v mpirun >/dev/null; then
  echo "mpirun.sh: there is no mpirun: apt-get install openmpi-bin; Fedora: dnf install openmpi" >&2
  exit 3
fi
read -r -a more <<<"${HPAPS_MPIRUN:-}"
forward=()
if [[ -n ${HPAPS_TOKEN_FILE:-} ]]; then
  forward=(-x HPAPS_TOKEN_FILE) # mpirun gives other hosts none but its own variables
fi

folder=${HPAPS_RENDEZVOUS:-}
if [[ -z $folder ]]; then
  folder=$(mktemp -d "$PWD/hpaps-rendezvous.XXXXXX")
  trap 'rm -rf "$folder"' EXIT
fi
job="mpirun-$(hostname)-$$-$(date +%s)"

# mpirun ends all ranks when one fails, and has its exit code. Ten seconds, in place of its one (and it waits them out), are for the server's last evaluation and its model.
mpirun=
stopped=0
trap 'stopped=1; [[ -z $mpirun ]] || kill -TERM "$mpirun" 2>/dev/null || true' INT TERM
ranks=()
for ((shard = 0; shard < servers; shard++)); do
  of_shard "$shard" "${server[@]}"
  ranks+=(-n 1 "${forward[@]}" "$bin/hpaps-server" --rendezvous "$folder" --job "$job" --workers "$workers" "${own[@]}" :)
done
# Not bound to a core each: a server and a worker have several threads.
mpirun --mca odls_base_sigkill_timeout 10 --bind-to none "${more[@]}" \
  "${ranks[@]}" -n "$workers" "${forward[@]}" "$bin/hpaps-worker" "$@" --rendezvous "$folder" --job "$job" --part "auto:$servers" &
mpirun=$!
code=0
wait "$mpirun" || code=$?
while ((stopped)); do # a signal ended that wait, not mpirun
  stopped=0
  code=0
  wait "$mpirun" || code=$?
done
exit "$code"
