/** Runs that a summary is made of. */

import { newestRunId } from "../../export/cts/run_folders.ts";
import type { Side } from "../../export/summary/compare.ts";
import { summarizeRun } from "../../export/summary/summary.ts";
import { COLOURED, type Paint, PLAIN } from "../../export/summary/text.ts";
import { openTableRun, type TableRun } from "../../export/tables/run.ts";
import { CommandError } from "../command/main.ts";
import { runFolder, type SavedRunOptions } from "../flags/groups/saved_runs.ts";

/** The run that `operand` names; null: the one of the options, else the newest. */
export async function openRun(
  operand: string | null,
  options: SavedRunOptions,
): Promise<TableRun> {
  const named = operand ?? options["run-id"] ?? await newestRunId(options.logs);
  if (named === null) {
    throw new CommandError(`there is no run in "${options.logs}"; give a RUN_ID, or LOGS_DIR`);
  }
  return await openTableRun(runFolder(named, options));
}

/** One side of a comparison: the run, or the repeats, that `operand` names. */
export async function openSide(operand: string, options: SavedRunOptions): Promise<Side> {
  const runs = [];
  for (const name of operand.split(",")) {
    const run = await openRun(name, options);
    const { makespan_ms, cpu_used_ratio } = await summarizeRun(run);
    runs.push({ makespan_ms, cpu_used_ratio, tasks: run.tasks });
  }
  return { name: operand, runs };
}

/** Colours where `stream` is a terminal and NO_COLOR is not set. */
export function paintOf(stream: { isTerminal(): boolean } = Deno.stdout): Paint {
  return stream.isTerminal() && !Deno.noColor ? COLOURED : PLAIN;
}
