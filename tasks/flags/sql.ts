/** Flags of sql. */

import { command, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { OUTPUT_FORMATS } from "../sql/output.ts";
import { SAVED_RUN_FLAGS } from "./groups/saved_runs.ts";

/** `deno task sql`. */
export const SQL = command({
  ...commandNamed("sql"),
  flags: {
    "input": text(
      "Runs: RUN_IDs or folders, separated by commas; default: RUN_ID, or the newest run.",
      {
        placeholder: "RUN",
      },
    ),
    ...SAVED_RUN_FLAGS,
    "file": text("File with the statements.", { placeholder: "FILE" }),
    "format": text("How results are printed.", { choices: OUTPUT_FORMATS, fallback: "table" }),
  },
  operands: "[SQL]",
  notes: [
    "Tables are those of export-tables, made in the run's tables/ when they are missing or old; each has",
    "a first column run. Views: waits_by_profile, used_against_reserved, node_utilisation, slowdowns,",
    "fairness. Without SQL and FILE: a prompt on a terminal, otherwise statements from stdin.",
  ],
});
