/** Flags of experiment. */

import { command, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task experiment`. */
export const EXPERIMENT = command({
  ...commandNamed("experiment"),
  flags: {
    "logs": RUN_FLAGS.logs,
    "show": toggle("Run nothing: show what is done so far."),
    "json": toggle("Print the cells and their runs as JSON."),
  },
  operands: "SPEC",
  notes: [
    "SPEC is JSON: see examples/experiment/. Each run is a demo with a run directory of its own; those",
    "that are done are kept in LOGS/NAME.experiment.json and not repeated. The first cell runs twice:",
    "the A/A check shows how much runs with the same settings differ.",
  ],
});
