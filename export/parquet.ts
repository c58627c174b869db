/**
 * Writes parquet files, streamed: the only module that knows the writer.
 *
 * Non-nullable Arrow fields become REQUIRED columns, which OpenDC insists on.
 *
 * @module
 */

import {
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import {
  Compression,
  EnabledStatistics,
  Encoding,
  Table as WasmTable,
  transformParquetStream,
  WriterPropertiesBuilder,
} from "parquet-wasm";
import { messageOf } from "../trace/atomic_file.ts";
import { type FileHash, RunningHash } from "./file_hash.ts";
import type { Column, CompressionName } from "./opendc/schema.ts";

/** Values of one column of a batch: what its type holds. */
export type ColumnValues = Int32Array | BigInt64Array | Float64Array | readonly (string | null)[];

/** Some rows: the values of each column, in the order of the columns. */
export interface RowBatch {
  /** Number of rows. */
  readonly length: number;
  /** One entry per column, each of that length or longer. */
  readonly values: readonly ColumnValues[];
}

/** What to write and how. */
export interface ParquetOptions {
  /** The columns, in order. */
  readonly columns: readonly Column[];
  /** Codec of the pages. */
  readonly compression: CompressionName;
  /** Who wrote it, for the footer. */
  readonly createdBy: string;
  /** The rows. */
  readonly batches: Iterable<RowBatch>;
}

/** What was written. */
export interface WrittenFile extends FileHash {
  /** Number of rows. */
  readonly rows: number;
}

/**
 * Rows per row group. The writer holds one group encoded in memory, at most 20 bytes a fragment here,
 * so that this is 10 MB; a reader that takes a group at a time needs about the same. Much smaller
 * groups make the file and its footer larger, nothing else.
 */
const ROWS_PER_GROUP = 512 * 1024;

const CODECS: Readonly<Record<CompressionName, Compression>> = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
};

/** Write the rows to `path`, which must not be there under its final name yet. */
export async function writeParquet(path: string, options: ParquetOptions): Promise<WrittenFile> {
  const schema = new Schema(options.columns.map(fieldOf));
  const source = new BatchSource(schema, options.batches);
  // The writer's properties are consumed by their first use, so each file gets its own.
  let builder = new WriterPropertiesBuilder()
    .setCompression(CODECS[options.compression])
    .setCreatedBy(options.createdBy)
    .setMaxRowGroupSize(ROWS_PER_GROUP)
    .setStatisticsEnabled(EnabledStatistics.Chunk);
  for (const { name, type } of options.columns) {
    if (type !== "DOUBLE") continue;
    // Measured demands hardly repeat: no dictionary, and byte planes, which halve the file (parquet-java
    // reads them since 1.12, of 2021).
    builder = builder.setColumnDictionaryEnabled(name, false)
      .setColumnEncoding(name, Encoding.BYTE_STREAM_SPLIT);
  }
  const properties = builder.build();
  const hash = new RunningHash();
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    const stream = new ReadableStream(source, { highWaterMark: 0 });
    for await (const chunk of await transformParquetStream(stream, properties)) {
      await writeChunk(file, { chunk, path });
      hash.update(chunk);
    }
  } catch (error) {
    // The writer reports a failing source as a text of its own; the source's error is the one to tell.
    throw source.failure ?? error;
  }
  if (source.failure !== null) throw source.failure;
  await file.syncData();
  return { rows: source.rows, ...hash.digest() };
}

async function writeChunk(
  file: Deno.FsFile,
  { chunk, path }: { readonly chunk: Uint8Array; readonly path: string },
): Promise<void> {
  try {
    for (let written = 0; written < chunk.length;) {
      written += await file.write(chunk.subarray(written));
    }
  } catch (error) {
    throw new Error(`Cannot write "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** Hands batches to the writer when it asks, and keeps the error that ended them. */
class BatchSource {
  rows = 0;
  failure: Error | null = null;
  readonly #schema: Schema;
  readonly #batches: Iterator<RowBatch>;

  constructor(schema: Schema, batches: Iterable<RowBatch>) {
    this.#schema = schema;
    this.#batches = batches[Symbol.iterator]();
  }

  pull(controller: ReadableStreamDefaultController): void {
    try {
      const next = this.#batches.next();
      if (next.done) {
        // A file without rows still needs its schema.
        if (this.rows === 0) this.#enqueue(controller, emptyBatch(this.#schema));
        controller.close();
        return;
      }
      this.rows += next.value.length;
      this.#enqueue(controller, next.value);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      controller.error(this.failure);
    }
  }

  #enqueue(controller: ReadableStreamDefaultController, batch: RowBatch): void {
    const table = WasmTable.fromIPCStream(tableToIPC(tableOf(this.#schema, batch), "stream"));
    for (const one of table.recordBatches()) controller.enqueue(one);
    table.free();
  }
}

function emptyBatch(schema: Schema): RowBatch {
  return { length: 0, values: schema.fields.map((field) => emptyValues(field.type)) };
}

function emptyValues(type: DataType): ColumnValues {
  if (type instanceof Int32) return new Int32Array(0);
  if (type instanceof Float64) return new Float64Array(0);
  return type instanceof Utf8 ? [] : new BigInt64Array(0);
}

function tableOf(schema: Schema, { length, values }: RowBatch): Table {
  const children = schema.fields.map((field, index) =>
    dataOf(field.type, values[index] ?? [], length)
  );
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  return new Table([new RecordBatch(schema, data)]);
}

function dataOf(
  type: DataType,
  values: ColumnValues,
  length: number,
): ReturnType<typeof makeData> {
  if (values instanceof Int32Array) {
    return makeData({ type: new Int32(), length, nullCount: 0, data: values.subarray(0, length) });
  }
  if (values instanceof Float64Array) {
    return makeData({
      type: new Float64(),
      length,
      nullCount: 0,
      data: values.subarray(0, length),
    });
  }
  if (values instanceof BigInt64Array) {
    const data = values.subarray(0, length);
    return type instanceof Int64
      ? makeData({ type: new Int64(), length, nullCount: 0, data })
      : makeData({ type: new TimestampMillisecond("UTC"), length, nullCount: 0, data });
  }
  const [data] = vectorFromArray(values.slice(0, length), new Utf8()).data;
  if (data === undefined) return makeData({ type: new Utf8(), length: 0 });
  return data;
}

function fieldOf({ name, type, annotation, isRequired }: Column): Field {
  return new Field(name, arrowType(type, annotation), !isRequired);
}

function arrowType(type: Column["type"], annotation: Column["annotation"]): DataType {
  if (type === "INT32") return new Int32();
  if (type === "DOUBLE") return new Float64();
  if (type === "INT64") {
    return annotation === "TIMESTAMP_MILLIS_UTC" ? new TimestampMillisecond("UTC") : new Int64();
  }
  if (type === "BYTE_ARRAY") return new Utf8();
  throw new TypeError(`Cannot write a ${type} column: INT32, INT64, DOUBLE or BYTE_ARRAY required`);
}
