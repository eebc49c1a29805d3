#!/usr/bin/env bash
# Makes docs/pictures/monitor.png: the page of a real run, four workers, one of them slow for a time, one killed and started again, in Chromium without a window.
# Usage: tools/monitoring/screenshot.sh [OUT]     needs tools/publish.sh, the tests built (they bring Playwright), and chromium
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
  -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
esac
out=${1:-docs/pictures/monitor.png}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[[ -n $browser ]] || { echo "screenshot.sh: no chromium; on Debian: apt-get install chromium" >&2; exit 2; }
for program in hpaps hpaps-server hpaps-worker; do
  [[ -x out/bin/$program ]] || { echo "screenshot.sh: out/bin/$program is not there: run tools/publish.sh" >&2; exit 2; }
done
driver=out/build/bin/HpAsyncPs.Tests/release/.playwright
[[ -d $driver ]] || { echo "screenshot.sh: $driver is not there: dotnet build tests -c Release" >&2; exit 2; }
folder=$(mktemp -d)
pids=()
finish() {
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

out/bin/hpaps generate classification --out "$folder/train.svm" --rows 20000 --condition 1e4 2>/dev/null
out/bin/hpaps-server --listen "unix:$folder/server" --workers 4 --policy async --passes 1e6 --monitor 127.0.0.1:0 2>"$folder/log" &
pids+=($!)
worker() { # RANK [OPTIONS]
  out/bin/hpaps-worker logreg --server "unix:$folder/server" --data "$folder/train.svm" --solver gradient --part "$1/4" --slow "${2:-60}" >/dev/null 2>&1 &
  pids+=($!)
}
worker 0
worker 1
worker 2 "500@25s-45s"
worker 3
killed=${pids[4]}
address=
for _ in $(seq 100); do
  address=$(sed -n 's/.*monitoring at \(http:[^ ]*\).*/\1/p' "$folder/log")
  [[ -z $address ]] || break
  sleep 0.1
done
[[ -n $address ]] || { cat "$folder/log" >&2; exit 1; }

mkdir -p "$(dirname "$out")"
# The page draws what came since it was opened: it is open for as long as the run is to show.
cat >"$folder/picture.js" <<'JS'
const [, , driver, browser, address, out] = process.argv;
(async () => {
  const { chromium } = require(driver);
  const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const page = await chrome.newPage({ viewport: { width: 1100, height: 800 } });
  await page.goto(address);
  await page.waitForTimeout(75000);
  await page.screenshot({ path: out, clip: { x: 0, y: 0, width: 1100, height: 1280 }, fullPage: true });
  await chrome.close();
})().catch(error => { console.error(error); process.exit(1); });
JS
timeout 180 "$driver/node/linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)/node" "$folder/picture.js" "$PWD/$driver/package" "$browser" "$address" "$folder/monitor.png" 2>"$folder/browser.log" &
browser_pid=$!
sleep 50
kill -9 "$killed" 2>/dev/null || true
sleep 12
worker 3
wait "$browser_pid" || { cat "$folder/browser.log" >&2; exit 1; }
mv "$folder/monitor.png" "$out"
size=$(stat -c %s "$out")
echo "$out: $size bytes"
((size < 300000)) || { echo "screenshot.sh: the picture is larger than 300 kB" >&2; exit 1; }
