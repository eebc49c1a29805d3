# shellcheck shell=bash
# What local.sh, mpirun.sh and ssh.sh share. Sourced; needs 'here', their folder, and 'me', what they are called.

# shellcheck disable=SC2154  # 'here' and 'me'

# complain CODE TEXT: ends with it
complain() {
  echo "$me: $2" >&2
  exit "$1"
}

# find_programs NAME...: their folder in 'bin': HPAPS_BIN, that of this repository, or that of an archive that was unpacked
find_programs() {
  local program
  bin=${HPAPS_BIN:-$here/../../out/bin}
  if [[ -z ${HPAPS_BIN:-} && ! -d $bin && -x $here/../../bin/$1 ]]; then
    bin=$here/../../bin
  fi
  for program in "$@"; do
    [[ -x $bin/$program ]] || complain 3 "$bin/$program is missing; run tools/publish.sh, or set HPAPS_BIN"
  done
  bin=$(cd "$bin" && pwd)
}

# count_servers: HPAPS_SERVERS in 'servers', 1 where it is not set
count_servers() {
  servers=${HPAPS_SERVERS:-1}
  if [[ ! $servers =~ ^[1-9][0-9]?$ ]] || ((servers > 64)); then
    complain 2 "HPAPS_SERVERS is '$servers', and must be a number from 1 to 64"
  fi
}

# of_shard INDEX WORD...: the flags of server INDEX of 'servers', of those that are for all, in 'own'. One after the first has a state of its own, and nothing of what the first alone decides,
# writes and shows.
of_shard() {
  local index=$1
  shift
  own=("$@")
  ((servers > 1)) || return 0
  own=(--shard "$index/$servers")
  while (($#)); do
    if ((!index)); then
      own+=("$1")
    else
      case $1 in
        --out | --passes | --target | --target-rmse | --reference | --plateau | --time-limit | --monitor) shift ;;
        --out=* | --passes=* | --target=* | --target-rmse=* | --reference=* | --plateau=* | --time-limit=* | --monitor=*) ;;
        --state) own+=(--state "${2:-}/shard-$index") && shift ;;
        --state=*) own+=("$1/shard-$index") ;;
        *) own+=("$1") ;;
      esac
    fi
    shift || break # a flag that lacks its value is the last one; the server that has it says so
  done
}
