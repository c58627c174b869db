/**
 * A table's batches as a parquet file.
 *
 * What never is null becomes REQUIRED, texts are dictionary-encoded, times TIMESTAMP(µs, UTC). Unit,
 * meaning and source of each column are in the metadata of its Arrow field (pyarrow, polars and R show
 * it), and all of them once more as JSON under the key `tracekit.table` of the footer, which any reader
 * shows.
 *
 * @module
 */

import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  Vector,
} from "apache-arrow";
import { Compression, EnabledStatistics, Encoding, WriterPropertiesBuilder } from "parquet-wasm";
import { writeParquetStream, type WrittenFile } from "../parquet_stream.ts";
import {
  type AnyValues,
  BatchBuilder,
  BooleanValues,
  DoubleValues,
  IntegerValues,
  type TableBatch,
  type Validity,
} from "./column_values.ts";
import { describeTable } from "./description.ts";
import type { TableColumn, TableSchema } from "./schema.ts";

/** Rows per row group: the writer holds one group encoded in memory, 30 bytes a sample. */
const ROWS_PER_GROUP = 256 * 1024;

/** What to write. */
export interface TableParquetOptions {
  /** The table. */
  readonly schema: TableSchema;
  /** Who writes, for the footer. */
  readonly createdBy: string;
  /** The rows. */
  readonly batches: AsyncIterable<TableBatch>;
}

/** Write the rows to `path`, which must not be there yet. */
export function writeTableParquet(
  path: string,
  { schema, createdBy, batches }: TableParquetOptions,
): Promise<WrittenFile> {
  const arrow = new Schema(Object.entries(schema.columns).map(fieldOf));
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setCreatedBy(createdBy)
    .setMaxRowGroupSize(ROWS_PER_GROUP)
    .setStatisticsEnabled(EnabledStatistics.Chunk)
    .setKeyValueMetadata(new Map([["tracekit.table", JSON.stringify(describeTable(schema))]]));
  for (const [name, { type }] of Object.entries(schema.columns)) {
    // Times hardly repeat, their differences do.
    if (type !== "timestamp") continue;
    builder = builder.setColumnDictionaryEnabled(name, false)
      .setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
  }
  return writeParquetStream(path, {
    tables: arrowTables(arrow, { schema, batches }),
    properties: builder.build(),
  });
}

function fieldOf([name, column]: [string, TableColumn<unknown>]): Field {
  const { unit, doc, source } = column;
  const metadata = new Map([["doc", doc], ["source", source]]);
  if (unit !== null) metadata.set("unit", unit);
  return new Field(name, arrowType(column), column.isNullable, metadata);
}

function arrowType({ type }: TableColumn<unknown>): DataType {
  switch (type) {
    case "text":
      return new Dictionary(new Utf8(), new Int32());
    case "integer":
      return new Int64();
    case "double":
      return new Float64();
    case "boolean":
      return new Bool();
    case "timestamp":
      return new TimestampMicrosecond("UTC");
  }
}

async function* arrowTables(
  arrow: Schema,
  { schema, batches }: Pick<TableParquetOptions, "schema" | "batches">,
): AsyncGenerator<Table> {
  let isEmpty = true;
  for await (const batch of batches) {
    isEmpty = false;
    yield tableOf(arrow, batch);
  }
  // A file without rows still needs its schema.
  if (isEmpty) yield tableOf(arrow, new BatchBuilder(schema).take());
}

function tableOf(arrow: Schema, { length, values }: TableBatch): Table {
  const children = arrow.fields.map(({ type }, index) =>
    dataOf(type, { values: values[index] as AnyValues, length })
  );
  const data = makeData({ type: new Struct(arrow.fields), length, nullCount: 0, children });
  return new Table([new RecordBatch(arrow, data)]);
}

function dataOf(
  type: DataType,
  { values, length }: { readonly values: AnyValues; readonly length: number },
): Data {
  const validity = validityOf(values.validity);
  if (values instanceof IntegerValues) {
    const data = new BigInt64Array(values.words.buffer, 0, length);
    return type instanceof Int64
      ? makeData({ type, length, ...validity, data })
      : makeData({ type: type as TimestampMicrosecond, length, ...validity, data });
  }
  if (values instanceof DoubleValues) {
    const data = values.numbers.subarray(0, length);
    return makeData({ type: type as Float64, length, ...validity, data });
  }
  if (values instanceof BooleanValues) {
    const data = values.truths.bits.subarray(0, bytesFor(length));
    return makeData({ type: type as Bool, length, ...validity, data });
  }
  const data = values.places.subarray(0, length);
  const dictionary = new Vector([utf8Of(values.texts)]);
  return makeData({ type: type as Dictionary<Utf8, Int32>, length, ...validity, data, dictionary });
}

function validityOf(
  { bits, nulls }: Validity,
): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
  return nulls === 0 ? { nullCount: 0 } : { nullCount: nulls, nullBitmap: bits };
}

function bytesFor(bits: number): number {
  return Math.ceil(bits / 8);
}

/** The texts as Arrow holds them: their bytes one behind the other, and where each begins. */
function utf8Of(texts: readonly string[]): Data<Utf8> {
  const valueOffsets = new Int32Array(texts.length + 1);
  const encoder = new TextEncoder();
  let data = new Uint8Array(4096);
  let end = 0;
  for (const [index, text] of texts.entries()) {
    // A UTF-16 unit takes three bytes at most.
    if (data.length - end < 3 * text.length) {
      const larger = new Uint8Array(2 * data.length + 3 * text.length);
      larger.set(data.subarray(0, end));
      data = larger;
    }
    end += encoder.encodeInto(text, data.subarray(end)).written;
    valueOffsets[index + 1] = end;
  }
  return makeData({
    type: new Utf8(),
    length: texts.length,
    nullCount: 0,
    valueOffsets,
    data: data.subarray(0, end),
  });
}
