/**
 * What a demo finds and leaves where it is called: variables of another run, a name of its own, and
 * `run_id.env`.
 */

import { join } from "@std/path";
import { writeFileAtomic } from "../../trace/atomic_file.ts";
import { runIdAt } from "../../trace/run_dir.ts";
import type { Command } from "../command/flag_table.ts";
import { COLLECTOR } from "../flags/collector.ts";
import { DISPATCH } from "../flags/dispatch.ts";
import { EXPORT_OPENDC } from "../flags/export_opendc.ts";
import { PARSE } from "../flags/parse.ts";
import { SCHEDULER } from "../flags/scheduler.ts";
import { VERIFY_OPENDC } from "../flags/verify_opendc.ts";
import { WORKER } from "../flags/worker.ts";

/** The one variable of ours that speaks of the machine and not of a run. */
const OF_THE_MACHINE = "CPU_FREQ_MHZ";

/** What a demo starts. */
const STARTED: readonly Command[] = [
  COLLECTOR,
  SCHEDULER,
  WORKER,
  DISPATCH,
  PARSE,
  EXPORT_OPENDC,
  VERIFY_OPENDC,
];

/** Variables that this process would hand on to its roles, and that speak of another run. */
export function forgetVariables(): void {
  for (const { flags } of STARTED) {
    for (const { env } of Object.values(flags)) {
      if (env !== null && env !== OF_THE_MACHINE) Deno.env.delete(env);
    }
  }
}

/** Take the RUN_ID of this second for oneself; of the next one when another demo has it. */
export async function reserveRunId(logs: string): Promise<string> {
  await Deno.mkdir(logs, { recursive: true });
  for (;;) {
    const now = Date.now();
    const runId = runIdAt(now);
    try {
      await Deno.mkdir(join(logs, runId));
      return runId;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 - now % 1000));
    }
  }
}

/** Put `runId` into the file of variables `path`; what else is there stays. */
export async function writeRunIdEnv(runId: string, path = "run_id.env"): Promise<void> {
  const others = (await readIfThere(path)).split("\n")
    .filter((line) => line !== "" && !/^\s*(?:export\s+)?RUN_ID=/.test(line));
  await writeFileAtomic(path, [`RUN_ID=${runId}`, ...others, ""].join("\n"));
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
