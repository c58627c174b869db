/**
 * How many descriptors processes may take: what the collector itself opens must never fail because none is left.
 *
 * @module
 */

import { parseOpenFilesLimit } from "../proc/limits.ts";
import type { Procfs } from "../proc/procfs.ts";

/** Kept for the collector's own files: it holds about twenty, and opens a few for moments. */
const RESERVE = 64;

/** Counts the descriptors that are held for processes. */
export class DescriptorBudget {
  readonly #room: number;
  #used = 0;

  /** @param limit How many files this process may hold open. */
  constructor(limit: number) {
    this.#room = limit - RESERVE;
  }

  /** The budget of this process. */
  static read(procfs: Procfs): DescriptorBudget {
    return new DescriptorBudget(parseOpenFilesLimit(procfs.readIfThere("self/limits") ?? ""));
  }

  /** True while one more descriptor may be taken. */
  get hasRoom(): boolean {
    return this.#used < this.#room;
  }

  /** True while there is so much room that a process may have a second one. */
  get isAmple(): boolean {
    return this.#used < this.#room / 2;
  }

  /** Take `count` of them. */
  take(count: number): void {
    this.#used += count;
  }

  /** Give `count` of them back. */
  giveBack(count: number): void {
    this.#used -= count;
  }
}
