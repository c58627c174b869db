/**
 * Tells whether processes were born, so that nobody looks through the host for nothing.
 *
 * @module
 */

import { parseLastPid } from "../proc/loadavg.ts";
import type { Problems } from "../proc/problems.ts";
import type { KeptFile, Procfs } from "../proc/procfs.ts";

/**
 * At least this often, ms, births are assumed: a process can be moved into a cgroup without one. Worst
 * outcome: such a process is seen 1 s late.
 */
const QUIET_LIMIT_MS = 1000;

/** Watches the pid that was given last, one small read a tick. */
export class BirthWatch implements Disposable {
  readonly #loadavg: KeptFile | null;
  readonly #problems: Problems;
  #lastPid: number | null = null;
  #assumedMs = -Infinity;

  constructor(procfs: Procfs) {
    this.#loadavg = procfs.keep("loadavg");
    this.#problems = procfs.problems;
  }

  /** The pid that was given last, at the last poll; null where the kernel does not tell. */
  get lastPid(): number | null {
    return this.#lastPid;
  }

  /** True when a process or thread may have been born since the last call. */
  hasAny(bootMs: number): boolean {
    const lastPid = this.#loadavg === null ? null : this.#readLastPid(this.#loadavg);
    const isQuiet = lastPid !== null && lastPid === this.#lastPid &&
      bootMs - this.#assumedMs < QUIET_LIMIT_MS;
    if (isQuiet) return false;
    this.#lastPid = lastPid;
    this.#assumedMs = bootMs;
    return true;
  }

  #readLastPid(loadavg: KeptFile): number | null {
    return this.#problems.try("loadavg", () => parseLastPid(loadavg.read()));
  }

  [Symbol.dispose](): void {
    this.#loadavg?.[Symbol.dispose]();
  }
}
