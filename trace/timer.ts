/**
 * Timers of any length. The runtime's own take 2^31 - 1 ms, 24.8 days: a longer delay ends at once there.
 *
 * @module
 */

import { LONGEST_DELAY_MS } from "./units.ts";

/** A timer; dispose of it to end it. */
export interface Timer extends Disposable {
  /** End it: its action will not happen. */
  clear(): void;
}

/** Do `action` once after `delayMs`, which may be any number; at once, but later, below 0 and for NaN. */
export function startTimer(delayMs: number, action: () => void): Timer {
  const dueMs = performance.now() + delayMs;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (leftMs: number): void => {
    if (leftMs > LONGEST_DELAY_MS) {
      timer = setTimeout(() => wait(dueMs - performance.now()), LONGEST_DELAY_MS);
    } else timer = setTimeout(action, leftMs > 0 ? leftMs : 0);
  };
  wait(delayMs);
  const clear = (): void => clearTimeout(timer);
  return { clear, [Symbol.dispose]: clear };
}
