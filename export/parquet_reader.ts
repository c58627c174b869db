/**
 * Reads parquet files with an implementation that has nothing in common with the one that writes them.
 *
 * @module
 */

import {
  type AsyncBuffer,
  type CompressionCodec,
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { checkPages } from "./parquet_pages.ts";
import { openInputFile } from "../trace/input_file.ts";

/** A column as the file's footer declares it. */
export interface FoundColumn {
  /** Name; of a nested column that of its outermost group. */
  readonly name: string;
  /** Physical type; `GROUP` for a nested column. */
  readonly type: string;
  /** Repetition. */
  readonly repetition: string;
  /** Unit of a timestamp: `MILLIS`, `MICROS`, `NANOS`; null for any other column. */
  readonly timestampUnit: string | null;
}

/** A file that is no parquet, or not a whole one. */
export class ParquetReadError extends Error {
  /** Name of the class. */
  override readonly name = "ParquetReadError";
}

/** Leaves a timestamp the integer that is in the file, in whatever unit: as OpenDC takes it. */
const RAW_TIMESTAMPS = {
  timestampFromMilliseconds: asIs,
  timestampFromMicroseconds: asIs,
  timestampFromNanoseconds: asIs,
};

function asIs(value: bigint): bigint {
  return value;
}

/** An open parquet file. Dispose of it to close it. */
export class ParquetFile implements Disposable {
  /** Path of the file. */
  readonly path: string;
  /** The columns. */
  readonly columns: readonly FoundColumn[];
  /** Codecs in use. */
  readonly codecs: ReadonlySet<string>;
  /** Number of rows. */
  readonly rows: number;
  /** Rows of each row group. */
  readonly groups: readonly number[];
  /** Program that wrote it. */
  readonly createdBy: string | null;
  readonly #file: Deno.FsFile;
  readonly #scan: ParquetScan;

  private constructor(
    path: string,
    { file, scan }: { readonly file: Deno.FsFile; readonly scan: ParquetScan },
  ) {
    const { metadata } = scan;
    this.path = path;
    this.#file = file;
    this.#scan = scan;
    this.columns = columnsOf(metadata.schema);
    this.codecs = new Set(
      metadata.row_groups.flatMap(({ columns }) =>
        columns.map(({ meta_data }) => meta_data?.codec ?? "UNCOMPRESSED")
      ),
    );
    this.rows = Number(metadata.num_rows);
    this.groups = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
    this.createdBy = metadata.created_by ?? null;
  }

  /**
   * Open `path` and read its footer.
   *
   * @throws {ParquetReadError} when it is no whole parquet file.
   * @throws {Deno.errors.NotFound} when there is no such file.
   */
  static async open(path: string): Promise<ParquetFile> {
    const file = await openInputFile(path);
    try {
      const { size } = await file.stat();
      const buffer: AsyncBuffer = {
        byteLength: size,
        slice: (start, end = size) => readRange(file, { start, end }),
      };
      const metadata: FileMetaData = await parquetMetadataAsync(buffer);
      checkFooter(metadata, size);
      const scan = await parquetScan({
        file: buffer,
        metadata,
        compressors,
        useOffsetIndex: false,
        parsers: RAW_TIMESTAMPS,
      });
      return new ParquetFile(path, { file, scan });
    } catch (error) {
      file.close();
      if (!(error instanceof Error)) throw error;
      throw readError(path, error);
    }
  }

  /** True when there is a column of this name. */
  has(name: string): boolean {
    return this.columns.some((column) => column.name === name);
  }

  /**
   * The values of a numeric column in one row group, timestamps as the raw integer; NaN where there is
   * none.
   *
   * @throws {ParquetReadError} when its pages cannot be read.
   */
  async readNumbers(name: string, group: number): Promise<Float64Array> {
    const values = await this.#read(name, group);
    if (values instanceof Float64Array) return values;
    const numbers = new Float64Array(values.length);
    for (let row = 0; row < values.length; row++) numbers[row] = asNumber(values[row]);
    return numbers;
  }

  /** The values of a text column in one row group; null where there is none. */
  async readTexts(name: string, group: number): Promise<(string | null)[]> {
    const values = await this.#read(name, group);
    return Array.from(values, (value) => typeof value === "string" ? value : null);
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Check the pages of a flat column; the decoder bounds nothing itself. */
  #checkPages(name: string, group: number): void {
    const { row_groups, schema } = this.#scan.metadata;
    const column = row_groups[group]?.columns
      .map(({ meta_data }) => meta_data)
      .find((one) => one?.path_in_schema.length === 1 && one.path_in_schema[0] === name);
    if (column === undefined) return;
    const { codec, total_compressed_size, data_page_offset, dictionary_page_offset } = column;
    const start = Number(dictionary_page_offset ?? data_page_offset);
    const end = start + Number(total_compressed_size);
    const element = schema.find((one) => one.name === name);
    checkPages(new Uint8Array(readRange(this.#file, { start, end })), {
      rows: this.groups[group] ?? 0,
      isOptional: element?.repetition_type === "OPTIONAL",
      decompress: (bytes, size) => decompress(codec, { bytes, size }),
    });
  }

  async #read(name: string, group: number): Promise<ArrayLike<unknown>> {
    const rowStart = this.groups.slice(0, group).reduce((sum, rows) => sum + rows, 0);
    const rows = this.groups[group] ?? 0;
    try {
      this.#checkPages(name, group);
      const values = await this.#scan.readColumn({
        column: name,
        rowStart,
        rowEnd: rowStart + rows,
      });
      if (values.length === rows) return values;
      throw new RangeError(`${rows} values are declared, got ${values.length}`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw readError(this.path, error);
    }
  }
}

