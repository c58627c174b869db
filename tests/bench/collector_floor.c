/*
 * The floor of the collector's bench: the same system calls as its sampling loop and nothing else. For
 * each process given by pid: read its CPU clock, the boot clock and the real-time clock, pread a kept
 * /proc/PID/statm; one write of as many bytes as its lines have, per tick, at absolute deadlines.
 *
 * Arguments: interval in ms, file to write, pids.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line of proc_metrics.jsonl has about so many bytes. */
#define LINE_BYTES 170

int main(int argc, char **argv) {
  long interval_ns = atol(argv[1]) * 1000000L;
  int out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
  int count = argc - 3;
  int *descriptors = malloc(count * sizeof(int));
  clockid_t *clocks = malloc(count * sizeof(clockid_t));
  char *lines = malloc((size_t)count * LINE_BYTES);
  memset(lines, 'x', (size_t)count * LINE_BYTES);
  char buffer[2048];
  for (int i = 0; i < count; i++) {
    int pid = atoi(argv[i + 3]);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    descriptors[i] = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptors[i] < 0 || clock_getcpuclockid(pid, &clocks[i]) != 0) return 1;
  }
  struct timespec deadline, stamp;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  for (;;) {
    for (int i = 0; i < count; i++) {
      clock_gettime(clocks[i], &stamp);
      clock_gettime(CLOCK_REALTIME, &stamp);
      clock_gettime(CLOCK_BOOTTIME, &stamp);
      if (pread(descriptors[i], buffer, sizeof buffer, 0) <= 0) return 1;
    }
    if (write(out, lines, (size_t)count * LINE_BYTES) < 0) return 1;
    deadline.tv_nsec += interval_ns;
    while (deadline.tv_nsec >= 1000000000L) {
      deadline.tv_nsec -= 1000000000L;
      deadline.tv_sec++;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
    }
  }
}
