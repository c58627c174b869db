/**
 * A folder of tables: what describes it, and whose it is.
 *
 * @module
 */

import { join } from "@std/path";
import { readRecordFile } from "../../trace/record_file.ts";
import { DecodeError, quote } from "../../trace/schema.ts";

/** Version of the tables: a major one for a column that is renamed or removed. */
export const TABLES_VERSION = "1.0";

/** Name of the file that describes the others. */
export const TABLES_JSON = "tables.json";

/**
 * RUN_ID of the tables in `folder`.
 *
 * @throws {DecodeError} when `tables.json` is not a description of tables, or is missing.
 */
export async function readRunId(folder: string): Promise<string> {
  const path = join(folder, TABLES_JSON);
  const runId = await readRecordFile(path, (value, where) => {
    if (typeof value === "object" && value !== null && "run_id" in value) {
      if (typeof value.run_id === "string") return value.run_id;
    }
    throw new DecodeError(`Cannot read "${where}": run_id is required, got ${quote(value)}`);
  });
  if (runId !== null) return runId;
  throw new DecodeError(`Cannot read "${path}": there is no such file`);
}
