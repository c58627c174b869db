/** Waiting until every task of a dispatch has ended: `dispatch --wait`. */

import type { Progress } from "../../scheduler/queue/queue.ts";
import { CommandError, type Io } from "../command/main.ts";
import { openProgress } from "../command/progress.ts";
import { sleep } from "../command/sleep.ts";

/** How often the queue is asked, ms: one command on one key, and no task is that short of interest. */
const POLL_INTERVAL_MS = 500;

/** How many tasks of a dispatch have ended in each way. */
export type BatchEnd = Progress["ended"];

/**
 * Wait until `total` tasks have ended, by what `readEnded` says; returns how they ended.
 *
 * @throws {CommandError} when `io.signal` is aborted before; the tasks run on.
 */
export async function waitForEnd(
  readEnded: () => Promise<BatchEnd>,
  { total, io }: { readonly total: number; readonly io: Io },
): Promise<BatchEnd> {
  using progress = openProgress(io, "Running");
  for (;;) {
    const ended = await readEnded();
    const sum = Object.values(ended).reduce((a, b) => a + b, 0);
    progress.update(sum / total, describeEnd(ended, total));
    if (sum >= total) return ended;
    if (io.signal.aborted) {
      throw new CommandError(`stopped waiting: ${describeEnd(ended, total)}; the tasks run on`);
    }
    await sleep(POLL_INTERVAL_MS, io.signal);
  }
}

/** `ended` in words. */
export function describeEnd({ done, failed, dead, cancelled }: BatchEnd, total: number): string {
  const others = [[failed, "failed"], [dead, "dead"], [cancelled, "cancelled"]] as const;
  return [
    `${done} of ${total} tasks done`,
    ...others.filter(([count]) => count > 0).map(([count, state]) => `${count} ${state}`),
  ].join(", ");
}
