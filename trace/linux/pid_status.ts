/**
 * `/proc/<pid>/status`, proc_pid_status(5).
 *
 * @module
 */

import { parseCpuList } from "../cpu_list.ts";

/**
 * Peak resident memory of the process since its last exec, kB: VmHWM. Null for a zombie and for a
 * thread of the kernel, which have no memory of their own.
 *
 * @throws {SyntaxError} when the line is there but is not a number of kB.
 */
export function parseVmHwm(text: string): number | null {
  const start = text.indexOf("\nVmHWM:");
  if (start < 0) return null;
  const line = text.slice(start + 1, text.indexOf("\n", start + 1));
  const [, kb] = /^VmHWM:\s*(\d+) kB$/.exec(line) ?? [];
  if (kb !== undefined) return Number(kb);
  throw new SyntaxError(`Cannot parse /proc/PID/status: VmHWM in kB is required, got "${line}"`);
}

/** Resident memory of the process now, kB: VmRSS. Null for a zombie and for a thread of the kernel. */
export function parseVmRss(text: string): number | null {
  const [, kb] = /^VmRSS:\s*(\d+) kB$/m.exec(text) ?? [];
  return kb === undefined ? null : Number(kb);
}

/** Real, effective, saved and file system user id of the process: Uid; none when it has ended. */
export function parseUids(text: string): number[] {
  const [, ids = ""] = /^Uid:\s+(.+)$/m.exec(text) ?? [];
  return ids === "" ? [] : ids.split("\t").map(Number);
}

/** Signals below the real-time ones, signal(7). */
const STANDARD_SIGNALS = 31;

/** Numbers of the standard signals that the process ignores: SigIgn. */
export function parseIgnoredSignals(text: string): number[] {
  const [, mask = "0"] = /^SigIgn:\s+(\w+)$/m.exec(text) ?? [];
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: STANDARD_SIGNALS }, (_, bit) => bit + 1)
    .filter((signal) => (bits >> BigInt(signal - 1)) & 1n);
}

/**
 * CPUs that the process may use: Cpus_allowed_list.
 *
 * @throws {RangeError} when the line is missing or is not a list of CPUs.
 */
export function parseAllowedCpus(text: string): number[] {
  const [, cpus = ""] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(text) ?? [];
  return parseCpuList(cpus);
}
