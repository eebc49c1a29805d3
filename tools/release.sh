#!/usr/bin/env bash
# Packs what tools/publish.sh has made, with documents and what installs it, as hpaps-VERSION-RID.tar.gz: the same bytes for the same commit and programs.
# Usage: tools/release.sh [--out DIR]     DIR: where the archive, its SBOM and SHA256SUMS go, over those of the same names (default: out/release)
# Environment: HPAPS_BIN: folder of the programs (default: out/bin of this repository); SOURCE_DATE_EPOCH (default: time of the last commit)
# Exit codes: 0 done, 2 usage or something is missing, 3 the programs are missing or not of this source
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C TZ=UTC
umask 022
fail() { echo "release.sh: ${*:2}" >&2; exit "$1"; }

out=
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    --out) out=${2:-}; [[ -n $out ]] || fail 2 "--out needs a folder"; shift 2 ;;
    --out=?*) out=${1#--out=}; shift ;;
    *) fail 2 "there is no option '$1'; see tools/release.sh --help" ;;
  esac
done
missing=()
for tool in git:git jq:jq objdump:binutils tar:tar gzip:gzip sha256sum:coreutils; do
  command -v "${tool%%:*}" >/dev/null || missing+=("${tool%%:*}: apt-get install ${tool##*:}; Fedora: dnf install ${tool##*:}")
done
((!${#missing[@]})) || { printf 'release.sh: missing: %s\n' "${missing[@]}" >&2; exit 2; }
case "$(uname -m)" in
  x86_64) rid=linux-x64 cpu="x86-64 with AVX2 and FMA (x86-64-v3)" ;;
  aarch64) rid=linux-arm64 cpu=arm64 ;;
  *) fail 2 "no native binaries for $(uname -m)" ;;
esac
out=${out:-$here/out/release}
mkdir -p "$out" || fail 2 "$out cannot be made; name another folder"
out=$(cd "$out" && pwd)
bin=${HPAPS_BIN:-$here/out/bin}
[[ $bin == /* ]] || bin=$PWD/$bin
cd "$here"

programs=(hpaps hpaps-server hpaps-worker)
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
commit=$(git rev-parse HEAD) || fail 2 "$here is no checkout: the archive names its commit"
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
# shellcheck source=tools/prerequisites.sh
. tools/prerequisites.sh
for program in "${programs[@]}"; do
  [[ -x $bin/$program ]] || fail 3 "$bin/$program is missing: run tools/publish.sh, or set HPAPS_BIN"
  said=$("$bin/$program" --version) || fail 3 "$bin/$program does not run on this machine: run tools/publish.sh here"
  [[ $said == "$version" ]] || fail 3 "$bin/$program is version $said, and Directory.Build.props says $version: run tools/publish.sh"
  newer=$(newer_than "$here" "$bin/$program")
  [[ -z $newer ]] || fail 3 "$bin/$program is older than $newer: run tools/publish.sh"
done

name=hpaps-$version-$rid
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$root/bin"
for program in "${programs[@]}"; do
  install -m 755 "$bin/$program" "$root/bin/"
done
# Only what is in the repository, at the same place, so that links between documents lead somewhere.
git ls-files -z -- README.md CHANGELOG.md LICENSE docs packaging tools/launch tools/monitoring tools/hpaps.example.toml tools/prices.example.json \
  | xargs -0 cp --parents -t "$root"

tools/sbom.sh "$rid" >"$work/sbom" || exit
install -m 644 "$work/sbom" "$root/sbom.cdx.json"

HPAPS_BIN=$root/bin SOURCE_DATE_EPOCH=$epoch tools/man-pages.sh "$root/share/man/man1" || exit
# A shell looks for a file of the program's name. One script serves all three programs.
for place in bash-completion/completions:bash: zsh/site-functions:zsh:_ fish/vendor_completions.d:fish:; do
  IFS=: read -r folder shell prefix <<<"$place"
  mkdir -p "$root/share/$folder"
  suffix=
  [[ $shell != fish ]] || suffix=.fish
  "$root/bin/hpaps" completion "$shell" >"$root/share/$folder/${prefix}hpaps$suffix"
  [[ $shell == zsh ]] || for program in hpaps-server hpaps-worker; do
    ln -s "hpaps$suffix" "$root/share/$folder/$program$suffix"
  done
done

# The newest version of a symbol that a program asks the C library for is the oldest library that it runs with.
glibc=$(for program in "${programs[@]}"; do objdump -T "$root/bin/$program"; done | grep -o 'GLIBC_[0-9][0-9.]*' | sort -Vu | tail -n 1)
glibc=${glibc#GLIBC_}
[[ -n $glibc ]] || fail 3 "objdump finds no version of the C library in $bin"
changes=
[[ -z $(git status --porcelain) ]] || changes=", with changes that are not committed"
cat >"$root/RELEASE" <<TEXT
HpAsyncPs $version for $rid
commit $commit of $(git log -1 --format=%cd --date=format:%Y-%m-%d)$changes

Needed: Linux on $cpu, glibc $glibc or later. Nothing else, but OpenSSL
where tokens, TLS or the monitoring port are used: libssl 3 or 1.1 (apt-get install libssl3; Fedora: dnf install openssl-libs).

Check it:    sha256sum -c SHA256SUMS
Try it:      bin/hpaps --help
Install it:  cp -R bin share /usr/local/     (services: packaging/systemd, docs/packages.md)

README.md is the place to begin, where out/bin/ is bin/ of this folder; sbom.cdx.json lists what the programs are made of.
TEXT

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -perm /100 -exec chmod 755 {} +
find "$root" -type f ! -perm /100 -exec chmod 644 {} +
(cd "$root" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum) >"$work/sums"
install -m 644 "$work/sums" "$root/SHA256SUMS"
tar --create --directory="$work" --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner "$name" | gzip -n -9 >"$work/archive"

# Each is there whole or not at all.
install -m 644 "$work/archive" "$out/.$name.tar.gz.new"
mv -f "$out/.$name.tar.gz.new" "$out/$name.tar.gz"
install -m 644 "$work/sbom" "$out/$name.cdx.json"
(cd "$out" && sha256sum "$name.cdx.json" "$name.tar.gz" >SHA256SUMS)
echo "$out/$name.tar.gz: $(awk -v s="$(stat -c %s "$out/$name.tar.gz")" 'BEGIN { printf "%.1f", s / 1048576 }') MB; needs glibc $glibc or later"
