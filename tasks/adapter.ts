/** The adapter of a worker: JSON Lines over stdin and stdout, until stdin ends. */

import { openMachine } from "../adapter/start/machine.ts";
import { serveAdapter } from "../adapter/server.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { ADAPTER } from "./flags/adapter.ts";

export async function main(_parsed: Parsed<typeof ADAPTER.flags>, io: Io): Promise<number> {
  const streams = { input: Deno.stdin.readable, output: Deno.stdout.writable };
  // The first Ctrl-C reaches the worker as well, which decides what becomes of the tasks.
  const means = { ...openMachine(), env: Deno.env.toObject(), signal: io.force };
  return await serveAdapter(streams, means) ? 0 : 1;
}

if (import.meta.main) await runMain(ADAPTER, main);
