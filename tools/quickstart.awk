# The table of tools/quickstart.sh. Input, a line each for async and bsp: policy, training seconds, test RMSE, passes, bytes up,
# bytes down. Variables async and bsp: their trace.csv.

# When the RMSE was first measured to be near enough, in reached[policy], and when it was measured last before, in before[policy];
# the truth is between. An RMSE that is above again later does not count as reached.
function read_trace(policy, file,    line, n, field, j, seconds, rmse, column) {
  column["seconds"] = column["test_rmse"] = 0
  while ((getline line < file) > 0) {
    n = split(line, field, ",")
    if (!column["seconds"]) {
      for (j = 1; j <= n; j++)
        column[field[j]] = j
      continue
    }
    seconds = field[column["seconds"]]
    rmse = field[column["test_rmse"]]
    if (rmse == "")
      continue
    if (seconds + 0 != last[policy] + 0 || !measured[policy])
      measured[policy]++
    last[policy] = seconds
    if (rmse + 0 > near) {
      before[policy] = seconds + 0
      reached[policy] = -1
    } else if (reached[policy] < 0)
      reached[policy] = seconds + 0
  }
  close(file)
}

function there(policy) {
  return reached[policy] < 0 ? "not reached" : sprintf("%.2f to %.2f", before[policy], reached[policy])
}

function megabytes(bytes) { return sprintf("%.1f", bytes / 1e6) }

{
  order[NR] = $1
  seconds[$1] = $2; rmse[$1] = $3; passes[$1] = $4; up[$1] = $5; down[$1] = $6
}

END {
  tolerance = 0.005
  near = rmse["bsp"] + tolerance
  reached["async"] = reached["bsp"] = -1
  before["async"] = before["bsp"] = 0
  read_trace("async", async)
  read_trace("bsp", bsp)

  row = "%-8s%12s%24s%12s%10s%10s%10s\n"
  printf "\n" row, "policy", "training, s", "within " tolerance " of bsp, s", "test RMSE", "passes", "MB up", "MB down"
  for (j = 1; j <= NR; j++) {
    p = order[j]
    printf row, p, sprintf("%.2f", seconds[p]), there(p), sprintf("%.4f", rmse[p]), sprintf("%.1f", passes[p]), megabytes(up[p]), megabytes(down[p])
  }
  print ""

  a = reached["async"]; b = reached["bsp"]
  printf "Within %s of bsp's last RMSE (at most %.4f): ", tolerance, near
  if (a < 0)
    printf "async was not there after its %.1f passes in %.2f s, at %.4f; bsp was after %.2f s.\n", passes["async"], seconds["async"], rmse["async"], b
  else if (a < before["bsp"])
    printf "async was there after %.2f s at the latest, bsp between %.2f s and %.2f s: async at least %.1f times sooner.\n",
      a, before["bsp"], b, before["bsp"] / (a > 0 ? a : 1e-3)
  else if (b < before["async"])
    printf "bsp was there after %.2f s at the latest, async between %.2f s and %.2f s: here the barrier was at least %.1f times sooner.\n",
      b, before["async"], a, before["async"] / (b > 0 ? b : 1e-3)
  else {
    ratio = a < b ? b / (a > 0 ? a : 1e-3) : a / (b > 0 ? b : 1e-3)
    printf "async was first seen there after %.2f s, bsp after %.2f s", a, b
    if (ratio >= 1.05)
      printf ": %s %.1f times sooner", (a < b ? "async" : "bsp"), ratio
    printf ".\nThe RMSE was measured %d and %d times only, so each may have been there before it was seen.\n", measured["async"], measured["bsp"]
  }
}
