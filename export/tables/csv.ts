/**
 * A table's batches as CSV: RFC 4180 with a header, UTF-8, lines that end in a newline.
 *
 * Times are ISO 8601 in UTC with six decimals of a second; null is empty, an empty text `""`.
 *
 * @module
 */

import { type FileHash, RunningHash } from "../file_hash.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import {
  type AnyValues,
  BooleanValues,
  DoubleValues,
  IntegerValues,
  type TableBatch,
} from "./column_values.ts";
import type { TableColumn, TableSchema } from "./schema.ts";

/** Rows per write: a megabyte or less. */
const ROWS_PER_WRITE = 4096;

const US_PER_S = 1_000_000;

/** A CSV file that is being written. Dispose of it to close it. */
export class CsvFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #columns: readonly TableColumn<unknown>[];
  readonly #hash = new RunningHash();
  readonly #encoder = new TextEncoder();
  #rows = 0;

  private constructor(path: string, { file, schema }: { file: Deno.FsFile; schema: TableSchema }) {
    this.#path = path;
    this.#file = file;
    this.#columns = Object.values(schema.columns);
  }

  /** Create the file `path`, which must not be there yet, and write the header. */
  static async create(path: string, schema: TableSchema): Promise<CsvFile> {
    const file = await Deno.open(path, { write: true, createNew: true });
    const csv = new CsvFile(path, { file, schema });
    await csv.#append(`${Object.keys(schema.columns).join(",")}\n`);
    return csv;
  }

  /** Append the rows of a batch. */
  async write({ length, values }: TableBatch): Promise<void> {
    const cells = values.map((one, column) => cellsOf(one, this.#columns[column]));
    for (let from = 0; from < length; from += ROWS_PER_WRITE) {
      let text = "";
      for (let row = from; row < Math.min(length, from + ROWS_PER_WRITE); row++) {
        for (let column = 0; column < cells.length; column++) {
          text += (column === 0 ? "" : ",") + cells[column]?.(row);
        }
        text += "\n";
      }
      await this.#append(text);
    }
    this.#rows += length;
  }

  /** Wait until all is on the disk; size and hash of the file. */
  async finish(): Promise<FileHash & { readonly rows: number }> {
    await this.#file.syncData();
    return { rows: this.#rows, ...this.#hash.digest() };
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #append(text: string): Promise<void> {
    const bytes = this.#encoder.encode(text);
    try {
      for (let written = 0; written < bytes.length;) {
        written += await this.#file.write(bytes.subarray(written));
      }
    } catch (error) {
      throw new Error(`Cannot write "${this.#path}": ${messageOf(error)}`, { cause: error });
    }
    this.#hash.update(bytes);
  }
}

/** Writes the cell of a row. */
type Cell = (row: number) => string;

function cellsOf(values: AnyValues, column: TableColumn<unknown> | undefined): Cell {
  const { validity } = values;
  const write = writerOf(values, column);
  return (row) => validity.has(row) ? write(row) : "";
}

function writerOf(values: AnyValues, column: TableColumn<unknown> | undefined): Cell {
  if (values instanceof IntegerValues) {
    return column?.type === "timestamp"
      ? (row) => isoOf(values.at(row))
      : (row) => String(values.at(row));
  }
  if (values instanceof DoubleValues) return (row) => String(values.numbers[row]);
  if (values instanceof BooleanValues) return (row) => String(values.truths.has(row));
  const quoted = values.texts.map(quoteCell);
  return (row) => quoted[values.places[row] as number] ?? "";
}

function quoteCell(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isoOf(us: number): string {
  const seconds = Math.floor(us / US_PER_S);
  const rest = String(us - seconds * US_PER_S).padStart(6, "0");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}
