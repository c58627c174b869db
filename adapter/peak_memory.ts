/**
 * The high-water mark of a process's memory, read while it lives: afterwards nobody knows it.
 *
 * @module
 */

import { readHighWaterKb } from "../trace/linux/processes.ts";

/**
 * First reading after 50 ms, then after twice the time each, to one a second: short tasks are read at
 * all, and long ones cost 20 µs a second. Worst outcome: growth in the last second is missed where
 * ru_maxrss does not show it either, that is below the adapter's own peak.
 */
const FIRST_READING_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** Follows VmHWM of one process until disposal. */
export class PeakMemory implements Disposable {
  readonly #pid: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #peakKb: number | null = null;

  constructor(pid: number) {
    this.#pid = pid;
    this.#readAfter(FIRST_READING_MS);
  }

  /** Highest mark seen, kB; null: none yet. */
  get kb(): number | null {
    return this.#peakKb;
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #readAfter(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.#peakKb = readHighWaterKb(this.#pid) ?? this.#peakKb;
      this.#readAfter(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
    }, pauseMs);
  }
}
