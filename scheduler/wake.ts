/**
 * A wake-up that is never lost: what arrives while nobody waits ends the next wait at once.
 *
 * @module
 */

/** Coalesces any number of notifications into one wake-up. */
export class Wake {
  #isSet = false;
  #resolve: (() => void) | null = null;

  /** End the present wait, or the next one. */
  notify(): void {
    this.#isSet = true;
    this.#resolve?.();
  }

  /** Wait for a notification, for `limitMs`, or for an abort of `signal`, whichever is first. */
  async wait(limitMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.#isSet && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      const timer = setTimeout(resolve, limitMs);
      signal?.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
      this.#resolve = null;
    }
    this.#isSet = false;
  }
}
