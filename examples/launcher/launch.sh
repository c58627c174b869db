#!/bin/sh
# Run a command as one invocation of a run, without Tracekit's adapter.
#
#   RUN_ID=try NODE_ID=$(hostname) sh launch.sh COMMAND [ARGUMENT...]
#
# It writes a sentinel that a collector follows and the two events that `parse` joins with the readings.
# The exact CPU total is left out: a shell does not know it, and unknown is null.
set -eu
run=${LOGS_DIR:-logs}/$RUN_ID
node=${NODE_ID:-$(hostname)}
trace=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
span=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
mkdir -p "$run/pids"

# One event: its kind, and fields behind those that both have.
event() {
  printf '{"event":"%s","trace_id":"%s","span_id":"%s","module_id":"shell","instance_id":"%s","node":"%s","ts_start":%s,"pid":%s,"start_ticks":%s%s}\n' \
    "$1" "$trace" "$span" "$$" "$node" "$started" "$pid" "$ticks" "$2" >>"$run/events.shell.jsonl"
}

# The command waits for its sentinel, so that the collector sees it from its first instruction on.
gate=$(mktemp -u "${TMPDIR:-/tmp}/launch.XXXXXX")
mkfifo "$gate"
sh -c 'read -r _ <"$0"; exec "$@"' "$gate" "$@" &
pid=$!
# starttime, field 22 of proc_pid_stat(5), counted behind the last parenthesis: comm may hold anything.
stat=$(cat "/proc/$pid/stat")
ticks=$(printf '%s' "${stat##*) }" | cut -d ' ' -f 20)
printf '{"trace_id":"%s","start_ticks":%s}\n' "$trace" "$ticks" >"$run/pids/.$pid"
mv "$run/pids/.$pid" "$run/pids/$pid"
started=$(date +%s%3N)
event launch ''
echo go >"$gate"
rm -f "$gate"

status=0
wait "$pid" || status=$?
ended=$(date +%s%3N)
rm -f "$run/pids/$pid"
[ "$ended" -gt "$started" ] || ended=$((started + 1))
event exit ",\"ts_end\":$ended,\"status\":$status"
exit "$status"
