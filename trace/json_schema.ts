/**
 * The JSON Schema (2020-12) of a record, for readers in other languages.
 *
 * @module
 */

import { FORMAT_VERSION } from "./records.ts";
import { type Fields, jsonOfRecord, type JsonSchema, type RecordSchema } from "./schema.ts";

/** The schema of `record`, with the version of the format in its identity. */
export function recordSchema(record: RecordSchema<Fields>): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `urn:tracekit:${schemaName(record)}:${FORMAT_VERSION}`,
    title: record.name,
    ...jsonOfRecord(record.fields),
  };
}

/** Name of the record in file names: `raw-sample`. */
export function schemaName({ name }: RecordSchema<Fields>): string {
  return name.toLowerCase().replaceAll(" ", "-");
}
