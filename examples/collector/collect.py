#!/usr/bin/env python3
"""A collector of one's own: readings of the processes that have a sentinel, until SIGTERM.

    RUN_ID=try NODE_ID=$(hostname) python3 collect.py [INTERVAL_S]

It reads counters of proc_pid_stat(5), in clock ticks, and writes them as they are: `parse` makes
differences and times of them. The kernel's own totals in the events fill what such readings miss.
"""

import json
import os
import signal
import sys
import time


def reading(run: str, name: str):
    """One line of proc_metrics.jsonl; None when the process is gone or is not the sentinel's."""
    try:
        with open(os.path.join(run, "pids", name), encoding="utf-8") as file:
            sentinel = json.loads(file.read() or "{}")
        with open(f"/proc/{name}/stat", encoding="latin-1") as file:
            # Fields from the state on, behind the last parenthesis.
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    start_ticks = int(fields[19])
    if sentinel.get("start_ticks", start_ticks) != start_ticks:
        return None  # The pid has been used again.
    return {
        "ts_ms": time.time() * 1000,
        "boot_ms": time.clock_gettime(time.CLOCK_BOOTTIME) * 1000,
        "pid": int(name),
        "start_ticks": start_ticks,
        "trace_id": sentinel.get("trace_id"),
        "utime": int(fields[11]),
        "stime": int(fields[12]),
        "rss_kb": int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1024,
    }


def main() -> int:
    interval_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.2
    run = os.path.join(os.environ.get("LOGS_DIR", "logs"), os.environ["RUN_ID"])
    os.makedirs(os.path.join(run, "pids"), exist_ok=True)
    is_stopped = []
    signal.signal(signal.SIGTERM, lambda *_: is_stopped.append(True))
    due = time.monotonic()
    with open(os.path.join(run, "proc_metrics.jsonl"), "a", encoding="utf-8", buffering=1) as out:
        print("sampling", flush=True)
        while not is_stopped:
            names = [name for name in os.listdir(os.path.join(run, "pids")) if name.isdigit()]
            for line in filter(None, (reading(run, name) for name in names)):
                out.write(json.dumps(line) + "\n")
            # Absolute deadlines: a late tick does not move the next one.
            due = max(due + interval_s, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
