/**
 * `/proc/stat`, proc_stat(5).
 *
 * @module
 */

/**
 * Processes and threads that were created since boot: `processes`.
 *
 * @throws {SyntaxError} when the line is missing.
 */
export function parseForkCount(text: string): number {
  const [, count] = /^processes (\d+)$/m.exec(text) ?? [];
  if (count !== undefined) return Number(count);
  throw new SyntaxError('Cannot parse /proc/stat: a line "processes N" is required');
}

/** CPU time of all cores by mode since boot, clock ticks: the line `cpu`. */
export interface CpuTicks {
  /** In user mode, guests included. */
  readonly user: number;
  /** In user mode at low priority. */
  readonly nice: number;
  /** In the kernel. */
  readonly system: number;
  /** Without work. */
  readonly idle: number;
  /** Without work while I/O was under way; not reliable, proc_stat(5). */
  readonly iowait: number;
  /** Serving interrupts. */
  readonly irq: number;
  /** Serving soft interrupts. */
  readonly softirq: number;
  /** Taken by the hypervisor for other machines. */
  readonly steal: number;
}

/**
 * CPU time by mode. Time of guests is left out: it is part of user and nice.
 *
 * @throws {SyntaxError} when the line `cpu` is missing.
 */
export function parseCpuTicks(text: string): CpuTicks {
  const [, line] = /^cpu +(\d+(?: \d+){7})/.exec(text) ?? [];
  if (line === undefined) {
    throw new SyntaxError('Cannot parse /proc/stat: a first line "cpu" of 8 numbers is required');
  }
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    line.split(" ").map(Number);
  return { user, nice, system, idle, iowait, irq, softirq, steal };
}