/**
 * Most rows of one row group. Writers make groups of a million rows or of 128 MB; a column of this many
 * takes 512 MB when it is read, and more than that is a broken footer.
 */
const GROUP_ROWS_LIMIT = 2 ** 26;

/** The reader believes every number of a footer; those by which it allocates and seeks must be possible. */
function checkFooter({ num_rows, row_groups, schema }: FileMetaData, sizeBytes: number): void {
  for (const { num_children } of schema) {
    requireWithin("children", num_children ?? 0, schema.length);
  }
  let rows = 0;
  for (const group of row_groups) {
    requireWithin("rows of a group", group.num_rows, GROUP_ROWS_LIMIT);
    rows += Number(group.num_rows);
    for (const { meta_data: column } of group.columns) {
      if (column === undefined) continue;
      const { data_page_offset, dictionary_page_offset, total_compressed_size } = column;
      requireWithin("a page's place", data_page_offset, sizeBytes);
      requireWithin("a page's place", dictionary_page_offset ?? 0n, sizeBytes);
      requireWithin("a column's bytes", total_compressed_size, sizeBytes);
    }
  }
  if (BigInt(rows) !== BigInt(num_rows)) {
    throw new RangeError(`${num_rows} rows are declared, got ${rows} in its groups`);
  }
}

function requireWithin(what: string, value: bigint | number, limit: number): void {
  if (value >= 0 && value <= limit) return;
  throw new RangeError(`the footer is broken: ${what} from 0 to ${limit} required, got ${value}`);
}

function decompress(
  codec: CompressionCodec,
  { bytes, size }: { readonly bytes: Uint8Array; readonly size: number },
): Uint8Array {
  if (codec === "UNCOMPRESSED") return bytes;
  const own = compressors[codec];
  if (own !== undefined) return own(bytes, size);
  throw new RangeError(`the codec ${codec} is not known`);
}

function asNumber(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : NaN;
}

/** The reader throws plain errors of many texts for broken bytes; ours has one class. */
function readError(path: string, error: Error): ParquetReadError {
  return new ParquetReadError(`Cannot read "${path}": ${error.message}`, { cause: error });
}

function readRange(
  file: Deno.FsFile,
  { start, end }: { readonly start: number; readonly end: number },
): ArrayBuffer {
  const bytes = new Uint8Array(Math.max(0, end - start));
  // Synchronous: the reader asks for several ranges at once, and the file has one position.
  file.seekSync(start, Deno.SeekMode.Start);
  for (let read = 0; read < bytes.length;) {
    const count = file.readSync(bytes.subarray(read));
    if (count === null) throw new RangeError(`the file ends before byte ${end}`);
    read += count;
  }
  return bytes.buffer;
}

/** The outermost columns of a flat list of schema elements, which holds a tree in depth-first order. */
function columnsOf(schema: readonly SchemaElement[]): FoundColumn[] {
  const columns: FoundColumn[] = [];
  for (let at = 1; at < schema.length; at += sizeOfTree(schema, at)) {
    const element = schema[at] as SchemaElement;
    const logical = element.logical_type;
    columns.push({
      name: element.name,
      type: element.type ?? "GROUP",
      repetition: element.repetition_type ?? "REQUIRED",
      timestampUnit: logical?.type === "TIMESTAMP"
        ? logical.unit
        : /^TIMESTAMP_(\w+)$/.exec(element.converted_type ?? "")?.[1] ?? null,
    });
  }
  return columns;
}

function sizeOfTree(schema: readonly SchemaElement[], at: number): number {
  let size = 1;
  for (let child = schema[at]?.num_children ?? 0; child > 0; child--) {
    size += sizeOfTree(schema, at + size);
  }
  return size;
}
