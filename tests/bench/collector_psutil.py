"""What psutil costs for the same readings. Arguments: interval in s, pids."""

import sys
import time

import psutil

interval_s = float(sys.argv[1])
processes = [psutil.Process(int(pid)) for pid in sys.argv[2:]]
deadline = time.monotonic()
while True:
    for process in processes:
        with process.oneshot():
            process.cpu_times()
            process.memory_info()
    deadline += interval_s
    time.sleep(max(0.0, deadline - time.monotonic()))
