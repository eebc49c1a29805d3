# shellcheck shell=bash
# A server and workers in network namespaces of their own, each worker at a cable of its own, for scripts that measure over links. Sourced, after
# measuring.sh. Needs root, ip and tc of iproute2; $work is a folder of who sources it, who calls 'uncable' at the end.
spaces=() server= children=()

# cables COUNT: the server's namespace and one for each of so many workers, with a token for all of them
cables() {
  local j there names=(s a b c d e f g h)
  for ((j = 0; j <= $1; j++)); do
    spaces+=("hl$$${names[j]}")
    ip netns add "${spaces[j]}"
    ip -n "${spaces[j]}" link set lo up
  done
  for ((j = 0; j < $1; j++)); do
    there=${spaces[j + 1]}
    ip link add "$there" netns "${spaces[0]}" type veth peer name "$there" netns "$there"
    ip -n "${spaces[0]}" address add "10.213.$((50 + j)).1/24" dev "$there"
    ip -n "$there" address add "10.213.$((50 + j)).2/24" dev "$there"
    ip -n "${spaces[0]}" link set "$there" up
    ip -n "$there" link set "$there" up
  done
  (umask 077; head -c 32 /dev/urandom | base64 >"$work/token")
}

# uncable: ends what runs there, and removes all of it
uncable() {
  local space tries
  kill $server "${children[@]}" 2>/dev/null || true
  for ((tries = 0; tries < 100; tries++)); do # in order, they write what they have
    kill -0 $server "${children[@]}" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL $server "${children[@]}" 2>/dev/null || true
  wait
  for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null || true; done
}

# narrow RATE [BURST]: all cables, in both directions. A burst below 64kb has the kernel cut what TCP hands over as one into packets, which takes processors.
narrow() {
  local there side
  for there in "${spaces[@]:1}"; do
    for side in "${spaces[0]}" "$there"; do
      tc -n "$side" qdisc replace dev "$there" root tbf rate "$1" burst "${2:-32kb}" latency 100ms
    done
  done
}

# over LINK TASK: one run of a server with 'server_options' and of all workers of the task with 'worker_options', and 'slow' of worker 0 if that is not
# empty, over the cables, or, where LINK is loopback, in the server's namespace; what came of it is in $work/out
over() {
  local host j tries port space slowed count=$((${#spaces[@]} - 1))
  rm -rf "$work/out"
  : >"$work/server"
  ip netns exec "${spaces[0]}" out/bin/hpaps-server --listen 0.0.0.0:0 --token-file "$work/token" --workers "$count" --out "$work/out" "${server_options[@]}" 2>"$work/server" </dev/null &
  server=$!
  for ((tries = 0; tries < 500; tries++)); do
    port=$(sed -n 's/.*listening at [^ ]*:\([0-9]*\) for .*/\1/p' "$work/server")
    [[ -z $port ]] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.02
  done
  [[ -n $port ]] || { say "the server did not start"; cat "$work/server" >&2; return 1; }
  children=()
  for ((j = 0; j < count; j++)); do
    host=10.213.$((50 + j)).1 space=${spaces[j + 1]} slowed=()
    [[ $1 != loopback ]] || { host=127.0.0.1; space=${spaces[0]}; }
    [[ -z ${slow:-} || $j -ne 0 ]] || slowed=(--slow "$slow")
    ip netns exec "$space" out/bin/hpaps-worker "$2" --server "$host:$port" --token-file "$work/token" --part "$j/$count" "${worker_options[@]}" "${slowed[@]}" >"$work/worker$j" 2>&1 </dev/null &
    children+=($!)
  done
  timeout 120 tail --pid="$server" -f /dev/null || { say "a run took more than 120 s"; cat "$work/server" "$work"/worker? >&2; return 1; }
  wait "$server" || { cat "$work/server" "$work"/worker? >&2; return 1; }
  server=
  wait "${children[@]}" || true
  children=()
}
