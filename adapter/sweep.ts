/**
 * Clearing away what adapters left that are gone. What cannot be removed is told, and never in the way of
 * what comes: a file that nobody can remove must not keep every later adapter of a run from its work.
 *
 * @module
 */

import { messageOf } from "../trace/atomic_file.ts";
import { errnoOf } from "../trace/linux/errno.ts";

/** Counts what is cleared away, and notes what is not. */
export class Sweep {
  /** Left-overs that were found. */
  count = 0;
  /** What could not be removed, a sentence each. */
  readonly problems: string[] = [];

  /** The result of `act`; null when the kernel refuses it, which is noted. */
  try<T>(act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      if (errnoOf(error) === null) throw error;
      this.problems.push(`Cannot clear away what an earlier adapter left: ${messageOf(error)}`);
      return null;
    }
  }
}
