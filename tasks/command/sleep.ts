/** Waiting that an interrupt ends. */

import { startTimer } from "../../trace/timer.ts";

/** Resolves after `durationMs`, or as soon as `signal` is aborted. Never rejects. */
export function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      timer.clear();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = startTimer(durationMs, finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}
