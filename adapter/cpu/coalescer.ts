/**
 * Does a piece of work for many requests at once, and never so often that it becomes a load itself.
 *
 * @module
 */

/**
 * Time between two runs, in times of what the last one took: at most a tenth of a core goes into them.
 * Worst outcome: with hundreds of tasks at work a change takes effect tens of ms late.
 */
const PAUSE_FACTOR = 9;

/** Runs `work` some time after it is requested, once for all requests in between. */
export class Coalescer {
  readonly #work: () => void;
  readonly #pauseMs: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastMs = 0;

  /** @param pauseMs Shortest time between request and run, ms; 0: the run is at once. */
  constructor(work: () => void, pauseMs: number) {
    this.#work = work;
    this.#pauseMs = pauseMs;
  }

  /** Have the work done soon. */
  request(): void {
    if (this.#pauseMs === 0) this.#work();
    else this.#timer ??= setTimeout(() => this.#run(), this.#nextPauseMs());
  }

  /** Forget what was requested. */
  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #nextPauseMs(): number {
    return Math.max(this.#pauseMs, PAUSE_FACTOR * this.#lastMs);
  }

  #run(): void {
    this.#timer = null;
    const start = performance.now();
    this.#work();
    this.#lastMs = performance.now() - start;
  }
}
