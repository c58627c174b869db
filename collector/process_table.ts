/**
 * Who is on the host: every process with its parent, start and name, kept up to date by reading only
 * what is new.
 *
 * `/proc/<pid>/task/<tid>/children` would name the children of one thread, where the kernel has it
 * (CONFIG_PROC_CHILDREN); a process of many threads needs it once per thread. One list of /proc finds the
 * children of all.
 *
 * @module
 */

import { ProcessDeniedError, ProcessGoneError } from "./proc_errors.ts";
import { parseProcPidStat, type ProcPidStat } from "./proc_pid_stat.ts";
import type { Procfs } from "./procfs.ts";

/** Every process of the host. */
export class ProcessTable {
  readonly #procfs: Procfs;
  readonly #byPid = new Map<number, ProcPidStat>();

  constructor(procfs: Procfs) {
    this.#procfs = procfs;
  }

  /** The processes as they were first seen. A parent that has ended since is still named as such. */
  get entries(): Iterable<ProcPidStat> {
    return this.#byPid.values();
  }

  /** Look for processes that were born or have gone. */
  refresh(): void {
    const present = new Set(this.#procfs.pids());
    for (const pid of this.#byPid.keys()) {
      if (!present.has(pid)) this.#byPid.delete(pid);
    }
    for (const pid of present) {
      if (!this.#byPid.has(pid)) this.examine(pid);
    }
  }

  /** Read `pid` again: its name changes with each exec. Null when it is gone or may not be read. */
  examine(pid: number): ProcPidStat | null {
    try {
      const stat = parseProcPidStat(this.#procfs.readProcess(pid, "stat"));
      this.#byPid.set(pid, stat);
      return stat;
    } catch (error) {
      if (!(error instanceof ProcessGoneError || error instanceof ProcessDeniedError)) throw error;
      this.#byPid.delete(pid);
      return null;
    }
  }
}
