/** Flags of merge, and the permissions that they need. */

import { dirname, join, resolve } from "@std/path";
import { ALIGNMENTS } from "../../export/cts/run_clock.ts";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";
import { role } from "../command/role.ts";

/** `deno task merge`. */
export const MERGE = command({
  ...commandNamed("merge"),
  operands: "DIR...",
  flags: {
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "align": text("Convert times to the controller's clock, by the offsets in clock.jsonl.", {
      choices: ALIGNMENTS,
      fallback: "controller",
    }),
    "strict": toggle("Exit code 1 if an audit has findings."),
    "json": toggle("Print the summaries as JSON."),
  },
  notes: [
    "Each DIR is a node's run directory, or a folder with several of them. The result is in",
    "logs/RUN_ID/NODE_ID/, the records of the whole run (results.jsonl, placement_events.jsonl) in",
    "logs/RUN_ID/; the inputs are not changed. Duplicate records are kept once.",
  ],
});

/** Options of merge. */
export type MergeFlags = OptionsOf<typeof MERGE.flags>;

/**
 * Folders to read, and the run's folder to write, absolute.
 *
 * @throws {UsageError} when no folder was given.
 */
export function mergeFolders(
  options: MergeFlags,
  operands: readonly string[],
): { inputs: string[]; output: string } {
  if (operands.length === 0) throw new UsageError("at least one DIR is required");
  const output = join(resolve(options.logs), requireRunId(options));
  return { inputs: operands.map((operand) => resolve(operand)), output };
}

/** Merge as a role: it reads the folders above its inputs too, where results.jsonl is. */
export const MERGE_ROLE = role({
  command: MERGE,
  grant: (options, operands) => {
    const { inputs, output } = mergeFolders(options, operands);
    return { read: [...inputs.flatMap((path) => [path, dirname(path)]), output], write: [output] };
  },
});
