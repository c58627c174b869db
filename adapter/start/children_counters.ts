/**
 * What children used by the counters that the kernel keeps of those a process has waited for: where FFI is
 * not available, so that nobody can call wait4(2).
 *
 * @module
 */

import { ticksToMs } from "../../trace/units.ts";

/** CPU time of a child and of those that it waited for itself, in steps of a clock tick. */
export interface ChildCpu {
  /** In user mode, ms. */
  readonly userMs: number;
  /** In the kernel, ms. */
  readonly systemMs: number;
}

/** Where the counters are read. */
export interface CountersSource {
  /** cutime and cstime of this process, clock ticks. */
  readonly readTicks: () => readonly [user: number, system: number];
  /** True while `pid` exists, if only as a zombie: until then the counters do not have it. */
  readonly isThere: (pid: number) => boolean;
}

/** Gives each child what the counters grew by since the one before. */
export class ChildrenCounters {
  readonly #source: CountersSource;
  #taken: readonly [user: number, system: number];
  /** Children that the counters had before their end was told: what they used went with another's. */
  readonly #early = new Set<number>();

  constructor(source: CountersSource) {
    this.#source = source;
    this.#taken = source.readTicks();
  }

  /**
   * What child `pid` used, of whose end was just told.
   *
   * @param running The children whose end was not told yet.
   * @returns Null where it cannot be told apart from that of another one.
   */
  take(pid: number, running: Iterable<number>): ChildCpu | null {
    const [user, system] = this.#source.readTicks();
    const [userBefore, systemBefore] = this.#taken;
    this.#taken = [user, system];
    let isAlone = !this.#early.delete(pid);
    for (const other of running) {
      if (this.#source.isThere(other)) continue;
      this.#early.add(other);
      isAlone = false;
    }
    if (!isAlone) return null;
    return { userMs: ticksToMs(user - userBefore), systemMs: ticksToMs(system - systemBefore) };
  }
}
