/** Flags of the export as tables, and the permissions that they need. */

import { dirname, join, resolve } from "@std/path";
import { TABLE_FORMATS } from "../../export/tables/tables.ts";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** Folder in a run directory that holds its tables. */
const TABLES_FOLDER = "tables";

/** `deno task export-tables`. */
export const EXPORT_TABLES = command({
  ...commandNamed("export-tables"),
  flags: {
    "input": text("Parsed run, or one node of it; default: logs/RUN_ID.", {
      placeholder: "DIR",
    }),
    "output": text("Folder for the tables; default: tables/ in the run.", { placeholder: "DIR" }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "format": text("Files to write.", { choices: TABLE_FORMATS, fallback: "parquet" }),
    "json": toggle("Print what was written as JSON: the content of tables.json."),
  },
  notes: [
    "Tables: tasks, attempts, samples, processes, nodes, placements, capacity, host, clock, shares,",
    "requests, collector. tables.json gives type, unit, meaning and source of every column.",
  ],
});

/** Options of the export. */
export type ExportTablesFlags = OptionsOf<typeof EXPORT_TABLES.flags>;

/**
 * Folder to read and folder to write, absolute.
 *
 * @throws {UsageError} when neither a folder nor a RUN_ID was given.
 */
export function tableFolders(options: ExportTablesFlags): { input: string; output: string } {
  if (options.input === null && options["run-id"] === null) {
    throw new UsageError("--input DIR or RUN_ID is required");
  }
  const input = resolve(options.input ?? join(options.logs, requireRunId(options)));
  return { input, output: resolve(options.output ?? join(input, TABLES_FOLDER)) };
}

/** The export as a role. It reads the folder above its input too: the queue's records are there. */
export const EXPORT_TABLES_ROLE = role({
  command: EXPORT_TABLES,
  grant: (options) => {
    const { input, output } = tableFolders(options);
    return { read: [input, dirname(input), output], write: [output] };
  },
});
