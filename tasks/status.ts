/** Show the state of the queue, once or repeatedly. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import type { RedisOperator } from "../scheduler/queue/operator.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { sleep } from "./command/sleep.ts";
import { statusLines } from "./operator/status_report.ts";
import { STATUS } from "./flags/operator.ts";

/** Erase the screen and go to its top. */
const CLEAR = "\x1b[2J\x1b[H";

/** `deno task status`. */
export async function main({ options }: Parsed<typeof STATUS.flags>, io: Io): Promise<number> {
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  const isDrawn = options.watch && !options.json && Deno.stdout.isTerminal();
  for (;;) {
    const text = await look(operator, options);
    io.print(isDrawn ? CLEAR + text : text);
    if (!options.watch) return 0;
    await sleep(options["interval-s"] * 1000, io.signal);
    if (io.signal.aborted) return 0;
    if (!options.json && !isDrawn) io.print("");
  }
}

async function look(
  operator: RedisOperator,
  { json }: { readonly json: boolean },
): Promise<string> {
  const status = await operator.status();
  return json ? JSON.stringify(status) : statusLines(status).join("\n");
}

if (import.meta.main) await runMain(STATUS, main);
