/**
 * CPU clocks of processes and `struct timespec`, as clock_gettime(2) has them on 64-bit Linux.
 *
 * @module
 */

/** Kind of CPU clock that counts user and system time, linux/posix-timers.h. */
const CPUCLOCK_SCHED = 2;

/** 32-bit words of a struct timespec. */
export const TIMESPEC_WORDS = 4;

/**
 * The clock of process `pid`, a pid of this pid namespace, as clock_getcpuclockid(3) makes it: an ABI of
 * the kernel. It counts all threads since the process started, until its parent has waited for it.
 */
export function cpuClockId(pid: number): number {
  return (~pid << 3) | CPUCLOCK_SCHED;
}

/**
 * Nanoseconds of a struct timespec: tv_sec and tv_nsec of 64 bits each, the low half first. Exact up to 104
 * days; then within 2 ns. Halves are numbers; whole words would be bigints, garbage at each reading.
 */
export function timespecNs(words: Uint32Array): number {
  return ((words[1] ?? 0) * 2 ** 32 + (words[0] ?? 0)) * 1e9 + (words[2] ?? 0);
}

/** Milliseconds, to the microsecond, of the struct timespec at `index` of `words`. */
export function timespecMs(words: Uint32Array, index: number): number {
  const seconds = (words[index + 1] ?? 0) * 2 ** 32 + (words[index] ?? 0);
  // Microseconds are exact in a double until the year 2255; nanoseconds would not be.
  return seconds * 1000 + Math.round((words[index + 2] ?? 0) / 1000) / 1000;
}
