/**
 * Writes OpenDC's tables as parquet files, streamed.
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
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { Compression, EnabledStatistics, Encoding, WriterPropertiesBuilder } from "parquet-wasm";
import type { Column, CompressionName } from "./opendc/schema.ts";
import { writeParquetStream, type WrittenFile } from "./parquet_stream.ts";

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
export function writeParquet(path: string, options: ParquetOptions): Promise<WrittenFile> {
  const schema = new Schema(options.columns.map(fieldOf));
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
  return writeParquetStream(path, {
    tables: tablesOf(schema, options.batches),
    properties: builder.build(),
  });
}

function* tablesOf(schema: Schema, batches: Iterable<RowBatch>): Generator<Table> {
  let isEmpty = true;
  for (const batch of batches) {
    isEmpty = false;
    yield tableOf(schema, batch);
  }
  // A file without rows still needs its schema.
  if (isEmpty) yield tableOf(schema, emptyBatch(schema));
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
