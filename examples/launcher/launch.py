#!/usr/bin/env python3
"""Run a command as one invocation of a run, without Tracekit's adapter.

    RUN_ID=try NODE_ID=$(hostname) python3 launch.py COMMAND [ARGUMENT...]

Like launch.sh, and with the exact total of the process and the children that it waited for, by wait4(2).
"""

import json
import os
import secrets
import socket
import sys
import time


def start_ticks(pid: int) -> int:
    """starttime of proc_pid_stat(5), counted behind the last parenthesis: comm may hold anything."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def write_whole(path: str, content: dict) -> None:
    """Write under a temporary name and rename: nobody reads half a file."""
    partial = os.path.join(os.path.dirname(path), "." + os.path.basename(path))
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.rename(partial, path)


def main(argv: list) -> int:
    if not argv:
        print("usage: launch.py COMMAND [ARGUMENT...]", file=sys.stderr)
        return 2
    run = os.path.join(os.environ.get("LOGS_DIR", "logs"), os.environ["RUN_ID"])
    os.makedirs(os.path.join(run, "pids"), exist_ok=True)
    trace_id = secrets.token_hex(16)
    gate, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        # The command waits for its sentinel, so that the collector sees it from its first instruction on.
        os.close(go)
        os.read(gate, 1)
        os.close(gate)
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            print(f"launch.py: {argv[0]}: {error.strerror}", file=sys.stderr)
            os._exit(127)
    os.close(gate)
    both = {
        "trace_id": trace_id,
        "span_id": secrets.token_hex(8),
        "module_id": "python",
        "instance_id": str(os.getpid()),
        "node": os.environ.get("NODE_ID", socket.gethostname()),
        "path": argv[0],
        "pid": pid,
        "start_ticks": start_ticks(pid),
    }
    sentinel = os.path.join(run, "pids", str(pid))
    write_whole(sentinel, {"trace_id": trace_id, "start_ticks": both["start_ticks"]})
    both["ts_start"] = time.time() * 1000
    with open(os.path.join(run, "events.python.jsonl"), "a", encoding="utf-8") as events:
        events.write(json.dumps({"event": "launch", **both}) + "\n")
        events.flush()
        os.write(go, b"g")
        os.close(go)
        _, status, usage = os.wait4(pid, 0)
        ts_end = max(time.time() * 1000, both["ts_start"] + 1)
        os.unlink(sentinel)
        code = os.waitstatus_to_exitcode(status)
        code = code if code >= 0 else 128 - code
        # ru_maxrss is left out: exec inherits the peak of this launcher.
        totals = {
            "user_ms": usage.ru_utime * 1000,
            "system_ms": usage.ru_stime * 1000,
            "cpu_source": "rusage",
        }
        exit_event = {"event": "exit", **both, "ts_end": ts_end, "status": code, **totals}
        events.write(json.dumps(exit_event) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
