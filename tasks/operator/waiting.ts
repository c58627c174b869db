/** Waiting for tasks to end, with progress, and what their ends mean for the exit code. */

import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { EndState, TaskEnd } from "../../scheduler/queue/queue.ts";
import { counted } from "../../trace/counted.ts";
import type { Io } from "../command/main.ts";
import { openProgress } from "../command/progress.ts";
import { sleep } from "../command/sleep.ts";

/** Interval at which the queue is polled, ms. */
const INTERVAL_MS = 250;

/** Exit code when the time is over first, as of timeout(1). */
export const TIMED_OUT = 124;

/** Exit code of a command that Ctrl-C ended while its tasks continue. */
const INTERRUPTED = 130;

/** Ended tasks by state. */
type Ended = Readonly<Record<EndState, number>>;

/** `3 of 4 tasks done, 1 failed`. */
function progressText(ended: Ended, count: number): string {
  const others = (["failed", "dead", "cancelled"] as const)
    .filter((state) => ended[state] > 0).map((state) => `${ended[state]} ${state}`);
  return [`${ended.done} of ${counted(count, "task")} done`, ...others].join(", ");
}

function sumOf({ done, failed, dead, cancelled }: Ended): number {
  return done + failed + dead + cancelled;
}

/** What to wait for. */
export interface DispatchWait {
  /** The dispatch. */
  readonly dispatchId: string;
  /** Its tasks, where they are known: their exit codes are followed. */
  readonly tasks: readonly { readonly task_id: string }[];
  /** The command's world. */
  readonly io: Io;
  /** Longest time to wait, s; null: none. */
  readonly timeoutS: number | null;
}

/**
 * Wait until all tasks of a dispatch have ended. Returns 0 when all are done, else the largest exit code
 * that is known, 1 at least; 124 when the time is over first, 130 after Ctrl-C.
 */
export async function waitForDispatch(
  queue: RedisQueue,
  { dispatchId, tasks, io, timeoutS }: DispatchWait,
): Promise<number> {
  const open = new Set(tasks.map(({ task_id }) => task_id));
  const deadline = timeoutS === null ? Infinity : performance.now() + timeoutS * 1000;
  let worst = 0;
  using progress = openProgress(io, "Running");
  for (;;) {
    // In this order: what the totals count has an end that can be read.
    const { ended, enqueued } = await queue.dispatchProgress(dispatchId);
    const ends = await queue.ends([...open]);
    for (const [id, end] of ends) {
      open.delete(id);
      worst = Math.max(worst, exitCodeOf(end));
    }
    const count = Math.max(enqueued, tasks.length);
    progress.update(count === 0 ? 0 : sumOf(ended) / count, progressText(ended, count));
    if (count > 0 && sumOf(ended) >= count) {
      io.say(`${progressText(ended, count)}${ended.dead > 0 ? "; `dead list` says why" : ""}`);
      return ended.done >= count ? 0 : Math.max(1, worst);
    }
    if (performance.now() >= deadline) {
      io.say(`${progressText(ended, count)}: the time to wait is over, the tasks continue`);
      return TIMED_OUT;
    }
    await sleep(INTERVAL_MS, io.signal);
    if (io.signal.aborted) {
      io.say(`${progressText(ended, count)}; the tasks continue: wait --dispatch ${dispatchId}`);
      return INTERRUPTED;
    }
  }
}

/** Exit code that an end stands for: that of the task, 1 where it has none and is not done. */
export function exitCodeOf({ state, status }: TaskEnd): number {
  return state === "done" ? 0 : Math.max(1, status ?? 1);
}

/** Wait until nothing is pending, assigned or running any more. */
export async function waitForAll(
  queue: RedisQueue,
  { io, timeoutS }: Pick<DispatchWait, "io" | "timeoutS">,
): Promise<number> {
  const deadline = timeoutS === null ? Infinity : performance.now() + timeoutS * 1000;
  using progress = openProgress(io, "Running");
  for (;;) {
    const { pending, nodes } = await queue.progress();
    const left = nodes.reduce((sum, { queued, running }) => sum + queued + running, pending);
    if (left === 0) return 0;
    progress.update(0, `${counted(left, "task")} left`);
    if (performance.now() >= deadline) {
      io.say(`${counted(left, "task")} left: the time to wait is over`);
      return TIMED_OUT;
    }
    await sleep(INTERVAL_MS, io.signal);
    if (io.signal.aborted) return INTERRUPTED;
  }
}
