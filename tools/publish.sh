#!/usr/bin/env bash
# Publishes hpaps, hpaps-server and hpaps-worker as native binaries into out/bin/, and limits, which hpaps stress compares itself with.
# Usage: tools/publish.sh [RID]     RID: linux-x64 (default on x86-64) or linux-arm64
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
esac
. tools/prerequisites.sh
prerequisites publish.sh || exit 2
machine=$(uname -m)
case "$machine" in
  x86_64) default=linux-x64 ;;
  aarch64) default=linux-arm64 ;;
  *) echo "publish.sh: no native binaries for $machine; linux-x64 and linux-arm64 are supported" >&2; exit 2 ;;
esac
rid=${1:-$default}
case "$rid" in
  linux-x64 | linux-arm64) ;;
  *) echo "publish.sh: unknown RID '$rid'; use linux-x64 or linux-arm64" >&2; exit 2 ;;
esac
options=()
if [[ $rid != "$default" ]]; then
  triple=$([[ $rid == linux-arm64 ]] && echo aarch64-linux-gnu || echo x86_64-linux-gnu)
  if ! command -v "$triple-gcc" >/dev/null; then
    echo "publish.sh: $rid on $machine needs the cross compiler $triple-gcc; on Debian: apt-get install gcc-$triple zlib1g-dev:${rid#linux-}" >&2
    exit 2
  fi
  options=("-p:CppCompilerAndLinker=$triple-gcc" "-p:ObjCopyName=$triple-objcopy" -p:SysRoot=)
fi

# Binaries get the time at which this began: a source that is newer is not in them.
began=$(mktemp)
trap 'rm -f "$began"' EXIT
# bytes a binary may have: hpaps trains, simulates, plans, compares, stresses, and has a parser of command lines, one of configuration files, a terminal, and the options of the other two programs
# with it; hpaps-server has an HTTP server and OpenTelemetry for its monitoring port (docs/adr/0014), which hpaps and hpaps-worker do without
limit=$((15 * 1024 * 1024))
server_limit=$((17 * 1024 * 1024))
for program in hpaps hpaps-server hpaps-worker; do
  dotnet publish "src/$program" -c Release -r "$rid" -o "out/publish/$rid/$program" --nologo -v quiet "${options[@]}"
done
mkdir -p out/bin
for program in hpaps hpaps-server hpaps-worker; do
  binary="out/bin/$program"
  cp -f "out/publish/$rid/$program/$program" "$binary.new"
  touch -r "$began" "$binary.new"
  mv -f "$binary.new" "$binary"
  size=$(stat -c %s "$binary")
  printf '%-24s %6.1f MB\n' "$binary" "$(awk -v s="$size" 'BEGIN { print s / 1048576 }')"
  most=$limit
  [[ $program != hpaps-server ]] || most=$server_limit
  if ((size > most)); then
    echo "publish.sh: $binary has $size bytes, the limit is $most" >&2
    exit 1
  fi
done
# For this machine's own processor, so only where it is to run here.
rm -f out/bin/limits
if [[ $rid == "$default" ]]; then
  native-bench/limits/build.sh out/bin/limits
fi
