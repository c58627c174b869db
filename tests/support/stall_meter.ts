/**
 * How much the machine holds this process up: what others need a core for is late for us as well, so
 * that a promise about time can be held against a busy machine, too.
 */

/** Between two ticks, ms: a timer that nobody holds up is late by a part of a millisecond. */
const TICK_MS = 20;

/**
 * How often one after the other somebody waits for a core between what happens and our look at it, as
 * when a timer fires in one process, a second one is told, and a third is started to ask it.
 */
const WAITS = 20;

/** Measures by how much its ticks are late, from its start on. */
export class StallMeter implements Disposable {
  #last = performance.now();
  #worstMs = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** How much longer than promised something may have taken since the start, ms. */
  get allowanceMs(): number {
    return WAITS * this.#worstMs;
  }

  #tick(): void {
    const now = performance.now();
    this.#worstMs = Math.max(this.#worstMs, now - this.#last - TICK_MS);
    this.#last = now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
