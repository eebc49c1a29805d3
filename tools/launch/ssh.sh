#!/usr/bin/env bash
# Starts a server here and a worker on each host of a list, by ssh, each with its part of the data; nothing stays on the hosts, however this ends. Of several servers
# (HPAPS_SERVERS) the first is here, and the others are on the first hosts of the list, beside their workers.
# Usage: tools/launch/ssh.sh HOSTS [flags of hpaps-server] -- TASK [flags of hpaps-worker]
# Example: tools/launch/ssh.sh hosts --token-file token --passes 200 --out run -- logreg --token-file token --data train.svm
# HOSTS is a file with a host a line, as ssh takes it; # begins a comment; a host that is there twice gets two workers. Keys must do: ssh asks for no password.
# Environment: HPAPS_BIN: folder of the programs, the same on all hosts (default: out/bin of this repository, or bin of an archive that was unpacked); HPAPS_SERVERS: how many
# servers (default 1); HPAPS_LOGS: folder for a log a rank (default: one of its own in the current folder); HPAPS_SSH_CONFIG: a file for ssh -F
# Data and token have the same paths on every host; relative ones start from the folder this is started in. Without --listen a server listens at all
# addresses of its host, and workers use the first; of several servers each has --listen, so give [::]:PORT, or --bind IFACE.
set -euo pipefail

case "${1:-}" in
  -h | --help) sed -n '2,10s/^# //p' "$0"; exit 0 ;;
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
me=ssh.sh
# shellcheck source=tools/launch/servers.sh
. "$here/servers.sh"
find_programs hpaps-server
count_servers
((servers <= workers + 1)) || complain 2 "HPAPS_SERVERS is $servers, and $list has $workers host(s): one server is here, and each other one on a host of its own in the list"
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

names=() # of the children
places=()
# on HOST NAME COMMAND...: runs it there, in this folder, with a log of that name
on() {
  local host=$1 name=$2
  shift 2
  "${ssh[@]}" -- "$host" "cd $(printf %q "$PWD") && exec $(printf '%q ' "$@")" <"$meet/life" {life}>&- >"$logs/$name.log" 2>&1 &
  children+=("$!")
  names+=("$name")
  places+=("$host")
}
# Nobody else shares this folder: a server elsewhere meets nobody by the one that is made for it there, but says in its log where others find it.
# shellcheck disable=SC2016  # the shell of that host expands it
elsewhere='meet=$(mktemp -d) && trap "rm -rf \"\$meet\"" EXIT && "$@" --rendezvous "$meet"'
of_shard 0 "${server[@]}"
"$bin/hpaps-server" --rendezvous "$meet" --workers "$workers" "${own[@]}" --exit-with-stdin <"$meet/life" {life}>&- 2> >(tee -i "$logs/server.log" >&2 {life}>&-) &
pid=$!
for ((shard = 1; shard < servers; shard++)); do
  of_shard "$shard" "${server[@]}"
  on "${hosts[shard - 1]}" "server-$shard" sh -c "$elsewhere" hpaps "$bin/hpaps-server" --job "ssh-$$" --workers "$workers" "${own[@]}" --exit-with-stdin
done
# All addresses in 'addresses', with commas between them; false while one is not known yet.
all_listen() {
  local shard address
  addresses=$(sed -n '/"addresses"/{n;s/^ *"\(.*\)",\{0,1\}$/\1/p}' "$meet/server-0.json" 2>/dev/null || true)
  [[ -n $addresses ]] || return 1
  for ((shard = 1; shard < servers; shard++)); do
    address=$(sed -n 's/.*workers find the server of .* UTC, at \([^ ]*\) .*/\1/p' "$logs/server-$shard.log" 2>/dev/null | head -n 1 || true)
    [[ -n $address ]] || return 1
    addresses+=,$address
  done
}

failed=0
ended=()
# Says of each child that has ended other than well that it has, and ends the job where it cannot go on.
look_after() {
  local child code
  for ((child = 0; child < ${#children[@]}; child++)); do
    if [[ -n ${ended[child]:-} ]] || kill -0 "${children[child]}" 2>/dev/null; then continue; fi
    ended[child]=1
    code=0
    wait "${children[child]}" || code=$?
    ((code)) || continue
    echo "ssh.sh: ${names[child]} on ${places[child]} ended with exit code $code; $logs/${names[child]}.log ends:" >&2
    tail -n 3 "$logs/${names[child]}.log" >&2
    if ((child < servers - 1)); then # its shard of the model is gone: asked twice, the first waits for nobody
      ((failed)) || failed=$code
      kill -TERM "$pid" 2>/dev/null || true
      sleep 0.5 || true
    else
      ((code != 4 && !failed)) || continue # of a lost one the server knows, and decides by --on-worker-loss
      failed=$code
    fi
    kill -TERM "$pid" 2>/dev/null || true
  done
}
listen=0
while kill -0 "$pid" 2>/dev/null; do # each ends by itself where it cannot listen, and ssh where it reaches nobody
  if all_listen; then
    listen=1
    break
  fi
  look_after
  ((!failed)) || break
  sleep 0.1 || true
done

if ((listen && !stop)); then
  for ((rank = 0; rank < workers; rank++)); do
    on "${hosts[rank]}" "worker-$rank" "$bin/hpaps-worker" "$@" --server "$addresses" --part "$rank/$workers" --exit-with-stdin
  done
  while kill -0 "$pid" 2>/dev/null; do
    look_after
    sleep 0.2 || true
  done
fi
code=0
wait "$pid" || code=$?
pid=
((failed != 255)) || failed=4 # ssh itself failed
if ((!stop && failed && (failed == 2 || failed == 3 || code == 0))); then
  code=$failed
fi
((code <= 4)) || code=4 # killed
for _ in {1..100}; do # workers leave when the server tells them to, and then the other servers do
  left=0
  for child in "${children[@]}"; do
    if kill -0 "$child" 2>/dev/null; then left=1; fi
  done
  ((left)) || break
  sleep 0.1 || true
done
echo "ssh.sh: logs are in $logs" >&2
exit "$code"
