/** List the runs in the logs. */

import { listRuns, runLines } from "../export/summary/runs.ts";
import { type Io, runMain } from "./command/main.ts";
import type { Parsed } from "./command/parse.ts";
import { RUNS } from "./flags/runs.ts";
import { paintOf } from "./summary/open.ts";

/** `deno task runs`. */
export async function main({ options }: Parsed<typeof RUNS.flags>, io: Io): Promise<number> {
  const runs = await listRuns(options.logs);
  if (options.json) io.print(JSON.stringify(runs));
  else if (runs.length === 0) io.say(`there is no run in "${options.logs}"`);
  else runLines(runs, paintOf()).forEach(io.print);
  return 0;
}

if (import.meta.main) await runMain(RUNS, main);
