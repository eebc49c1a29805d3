#!/usr/bin/env bash
# Starts a server here and a worker on each host of a list, by ssh, each with its part of the data; nothing stays on the hosts, however this ends.
# Usage: tools/launch/ssh.sh HOSTS [flags of hpaps-server] -- TASK [flags of hpaps-worker]
# Example: tools/launch/ssh.sh hosts --token-file token --passes 200 --out run -- logreg --token-file token --data train.svm
# HOSTS is a file with a host a line, as ssh takes it; # begins a comment; a host that is there twice gets two workers. Keys must do: ssh asks for no password.
# Environment: HPAPS_BIN: folder of the programs, the same on all hosts (default: out/bin of this repository); HPAPS_LOGS: folder for a log a rank (default: one of
# its own in the current folder); HPAPS_SSH_CONFIG: a file for ssh -F
# Data and token have the same paths on every host; relative ones start from the folder this is started in. Without --listen all addresses of this host are listened at.
set -euo pipefail

case "${1:-}" in
  -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;;
esac
if (($# < 1)) || [[ ! -r $1 || -d $1 ]]; then
  echo "ssh.sh: a file with a host a line is needed first, and must be readable; see tools/launch/ssh.sh --help" >&2
  exit 2
fi
mapfile -t hosts < <(sed 's/#.*//; s/^[[:space:]]*//; s/[[:space:]]*$//; /^$/d' "$1")
workers=${#hosts[@]}
for host in "${hosts[@]}"; do
  if [[ $host == -* || $host == *[[:space:]]* ]]; then
    echo "ssh.sh: $1: '$host' is no host" >&2
    exit 3
  fi
done
list=$1
shift
server=()
while (($#)) && [[ $1 != -- ]]; do
  server+=("$1")
  shift
done
if (($# < 2)); then
  echo "ssh.sh: '-- TASK' and flags of hpaps-worker are needed, as in -- logreg --data train.svm; see tools/launch/ssh.sh --help" >&2
  exit 2
fi
shift
if ((!workers)); then
  echo "ssh.sh: $list has no host" >&2
  exit 3
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${HPAPS_BIN:-$here/../../out/bin}
if [[ ! -x $bin/hpaps-server ]]; then
  echo "ssh.sh: $bin/hpaps-server is missing; run tools/publish.sh, or set HPAPS_BIN" >&2
  exit 3
fi
bin=$(cd "$bin" && pwd)
ssh=(ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15)
[[ -z ${HPAPS_SSH_CONFIG:-} ]] || ssh+=(-F "$HPAPS_SSH_CONFIG")
logs=${HPAPS_LOGS:-$(mktemp -d "$PWD/hpaps-logs.XXXXXX")}
mkdir -p "$logs"
meet=$(mktemp -d)
# Whatever reads from it ends when this script does, even if it is killed: ssh passes the end of its input on, and server and workers end with their own (--exit-with-stdin).
mkfifo -m 600 "$meet/life"
exec {life}<>"$meet/life"

pid=
children=()
# shellcheck disable=SC2317  # called by the trap
end_all() {
  local child
  [[ -z $life ]] || exec {life}>&-
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  for _ in {1..50}; do
    local left=0
    for child in "${children[@]}"; do
      if kill -0 "$child" 2>/dev/null; then left=1; fi
    done
    ((left)) || break
    sleep 0.1
  done
  for child in "${children[@]}"; do
    kill -TERM "$child" 2>/dev/null || true
  done
  rm -rf "$meet"
}
trap end_all EXIT
stop=0
trap 'stop=1; [[ -z $pid ]] || kill -TERM "$pid" 2>/dev/null || true' INT TERM

"$bin/hpaps-server" --rendezvous "$meet" --workers "$workers" "${server[@]}" --exit-with-stdin <"$meet/life" {life}>&- 2> >(tee -i "$logs/server.log" >&2 {life}>&-) &
pid=$!
address=
while kill -0 "$pid" 2>/dev/null; do # it ends by itself where it cannot listen
  address=$(sed -n '/"addresses"/{n;s/^ *"\(.*\)",\{0,1\}$/\1/p}' "$meet/server-0.json" 2>/dev/null || true)
  [[ -z $address ]] || break
  sleep 0.1 || true
done

failed=0
ended=()
if [[ -n $address ]] && ((!stop)); then
  for ((rank = 0; rank < workers; rank++)); do
    command=$(printf '%q ' "$bin/hpaps-worker" "$@" --server "$address" --part "$rank/$workers" --exit-with-stdin)
    "${ssh[@]}" -- "${hosts[rank]}" "cd $(printf %q "$PWD") && exec $command" <"$meet/life" {life}>&- >"$logs/worker-$rank.log" 2>&1 &
    children+=("$!")
  done
  while kill -0 "$pid" 2>/dev/null; do
    for ((rank = 0; rank < workers; rank++)); do
      if [[ -z ${ended[rank]:-} ]] && ! kill -0 "${children[rank]}" 2>/dev/null; then
        ended[rank]=1
        code=0
        wait "${children[rank]}" || code=$?
        ((code)) || continue
        echo "ssh.sh: worker $rank on ${hosts[rank]} ended with exit code $code; $logs/worker-$rank.log ends:" >&2
        tail -n 3 "$logs/worker-$rank.log" >&2
        ((code != 4 && !failed)) || continue # of a lost one the server knows, and decides by --on-worker-loss
        failed=$code
        kill -TERM "$pid" 2>/dev/null || true
      fi
    done
    sleep 0.2 || true
  done
fi
code=0
wait "$pid" || code=$?
pid=
((failed != 255)) || failed=4 # ssh itself failed
if ((!stop && failed && (failed == 3 || code == 0))); then
  code=$failed
fi
for _ in {1..100}; do # workers leave when the server tells them to
  left=0
  for child in "${children[@]}"; do
    if kill -0 "$child" 2>/dev/null; then left=1; fi
  done
  ((left)) || break
  sleep 0.1 || true
done
echo "ssh.sh: logs are in $logs" >&2
exit "$code"
