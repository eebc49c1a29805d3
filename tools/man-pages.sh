#!/usr/bin/env bash
# Writes hpaps.1, hpaps-server.1 and hpaps-worker.1, made of what the programs say at --help, each command in a section of its own.
# Usage: tools/man-pages.sh DIR     DIR: where they go
# Environment: HPAPS_BIN: folder of the programs (default: out/bin of this repository); SOURCE_DATE_EPOCH (default: time of the last commit)
# Exit codes: 0 done, 2 usage, 3 a program is missing, or its --help has another form than this reads
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C TZ=UTC
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  '' | -*) echo "man-pages.sh: a folder is needed; see tools/man-pages.sh --help" >&2; exit 2 ;;
esac
mkdir -p "$1"
out=$(cd "$1" && pwd)
bin=${HPAPS_BIN:-$here/out/bin}
[[ $bin == /* ]] || bin=$PWD/$bin
date=$(date -d "@${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct)}" +%Y-%m-%d)
cd / # a configuration file of the caller's folder is none of this

# --help, whatever variables there are; two processors, or the default of --workers would be this machine's.
help() { env -i DOTNET_PROCESSOR_COUNT=2 "$bin/$1" "${@:2}" --help; }

# What --help says, as roff. The options that all commands have are told once, in the first section.
# Usage: section first|next WORDS...
section() {
  local said
  said=$(help "${@:2}")
  awk -v first="$([[ $1 == first ]] && echo 1 || echo 0)" -v usage="$(sed -n '/^Usage:/ { n; s/^ *//; p; }' <<<"$said")" -v words="${*:2}" -f "$here/tools/man-pages.awk" <<<"$said"
}

# All commands at and below one, each after the one above it.
walk() {
  local name
  ((${#@} == 1)) || section next "$@"
  while read -r name; do
    walk "$@" "$name"
  done < <(help "$@" | sed -n '/^Commands:/,$ s/^  \([a-z][a-z-]*\)\( .*\)*$/\1/p')
}

for program in hpaps hpaps-server hpaps-worker; do
  [[ -x $bin/$program ]] || { echo "man-pages.sh: $bin/$program is missing: run tools/publish.sh, or set HPAPS_BIN" >&2; exit 3; }
  {
    printf '.\\" Made by tools/man-pages.sh of what %s --help says.\n' "$program"
    printf '.TH %s 1 %s "HpAsyncPs %s" "User Commands"\n' "${program^^}" "$date" "$("$bin/$program" --version)"
    section first "$program"
    commands=$(walk "$program")
    [[ -z $commands ]] || printf '.SH COMMANDS\n%s\n' "$commands"
    cat <<'ROFF'
.SH EXIT STATUS
.TP
0
done
.TP
2
usage: an option is wrong
.TP
3
bad input: a file or what is in it
.TP
4
cluster failure: a server or worker that was needed has gone
.SH ENVIRONMENT
.TP
.B HPAPS_\fINAME\fP
The value of the option \-\-\fIname\fP where no flag gives it; capitals, and _ for \-.
.TP
.B HPAPS_CONFIG
The configuration file where \fB\-\-config\fP names none.
.TP
.B HPAPS_TOKEN_FILE
The token file where \fB\-\-token\-file\fP names none.
.SH FILES
.TP
.I hpaps.toml
In the folder where a program is started: values of options for all three programs.
ROFF
    others=()
    for other in hpaps hpaps-server hpaps-worker; do
      [[ $other == "$program" ]] || others+=(".BR ${other//-/\\-} (1)")
    done
    printf '.SH SEE ALSO\n%s,\n%s\n' "${others[0]}" "${others[1]}"
  } >"$out/.$program.1.new"
  if ! grep -q '^\.SH OPTIONS' "$out/.$program.1.new"; then
    rm -f "$out/.$program.1.new"
    echo "man-pages.sh: $program --help has no 'Options:': tools/man-pages.awk reads another form" >&2
    exit 3
  fi
  mv -f "$out/.$program.1.new" "$out/$program.1"
done
