/** Flags of the export for Perfetto, and the permissions that it needs. */

import { dirname, join, resolve } from "@std/path";
import { command, type OptionsOf, text } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** `deno task export-perfetto`. */
export const EXPORT_PERFETTO = command({
  ...commandNamed("export-perfetto"),
  operands: "[RUN]",
  flags: {
    "output": text("File to write; default: trace.perfetto in the run's folder.", {
      placeholder: "FILE",
    }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
  },
  notes: [
    "RUN is a RUN_ID or the folder of a parsed run. Open the file at https://ui.perfetto.dev, which",
    "reads it in the browser, or with trace_processor_shell.",
  ],
});

/** Options of the export. */
export type PerfettoFlags = OptionsOf<typeof EXPORT_PERFETTO.flags>;

/**
 * Folder of the run, and the file to write, absolute.
 *
 * @throws {UsageError} when no run or more than one was given.
 */
export function perfettoPaths(
  options: PerfettoFlags,
  operands: readonly string[],
): { readonly run: string; readonly output: string } {
  if (operands.length > 1) throw new UsageError(`one RUN is required, got ${operands.length}`);
  const name = operands[0] ?? requireRunId(options);
  const run = name.includes("/") ? resolve(name) : join(resolve(options.logs), name);
  return { run, output: resolve(options.output ?? join(run, "trace.perfetto")) };
}

/** The export as a role. It reads the folder above its run too: the queue's records are there. */
export const EXPORT_PERFETTO_ROLE = role({
  command: EXPORT_PERFETTO,
  grant: (options, operands) => {
    const { run, output } = perfettoPaths(options, operands);
    return { read: [run, dirname(run), dirname(output)], write: [dirname(output)] };
  },
});
