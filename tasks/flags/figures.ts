/** Flags of the figures for papers. */

import { join, resolve } from "@std/path";
import { command, type OptionsOf, text } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** `deno task figures`. */
export const FIGURES = command({
  ...commandNamed("figures"),
  operands: "[RUN…]",
  flags: {
    "output": text("Folder to write; default: figures in the run's folder.", {
      placeholder: "DIR",
    }),
    "theme": text("Colours, or greys that a copier keeps apart.", {
      choices: ["colour", "grey"],
      fallback: "colour",
    }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
  },
  notes: [
    "RUN is a RUN_ID or the folder of a parsed run; several are drawn over each other. Each figure is",
    "an SVG 3.33 inches wide (ID.svg) and one of 7 inches (ID-wide.svg), with its data in ID.csv;",
    "figures.tex includes them with captions. PDF and PNG are made where rsvg-convert is installed.",
  ],
});

/**
 * Folders of the runs, and the folder to write, absolute.
 *
 * @throws {UsageError} when no run was given.
 */
export function figurePaths(
  options: OptionsOf<typeof FIGURES.flags>,
  operands: readonly string[],
): { readonly runs: readonly string[]; readonly output: string } {
  const named = operands.length > 0 ? operands : [requireRunId(options)];
  const runs = named.map((run) =>
    run.includes("/") ? resolve(run) : join(resolve(options.logs), run)
  );
  const [first] = runs;
  if (first === undefined) throw new UsageError("at least one RUN is required, got none");
  return { runs, output: resolve(options.output ?? join(first, "figures")) };
}
