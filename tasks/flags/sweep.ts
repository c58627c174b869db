/** Flags of a sweep, and the permissions that they need. */

import { resolve } from "@std/path";
import { command, integer, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";
import { TIMEOUT_PROGRAM } from "../opendc/runner.ts";

/** `deno task sweep`. */
export const SWEEP = command({
  ...commandNamed("sweep"),
  flags: {
    "spec": text("What is varied, a JSON file.", { placeholder: "FILE" }),
    "output": text("Folder of the sweep.", { placeholder: "DIR" }),
    "measured": text("Parsed run; default: the one that the export was made of.", {
      placeholder: "DIR",
    }),
    "runner": text("OpenDCExperimentRunner, opendc, or the folder of a built distribution.", {
      env: "OPENDC_RUNNER",
      placeholder: "PATH",
    }),
    "jobs": integer("Simulations at a time.", { fallback: 1, min: 1 }),
    "timeout-s": integer("Time limit of a simulation, s.", { fallback: 600, min: 1 }),
    "dry-run": toggle("List the scenarios and stop."),
    "json": toggle("Print the result as JSON."),
  },
  notes: [
    "A scenario that is done is not run again: call it again to continue a sweep.",
    "Writes table.csv, table.parquet, report.md, front.svg and the folder of each scenario.",
    "Exit code 1 when a scenario fails; the others are run all the same.",
  ],
});

/** Options of a sweep. */
export type SweepFlags = OptionsOf<typeof SWEEP.flags>;

/**
 * File and folder of a sweep, absolute.
 *
 * @throws {UsageError} when one was not given.
 */
export function sweepPaths({ spec, output }: SweepFlags): { spec: string; output: string } {
  if (spec === null) throw new UsageError("--spec FILE is required");
  if (output === null) throw new UsageError("--output DIR is required");
  return { spec: resolve(spec), output: resolve(output) };
}

/** The sweep as a role. It reads the export, the run and the traces that its file names, wherever. */
export const SWEEP_ROLE = role({
  command: SWEEP,
  grant: (options) => ({
    read: true,
    write: [sweepPaths(options).output],
    run: [TIMEOUT_PROGRAM],
  }),
});
