/**
 * Rows of a table as columns, a batch at a time: typed arrays that are filled again for each batch.
 *
 * @module
 */

import { US_PER_MS } from "../../trace/units.ts";
import type { TableColumn, TableColumns, TableSchema } from "./schema.ts";

/** Rows of a batch of `samples`: a megabyte. Four times as many take 50 MB more and save 5 % of the time. */
export const SAMPLE_BATCH_ROWS: number = 16 * 1024;

/** Rows of a batch of any other table: these have up to sixty columns, and few rows. */
const BATCH_ROWS = 2 * 1024;

/** 2^32: a 64-bit integer is two words of this size. */
const WORD = 2 ** 32;

/** Which rows of a column are null. */
export class Validity {
  /** A bit per row, 1: there is a value. */
  readonly bits: Uint8Array;
  /** Rows that are null. */
  nulls = 0;

  /** For so many rows, a multiple of 8; none has a value. */
  constructor(rows: number) {
    this.bits = new Uint8Array(rows / 8);
  }

  /** True when the row has a value. */
  has(row: number): boolean {
    return ((this.bits[row >> 3] as number) >> (row & 7) & 1) === 1;
  }

  /** The row has a value. */
  set(row: number): void {
    this.bits[row >> 3] = (this.bits[row >> 3] as number) | 1 << (row & 7);
  }

  /** Forget all rows. */
  clear(): void {
    this.bits.fill(0);
    this.nulls = 0;
  }
}

/** Values of one column of a batch. */
export interface ColumnValues {
  /** Which rows are null. */
  readonly validity: Validity;
  /** Set the value of the row; null: it has none. */
  set(row: number, value: unknown): void;
  /** Forget all rows. */
  clear(): void;
}

/** Whole numbers, and times as µs: 64 bits each. */
export class IntegerValues implements ColumnValues {
  readonly validity: Validity;
  /** Two words a row, the low one first. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly #perUnit: number;

  /** For so many rows; values are multiplied by `perUnit` and rounded. */
  constructor(rows: number, perUnit: number) {
    this.validity = new Validity(rows);
    this.words = new Int32Array(2 * rows);
    this.#perUnit = perUnit;
  }

  set(row: number, value: number | null): void {
    if (value === null) {
      this.words[2 * row] = this.words[2 * row + 1] = 0;
      this.validity.nulls++;
      return;
    }
    const whole = this.#perUnit === 1 ? value : Math.round(value * this.#perUnit);
    const high = Math.floor(whole / WORD);
    this.words[2 * row] = whole - high * WORD;
    this.words[2 * row + 1] = high;
    this.validity.set(row);
  }

  /** The number of the row, as it is written. */
  at(row: number): number {
    return (this.words[2 * row + 1] as number) * WORD + ((this.words[2 * row] as number) >>> 0);
  }

  clear(): void {
    this.validity.clear();
  }
}

/** Numbers with decimals. */
export class DoubleValues implements ColumnValues {
  readonly validity: Validity;
  /** The values; 0 where there is none. */
  readonly numbers: Float64Array<ArrayBuffer>;

  /** For so many rows. */
  constructor(rows: number) {
    this.validity = new Validity(rows);
    this.numbers = new Float64Array(rows);
  }

  set(row: number, value: number | null): void {
    this.numbers[row] = value ?? 0;
    if (value === null) this.validity.nulls++;
    else this.validity.set(row);
  }

  clear(): void {
    this.validity.clear();
  }
}

/** True or false. */
export class BooleanValues implements ColumnValues {
  readonly validity: Validity;
  /** A bit per row. */
  readonly truths: Validity;

  /** For so many rows. */
  constructor(rows: number) {
    this.validity = new Validity(rows);
    this.truths = new Validity(rows);
  }

  set(row: number, value: boolean | null): void {
    if (value === null) {
      this.validity.nulls++;
      return;
    }
    this.validity.set(row);
    if (value) this.truths.set(row);
  }

  clear(): void {
    this.validity.clear();
    this.truths.clear();
  }
}

