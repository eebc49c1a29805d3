# shellcheck shell=bash
# What building needs, checked in one place. Sourced by the other scripts; installs nothing.

# Names everything that is missing, with the commands that install it; false if anything is.
# Usage: prerequisites SCRIPT     SCRIPT: the name that the messages begin with. To be called at the root of the repository.
prerequisites() {
  local name=$1 missing=() headers tool
  if ! command -v dotnet >/dev/null; then
    missing+=("the .NET 10 SDK (dotnet): apt-get install dotnet-sdk-10.0; Fedora: dnf install dotnet-sdk-10.0; or https://dotnet.microsoft.com/download")
  elif ! dotnet --version >/dev/null 2>&1; then
    missing+=("the .NET SDK that global.json asks for, $(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json) or later of 10.0: apt-get install dotnet-sdk-10.0; Fedora: dnf install dotnet-sdk-10.0; installed: $(dotnet --list-sdks 2>/dev/null | cut -d' ' -f1 | paste -sd' ' || true)")
  fi
  if ! command -v gcc >/dev/null && ! command -v clang >/dev/null; then
    missing+=("a C compiler: apt-get install gcc; Fedora: dnf install gcc")
  fi
  if ! command -v ld >/dev/null && ! command -v ld.lld >/dev/null && ! command -v ld.bfd >/dev/null; then
    missing+=("a linker: apt-get install binutils; Fedora: dnf install binutils")
  fi
  headers=${HPAPS_ZLIB_HEADER:-/usr/include/zlib.h} # the variable is for tests
  [[ -e $headers ]] || missing+=("zlib headers: apt-get install zlib1g-dev; Fedora: dnf install zlib-devel")
  for tool in awk sed; do
    command -v "$tool" >/dev/null || missing+=("$tool: apt-get install ${tool/#awk/gawk}; Fedora: dnf install ${tool/#awk/gawk}")
  done
  ((${#missing[@]})) || return 0
  printf "$name: missing: %s\n" "${missing[@]}" >&2
  return 1
}

# Names a source that is newer than a published program, if there is one. Binaries carry the time at which their publishing began; a folder is newer when a file in it was added or removed.
# Usage: newer_than ROOT PROGRAM
newer_than() {
  find "$1/src" "$1/tools/launch/hpaps.sbatch" "$1"/Directory.* "$1/BannedSymbols.txt" "$1/global.json" "$1/tools/publish.sh" -newer "$2" -print -quit
}
