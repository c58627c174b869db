/**
 * A table as data: each column's type, unit, meaning and source are in one place, and from it come the
 * TypeScript type of a row, the columns of a file and the reference in the documents. Pure.
 *
 * @module
 */

import type { Field, Fields, RecordSchema } from "../../trace/schema.ts";

/**
 * What a column holds. In a row a `timestamp` is epoch ms with decimals, as in the records; in a file it
 * is a whole number of µs since 1970-01-01 UTC.
 */
export type ColumnType = "text" | "integer" | "double" | "boolean" | "timestamp";

/** One column of a table. */
export interface TableColumn<T> {
  /** What it holds. */
  readonly type: ColumnType;
  /** True where null is valid: not known, or does not apply. */
  readonly isNullable: boolean;
  /** Unit of the value; null: it has none. */
  readonly unit: string | null;
  /** What the value means, one sentence. */
  readonly doc: string;
  /** The file it comes from, or how it is derived from other columns. */
  readonly source: string;
  /** Phantom of the value's type: never set. */
  readonly value?: T;
}

/** The columns of a table by name, in the order in which they are written. */
// deno-lint-ignore no-explicit-any -- a table's columns have any types
export type TableColumns = Readonly<Record<string, TableColumn<any>>>;

/** One table. */
export interface TableSchema<C extends TableColumns = TableColumns> {
  /** Its name: that of its files. */
  readonly name: string;
  /** What one row is, one sentence. */
  readonly doc: string;
  /** Columns that together name a row; empty: rows have no name. */
  readonly key: readonly string[];
  /** The columns. */
  readonly columns: C;
}

/** A row of a table. */
export type RowOf<S> = S extends TableSchema<infer C>
  ? { -readonly [K in keyof C]: C[K] extends TableColumn<infer T> ? T : never }
  : never;

/** What every column of our own says. */
export interface ColumnOptions {
  /** Unit of the value. */
  readonly unit?: string;
  /** What the value means, one sentence. */
  readonly doc: string;
  /** The file it comes from, or how it is derived. */
  readonly source: string;
}

function column<T>(type: ColumnType, { unit, doc, source }: ColumnOptions): TableColumn<T> {
  return { type, isNullable: false, unit: unit ?? null, doc, source };
}

/** A text column. */
export function text(options: ColumnOptions): TableColumn<string> {
  return column("text", options);
}

/** A column of whole numbers. */
export function integer(options: ColumnOptions): TableColumn<number> {
  return column("integer", options);
}

/** A column of numbers with decimals. */
export function double(options: ColumnOptions): TableColumn<number> {
  return column("double", options);
}

/** A column of times. */
export function timestamp(options: ColumnOptions): TableColumn<number> {
  return column("timestamp", { ...options, unit: "epoch_us" });
}

/** The same column, or null where the value is unknown or does not apply. */
export function orNull<T>(given: TableColumn<T>): TableColumn<T | null> {
  return { ...given, isNullable: true } as TableColumn<T | null>;
}

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** Which fields of a record become columns. */
export interface FromRecord<K> {
  /** The file that holds the record. */
  readonly source: string;
  /** The fields, in order. */
  readonly fields: readonly K[];
}

/** Fields of a record as columns: type, unit and meaning are the record's own. */
export function from<F extends Fields, const K extends keyof F & string>(
  record: RecordSchema<F>,
  { source, fields }: FromRecord<K>,
): { readonly [P in K]: TableColumn<ValueOf<F[P]>> } {
  const entries = fields.map((
    name,
  ) => [name, columnOf(name, { field: record.fields[name], source })]);
  return Object.fromEntries(entries);
}

/** The same where the whole record may be missing: every column is nullable. */
export function fromOptional<F extends Fields, const K extends keyof F & string>(
  record: RecordSchema<F>,
  options: FromRecord<K>,
): { readonly [P in K]: TableColumn<ValueOf<F[P]> | null> } {
  const columns = Object.entries(from(record, options)) as [string, TableColumn<unknown>][];
  const entries = columns.map(([name, one]) => [name, orNull(one)]);
  return Object.fromEntries(entries);
}

function columnOf(
  name: string,
  { field, source }: { readonly field: Field<unknown> | undefined; readonly source: string },
): TableColumn<unknown> {
  if (field === undefined) throw new TypeError(`Cannot make a column "${name}": no such field`);
  const { kind, unit, doc, isNullable } = field;
  const options = { doc, source, ...(unit === null ? {} : { unit }) };
  const made = unit === "epoch_ms" ? timestamp(options) : COLUMN_OF_KIND[kind]?.(options);
  if (made === undefined) {
    throw new TypeError(
      `Cannot make a column "${name}": a single value is required, got a ${kind}`,
    );
  }
  return { ...made, isNullable };
}

const COLUMN_OF_KIND: Readonly<Record<string, (options: ColumnOptions) => TableColumn<unknown>>> = {
  number: double,
  integer,
  string: text,
  boolean: (options) => column("boolean", options),
};

/** Declare a table. */
export function table<const C extends TableColumns>(
  name: string,
  declared: Omit<TableSchema<C>, "name">,
): TableSchema<C> {
  return { name, ...declared };
}
