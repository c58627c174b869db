/** Flags of the verification of a workload, and the permissions that they need. */

import { resolve } from "@std/path";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";

/** `deno task verify-opendc`. */
export const VERIFY_OPENDC = command({
  ...commandNamed("verify-opendc"),
  flags: {
    "input": text("Folder with tasks.parquet and fragments.parquet.", { placeholder: "DIR" }),
    "cts": text("Parsed run to compare CPU time and tasks with.", {
      placeholder: "DIR",
    }),
    "json": toggle("Print the report as JSON."),
  },
  notes: [
    "Reads any workload, also OpenDC's own; in an export of Tracekit it checks every file.",
    "Exit code 1 if a check fails.",
  ],
});

/** Options of the verification. */
export type VerifyFlags = OptionsOf<typeof VERIFY_OPENDC.flags>;

/**
 * Folder of the workload, absolute.
 *
 * @throws {UsageError} when none was given.
 */
export function workloadFolder({ input }: Pick<VerifyFlags, "input">): string {
  if (input === null) throw new UsageError("--input DIR is required");
  return resolve(input);
}

/** The verification as a role: it writes nothing. */
export const VERIFY_OPENDC_ROLE = role({
  command: VERIFY_OPENDC,
  grant: (options) => ({
    read: [workloadFolder(options), ...(options.cts === null ? [] : [resolve(options.cts)])],
  }),
});
