/** Install the programs that Tracekit needs on a machine and that are missing. */

import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { ensurePrograms, findProgram, REQUIRED } from "./machine/packages.ts";
import { SETUP } from "./flags/setup.ts";

/** `deno task setup`. */
export async function main(_parsed: Parsed<typeof SETUP.flags>, io: Io): Promise<number> {
  await ensurePrograms(REQUIRED, io);
  for (const program of REQUIRED) io.say(`${program}: ${await findProgram(program)}`);
  return 0;
}

if (import.meta.main) await runMain(SETUP, main);
