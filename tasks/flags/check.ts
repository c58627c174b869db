/** Flags of check, and the permissions that they need. */

import { join, resolve } from "@std/path";
import { asUsage, UsageError } from "../command/usage_error.ts";
import { command, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { parseRunId } from "../../trace/run_dir.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task check`. */
export const CHECK = command({
  ...commandNamed("check"),
  operands: "[RUN_ID]",
  flags: {
    "input": text("Run directory; default: that of the RUN_ID.", { placeholder: "DIR" }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "json": toggle("Print one JSON object per file."),
  },
  notes: [
    "The schemas are in docs/reference/schemas/. Exit code 1 when a record does not fit its schema.",
  ],
});

/**
 * The folder to check, absolute.
 *
 * @throws {UsageError} when neither a folder nor a RUN_ID was given.
 */
export function checkedFolder(
  options: {
    readonly input: string | null;
    readonly "run-id": string | null;
    readonly logs: string;
  },
  operands: readonly string[],
): string {
  if (options.input !== null) return resolve(options.input);
  const runId = operands[0] ?? options["run-id"];
  if (runId === null || operands.length > 1) {
    throw new UsageError("one RUN_ID or --input DIR is required");
  }
  return join(resolve(options.logs), asUsage(() => parseRunId(runId)));
}

/** Check as a role: it reads the run. */
export const CHECK_ROLE = role({
  command: CHECK,
  grant: (options, operands) => ({ read: [checkedFolder(options, operands)] }),
});
