/**
 * The only place where one unit becomes another.
 *
 * @module
 */

/**
 * Clock ticks per second (USER_HZ) of utime, stime and starttime in proc_pid_stat(5).
 *
 * The kernel's user-space ABI fixes it at 100 on every architecture that Linux still supports but
 * alpha (1024) and ia64, whatever CONFIG_HZ is; sysconf(_SC_CLK_TCK) returns the same constant. Worst
 * outcome on alpha: CPU times and start times off by 10 times, in the tick-based fallback only.
 */
export const CLOCK_TICKS_PER_S = 100;

/** Longest delay of the runtime's setTimeout and setInterval, ms: a longer one ends at once. */
export const LONGEST_DELAY_MS: number = 2 ** 31 - 1;

/** Milliseconds per second. */
export const MS_PER_S = 1000;

/** Nanoseconds per millisecond. */
export const NS_PER_MS = 1_000_000;

/** Nanoseconds per microsecond. */
export const NS_PER_US = 1000;

/** Microseconds per millisecond. */
export const US_PER_MS = 1000;

/** Microseconds in `ticks` clock ticks. */
export function ticksToUs(ticks: number): number {
  return ticks * (1_000_000 / CLOCK_TICKS_PER_S);
}

/** Milliseconds of CPU time in `ticks` clock ticks. */
export function ticksToMs(ticks: number): number {
  return ticks * (1000 / CLOCK_TICKS_PER_S);
}

/** Milliseconds in `ns` nanoseconds, with decimals. */
export function nsToMs(ns: number): number {
  return ns / NS_PER_MS;
}

/** Milliseconds in `us` microseconds, with decimals. */
export function usToMs(us: number): number {
  return us / 1000;
}

/** Microseconds in `ms` milliseconds, rounded to whole ones. */
export function msToUs(ms: number): number {
  return Math.round(ms * 1000);
}

/** MiB in `kb` kB (the kernel's kB is 1024 bytes), with decimals. */
export function kbToMib(kb: number): number {
  return kb / 1024;
}

/** Bytes in `mib` MiB. */
export function mibToBytes(mib: number): number {
  return mib * 1024 * 1024;
}

/** kB (1024 bytes) in `bytes`, with decimals. */
export function bytesToKb(bytes: number): number {
  return bytes / 1024;
}

/**
 * The value of OpenDC's `mem_capacity` for `kb` kB: its loader divides by 1000 and compares with the
 * host's MiB, so that it is neither bytes nor kB (ComputeWorkloadLoader).
 */
export function kbToOpendcMemory(kb: number): number {
  return Math.round(kbToMib(kb) * 1000);
}

/** kB in a value of OpenDC's `mem_capacity`, as {@linkcode kbToOpendcMemory} makes it. */
export function opendcMemoryToKb(value: number): number {
  return Math.round(value / 1000 * 1024);
}

/** Milliseconds rounded to a whole microsecond: the precision in which times are written. */
export function roundToUs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
