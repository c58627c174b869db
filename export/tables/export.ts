/**
 * A parsed run as files: a parquet or CSV file per table, and `tables.json`, which describes them.
 *
 * @module
 */

import type { FileHash } from "../file_hash.ts";
import type { LineCounts } from "../cts/raw_samples.ts";
import { rowFiles } from "../opendc/input.ts";
import { sizeOf } from "../opendc/join.ts";
import { StagedFiles } from "../staged_files.ts";
import { batchesOf, type TableBatch } from "./column_values.ts";
import { CsvFile } from "./csv.ts";
import { describeTable, type TableDescription } from "./description.ts";
import { TABLES_JSON, TABLES_VERSION } from "./folder.ts";
import { writeTableParquet } from "./parquet.ts";
import { NodeUse, readRows } from "./rows.ts";
import { openTableRun, type TableRun } from "./run.ts";
import { SampleBatches } from "./sample_batches.ts";
import { sampleBlocks, type SamplePassOptions } from "./samples.ts";
import type { TableSchema } from "./schema.ts";
import { TABLE_NAMES, type TableFormat, type TableName, TABLES } from "./tables.ts";

/** What to export and how. */
export interface TablesOptions {
  /** The parsed run: `logs/RUN_ID`, or one node's part of it. */
  readonly input: string;
  /** Folder for the files; made when it is missing. */
  readonly output: string;
  /** Formats to write. Default: parquet. */
  readonly format?: TableFormat;
  /** Version of Tracekit, for the footers. */
  readonly version: string;
  /** Told how far the export is. */
  readonly report?: (progress: { readonly fraction: number; readonly what: string }) => void;
  /** Aborting it stops the export; what was there before stays. */
  readonly signal?: AbortSignal;
}

/** A file of a table. */
export interface TableFile extends FileHash {
  /** Its name in the folder. */
  readonly name: string;
}

/** A table that was written. */
export interface WrittenTable extends TableDescription {
  /** Number of rows. */
  readonly rows: number;
  /** Its files. */
  readonly files: readonly TableFile[];
}

/** What is in a folder of tables: the content of `tables.json`. */
export interface TablesSummary {
  /** Version of the tables. */
  readonly tables_version: string;
  /** Program that wrote them. */
  readonly created_by: string;
  /** RUN_ID. */
  readonly run_id: string;
  /** Lines of the run's files that are not records, by their path in the run. */
  readonly bad_lines: Readonly<Record<string, Omit<LineCounts, "lines">>>;
  /** The tables. */
  readonly tables: readonly WrittenTable[];
}

/**
 * Export a run as tables. The files appear in `output` together when all are written.
 *
 * @throws {ExportError} when the run is not parsed.
 */
export async function exportTables(options: TablesOptions): Promise<TablesSummary> {
  const { input, output, format = "parquet" } = options;
  const run = await openTableRun(input);
  await using staged = await StagedFiles.in(output);
  const createdBy = `tracekit ${options.version}`;
  const use = new NodeUse(run);
  const written = new Map<TableName, WrittenTable>();
  // The samples first: capacity is made from what they say.
  for (const name of ["samples", ...TABLE_NAMES.filter((one) => one !== "samples")] as const) {
    options.signal?.throwIfAborted();
    const schema: TableSchema = TABLES[name];
    const batches = name === "samples"
      ? sampleBatches(run, { use, ...await watchOf(run, options) })
      : batchesOf(schema, name === "capacity" ? asAsync(use.rows()) : readRows(run, name));
    written.set(name, await writeTable(schema, { batches, staged, createdBy, format }));
  }
  const summary: TablesSummary = {
    tables_version: TABLES_VERSION,
    created_by: createdBy,
    run_id: run.runId,
    bad_lines: badLinesOf(run),
    tables: TABLE_NAMES.flatMap((name) => written.get(name) ?? []),
  };
  await Deno.writeTextFile(staged.stage(TABLES_JSON), `${JSON.stringify(summary, null, 2)}\n`);
  await staged.commit();
  return summary;
}

async function* asAsync<T>(rows: Iterable<T>): AsyncGenerator<T> {
  yield* rows;
}

async function watchOf(run: TableRun, options: TablesOptions): Promise<SamplePassOptions> {
  const total = await sizeOf(run.sources.flatMap(({ cts }) => rowFiles(cts)));
  return {
    onRead: (bytes) => options.report?.({ fraction: bytes / total, what: "samples" }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

async function* sampleBatches(
  run: TableRun,
  { use, ...watch }: SamplePassOptions & { readonly use: NodeUse },
): AsyncGenerator<TableBatch> {
  const batches = new SampleBatches();
  for await (const block of sampleBlocks(run, watch)) {
    for (const cursor of block) {
      use.take(cursor);
      batches.add(cursor);
      if (!batches.isFull) continue;
      yield batches.take();
      batches.clear();
    }
  }
  if (batches.hasRows) yield batches.take();
}

async function writeTable(
  schema: TableSchema,
  { batches, staged, createdBy, format }: {
    readonly batches: AsyncIterable<TableBatch>;
    readonly staged: StagedFiles;
    readonly createdBy: string;
    readonly format: TableFormat;
  },
): Promise<WrittenTable> {
  const names = { parquet: `${schema.name}.parquet`, csv: `${schema.name}.csv` };
  const files: TableFile[] = [];
  using csv = format === "parquet" ? null : await CsvFile.create(staged.stage(names.csv), schema);
  let rows = 0;
  async function* passing(): AsyncGenerator<TableBatch> {
    for await (const batch of batches) {
      rows += batch.length;
      await csv?.write(batch);
      yield batch;
    }
  }
  if (format === "csv") {
    for await (const _ of passing());
  } else {
    const path = staged.stage(names.parquet);
    const file = await writeTableParquet(path, { schema, createdBy, batches: passing() });
    files.push({ name: names.parquet, bytes: file.bytes, sha256: file.sha256 });
  }
  if (csv !== null) {
    const file = await csv.finish();
    files.push({ name: names.csv, bytes: file.bytes, sha256: file.sha256 });
  }
  return { ...describeTable(schema), rows, files };
}

function badLinesOf({ folder, files }: TableRun): TablesSummary["bad_lines"] {
  const bad: Record<string, Omit<LineCounts, "lines">> = {};
  for (const [path, { torn, malformed, foreign, examples }] of files) {
    if (torn + malformed + foreign === 0) continue;
    const name = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
    bad[name] = { torn, malformed, foreign, examples };
  }
  return bad;
}
