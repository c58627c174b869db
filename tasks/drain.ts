/** Give nodes nothing new and take back what they have not begun, or let them take part again. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { counted } from "../trace/counted.ts";
import { DRAIN, requireOperands } from "./flags/operator.ts";

/** `deno task drain`. */
export async function main(
  { options, operands }: Parsed<typeof DRAIN.flags>,
  io: Io,
): Promise<number> {
  const nodes = requireOperands(operands, "NODE");
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  let unknown = 0;
  for (const node of nodes) {
    const drained = options.undo ? null : await operator.drain(node);
    const isKnown = options.undo ? await operator.undrain(node) : drained !== null;
    if (!isKnown) {
      unknown++;
      io.say(`${node}: no live worker has this name`);
    } else if (drained === null) {
      io.say(`${node}: takes part again`);
    } else {
      const returned = counted(drained.returned, "task");
      io.say(`${node}: draining, ${returned} taken back, ${drained.running} still running`);
    }
  }
  return unknown === 0 ? 0 : 1;
}

if (import.meta.main) await runMain(DRAIN, main);
