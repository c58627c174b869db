/** Wait until tasks have ended. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import type { RedisQueue } from "../scheduler/queue/redis_queue.ts";
import type { TaskEnd } from "../scheduler/queue/queue.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import { END_STATES, TASK_RESULT } from "../trace/records.ts";
import { readRecords } from "../trace/json_lines.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { sleep } from "./command/sleep.ts";
import { exitCodeOf, TIMED_OUT, waitForAll, waitForDispatch } from "./operator/waiting.ts";
import { reachQueue } from "./redis/reach.ts";
import { explainedRun } from "./flags/operator.ts";
import { WAIT } from "./flags/wait.ts";

/** `deno task wait`. */
export async function main(
  { options, operands }: Parsed<typeof WAIT.flags>,
  io: Io,
): Promise<number> {
  const asked = [operands.length > 0, options.dispatch !== null, options.all];
  if (asked.filter((one) => one).length !== 1) {
    throw new UsageError("one of TASK_ID…, --dispatch ID and --all is required");
  }
  const timeoutS = options.timeout;
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  if (options.all) return await waitForAll(queue, { io, timeoutS });
  if (options.dispatch !== null) {
    const { enqueued } = await queue.dispatchProgress(options.dispatch);
    if (enqueued === 0) {
      throw new CommandError(`the queue knows no dispatch "${options.dispatch}"`);
    }
    return await waitForDispatch(queue, { dispatchId: options.dispatch, tasks: [], io, timeoutS });
  }
  const known = await recordedEnds(explainedRun(options)?.results ?? null, new Set(operands));
  return await waitForTasks(queue, { taskIds: operands, known, io, timeoutS });
}

/** Ends of `taskIds` in a results file; the last line of a task counts. */
async function recordedEnds(
  path: string | null,
  taskIds: ReadonlySet<string>,
): Promise<Map<string, TaskEnd>> {
  const ends = new Map<string, TaskEnd>();
  if (path === null) return ends;
  try {
    for await (
      const result of readRecords(path, { decode: TASK_RESULT.decode, onBadLine: () => {} })
    ) {
      const state = END_STATES.find((one) => one === result.state);
      if (state === undefined || !taskIds.has(result.task_id)) continue;
      ends.set(result.task_id, { state, status: result.status, tsFinish: result.ts_finish });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ends;
}

const INTERVAL_MS = 250;

async function waitForTasks(
  queue: RedisQueue,
  { taskIds, known, io, timeoutS }: {
    readonly taskIds: readonly string[];
    readonly known: ReadonlyMap<string, TaskEnd>;
    readonly io: Io;
    readonly timeoutS: number | null;
  },
): Promise<number> {
  const operator = queue.operator(TIMING);
  const deadline = timeoutS === null ? Infinity : performance.now() + timeoutS * 1000;
  const open = new Set(taskIds.filter((id) => !known.has(id)));
  let worst = Math.max(0, ...[...known.values()].map(exitCodeOf));
  for (const [id, end] of known) io.say(describeEnd(id, end));
  let isFirst = true;
  while (open.size > 0) {
    for (const [id, end] of await queue.ends([...open])) {
      open.delete(id);
      worst = Math.max(worst, exitCodeOf(end));
      io.say(describeEnd(id, end));
    }
    for (const id of isFirst ? [...open] : []) {
      const { state } = await operator.locate(id);
      // It may have ended between the two questions.
      if (state !== null || (await queue.ends([id])).size > 0) continue;
      open.delete(id);
      worst = Math.max(worst, 1);
      io.say(`${id}: the queue does not know it, or has forgotten it after its end`);
    }
    isFirst = false;
    if (open.size === 0) break;
    if (performance.now() >= deadline) {
      io.say(`the time to wait is over: ${[...open].slice(0, 8).join(", ")}`);
      return TIMED_OUT;
    }
    await sleep(INTERVAL_MS, io.signal);
    if (io.signal.aborted) return 130;
  }
  return worst;
}

function describeEnd(id: string, { state, status }: TaskEnd): string {
  return `${id}: ${state}${status === null || status === 0 ? "" : `, exit code ${status}`}`;
}

if (import.meta.main) await runMain(WAIT, main);
