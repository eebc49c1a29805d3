#!/usr/bin/env bash
# Makes the tables and plots of docs/algorithms.md anew, and fails if what is said of them does not hold.
# Usage: tools/experiments.sh [--write] [TABLE...]
#   --write  puts the tables into docs/algorithms.md, and the plots into docs/pictures
#   TABLE    policies, plots, workers, slow, coding, images, generated, movielens, ratings: on the virtual clock, the same figures on every machine of one kind;
#            guard: what GuardTests measures; mf: processes on this machine (tools/measure-mf.sh). All of them if none is named; generated, images and movielens take minutes each; all of it took
#            15.5 minutes on two quiet cores (28 minutes of processor).
# It needs the binaries of tools/publish.sh, a9a and ml-latest-small in $HPAPS_DATA or ../shared/data, Fashion-MNIST (apt-get install dataset-fashion-mnist) for
# images, and a build of tests/ for guard. Exit codes: 0 done, 1 a claim does not hold or a run failed, 2 usage or something is missing.
set -euo pipefail
say() { echo "experiments.sh: $*" >&2; }
write=
case "${1:-}" in
  -h | --help) sed -n '2,10s/^# //p' "$0"; exit 0 ;;
  --write) write=1; shift ;;
esac
all=(policies plots workers slow coding images generated movielens ratings guard mf)
tables=("$@")
((${#tables[@]})) || tables=("${all[@]}")
for table in "${tables[@]}"; do [[ " ${all[*]} " == *" $table "* ]] || { say "there is no table '$table'; see --help"; exit 2; }; done
cd "$(dirname "$0")/.."
. tools/measuring.sh
folder=
for one in "${HPAPS_DATA:-}" ../shared/data; do
  [[ -n $folder || ! -e $one/a9a/a9a.svm.gz || ! -e $one/ml-latest-small/ratings.csv ]] || folder=$(realpath "$one")
done
[[ -n $folder ]] || { say "a9a/a9a.svm.gz and ml-latest-small/ratings.csv are neither in \$HPAPS_DATA nor in ../shared/data"; exit 2; }
[[ -x out/bin/hpaps ]] || { say "out/bin/hpaps is missing: tools/publish.sh"; exit 2; }
work=$(mktemp -d)
set -m # each run in a group of its own, so that all of it can be ended
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
a9a=(logreg --data "$folder/a9a/a9a.svm.gz" --l2 3.071158748e-05 --target 1e-6 --reference 0.323379582464847 --passes 100000 --pass-time 10ms)
most=1.05 # what auto may take of the time of the best of the others
failed=0
claim() { say "$1: does not hold"; failed=1; } # goes on: one run shows all that does not

# run FILE TASK OPTION...: simulates in the background, as many at a time as there are processors; the summary is in that file
run() {
  local file=$1
  shift
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n || true; done
  { out/bin/hpaps simulate "$@" --json >"$file.part" 2>"$file.errors" && mv "$file.part" "$file"; } &
}

# seconds FILE: virtual seconds to the target
seconds() {
  [[ -e $1 ]] || { say "$(cat "$1.errors")"; return 1; }
  grep -q '"reason": "target"' "$1" || { say "$(basename "$1") did not reach the target"; return 1; }
  number "$1" virtual_seconds
}

# race FILE POLICIES TASK OPTION...: the same run under each policy
race() {
  local file=$1 policy
  local -a policies
  read -ra policies <<<"$2"
  shift 2
  for policy in "${policies[@]}"; do run "$file.$policy" "$@" --policy "$policy"; done
}

# raced FILE POLICIES: the seconds of each, 1e9 where one of the others ended before the target, and, last, those of auto over the best of the others
raced() {
  local policy taken times=
  for policy in $2; do
    if [[ $policy != auto && -e $1.$policy ]] && ! grep -q '"reason": "target"' "$1.$policy"; then
      taken=1e9
    else
      taken=$(seconds "$1.$policy") || return 1
    fi
    times+="$policy $taken "
  done
  awk '{ for (k = 1; k < NF; k += 2) { printf "%s ", $(k + 1); if ($k == "auto") auto = $(k + 1); else if (!best || $(k + 1) < best) best = $(k + 1) } printf "%.2f\n", auto / best }' <<<"$times"
}

# compared TABLE WHAT FILE POLICIES: a row of that table
compared() {
  local figures ratio
  figures=$(raced "$3" "$4")
  ratio=${figures##* }
  awk -v what="$2" '{ printf "| %s |", what; for (k = 1; k < NF; k++) { if ($k < 1e9) printf " %.2f s |", $k; else printf " not reached |" } printf " %s |\n", $NF }' <<<"$figures" | tee -a "$work/$1" >&2
  awk -v r="$ratio" -v most="$most" 'BEGIN { exit !(r <= most) }' || claim "$1, $2: auto takes $ratio times as long as the best of the others; at most $most"
}

# heading FIRST POLICY...: of a table of those
heading() {
  local first=$1 row rule="|---|"
  shift
  row="| $first |"
  for one in "$@"; do row+=" \`$one\` |"; rule+="---|"; done
  printf '%s %s |\n%s\n' "$row" "\`auto\` over the best of the others" "$rule---|"
}

logistic="async bsp:1 bsp auto"
factors="async bsp auto" # a round of a factorisation has one exchange

table_policies() {
  local -a given
  local what options j=0
  local -a names=()
  while IFS='|' read -r what options; do
    read -ra given <<<"$options"
    names+=("$what")
    race "$work/policies.$((j++))" "$logistic" "${a9a[@]}" --workers 8 --codec fp32 "${given[@]}"
  done <<'END'
equal|
one 3 times slower|--slow 0:3
one 8 times slower|--slow 0:8
one 30 times slower|--slow 0:30
bursts, sigma 0.5|--slow-random 0.5
bursts, sigma 1|--slow-random 1
changing|--slow 0:8@0s-0.5s,1:8@0.5s-1s,2:4@1s-1000s
END
  wait
  heading speeds async bsp:1 bsp auto >"$work/policies"
  for j in "${!names[@]}"; do compared policies "${names[j]}" "$work/policies.$j" "$logistic"; done
}

# The relative gap over time under each policy, as the report of hpaps compare draws it, as pictures of their own.
table_plots() {
  local picture policy k
  local -a given
  while IFS='|' read -r picture options; do
    read -ra given <<<"$options"
    out/bin/hpaps compare "${a9a[@]}" --simulate --workers 8 --codecs fp32 --policies "${logistic// /,}" "${given[@]}" --out "$work/$picture" >/dev/null 2>"$work/errors" || { say "$(cat "$work/errors")"; return 1; }
    {
      echo '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 344 252" width="688" height="504">'
      sed -n '/<style>/,/<\/style>/p' "$work/$picture/report.html"
      sed -n '/<svg class="plot"/,/<\/svg>/{s/<svg class="plot"/& width="344" height="230"/;p;/<\/svg>/q}' "$work/$picture/report.html"
      k=0
      for policy in $logistic; do
        echo "<path class=\"series h$k d$k\" d=\"M$((k * 86 + 8)) 243h24\"/><text style=\"font-size:9.5px;fill:var(--soft)\" x=\"$((k * 86 + 38))\" y=\"246.5\">$policy</text>"
        ((k += 1))
      done
      echo '</svg>'
    } >"$work/$picture.svg"
    (($(grep -o 'class="series h3 d3"' "$work/$picture.svg" | wc -l) > 1)) || { say "the report of hpaps compare has no plot of four curves"; return 1; }
    [[ -z $write ]] || cp "$work/$picture.svg" docs/pictures/
  done <<'END'
policies-equal|
policies-slow|--slow 0:8
END
}

patterns=("" "--slow 0:8" "--slow-random 1" "--slow 0:8@0s-0.5s,1:8@0.5s-1s,0:4@1s-1000s")

# grid TABLE WORKERS: auto over the best of the others, patterns by numbers of workers; the runs are in $work/TABLE.WORKERS.PATTERN
grid() {
  local n j figures row
  printf '| workers | equal | one 8 times slower | bursts, sigma 1 | changing |\n|---|---|---|---|---|\n' >"$work/$1"
  for n in $2; do
    row="| $n |"
    for j in "${!patterns[@]}"; do
      figures=$(raced "$work/$1.$n.$j" "$logistic")
      row+=" ${figures##* } |"
      awk -v r="${figures##* }" -v most="$most" 'BEGIN { exit !(r <= most) }' || claim "$1, $n workers, pattern $j: auto takes ${figures##* } times as long as the best of the others"
    done
    echo "$row" | tee -a "$work/$1" >&2
  done
}

table_workers() {
  local n j
  local -a given
  for n in 2 4 16 32 64; do
    for j in "${!patterns[@]}"; do
      read -ra given <<<"${patterns[j]}"
      race "$work/workers.$n.$j" "$logistic" "${a9a[@]}" --workers "$n" --codec fp32 "${given[@]}"
    done
  done
  wait
  grid workers "2 4 16 32 64"
}

# How seldom a slow worker pushes under async, and what that costs.
table_slow() {
  local k
  for k in 1 4 8 30; do run "$work/slow.$k" "${a9a[@]}" --workers 8 --codec fp32 --policy async --slow "0:$k"; done
  wait
  printf '| one of 8 is slower | time | its pushes | all pushes |\n|---|---|---|---|\n' >"$work/slow"
  for k in 1 4 8 30; do
    echo "| $k times | $(printf %.2f "$(seconds "$work/slow.$k")") s | $(sed -n '/"worker_pushes"/{n;s/[^0-9]//g;p}' "$work/slow.$k") | $(number "$work/slow.$k" pushes) |" | tee -a "$work/slow" >&2
  done
}

# coded NAME CODEC FILE: a row of table coding; what did not arrive is at its gap
coded() {
  [[ -e $3 ]] || { say "$(cat "$3.errors")"; return 1; }
  bytes=$(($(number "$3" uplink_payload_bytes) + $(number "$3" downlink_payload_bytes)))
  taken=$(printf '%.2f s' "$(number "$3" virtual_seconds)")
  grep -q '"reason": "target"' "$3" || taken="gap $(printf %.1e "$(number "$3" relative_gap)") after $taken"
  printf '| %s | `%s` | %s | %s | %s bytes |\n' "$1" "$2" "$taken" "$(number "$3" pushes)" "$bytes" | tee -a "$work/coding" >&2
}

# Time and bytes by policy and codec, one of 8 workers 8 times slower.
table_coding() {
  local policy codec taken best=1e9 auto bytes least
  run "$work/coding.gradient" "${a9a[@]}" --workers 8 --slow 0:8 --policy bsp --codec fp32 --solver gradient --time-limit 1000
  for policy in async bsp:1 bsp auto; do
    for codec in fp32 int8 int4; do run "$work/coding.$policy.$codec" "${a9a[@]}" --workers 8 --slow 0:8 --policy "$policy" --codec "$codec" --time-limit 60; done
  done
  wait
  printf '| policy | codec | time | pushes | payload, both ways |\n|---|---|---|---|---|\n' >"$work/coding"
  for policy in async bsp:1 bsp auto; do
    for codec in fp32 int8 int4; do
      coded "\`$policy\`" "$codec" "$work/coding.$policy.$codec"
      [[ $policy != bsp* || $taken == gap* ]] || best=$(awk -v a="$best" -v b="${taken% s}" 'BEGIN { print a < b ? a : b }')
      [[ $policy.$codec != auto.int4 ]] || { auto=$taken; least=$bytes; }
    done
  done
  coded "\`bsp\`, gradient steps" fp32 "$work/coding.gradient"
  awk -v a="${auto% s}" -v b="$best" 'BEGIN { exit !(a ~ /^[0-9.]+$/ && a <= 0.8 * b) }' || claim "coding: auto in int4 takes at most 0.8 of the time of the best bsp ($auto, $best s)"
  awk -v a="$least" -v b="$bytes" 'BEGIN { exit !(100 * a <= b) }' || claim "coding: auto in int4 sends at most a hundredth of what gradient steps do ($least, $bytes bytes)"
}

# versus TABLE POLICIES TASK OPTION...: speeds of 8 workers
versus() {
  local table=$1 policies=$2 j
  local -a given names=(equal "one 8 times slower" "bursts, sigma 1" changing)
  shift 2
  for j in "${!patterns[@]}"; do
    read -ra given <<<"${patterns[j]}"
    race "$work/$table.$j" "$policies" "$@" --workers 8 --codec fp32 "${given[@]}"
  done
  wait
  for j in "${!patterns[@]}"; do compared "$table" "$name${names[j]}" "$work/$table.$j" "$policies"; done
}

# Shirts against the rest, to a gap of 1e-3; the optimum is that of 3,000 passes of one worker.
table_images() {
  local images name=
  local found=
  for images in ${HPAPS_DATA:+"$HPAPS_DATA/fashion-mnist"} /usr/share/datasets/fashion-mnist; do [[ ! -e $images/train-images-idx3-ubyte.gz ]] || { found=1; break; }; done
  [[ -n $found ]] || { say "the images are missing: apt-get install dataset-fashion-mnist"; exit 2; }
  out/bin/hpaps convert idx --images "$images/train-images-idx3-ubyte.gz" --labels "$images/train-labels-idx1-ubyte.gz" --positive 6 --out "$work/shirts" 2>"$work/errors" || { say "$(cat "$work/errors")"; return 1; }
  heading speeds async bsp:1 bsp auto >"$work/images"
  versus images "$logistic" logreg --data "$work/shirts" --l2 1.6666666666666667e-05 --target 1e-3 --reference 0.17620519 --passes 3000 --pass-time 10ms
  rm "$work/shirts"
}

# Generated rows, l2 = 1e-2, to a gap of 1e-6; the optima are those of 1,500 passes of one worker, which 800 passes reach to 1e-14.
table_generated() {
  local features optimum name
  heading "features, speeds" async bsp:1 bsp auto >"$work/generated"
  while read -r features optimum; do
    out/bin/hpaps generate classification --rows 40000 --features "$features" --density 0.002 --out "$work/rows" --force 2>"$work/errors" || { say "$(cat "$work/errors")"; return 1; }
    name="$features, "
    versus generated "$logistic" logreg --data "$work/rows" --l2 1e-2 --target 1e-6 --reference "$optimum" --passes 20000 --pass-time 10ms
  done <<'END'
5000 0.41188669326823385
20000 0.3277162783697395
50000 0.2243251713894905
END
}

# ml-latest-small to 1.005 times the held-out RMSE that one worker has after 40 passes: the median over the splits of some seeds: most where steps are drawn.
# seeds PATTERN: how many
seeds() { echo $(($1 == 2 ? 5 : 3)); }

table_movielens() {
  local n j seed goal ratios ratio row
  local -a data=(mf --data "$folder/ml-latest-small/ratings.csv" --holdout 0.1 --pass-time 100ms --codec fp32) given speeds=("" "--slow 0:8" "--slow-random 1" "--slow 0:8@0s-2s,1:8@2s-4s")
  for seed in 1 2 3 4 5; do run "$work/movielens.$seed" "${data[@]}" --workers 1 --passes 40 --seed "$seed"; done
  wait
  for seed in 1 2 3 4 5; do [[ -e $work/movielens.$seed ]] || { say "$(cat "$work/movielens.$seed.errors")"; return 1; }; done
  for n in 2 4 8 16; do
    for j in "${!speeds[@]}"; do
      read -ra given <<<"${speeds[j]}"
      for ((seed = 1; seed <= $(seeds "$j"); seed++)); do
        goal=$(awk -v r="$(number "$work/movielens.$seed" test_rmse)" 'BEGIN { printf "%.6f", 1.005 * r }')
        race "$work/movielens.$n.$j.$seed" "$factors" "${data[@]}" --workers "$n" --passes 400 --target "$goal" --seed "$seed" "${given[@]}"
      done
    done
  done
  wait
  printf '| workers | equal | one 8 times slower | bursts, sigma 1 | changing |\n|---|---|---|---|---|\n' >"$work/movielens"
  for n in 2 4 8 16; do
    row="| $n |"
    for j in "${!speeds[@]}"; do
      ratios=
      for ((seed = 1; seed <= $(seeds "$j"); seed++)); do
        ratio=$(raced "$work/movielens.$n.$j.$seed" "$factors")
        ratios+="${ratio##* }"$'\n'
      done
      ratio=$(sort -g <<<"${ratios%$'\n'}" | sed -n "$((($(seeds "$j") + 1) / 2))p")
      row+=" $ratio |"
      awk -v r="$ratio" -v most="$most" 'BEGIN { exit !(r <= most) }' || claim "movielens, $n workers, pattern $j: auto takes $ratio times as long as the best of the others"
    done
    echo "$row" | tee -a "$work/movielens" >&2
  done
}

# Ten million generated ratings, 8 workers, to 1.005 times the held-out RMSE that one worker has after 20 passes.
table_ratings() {
  local name= goal
  out/bin/hpaps generate ratings --ratings 10000000 --users 70000 --items 10000 --out "$work/ratings.csv" 2>"$work/errors" || { say "$(cat "$work/errors")"; return 1; }
  run "$work/ratings.one" mf --data "$work/ratings.csv" --holdout 0.01 --pass-time 100ms --codec fp32 --workers 1 --passes 20
  wait
  [[ -e $work/ratings.one ]] || { say "$(cat "$work/ratings.one.errors")"; return 1; }
  goal=$(awk -v r="$(number "$work/ratings.one" test_rmse)" 'BEGIN { printf "%.6f", 1.005 * r }')
  heading speeds async bsp auto >"$work/ratings"
  versus ratings "$factors" mf --data "$work/ratings.csv" --holdout 0.01 --pass-time 100ms --passes 100 --target "$goal"
  rm "$work/ratings.csv"
}

# Guarded local steps over gradient steps alone, as GuardTests measures and bounds it.
table_guard() {
  local tests=out/build/bin/HpAsyncPs.Tests/release/HpAsyncPs.Tests
  [[ -x $tests ]] || { say "$tests is missing: dotnet build tests -c Release"; return 1; }
  HPAPS_DATA=$folder "$tests" -noLogo -noColor -method '*GuardTests.Guarded_takes_no_longer_than_gradient_steps_alone' -xml "$work/guard.xml" >"$work/errors" 2>&1 || { say "$(cat "$work/errors")"; return 1; }
  printf '| shards | equal speeds | one 8 times slower |\n|---|---|---|\n' >"$work/guard"
  sed -n 's/.*<output>.*\(random\|by label\|by feature\|own features\), \([0-9]*\)x: guarded.*ratio \([0-9.]*\);.*/\1|\2|\3/p' "$work/guard.xml" | awk -F'|' '
    { ratio[$1, $2] = $3; n++ }
    END {
      split("random,by label,by feature,own features", key, ","); split("a9a, at random|a9a, sorted by label|a9a, sorted by features|generated, features of their own", name, "|")
      for (k = 1; k <= 4; k++) printf "| %s | %s | %s |\n", name[k], ratio[key[k], 1], ratio[key[k], 8]
      exit n != 8
    }' | tee -a "$work/guard" >&2
}

table_mf() { tools/measure-mf.sh "$folder/ml-latest-small/ratings.csv" | tee "$work/mf" >&2; }

for table in "${tables[@]}"; do
  say "$table"
  "table_$table"
  [[ -z $write || $table == plots ]] || between "$table" "$work/$table" docs/algorithms.md
done
exit $failed
