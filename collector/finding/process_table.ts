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

import { ProcessDeniedError, ProcessGoneError } from "../proc/errors.ts";
import { parsePidStat, type PidStat } from "../../trace/linux/pid_stat.ts";
import type { Procfs } from "../proc/procfs.ts";

/**
 * The host is listed as a whole at least this often, ms: clone3(2) with set_tid gives a pid out of turn.
 * Worst outcome: such a process is seen 5 s late.
 */
const LIST_INTERVAL_MS = 5000;

/** To read one new pid costs about as much as to list this many processes that are known. */
const PROBE_COST = 8;

/** Every process of the host. */
export class ProcessTable {
  readonly #procfs: Procfs;
  readonly #byPid = new Map<number, PidStat>();
  #lastPid: number | null = null;
  #listedMs = -Infinity;
  #born = 0;

  constructor(procfs: Procfs) {
    this.#procfs = procfs;
  }

  /**
   * The processes as they were first seen. A parent that has ended since is still named as such, and some
   * of them may have ended themselves.
   */
  get entries(): Iterable<PidStat> {
    return this.#byPid.values();
  }

  /**
   * Look for processes that were born. The kernel gives pids in ascending order and begins again at its
   * limit: all that is new is between the last pid of two polls.
   *
   * @param lastPid The pid that was given last; null where the kernel does not tell.
   * @param bootMs The boot clock now.
   */
  refresh(lastPid: number | null, bootMs: number): void {
    const from = this.#lastPid;
    this.#lastPid = lastPid;
    const born = from === null || lastPid === null ? NaN : lastPid - from;
    const isProbing = bootMs - this.#listedMs < LIST_INTERVAL_MS &&
      born >= 0 && born * PROBE_COST <= this.#byPid.size;
    if (!isProbing) this.#list(bootMs);
    for (let pid = (from ?? 0) + 1; isProbing && pid <= (lastPid ?? 0); pid++) this.examine(pid);
  }

  /** Processes that were met for the first time since the last call, without those of the first list. */
  takeBornCount(): number {
    const born = this.#born;
    this.#born = 0;
    return born;
  }

  /** Read `pid` again: its name changes with each exec. Null when it is gone or may not be read. */
  examine(pid: number): PidStat | null {
    try {
      const stat = parsePidStat(this.#procfs.readProcess(pid, "stat"));
      // A thread can be read by its own number, though no list has it.
      if (stat.isLaterThread) return null;
      if (!this.#byPid.has(pid)) this.#born++;
      this.#byPid.set(pid, stat);
      return stat;
    } catch (error) {
      if (error instanceof SyntaxError) this.#procfs.problems.tell("PID/stat", error.message);
      else if (!(error instanceof ProcessGoneError || error instanceof ProcessDeniedError)) {
        throw error;
      }
      this.#byPid.delete(pid);
      return null;
    }
  }

  /** Forget `pid`: it has ended. */
  forget(pid: number): void {
    this.#byPid.delete(pid);
  }

  #list(bootMs: number): void {
    const isFirst = this.#listedMs === -Infinity;
    this.#listedMs = bootMs;
    const present = new Set(this.#procfs.pids());
    for (const pid of this.#byPid.keys()) {
      if (!present.has(pid)) this.#byPid.delete(pid);
    }
    for (const pid of present) {
      if (!this.#byPid.has(pid)) this.examine(pid);
    }
    if (isFirst) this.#born = 0;
  }
}
