#!/usr/bin/env bash
# A Slurm of three nodes on this host, on loopback, for as long as standard input lasts: munged, slurmctld and three slurmd, all in FOLDER, on PORT and the three after it.
# Usage: slurm.sh FOLDER PORT
# Prints "ready" when all nodes answer. Lines of input: "kill N": slurmd of node N dies; "start N": it is started again. Ends after ten minutes in any case.
set -uo pipefail
folder=$1
port=$2
host=$(hostname)
export SLURM_CONF=$folder/slurm.conf HPAPS_TEST_SLURM=$folder
cd "$folder" || exit 1
mkdir -p state log
(umask 077 && head -c 128 /dev/urandom >munge.key)
# Requeued jobs start again after cred_expire; the controller looks at nodes every third of SlurmdTimeout.
cat >slurm.conf <<CONF
ClusterName=hpaps
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.sock,cred_expire=6
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PropagateResourceLimits=NONE
SlurmdTimeout=6
KillWait=10
JobRequeue=1
ReturnToService=2
MailProg=/bin/true
NodeName=n[0-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 3))] CPUs=8 State=UNKNOWN
PartitionName=all Nodes=n[0-2] Default=YES MaxTime=10 PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=n[0-2] MaxTime=10 PriorityTier=9
CONF

controller=
declare -A nodes
# shellcheck disable=SC2317  # called by the trap
end_all() {
  local process id
  exec 2>/dev/null
  timeout 5 scancel --user="$(id -un)" --signal=KILL --full 2>/dev/null
  for id in "${nodes[@]}" "$controller" "$munged"; do
    kill -KILL "$id" 2>/dev/null
  done
  # Steps outlive the daemon that has started them: what is of this Slurm has this variable, or, where the title of a process is in its place, this folder.
  for process in /proc/[0-9]*; do
    id=${process#/proc/}
    if ((id != $$ && id != BASHPID)) && { [[ $(readlink "$process/cwd") == "$folder"* ]] || tr "\0" "\n" <"$process/environ" | grep -qxF "HPAPS_TEST_SLURM=$folder"; }; then
      kill -KILL "$id" 2>/dev/null
    fi
  done
}
trap end_all EXIT
start_node() {
  slurmd -D -f "$SLURM_CONF" -N "n$1" >"log/slurmd.$1.out" 2>&1 </dev/null &
  nodes[$1]=$!
}

munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.sock" --pid-file="$folder/munged.pid" --log-file="$folder/log/munged" --seed-file="$folder/munge.seed" >/dev/null 2>&1 </dev/null &
munged=$!
for _ in {1..50}; do
  [[ ! -S munge.sock ]] || break
  sleep 0.1
done
slurmctld -D -f "$SLURM_CONF" >log/slurmctld.out 2>&1 </dev/null &
controller=$!
for node in 0 1 2; do start_node "$node"; done
for _ in {1..150}; do
  [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) != 3 ]] || break
  sleep 0.2
done
if [[ $(sinfo --noheader --states=idle --format=%D 2>&1) != 3 ]]; then
  echo "the nodes did not come up" >&2
  tail -n 15 log/* >&2
  exit 1
fi
echo ready
while ((SECONDS < 600)); do
  if read -r -t 5 word node; then
    case $word in
      kill) kill -KILL "${nodes[$node]}" ;;
      start) start_node "$node" ;;
    esac
  elif (($? <= 128)); then
    break # the input has ended
  fi
done
