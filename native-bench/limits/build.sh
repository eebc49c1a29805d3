#!/usr/bin/env bash
# Builds out/bench/limits for this machine's processor.
# Usage: native-bench/limits/build.sh     CC: the compiler, gcc if there is one, else clang
set -euo pipefail
cd "$(dirname "$0")/../.."
cc=${CC:-$(command -v gcc || command -v clang || true)}
[[ -n $cc ]] || { echo "build.sh: a C compiler is missing: apt-get install gcc" >&2; exit 2; }
mkdir -p out/bench
"$cc" -O3 -march=native -Wall -Wextra -o out/bench/limits.new native-bench/limits/limits.c native-bench/limits/measures.c
mv -f out/bench/limits.new out/bench/limits
