/**
 * The rows of any table of a run, one after the other: for a report, a summary, a test.
 *
 * ```ts ignore
 * const run = await openTableRun("logs/20250901T120000Z");
 * for (const { task_id, wait_ms } of run.tasks) report(task_id, wait_ms);
 * for await (const { node, ts_ms, used_cores } of readRows(run, "capacity")) draw(node, ts_ms, used_cores);
 * const { tasks, capacity } = await readTables("logs/20250901T120000Z", ["tasks", "capacity"]);
 * ```
 *
 * Times are epoch ms with decimals, as in the records; unknown is null. `samples` and `capacity` read
 * `CTS/proc_metrics.jsonl` once each, about 1 µs a row; all rows of `samples` are rarely wanted in memory
 * at once (200 bytes each), so take them from {@linkcode readRows} as they come.
 *
 * @module
 */

import {
  CLOCK_OFFSET,
  COLLECTOR_STATS,
  CPU_SHARE,
  HOST_METRICS,
  PLACEMENT_EVENT,
  PROCESS,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import type { Fields, RecordOf, RecordSchema } from "../../trace/schema.ts";
import { readRecords } from "../../trace/json_lines.ts";
import { noLines } from "../cts/raw_samples.ts";
import { isFile } from "../opendc/input.ts";
import { capacityRows, GridMeans, gridOf } from "./capacity_rows.ts";
import { PlacementFold } from "./placement_rows.ts";
import { openTableRun, type TableRun, type TableSource } from "./run.ts";
import { sampleBlocks, type SampleCursor, sampleRow } from "./samples.ts";
import type { TableName, TableRow } from "./tables.ts";

/**
 * The rows of table `name`, in their order: tasks by the time of entering the queue, the rest as recorded,
 * node by node.
 */
export function readRows<N extends TableName>(
  run: TableRun,
  name: N,
): AsyncGenerator<TableRow<N>> {
  return READERS[name](run) as AsyncGenerator<TableRow<N>>;
}

/**
 * All rows of the tables `names` of the parsed run in `folder`.
 *
 * @throws {ExportError} when the run is not parsed.
 */
export async function readTables<const N extends TableName>(
  folder: string,
  names: readonly N[],
): Promise<{ readonly [K in N]: readonly TableRow<K>[] }> {
  const run = await openTableRun(folder);
  const tables: Partial<Record<TableName, readonly unknown[]>> = {};
  for (const name of names) tables[name] = await Array.fromAsync(readRows(run, name));
  return tables as { readonly [K in N]: readonly TableRow<K>[] };
}

type Readers = { readonly [N in TableName]: (run: TableRun) => AsyncGenerator<TableRow<N>> };

const READERS: Readers = {
  tasks: ({ tasks }) => each(tasks),
  attempts: ({ attempts }) => each(attempts),
  requests: ({ requests }) => each(requests),
  nodes: ({ nodes }) => each(nodes),
  samples: readSamples,
  capacity: readCapacity,
  placements: readPlacements,
  processes: (run) => readProcesses(run),
  host: (run) => perNode(run, { schema: HOST_METRICS, pathOf: ({ hostMetrics }) => hostMetrics }),
  clock: (run) => perNode(run, { schema: CLOCK_OFFSET, pathOf: ({ clock }) => clock }),
  shares: (run) => perNode(run, { schema: CPU_SHARE, pathOf: ({ shares }) => shares }),
  collector: (run) =>
    perNode(run, { schema: COLLECTOR_STATS, pathOf: ({ collectorStats }) => collectorStats }),
};

async function* each<T>(rows: Iterable<T>): AsyncGenerator<T> {
  yield* rows;
}

async function* readSamples(run: TableRun): AsyncGenerator<TableRow<"samples">> {
  for await (const block of sampleBlocks(run)) {
    for (const cursor of block) yield sampleRow(cursor);
  }
}

async function* readCapacity(run: TableRun): AsyncGenerator<TableRow<"capacity">> {
  const use = new NodeUse(run);
  for await (const block of sampleBlocks(run)) {
    for (const cursor of block) use.take(cursor);
  }
  yield* use.rows();
}

/** Collects what the samples say about the use of each node, for the rows of `capacity`. */
export class NodeUse {
  readonly #run: TableRun;
  readonly #grid;
  readonly #used = new Map<string, GridMeans>();
  #node: string | null = null;
  #means: GridMeans | null = null;

  /** Nothing used so far. */
  constructor(run: TableRun) {
    this.#run = run;
    this.#grid = gridOf(run);
  }

  /** Count the sample that the cursor is on. */
  take({ line, node }: SampleCursor): void {
    if (this.#grid === null) return;
    if (node !== this.#node) {
      this.#node = node;
      this.#means = this.#used.get(node) ?? new GridMeans(this.#grid);
      this.#used.set(node, this.#means);
    }
    this.#means?.addUse(line.cpuMs, { endMs: line.tsMs, dtMs: line.dtMs });
  }

  /** The rows of `capacity`, once every sample was taken. */
  *rows(): Generator<TableRow<"capacity">> {
    if (this.#grid !== null) {
      yield* capacityRows({ ...this.#run, grid: this.#grid, used: this.#used });
    }
  }
}

async function* readPlacements(run: TableRun): AsyncGenerator<TableRow<"placements">> {
  for (const path of run.placementFiles) {
    const fold = new PlacementFold();
    for await (const event of recordsOf(run, { schema: PLACEMENT_EVENT, path })) {
      const row = fold.take(event);
      if (row !== null) yield row;
    }
  }
}

async function* readProcesses(run: TableRun): AsyncGenerator<TableRow<"processes">> {
  const taskOf = new Map(run.invocations.map(({ trace_id, task_id }) => [trace_id, task_id]));
  for await (
    const row of perNode(run, { schema: PROCESS, pathOf: ({ processes }) => processes })
  ) {
    yield { ...row, task_id: taskOf.get(row.trace_id ?? "") ?? null };
  }
}

/** One kind of record of each node. */
interface NodeRecords<F extends Fields> {
  readonly schema: RecordSchema<F>;
  readonly pathOf: (runDir: RunDir) => string;
}

async function* perNode<F extends Fields>(
  run: TableRun,
  { schema, pathOf }: NodeRecords<F>,
): AsyncGenerator<{ node: string } & RecordOf<RecordSchema<F>>> {
  for (const { runDir, node } of byNode(run.sources)) {
    const path = pathOf(runDir);
    for await (const record of recordsOf(run, { schema, path })) yield { node, ...record };
  }
}

/** Two sources can share a directory of records: it is read once. */
function byNode(sources: readonly TableSource[]): readonly TableSource[] {
  return [...new Map(sources.map((source) => [source.runDir.path, source])).values()];
}

async function* recordsOf<F extends Fields>(
  { files }: TableRun,
  { schema, path }: { readonly schema: RecordSchema<F>; readonly path: string },
): AsyncGenerator<RecordOf<RecordSchema<F>>> {
  if (!await isFile(path)) return;
  const counts = noLines();
  files.set(path, counts);
  const records = readRecords(path, {
    decode: schema.decode,
    onBadLine: ({ line, reason, isTorn }) => {
      counts.lines++;
      if (isTorn) counts.torn++;
      else counts.malformed++;
      if (counts.examples.length < 5) counts.examples.push(`${path}:${line}: ${reason}`);
    },
  });
  for await (const record of records) {
    counts.lines++;
    yield record;
  }
}
