/**
 * Tells whether processes were born, so that nobody looks through the host for nothing.
 *
 * @module
 */

import { parseLastPid } from "./loadavg.ts";
import type { Procfs } from "./procfs.ts";

/**
 * At least this often, ms, births are assumed: clone3(2) with set_tid gives a chosen pid, which loadavg
 * does not show. Worst outcome: such a child is seen 1 s late.
 */
const QUIET_LIMIT_MS = 1000;

/** Watches the last pid that was given, one small read a tick. */
export class BirthWatch {
  readonly #procfs: Procfs;
  #lastPid: number | null = null;
  #assumedMs = -Infinity;

  constructor(procfs: Procfs) {
    this.#procfs = procfs;
  }

  /** True when a process or thread may have been born since the last call. */
  hasAny(bootMs: number): boolean {
    const loadavg = this.#procfs.readIfThere("loadavg");
    const lastPid = loadavg === null ? null : parseLastPid(loadavg);
    const isQuiet = lastPid !== null && lastPid === this.#lastPid &&
      bootMs - this.#assumedMs < QUIET_LIMIT_MS;
    if (isQuiet) return false;
    this.#lastPid = lastPid;
    this.#assumedMs = bootMs;
    return true;
  }
}
