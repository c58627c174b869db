/**
 * A table described for whoever reads its file: part of `tables.json` and of each parquet footer. Pure.
 *
 * @module
 */

import type { ColumnType, TableSchema } from "./schema.ts";

/** A column as it is described. */
export interface ColumnDescription {
  /** Name. */
  readonly name: string;
  /** Type in the parquet file. */
  readonly type: string;
  /** True where null is valid: not known, or does not apply. */
  readonly nullable: boolean;
  /** Unit; null: none. */
  readonly unit: string | null;
  /** What the value means. */
  readonly doc: string;
  /** Where it comes from. */
  readonly source: string;
}

/** A table as it is described. */
export interface TableDescription {
  /** Name. */
  readonly name: string;
  /** What a row is. */
  readonly doc: string;
  /** Columns that together name a row. */
  readonly key: readonly string[];
  /** The columns, in order. */
  readonly columns: readonly ColumnDescription[];
}

const FILE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: "STRING",
  integer: "INT64",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP(us, UTC)",
};

/** The description of `schema`. */
export function describeTable({ name, doc, key, columns }: TableSchema): TableDescription {
  return {
    name,
    doc,
    key,
    columns: Object.entries(columns).map(([column, one]) => ({
      name: column,
      type: FILE_TYPES[one.type],
      nullable: one.isNullable,
      unit: one.unit,
      doc: one.doc,
      source: one.source,
    })),
  };
}
