#!/usr/bin/env bash
# Prints a software bill of materials (CycloneDX 1.6, JSON) of the three programs: the packages of their lock files with their licences, and the packs of .NET that are compiled into them.
# Usage: tools/sbom.sh [RID]     RID: linux-x64 (default on x86-64) or linux-arm64
# Environment: SOURCE_DATE_EPOCH (default: time of the last commit); NUGET_PACKAGES: where NuGet keeps packages (default: ~/.nuget/packages)
# Exit codes: 0 done, 2 usage or something is missing, 3 a package was not restored
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

case "${1:-}" in
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
esac
rid=${1:-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')}
case "$rid" in
  linux-x64 | linux-arm64) ;;
  *) echo "sbom.sh: unknown RID '$rid'; use linux-x64 or linux-arm64" >&2; exit 2 ;;
esac
command -v jq >/dev/null || { echo "sbom.sh: missing: jq: apt-get install jq; Fedora: dnf install jq" >&2; exit 2; }

version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
programs=(hpaps hpaps-server hpaps-worker)

# What the project has packages for but does not ship: analysers, and what compiles and links.
tooling='^(Microsoft\.CodeAnalysis\.|Microsoft\.NET\.ILLink\.|Microsoft\.DotNet\.ILCompiler$|runtime\..*\.Microsoft\.DotNet\.ILCompiler$)'

# Name, version, scope, kind and hash of each, once.
# The packs come with the SDK that restored; lock files have no line for them. Only the monitoring port has ASP.NET in it.
listed=$(
  for program in "${programs[@]}"; do
    jq -r --arg rid "$rid" --arg tooling "$tooling" '
      .dependencies | to_entries[] | select(.key == "net10.0" or .key == "net10.0/" + $rid) | .value | to_entries[]
      | select(.value.type != "Project")
      | [.key, .value.resolved, (if .key | test($tooling) then "excluded" else "required" end), "library", .value.contentHash] | @tsv' "src/$program/packages.lock.json"
    assets=out/build/obj/$program/project.assets.json
    [[ -r $assets ]] || { echo "sbom.sh: $assets is missing: run tools/publish.sh" >&2; exit 3; }
    jq -r --arg rid "$rid" --arg program "$program" '
      [.project.frameworks[].downloadDependencies[]?
      | select(.name == "Microsoft.NETCore.App.Runtime.NativeAOT." + $rid or (.name == "Microsoft.AspNetCore.App.Runtime." + $rid and $program == "hpaps-server"))]
      | unique[] | [.name, (.version | ltrimstr("[") | split(",")[0]), "required", "framework", ""] | @tsv' "$assets"
  done | sort -u
)

# The licence as the package states it: an expression of SPDX, or the address of a text.
while IFS=$'\t' read -r name resolved scope kind hash; do
  folder=$packages/${name,,}/${resolved,,}
  nuspec=$folder/${name,,}.nuspec
  [[ -r $nuspec ]] || { echo "sbom.sh: $nuspec is missing: run 'dotnet restore HpAsyncPs.sln --locked-mode', or set NUGET_PACKAGES" >&2; exit 3; }
  expression=$(sed -n 's:.*<license type="expression">\([^<]*\)</license>.*:\1:p' "$nuspec" | head -n 1)
  address=$(sed -n 's:.*<licenseUrl>\([^<]*\)</licenseUrl>.*:\1:p' "$nuspec" | head -n 1)
  [[ -n $expression$address ]] || { echo "sbom.sh: $nuspec names no licence" >&2; exit 3; }
  jq -n --arg name "$name" --arg version "$resolved" --arg scope "$scope" --arg kind "$kind" --arg hash "$hash" --arg expression "$expression" --arg address "$address" '
    ("pkg:nuget/" + $name + "@" + $version) as $purl
    | {type: $kind, "bom-ref": $purl, name: $name, version: $version, scope: $scope, purl: $purl,
       licenses: [if $expression != "" then {expression: $expression} else {license: {name: $address, url: $address}} end]}
    | if $hash != "" then .properties = [{name: "nuget:contentHash", value: $hash}] else . end'
done <<<"$listed" | jq -s --arg version "$version" --arg rid "$rid" --arg time "$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" '
  {bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
   metadata: {timestamp: $time, component: {type: "application", "bom-ref": "hpaps", name: "HpAsyncPs", version: $version,
     licenses: [{expression: "Apache-2.0"}], properties: [{name: "rid", value: $rid}]}},
   components: .}'
