/**
 * Reads the two files of a workload, checks them and says what they hold.
 *
 * @module
 */

import { join } from "@std/path";
import { messageOf } from "../../trace/atomic_file.ts";
import { isFile } from "../opendc/input.ts";
import { ParquetFile, ParquetReadError } from "../parquet_reader.ts";
import { type Check, failed, passed, skipped } from "./check.ts";
import {
  CURRENT,
  type Generation,
  generationOf,
  namedAsFound,
  START_AND_STOP_PLACES,
} from "./generations.ts";
import { checkCodecs, checkColumns } from "./schema.ts";
import {
  checkTasks,
  type FragmentSums,
  readTasks,
  scanFragments,
  type TaskTable,
} from "./workload.ts";

/** What a workload holds. */
export interface WorkloadFound {
  /** Number of tasks. */
  readonly tasks: number;
  /** Number of fragments. */
  readonly fragments: number;
  /** First and last submission, epoch ms. */
  readonly submission_ms: readonly [number, number];
  /** From the first submission to the last end if nothing waited, ms. */
  readonly span_ms: number;
  /** Shortest and longest task, ms. */
  readonly duration_ms: readonly [number, number];
  /** Least and most vCPUs reserved. */
  readonly cpu_count: readonly [number, number];
  /** Least and greatest capacity, MHz. */
  readonly capacity_mhz: readonly [number, number];
  /** Greatest demand of a fragment, MHz. */
  readonly peak_mhz: number;
  /** Demand on average over all fragments' time, MHz. */
  readonly mean_mhz: number;
  /** Least and most memory, MiB. */
  readonly memory_mib: readonly [number, number];
  /** Codecs of both files. */
  readonly codecs: readonly string[];
  /** Program that wrote the tasks. */
  readonly created_by: string | null;
}

/** A workload that was read. */
export interface ReadWorkload {
  /** Its checks. */
  readonly checks: readonly Check[];
  /** Its content; null where columns are missing or pages broken. */
  readonly content: WorkloadContent | null;
}

/** The content of a workload. */
export interface WorkloadContent {
  /** Its tasks. */
  readonly tasks: TaskTable;
  /** What their fragments sum to. */
  readonly sums: FragmentSums;
  /** What it holds. */
  readonly found: WorkloadFound;
}

/** Read the two files in `folder` and check them. */
export async function readWorkload(folder: string): Promise<ReadWorkload> {
  const checks: Check[] = [];
  try {
    const older = await olderPlace(folder);
    const { files } = older ?? CURRENT;
    using tasksFile = await ParquetFile.open(join(folder, files.tasks));
    using fragmentsFile = await ParquetFile.open(join(folder, files.fragments));
    const generation = older ?? generationOf(tasksFile.columns);
    const taskColumns = namedAsFound(generation.taskColumns, tasksFile.columns);
    const fragmentColumns = namedAsFound(generation.fragmentColumns, fragmentsFile.columns);
    const columns = [
      checkColumns("task_columns", { found: tasksFile.columns, wanted: taskColumns }),
      checkColumns("fragment_columns", { found: fragmentsFile.columns, wanted: fragmentColumns }),
    ];
    checks.push(
      checkVersions(generation, columns),
      ...columns,
      checkCodecs([
        { name: files.tasks, codecs: tasksFile.codecs },
        { name: files.fragments, codecs: fragmentsFile.codecs },
      ]),
    );
    const canJoin = typeOfId(tasksFile) === typeOfId(fragmentsFile);
    if (
      !canJoin || !hasRequired(tasksFile, taskColumns) ||
      !hasRequired(fragmentsFile, fragmentColumns)
    ) {
      return { checks, content: null };
    }
    const tasks = await readTasks(tasksFile, taskColumns);
    checks.push(...checkTasks(tasks));
    const { sums, checks: scanned } = await scanFragments(fragmentsFile, {
      tasks,
      columns: fragmentColumns,
    });
    checks.push(passed("readable", "both files are whole"), ...scanned);
    const found = describe({ tasks, sums, tasksFile, fragmentsFile });
    return { checks, content: { tasks, sums, found } };
  } catch (error) {
    if (!(error instanceof ParquetReadError || error instanceof Deno.errors.NotFound)) throw error;
    checks.push(failed("readable", messageOf(error)));
    return { checks, content: null };
  }
}

/** The oldest layout, where its files are there and today's are not. */
async function olderPlace(folder: string): Promise<Generation | null> {
  if (await isFile(join(folder, CURRENT.files.tasks))) return null;
  for (const generation of START_AND_STOP_PLACES) {
    if (await isFile(join(folder, generation.files.tasks))) return generation;
  }
  return null;
}

/** Which versions read the files: told once, so that the columns are checked against that layout. */
function checkVersions({ versions, isCurrent }: Generation, columns: readonly Check[]): Check {
  if (columns.some(({ status }) => status === "fail")) {
    return skipped("opendc_versions", "no version of OpenDC reads these columns");
  }
  return isCurrent
    ? passed("opendc_versions", `${versions} read it`)
    : failed("opendc_versions", `only ${versions} read it: ${CURRENT.versions} require INT32 ids`);
}

function typeOfId({ columns }: ParquetFile): string {
  return columns.find(({ name }) => name === "id")?.type === "BYTE_ARRAY" ? "text" : "number";
}

function hasRequired(
  file: ParquetFile,
  wanted: readonly { readonly name: string; readonly isRequired: boolean }[],
): boolean {
  return wanted.every(({ name, isRequired }) => !isRequired || file.has(name));
}

function describe(
  { tasks, sums, tasksFile, fragmentsFile }: {
    readonly tasks: TaskTable;
    readonly sums: FragmentSums;
    readonly tasksFile: ParquetFile;
    readonly fragmentsFile: ParquetFile;
  },
): WorkloadFound {
  const submission = rangeOf(tasks.submissionMs);
  const ends = tasks.submissionMs.map((start, place) => start + (sums.durationMs[place] ?? 0));
  const energy = sums.energyMhzMs.reduce((sum, one) => sum + one, 0);
  const time = sums.durationMs.reduce((sum, one) => sum + one, 0);
  const [leastMemory, mostMemory] = rangeOf(tasks.memCapacity);
  return {
    tasks: tasks.length,
    fragments: fragmentsFile.rows,
    submission_ms: submission,
    span_ms: rangeOf(ends)[1] - submission[0],
    duration_ms: rangeOf(tasks.durationMs),
    cpu_count: rangeOf(tasks.cpuCount),
    capacity_mhz: rangeOf(tasks.capacityMhz),
    peak_mhz: rangeOf(sums.peakMhz)[1],
    mean_mhz: time === 0 ? 0 : energy / time,
    memory_mib: [leastMemory / 1000, mostMemory / 1000],
    codecs: [...new Set([...tasksFile.codecs, ...fragmentsFile.codecs])],
    created_by: tasksFile.createdBy,
  };
}

function rangeOf(values: Float64Array): [number, number] {
  if (values.length === 0) return [0, 0];
  return values.reduce<[number, number]>(
    ([least, most], one) => [Math.min(least, one), Math.max(most, one)],
    [Infinity, -Infinity],
  );
}
