/**
 * Records on a disk that may be full: what cannot be written waits, in order, until there is room.
 *
 * @module
 */

import { isDiskFull } from "../trace/linux/errno.ts";

/** The run directory cannot be written: the adapter's own failure, and no task's. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/**
 * The result of `act`, which reads or writes the adapter's own files.
 *
 * @throws {RecordError} whatever goes wrong.
 */
export function asRecord<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof RecordError || !(error instanceof Error)) throw error;
    throw new RecordError(error.message, { cause: error });
  }
}

/** Time between two tries on a full disk, ms: cheap, and soon after somebody made room. */
const RETRY_PAUSE_MS = 500;

/** Told when the disk is full, with the error, and with null when there is room again. */
export type OnDiskFull = (problem: string | null) => void;

/** A step that waits. */
interface Waiting {
  readonly step: () => void;
  /** The call that it belongs to: settled by its last step, or by the first that fails. */
  readonly call: PromiseWithResolvers<void>;
  readonly isLast: boolean;
}

/** Writes records in order, and waits for room. */
export class DiskRoom {
  readonly #onFull: OnDiskFull;
  readonly #queue: Waiting[] = [];
  #isOver = false;

  constructor(onFull: OnDiskFull = () => {}) {
    this.#onFull = onFull;
  }

  /**
   * Do `steps` in order, after those that wait already, each until it succeeds. A step that fails must
   * have changed nothing.
   *
   * @returns Null when all were done at once; else resolves when they are, and rejects with a
   * {@linkcode RecordError} when one fails for another reason than a full disk.
   * @throws {RecordError} the same, when that shows at once.
   */
  write(...steps: readonly (() => void)[]): Promise<void> | null {
    let done = 0;
    let problem: RecordError | null = null;
    while (this.#queue.length === 0 && problem === null && done < steps.length) {
      problem = tryStep(steps[done] as () => void);
      if (problem === null) done++;
    }
    if (done === steps.length) return null;
    const call = Promise.withResolvers<void>();
    for (const [index, step] of steps.slice(done).entries()) {
      this.#queue.push({ step, call, isLast: done + index === steps.length - 1 });
    }
    if (problem !== null) this.#writeAll(problem);
    return call.promise;
  }

  /** Wait no longer: what still waits fails. */
  close(): void {
    this.#isOver = true;
  }

  async #writeAll(first: RecordError): Promise<void> {
    this.#onFull(first.message);
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { step, call, isLast } = next;
      try {
        const problem = tryStep(step);
        if (problem !== null && this.#isOver) throw problem;
        if (problem !== null) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
          continue;
        }
        if (isLast) call.resolve();
        this.#queue.shift();
      } catch (error) {
        call.reject(error);
        while (this.#queue[0]?.call === call) this.#queue.shift();
      }
    }
    if (!this.#isOver) this.#onFull(null);
  }
}

/** Null when `step` is done; the error when the disk is full. */
function tryStep(step: () => void): RecordError | null {
  try {
    asRecord(step);
    return null;
  } catch (error) {
    if (!(error instanceof RecordError) || !isDiskFull(error)) throw error;
    return error;
  }
}
