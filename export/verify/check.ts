/**
 * What a check of a workload is: pure.
 *
 * @module
 */

/** How a check ended; skip: what it looks at is not there. */
export type CheckStatus = "pass" | "fail" | "skip";

/** One check and what it found. */
export interface Check {
  /** Stable name. */
  readonly id: string;
  /** How it ended. */
  readonly status: CheckStatus;
  /** What was found, or why it fails, one sentence. */
  readonly reason: string;
}

/** A check that passes when there are no problems, and fails with them otherwise. */
export function checkOf(id: string, { problems, found }: {
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** What to say when nothing is. */
  readonly found: string;
}): Check {
  return problems.length === 0 ? passed(id, found) : failed(id, someOf(problems, "; "));
}

/** A check that passes. */
export function passed(id: string, reason: string): Check {
  return { id, status: "pass", reason };
}

/** A check that fails. */
export function failed(id: string, reason: string): Check {
  return { id, status: "fail", reason };
}

/** A check that has nothing to look at. */
export function skipped(id: string, reason: string): Check {
  return { id, status: "skip", reason };
}

/** Examples given of one kind of problem. */
const EXAMPLES = 5;

/** The first few of `items`, and how many more there are. */
export function someOf(items: readonly (string | number)[], separator = ", "): string {
  const more = items.length - EXAMPLES;
  const shown = items.slice(0, EXAMPLES).join(separator);
  return more > 0 ? `${shown}${separator}… and ${more} more` : shown;
}

/** Gathers the first examples of a problem and counts all of them. */
export class Offenders {
  #count = 0;
  readonly #examples: (string | number)[] = [];

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** One more. */
  add(example: string | number): void {
    if (this.#count++ < EXAMPLES) this.#examples.push(example);
  }

  /** The problem in words, or nothing: `what` with the number before and examples behind. */
  problems(what: string): string[] {
    if (this.#count === 0) return [];
    const dots = this.#count > EXAMPLES ? ", …" : "";
    return [`${this.#count} ${what} (${this.#examples.join(", ")}${dots})`];
  }
}
