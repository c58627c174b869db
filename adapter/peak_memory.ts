/**
 * The peak of a task's resident memory, read while it lives: afterwards nobody knows it.
 *
 * @module
 */

import { childrenOf, readMemory } from "../trace/linux/processes.ts";
import { readPids } from "./place/group_files.ts";

/**
 * First reading after 5 ms, then after twice the time each, to one a second: the last one is never in the
 * first half of a task's life, and long ones cost 20 µs a second and process. Worst outcome: growth in the
 * last second is missed where ru_maxrss does not show it either, that is below the adapter's own peak.
 */
const FIRST_READING_MS = 5;
const LONGEST_PAUSE_MS = 1000;

/** Processes of one task that are read at a time: reading them all may take 5 ms. */
const PROCESSES_MAX = 256;

/** The highest that was seen. */
export interface SeenPeak {
  /** Resident memory, kB. */
  readonly kb: number;
  /** True for a sum over several processes at one time, false for one process's own high-water mark. */
  readonly isSum: boolean;
}

/** Follows the memory of one task until disposal. */
export class PeakMemory implements Disposable {
  readonly #leader: number;
  readonly #cgroup: string | null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #peak: SeenPeak | null = null;

  /**
   * @param leader Its first process.
   * @param cgroup Directory of its own cgroup, which lists its processes; null: its descendants are found.
   */
  constructor(leader: number, cgroup: string | null) {
    this.#leader = leader;
    this.#cgroup = cgroup;
    this.#readAfter(FIRST_READING_MS);
  }

  /** Highest that was seen; null: it was never read. */
  get peak(): SeenPeak | null {
    return this.#peak;
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #readAfter(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.#read();
      this.#readAfter(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
    }, pauseMs);
  }

  #read(): void {
    let sumKb = 0;
    let count = 0;
    for (const pid of this.#pids().slice(0, PROCESSES_MAX)) {
      const memory = readMemory(pid);
      if (memory === null) continue;
      this.#see({ kb: memory.highWaterKb, isSum: false });
      sumKb += memory.residentKb;
      count++;
    }
    if (count > 1) this.#see({ kb: sumKb, isSum: true });
  }

  #see(seen: SeenPeak): void {
    if (seen.kb > (this.#peak?.kb ?? 0)) this.#peak = seen;
  }

  #pids(): number[] {
    if (this.#cgroup !== null) return readPids(this.#cgroup);
    const found = [this.#leader];
    // A list takes in what is added while it is walked through: children of children come in one walk.
    for (const pid of found) {
      if (found.length < PROCESSES_MAX) found.push(...childrenOf(pid));
    }
    return found;
  }
}
