# shellcheck shell=bash
# What scripts that measure share. Sourced.

# ticks: of all processors since the start, and those of them that were idle
ticks() { awk '/^cpu / { for (k = 2; k <= 9; k++) all += $k; print all, $5 + $6; exit }' /proc/stat; }

# Are others quiet, less than a tenth of the processors' time spent? Waits for that while there is patience, a minute in all.
patience=300
quiet() {
  local before after
  while :; do
    before=$(ticks)
    sleep 0.2
    after=$(ticks)
    awk -v a="$before" -v b="$after" 'BEGIN { split(a, x); split(b, y); exit !(y[2] - x[2] >= 0.9 * (y[1] - x[1])) }' && return 0
    ((--patience > 0)) || { patience=1; return 1; }
  done
}
