/**
 * Writes one workload: `tasks.parquet` and `fragments.parquet` of some of the tasks, in a given order.
 *
 * @module
 */

import type { Fragments } from "./fragments.ts";
import { type CompressionName, FRAGMENT_COLUMNS, TASK_COLUMNS } from "./schema.ts";
import { type RowBatch, writeParquet } from "../parquet.ts";
import type { WrittenFile } from "../parquet_stream.ts";

/** A task as it is in the workload. */
export interface WorkloadTask {
  /** Identity; joins the fragments. */
  readonly id: number;
  /** Shown as task_name. */
  readonly name: string;
  /** When it entered the queue, whole epoch ms. */
  readonly submissionMs: number;
  /** Run time, whole ms. */
  readonly durationMs: number;
  /** vCPUs reserved. */
  readonly cpuCount: number;
  /** Capacity over all its cores, MHz. */
  readonly capacityMhz: number;
  /** Memory in OpenDC's unit, MiB × 1000. */
  readonly memCapacity: number;
  /** Number of its fragments. */
  readonly fragmentCount: number;
}

/** What goes into `fragments.parquet` for one task. */
export interface TaskFragments {
  /** The task. */
  readonly id: number;
  /** Frequency of a core of its host, MHz. */
  readonly freqMhz: number;
  /** Its fragments. */
  readonly fragments: Fragments;
  /** Time without demand before the first and behind the last of them, whole ms of the workload. */
  readonly idle?: { readonly beforeMs: number; readonly afterMs: number };
}

/** How a workload is written. */
export interface WorkloadOptions {
  /** Codec. */
  readonly compression: CompressionName;
  /** Program, for the footer. */
  readonly createdBy: string;
}

/** Rows per batch handed to the writer: 1.3 MB, large enough that the cost per batch vanishes. */
const BATCH_ROWS = 64 * 1024;

/** Write `fragments.parquet`; `timeFactor` multiplies all durations. */
export function writeFragments(
  path: string,
  options: WorkloadOptions & {
    readonly tasks: Iterable<TaskFragments>;
    readonly timeFactor: number;
  },
): Promise<WrittenFile> {
  return writeParquet(path, {
    columns: FRAGMENT_COLUMNS.filter(({ isWritten }) => isWritten),
    compression: options.compression,
    createdBy: options.createdBy,
    batches: fragmentBatches(options.tasks, options.timeFactor),
  });
}

function* fragmentBatches(tasks: Iterable<TaskFragments>, timeFactor: number): Generator<RowBatch> {
  const id = new Int32Array(BATCH_ROWS);
  const duration = new BigInt64Array(BATCH_ROWS);
  const usage = new Float64Array(BATCH_ROWS);
  const values = [id, duration, usage];
  let length = 0;
  for (const task of tasks) {
    for (const { durationMs, mhz } of rowsOf(task, timeFactor)) {
      id[length] = task.id;
      duration[length] = BigInt(durationMs);
      usage[length] = mhz;
      if (++length < BATCH_ROWS) continue;
      yield { length, values };
      length = 0;
    }
  }
  if (length > 0) yield { length, values };
}

/** One row at a time, in one object: a run has millions of them. */
function* rowsOf(
  { fragments, freqMhz, idle = { beforeMs: 0, afterMs: 0 } }: TaskFragments,
  timeFactor: number,
): Generator<{ readonly durationMs: number; readonly mhz: number }> {
  const row = { durationMs: idle.beforeMs, mhz: 0 };
  if (idle.beforeMs > 0) yield row;
  for (let one = 0; one < fragments.length; one++) {
    row.durationMs = (fragments.durationMs[one] as number) * timeFactor;
    row.mhz = (fragments.cores[one] as number) * freqMhz;
    yield row;
  }
  row.durationMs = idle.afterMs;
  row.mhz = 0;
  if (idle.afterMs > 0) yield row;
}

/** Write `tasks.parquet`. */
export function writeTasks(
  path: string,
  options: WorkloadOptions & { readonly tasks: readonly WorkloadTask[] },
): Promise<WrittenFile> {
  return writeParquet(path, {
    columns: TASK_COLUMNS.filter(({ isWritten }) => isWritten),
    compression: options.compression,
    createdBy: options.createdBy,
    batches: taskBatches(options.tasks),
  });
}

function* taskBatches(tasks: readonly WorkloadTask[]): Generator<RowBatch> {
  for (let from = 0; from < tasks.length; from += BATCH_ROWS) {
    const part = tasks.slice(from, from + BATCH_ROWS);
    yield {
      length: part.length,
      values: [
        Int32Array.from(part, ({ id }) => id),
        BigInt64Array.from(part, ({ submissionMs }) => BigInt(submissionMs)),
        BigInt64Array.from(part, ({ durationMs }) => BigInt(durationMs)),
        Int32Array.from(part, ({ cpuCount }) => cpuCount),
        Float64Array.from(part, ({ capacityMhz }) => capacityMhz),
        BigInt64Array.from(part, ({ memCapacity }) => BigInt(memCapacity)),
        part.map(({ name }) => name),
        Int32Array.from(part, ({ fragmentCount }) => fragmentCount),
      ],
    };
  }
}