/** Texts by their place in a list of those that occur in the batch. */
export class TextValues implements ColumnValues {
  readonly validity: Validity;
  /** Place in {@linkcode texts} of each row. */
  readonly places: Int32Array<ArrayBuffer>;
  /** The texts, each once. */
  readonly texts: string[] = [];
  readonly #placeOf = new Map<string, number>();
  #last: string | null = null;
  #lastPlace = 0;

  /** For so many rows. */
  constructor(rows: number) {
    this.validity = new Validity(rows);
    this.places = new Int32Array(rows);
  }

  set(row: number, value: string | null): void {
    if (value === null) {
      this.places[row] = 0;
      this.validity.nulls++;
      return;
    }
    this.validity.set(row);
    this.places[row] = value === this.#last ? this.#lastPlace : this.#find(value);
  }

  clear(): void {
    this.validity.clear();
    this.texts.length = 0;
    this.#placeOf.clear();
    this.#last = null;
  }

  #find(value: string): number {
    let place = this.#placeOf.get(value);
    if (place === undefined) {
      place = this.texts.push(value) - 1;
      this.#placeOf.set(value, place);
    }
    this.#last = value;
    this.#lastPlace = place;
    return place;
  }
}

/** Any column's values. */
export type AnyValues = IntegerValues | DoubleValues | BooleanValues | TextValues;

/** Some rows of a table; valid until the next batch is asked for. */
export interface TableBatch {
  /** Number of rows. */
  readonly length: number;
  /** Values of each column, in the order of the columns. */
  readonly values: readonly AnyValues[];
}

function valuesOf({ type }: TableColumn<unknown>, rows: number): AnyValues {
  switch (type) {
    case "integer":
      return new IntegerValues(rows, 1);
    case "timestamp":
      return new IntegerValues(rows, US_PER_MS);
    case "double":
      return new DoubleValues(rows);
    case "boolean":
      return new BooleanValues(rows);
    case "text":
      return new TextValues(rows);
  }
}

/** Collects rows until a batch is full. */
export class BatchBuilder {
  /** Values of each column, by name. */
  readonly columns: ReadonlyMap<string, AnyValues>;
  readonly #values: readonly AnyValues[];
  readonly #schema: TableSchema;
  readonly #rows: number;
  /** Rows so far. */
  length = 0;

  /** An empty batch of the table, for so many rows, a multiple of 8. */
  constructor(schema: TableSchema, rows: number = BATCH_ROWS) {
    this.#schema = schema;
    this.#rows = rows;
    this.columns = new Map(
      Object.entries(schema.columns).map(([name, column]) => [name, valuesOf(column, rows)]),
    );
    this.#values = [...this.columns.values()];
  }

  /** True when no row more fits. */
  get isFull(): boolean {
    return this.length === this.#rows;
  }

  /** Add a row. */
  add(row: Readonly<Record<string, unknown>>): void {
    for (const [name, values] of this.columns) {
      (values as ColumnValues).set(this.length, row[name] ?? null);
    }
    this.length++;
  }

  /**
   * The rows so far as a batch.
   *
   * @throws {TypeError} when a column that is never null has one.
   */
  take(): TableBatch {
    const { columns, name } = this.#schema;
    for (const [column, { validity }] of this.columns) {
      if (validity.nulls > 0 && !(columns as TableColumns)[column]?.isNullable) {
        throw new TypeError(
          `Cannot write column "${column}" of "${name}": a value in every row is required, got null`,
        );
      }
    }
    return { length: this.length, values: this.#values };
  }

  /** Begin the next batch. */
  clear(): void {
    for (const values of this.#values) values.clear();
    this.length = 0;
  }
}

/** `rows` in batches. */
export async function* batchesOf(
  schema: TableSchema,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>,
): AsyncGenerator<TableBatch> {
  const builder = new BatchBuilder(schema);
  for await (const row of rows) {
    builder.add(row);
    if (!builder.isFull) continue;
    yield builder.take();
    builder.clear();
  }
  if (builder.length > 0) yield builder.take();
}
