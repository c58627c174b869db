/**
 * What the kernel's files do not say here: proc mounted with `subset=pid`, a file that a container's
 * emulation cut short, a line of another kernel. The series of readings does without: the value is null,
 * and the reason is told once.
 *
 * @module
 */

import { errnoOf } from "../../trace/linux/errno.ts";

/** Collects problems, one for each file. */
export class Problems {
  readonly #known = new Set<string>();
  readonly #onProblem: (problem: string) => void;
  #untaken: string[] = [];

  constructor(onProblem: (problem: string) => void = () => {}) {
    this.#onProblem = onProblem;
  }

  /** Note why `file` cannot be used, unless that is known. */
  tell(file: string, why: string): void {
    if (this.#known.has(file)) return;
    this.#known.add(file);
    this.#untaken.push(why);
    this.#onProblem(why);
  }

  /** The result of `act`; null when `file` is not readable or not as its manual page has it. */
  try<T>(file: string, act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      const isMalformed = error instanceof SyntaxError || error instanceof RangeError;
      if (!isMalformed && errnoOf(error) === null) throw error;
      this.tell(file, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** What was noted since the last call. */
  take(): string[] {
    const taken = this.#untaken;
    this.#untaken = [];
    return taken;
  }
}
