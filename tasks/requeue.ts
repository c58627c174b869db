/** Take back all that waits in the queues of nodes. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { counted } from "../trace/counted.ts";
import { REQUEUE, requireOperands } from "./flags/operator.ts";

/** `deno task requeue`. */
export async function main(
  { options, operands }: Parsed<typeof REQUEUE.flags>,
  io: Io,
): Promise<number> {
  const nodes = requireOperands(operands, "NODE");
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  for (const node of nodes) {
    io.say(`${node}: ${counted(await operator.requeue(node), "task")} pending again`);
  }
  return 0;
}

if (import.meta.main) await runMain(REQUEUE, main);
