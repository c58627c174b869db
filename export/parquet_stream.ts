/**
 * Arrow tables into a parquet file, streamed: the only module that knows the writer.
 *
 * @module
 */

import { type Table, tableToIPC } from "apache-arrow";
import { Table as WasmTable, transformParquetStream, type WriterProperties } from "parquet-wasm";
import { messageOf } from "../trace/atomic_file.ts";
import { type FileHash, RunningHash } from "./file_hash.ts";

/** What was written. */
export interface WrittenFile extends FileHash {
  /** Number of rows. */
  readonly rows: number;
}

/** What to write and how. */
export interface ParquetStreamOptions {
  /** The rows, at least one table, which may have none; each is copied before the next is asked for. */
  readonly tables: Iterable<Table> | AsyncIterable<Table>;
  /** Codec, encodings, size of the row groups; consumed by this use. */
  readonly properties: WriterProperties;
}

/** Write the rows to `path`, which must not be there under its final name yet. */
export async function writeParquetStream(
  path: string,
  { tables, properties }: ParquetStreamOptions,
): Promise<WrittenFile> {
  const source = new TableSource(tables);
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

/** Hands tables to the writer when it asks, and keeps the error that ended them. */
class TableSource {
  rows = 0;
  failure: Error | null = null;
  readonly #tables: Iterator<Table> | AsyncIterator<Table>;

  constructor(tables: Iterable<Table> | AsyncIterable<Table>) {
    this.#tables = Symbol.asyncIterator in tables
      ? tables[Symbol.asyncIterator]()
      : tables[Symbol.iterator]();
  }

  async pull(controller: ReadableStreamDefaultController): Promise<void> {
    try {
      const next = await this.#tables.next();
      if (next.done) {
        controller.close();
        return;
      }
      this.rows += next.value.numRows;
      const table = WasmTable.fromIPCStream(tableToIPC(next.value, "stream"));
      for (const one of table.recordBatches()) controller.enqueue(one);
      table.free();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      controller.error(this.failure);
    }
  }
}
