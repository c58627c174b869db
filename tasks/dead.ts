/** List dead letters, try them again, or drop them. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import type { DeadLetter } from "../scheduler/queue/status.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { counted } from "../trace/counted.ts";
import { DEAD } from "./flags/operator.ts";

/** `deno task dead`. */
export async function main(
  { options, operands }: Parsed<typeof DEAD.flags>,
  io: Io,
): Promise<number> {
  const [action, ...taskIds] = operands;
  if (action !== "list" && action !== "retry" && action !== "drop") {
    throw new UsageError("list, retry or drop is required");
  }
  if (action !== "list" && options.all === (taskIds.length > 0)) {
    throw new UsageError(`${action} needs either TASK_ID… or --all`);
  }
  const chosen = taskIds.length === 0 ? null : new Set(taskIds);
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  let found: readonly DeadLetter[];
  let isComplete = true;
  if (action === "list") {
    const letters = await operator.deadLetters();
    found = letters.filter(({ task_id }) => chosen === null || chosen.has(task_id));
    for (const letter of found) io.print(options.json ? JSON.stringify(letter) : lineOf(letter));
  } else if (action === "drop") {
    found = await operator.dropDead(chosen);
    io.say(`${counted(found.length, "dead letter")} dropped`);
  } else {
    const retried = await operator.retryDead(chosen);
    for (const { letter, newId } of retried) {
      io.say(`${letter.task_id}: ${newId === null ? "is not a task, and stays" : `now ${newId}`}`);
    }
    found = retried.map(({ letter }) => letter);
    isComplete = retried.every(({ newId }) => newId !== null);
  }
  const missing = [...chosen ?? []].filter((id) => !found.some(({ task_id }) => task_id === id));
  if (missing.length > 0) throw new CommandError(`there is no dead letter ${missing.join(", ")}`);
  return isComplete ? 0 : 1;
}

function lineOf({ task_id, ts_ms, reason }: DeadLetter): string {
  return `${new Date(ts_ms).toISOString()}  ${task_id}  ${reason}`;
}

if (import.meta.main) await runMain(DEAD, main);
