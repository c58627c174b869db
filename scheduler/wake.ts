/**
 * A wake-up that is never lost: what arrives while nobody waits ends the next wait at once.
 *
 * @module
 */

import { startTimer } from "../trace/timer.ts";

/** Coalesces any number of notifications into one wake-up. */
export class Wake {
  #isSet = false;
  readonly #waiters = new Set<() => void>();

  /** End every present wait, or the next one when nobody waits. */
  notify(): void {
    this.#isSet = this.#waiters.size === 0;
    for (const resolve of this.#waiters) resolve();
  }

  /** Wait for a notification, for `limitMs`, or for an abort of `signal`, whichever is first. */
  async wait(limitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#isSet || signal?.aborted) {
      this.#isSet = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = startTimer(limitMs, resolve);
    this.#waiters.add(resolve);
    signal?.addEventListener("abort", resolve as () => void);
    await promise;
    signal?.removeEventListener("abort", resolve as () => void);
    this.#waiters.delete(resolve);
    timer.clear();
  }
}
