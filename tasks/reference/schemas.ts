/** `docs/reference/schemas/`: the JSON Schema of each record. */

import { recordSchema, schemaName } from "../../trace/json_schema.ts";
import { RUN_FILES } from "../../trace/run_files.ts";
import { TASK } from "../../trace/task.ts";
import type { Fields, RecordSchema } from "../../trace/schema.ts";
import type { Page } from "./page.ts";

/** A file for each record of a run, and for a task. */
export function schemaPages(): Page[] {
  const records = new Set<RecordSchema<Fields>>([TASK as unknown as RecordSchema<Fields>]);
  for (const { record } of RUN_FILES) if (record !== null) records.add(record);
  return [...records].map((record) => ({
    name: `schemas/${schemaName(record)}.schema.json`,
    markdown: `${JSON.stringify(recordSchema(record), null, 2)}\n`,
  }));
}
