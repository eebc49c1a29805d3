#!/usr/bin/env bash
# Builds limits for this machine's processor.
# Usage: native-bench/limits/build.sh [FILE]     FILE: out/bench/limits; CC: the compiler, gcc if there is one, else clang
set -euo pipefail
file=$(realpath -m "${1:-$(dirname "$0")/../../out/bench/limits}")
cd "$(dirname "$0")/../.."
cc=${CC:-$(command -v gcc || command -v clang || true)}
[[ -n $cc ]] || { echo "build.sh: a C compiler is missing: apt-get install gcc" >&2; exit 2; }
mkdir -p "$(dirname "$file")"
"$cc" -O3 -march=native -Wall -Wextra -o "$file.new" native-bench/limits/limits.c native-bench/limits/measures.c
mv -f "$file.new" "$file"
