#!/usr/bin/env bash
# Restores, checks the format, builds, publishes, and runs all tests. Installs nothing; says what is missing.
# The last line is: N passed, N failed, N skipped.
# Real data is looked for in $HPAPS_DATA, then in ../shared/data; tests that need it skip where neither is.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

. tools/prerequisites.sh
prerequisites test.sh || exit 2

step() { printf '\n== %s\n' "$*"; }
results=out/test-results
rm -rf "$results"
mkdir -p "$results"

step restore
dotnet restore HpAsyncPs.sln --locked-mode --nologo -v quiet
step format
dotnet format whitespace HpAsyncPs.sln --verify-no-changes --no-restore # style and analysers are checked by the build
step build
dotnet build HpAsyncPs.sln -c Release --no-restore --nologo -v quiet
step publish
tools/publish.sh

step smoke
for program in hpaps hpaps-server hpaps-worker; do
  version=$("out/bin/$program" --version)
  "out/bin/$program" --help | grep -q Examples || { echo "test.sh: $program --help has no examples" >&2; exit 1; }
  echo "$program $version"
done

runner=out/build/bin/HpAsyncPs.Tests/release/HpAsyncPs.Tests
failed=0
# Three CPUs: this one, one without AVX2, one without any vector unit. On the narrow ones only what depends on it runs.
run() {
  local name=$1
  shift
  step "tests ($name)"
  "$runner" -noLogo -noColor -result-xml "$results/$name.xml" "$@" || failed=1
}
run default
DOTNET_EnableAVX2=0 run no-avx2 -namespace HpAsyncPs.Tests.Kernels -namespace HpAsyncPs.Tests.Codecs
DOTNET_EnableHWIntrinsic=0 run no-vectors -namespace HpAsyncPs.Tests.Kernels -namespace HpAsyncPs.Tests.Codecs

step result
# The runners' own counts, summed over their runs.
counts=$(cat "$results"/*.xml | tr '>' '\n' | awk '
  /<assembly / {
    runs++
    while (match($0, /(passed|failed|skipped|errors)="[0-9]+"/)) {
      split(substr($0, RSTART, RLENGTH), pair, "\"")
      sub(/=$/, "", pair[1]); sum[pair[1]] += pair[2]
      $0 = substr($0, RSTART + RLENGTH)
    }
  }
  END { printf "%d %d %d %d", runs, sum["passed"], sum["failed"] + sum["errors"], sum["skipped"] }')
read -r runs passed failures skipped <<<"$counts"
if ((runs != 3 || (failed && failures == 0))); then
  failures=$((failures + 1)) # a run that died gives no count
fi
if [[ ${CI:-} == true && $skipped -gt 0 ]] && grep -q 'HPAPS_DATA' "$results"/*.xml; then
  echo "test.sh: in CI no test may skip for want of data" >&2
  failures=$((failures + 1))
fi
echo "$passed passed, $failures failed, $skipped skipped"
((failures == 0))
