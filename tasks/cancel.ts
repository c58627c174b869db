/** End tasks wherever they are. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Cancelled } from "../scheduler/queue/operator.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { CANCEL, requireOperands } from "./flags/operator.ts";

const OUTCOMES: Readonly<Record<Cancelled, string>> = {
  cancelled: "cancelled",
  stopping: "it runs: its worker was told to stop it",
  ended: "it has ended already",
  unknown: "the queue does not know it",
};

/** `deno task cancel`. */
export async function main(
  { options, operands }: Parsed<typeof CANCEL.flags>,
  io: Io,
): Promise<number> {
  const taskIds = requireOperands(operands, "TASK_ID");
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  let missed = 0;
  for (const taskId of taskIds) {
    const outcome = await operator.cancel(taskId, options.reason);
    if (outcome === "ended" || outcome === "unknown") missed++;
    io.say(`${taskId}: ${OUTCOMES[outcome]}`);
  }
  return missed === 0 ? 0 : 1;
}

if (import.meta.main) await runMain(CANCEL, main);
