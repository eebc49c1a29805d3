#!/usr/bin/env bash
# Measures what the journal, the token handshake and TLS cost a full-path push of 1 MiB, each beside the same without, in turn.
# Usage: tools/measure-durability.sh [--write] [PAIRS [DIR]]     PAIRS: 11; DIR: a folder on a real disk: /var/tmp
#   --write  puts the table into docs/benchmarks.md
# The state is kept in DIR, and in /dev/shm: a disk that is faster than the wire. It needs the binaries of tools/publish.sh, and openssl for certificates.
# Exit codes: 0 done, 1 a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "measure-durability.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
pairs=${1:-11}
disk=${2:-/var/tmp}
[[ $pairs =~ ^[1-9][0-9]{0,2}$ && $# -le 2 ]] || { say "PAIRS is a whole number above 0; see --help"; exit 2; }
[[ -d $disk && -w $disk && -d /dev/shm ]] || { say "no folder $disk or /dev/shm that can be written"; exit 2; }
command -v openssl >/dev/null || { say "openssl is missing: it makes the certificates"; exit 2; }
disk=$(realpath "$disk")
cd "$(dirname "$0")/.."
. tools/measuring.sh
seconds=0.6
work=$(mktemp -d)
disk=$(mktemp -d -p "$disk" hpaps.XXXXXX)
memory=$(mktemp -d -p /dev/shm hpaps.XXXXXX)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work" "$disk" "$memory"' EXIT
(umask 077; head -c 32 /dev/urandom | base64 >"$work/token")
certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 -subj /CN=authority
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/request.pem" -subj /CN=server
  openssl x509 -req -in "$work/request.pem" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/certificate.pem" -extfile <(echo "subjectAltName=IP:127.0.0.1")
}
certificates >"$work/openssl" 2>&1 || { cat "$work/openssl" >&2; exit 1; }
chmod 600 "$work/key.pem"

# what | options of the server | options of the worker | options of both workers
rows=(
  "nothing: what chance does||"
  "journal in memory, interval:100; both over a wire of 10 Gbit/s|--state $memory/state --durability interval:100||--wire 10"
  "journal in memory, always; both over 10 Gbit/s|--state $memory/state --durability always||--wire 10"
  "journal on disk, interval:100; both over 1 Gbit/s|--state $disk/state --durability interval:100||--wire 1"
  "journal on disk, always; both over 1 Gbit/s|--state $disk/state --durability always||--wire 1"
  "journal in memory, interval:100|--state $memory/state --durability interval:100|"
  "journal in memory, always|--state $memory/state --durability always|"
  "journal on disk, interval:100|--state $disk/state --durability interval:100|"
  "journal on disk, always|--state $disk/state --durability always|"
  "token|--token-file $work/token|--token-file $work/token"
  "TLS|--tls-cert $work/certificate.pem --tls-key $work/key.pem|--tls-ca $work/ca.pem"
)

# written DIR: GB/s of a plain program that writes 1 MiB after 1 MiB there, and syncs once
written() {
  local gb
  gb=$(LC_ALL=C dd if=/dev/zero of="$1/written" bs=1M count=1024 conv=fdatasync 2>&1 | sed -n 's/^\([0-9]*\) bytes.* copied, \([0-9.e-]*\) s.*/\1 \2/p' | awk '{ printf "%.2f", $1 / $2 / 1e9 }')
  rm -f "$1/written"
  echo "$gb"
}

# run SERVER_OPTIONS WORKER_OPTIONS: GB/s in 'speed'
run() {
  local at_server at_worker
  read -ra at_server <<<"$1"
  read -ra at_worker <<<"$2"
  quiet || busy=$((busy + 1))
  serve --policy async ${at_server[@]+"${at_server[@]}"}
  push "$seconds" ${at_worker[@]+"${at_worker[@]}"}
  rm -rf "$memory/state" "$disk/state"
}

busy=0
before=$(load)
for ((pair = 0; pair < pairs; pair++)); do
  for ((row = 0; row < ${#rows[@]}; row++)); do
    IFS='|' read -r _ at_server at_worker at_both <<<"${rows[row]}"
    if (((pair + row) % 2)); then # by turns the first
      run "" "$at_both"; plain=$speed
      run "$at_server" "$at_worker $at_both"; with=$speed
    else
      run "$at_server" "$at_worker $at_both"; with=$speed
      run "" "$at_both"; plain=$speed
    fi
    echo "$with - $plain" >>"$work/$row"
  done
  echo "$(written "$memory") $(written "$disk")" >>"$work/disks"
  say "pair $((pair + 1)) of $pairs"
done
{
  echo "$(date -u +%F), $(processor); load average $before before, $(load) after. $seconds s a run, $pairs pairs; others left the processors alone before $((2 * pairs * ${#rows[@]} - busy)) of $((2 * pairs * ${#rows[@]})) runs."
  sort -n "$work/disks" | awk '{ a[NR] = $1; b[NR] = $2 } END { n = int((NR + 1) / 2); m = NR; for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++) if (b[j] < b[i]) { t = b[i]; b[i] = b[j]; b[j] = t }
    printf "A plain program (dd, 1 GiB with one fdatasync, median) writes %s GB/s into memory and %s GB/s to the disk.\n", a[n], b[n] }'
  echo
  echo "| full-path push of 1 MiB with | with | without | ratio, median | its quartiles | |"
  echo "|---|---|---|---|---|---|"
  for ((row = 0; row < ${#rows[@]}; row++)); do
    table_row "${rows[row]%%|*}" GB/s <"$work/$row"
  done
} >"$work/costs"
cat "$work/costs"
[[ -z $write ]] || between costs "$work/costs" docs/benchmarks.md
