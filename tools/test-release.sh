#!/usr/bin/env bash
# Tries an archive of tools/release.sh where nothing of .NET is: in a new root of Debian's smallest system it checks the sums, generates data, trains with two workers,
# with two servers, and by tools/launch/local.sh of the archive, and looks at what came of it. Needs root, debootstrap, and a Debian mirror: it skips, saying why, where one of them is missing. The root is removed at the end.
# Usage: tools/test-release.sh [ARCHIVE]     ARCHIVE: default: the newest of out/release
# Environment: MIRROR and SUITE of Debian (default: those that this machine installs from, else deb.debian.org and stable); ROOT_TIME: seconds for making the root (default 600)
# Exit codes: 0 done or skipped, 1 the archive is bad, 2 usage
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fail() { echo "test-release.sh: ${*:2}" >&2; exit "$1"; }
skip() { echo "test-release.sh: skipped: $*"; exit 0; }

case "${1:-}" in
  -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
  -*) fail 2 "there is no option '$1'; see tools/test-release.sh --help" ;;
esac
archive=${1:-$(find "$here/out/release" -maxdepth 1 -name 'hpaps-*-linux-*.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)}
[[ -n $archive && -f $archive ]] || fail 2 "${archive:-out/release}: there is no archive: run tools/release.sh"
case "$(uname -m)" in
  x86_64) architecture=amd64 rid=linux-x64 ;;
  aarch64) architecture=arm64 rid=linux-arm64 ;;
  *) skip "no archive is for $(uname -m)" ;;
esac
[[ $archive == *-"$rid".tar.gz ]] || skip "$archive is not for this machine ($rid)"
((EUID == 0)) || skip "chroot needs root"
command -v debootstrap >/dev/null || skip "debootstrap is missing: apt-get install debootstrap"

# One that this machine has itself: there may be no other in reach.
if [[ -z ${MIRROR:-} ]]; then
  # shellcheck disable=SC2016  # apt-get expands it
  MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 2>/dev/null | awk '$2 == "Debian" && $1 !~ /security/ { print $1; exit }' || true)
fi
if [[ -z ${SUITE:-} ]]; then
  SUITE=$(. /etc/os-release; [[ ${ID:-} != debian ]] || echo "${VERSION_CODENAME:-}")
fi
MIRROR=${MIRROR:-http://deb.debian.org/debian} SUITE=${SUITE:-stable}

work=$(mktemp -d)
root=$work/root
# What debootstrap mounts in the root is undone first: nothing below a mount may be removed.
# shellcheck disable=SC2317,SC2329  # called by the trap
clean() {
  local code=$? point
  while read -r point; do
    umount -l "$point" || { echo "test-release.sh: $point could not be unmounted; $work is left" >&2; exit "$code"; }
  done < <(awk -v at="$root/" 'index($2, at) == 1 { print $2 }' /proc/self/mounts | sort -r)
  rm -rf --one-file-system "$work"
  exit "$code"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "test-release.sh: $SUITE of $MIRROR in $root"
if ! timeout --kill-after=10 "${ROOT_TIME:-600}" debootstrap --variant=minbase --arch="$architecture" "$SUITE" "$root" "$MIRROR" >"$work/log" 2>&1; then
  tail -n 5 "$work/log" >&2
  skip "debootstrap could not make a root; above is the end of what it said"
fi
[[ ! -e $root/usr/bin/dotnet && ! -e $root/usr/share/dotnet && ! -e $root/usr/lib/dotnet ]] || fail 1 "$root has .NET in it, so it shows nothing"
mkdir "$root/opt/hpaps"
tar --extract --gzip --file="$archive" --directory="$root/opt/hpaps" --strip-components=1
version=$(tr ' ' '\n' <"$root/opt/hpaps/RELEASE" | sed -n 2p)

# /dev as debootstrap makes it is enough; the caller's variables stay outside. Everything has a limit.
inside() { timeout --kill-after=10 120 chroot "$root" /usr/bin/env -i PATH=/opt/hpaps/bin:/usr/bin:/bin HOME=/tmp LC_ALL=C /bin/bash -ec "cd /tmp; $1"; }
inside 'cd /opt/hpaps; sha256sum --quiet -c SHA256SUMS' || fail 1 "what was unpacked has other sums than SHA256SUMS"
for program in hpaps hpaps-server hpaps-worker; do
  said=$(inside "$program --version") || fail 1 "$program does not run in $SUITE"
  [[ $said == "$version" ]] || fail 1 "$program says it is $said, and RELEASE says $version"
done
inside 'hpaps generate classification --out train.svm --test-out test.svm --rows 4000' >"$work/log" 2>&1 || { cat "$work/log" >&2; fail 1 "no data could be generated"; }
inside 'hpaps train logreg --data train.svm --test test.svm --workers 2 --passes 50 --out run' >"$work/log" 2>&1 || { cat "$work/log" >&2; fail 1 "training failed"; }
summary=$root/tmp/run/summary.json
value() { sed -n "s/^ *\"$1\": \([^,]*\),*$/\1/p" "$summary" | head -n 1; }
[[ $(value workers) == 2 ]] || fail 1 "summary.json does not have workers 2: $(value workers)"
awk -v accuracy="$(value test_accuracy)" 'BEGIN { exit !(accuracy > 0.85 && accuracy <= 1) }' || fail 1 "test_accuracy in summary.json is $(value test_accuracy), and the planted separator's is 0.95"
inside 'hpaps evaluate --model run --data test.svm' >/dev/null || fail 1 "the model that was trained cannot be evaluated"
accuracy=$(value test_accuracy)
inside 'hpaps train logreg --data train.svm --workers 2 --servers 2 --passes 50 --out two' >"$work/log" 2>&1 || { cat "$work/log" >&2; fail 1 "training with two servers failed"; }
[[ -e $root/proc/self/fd ]] || mount -t proc proc "$root/proc" || fail 1 "$root/proc cannot be mounted: bash needs it for the pipes of local.sh"
inside 'HPAPS_SERVERS=2 /opt/hpaps/tools/launch/local.sh train.svm 2 --passes 50 --out hand' >"$work/log" 2>&1 || { cat "$work/log" >&2; fail 1 "tools/launch/local.sh failed"; }
for run in two hand; do
  summary=$root/tmp/$run/summary.json
  [[ $(value servers) == 2 ]] || fail 1 "$run/summary.json does not have servers 2: $(value servers)"
  inside "hpaps evaluate --model $run --data test.svm" >/dev/null || fail 1 "the model of $run cannot be evaluated"
done
echo "test-release.sh: $(basename "$archive") runs in a clean $SUITE: version $version, trained with 2 workers, test accuracy $accuracy; with 2 servers, and by local.sh"
