/**
 * Reads a workload's two files and checks them against each other: a row group at a time, so that the
 * size of the files does not matter.
 *
 * @module
 */

import type { ParquetFile } from "../parquet_reader.ts";
import type { Column } from "../opendc/schema.ts";
import { TaskIds } from "./task_ids.ts";
import { type Check, checkOf, Offenders, skipped } from "./check.ts";

/** `tasks.parquet` by column. */
export interface TaskTable {
  /** Number of tasks. */
  readonly length: number;
  /** Ids. */
  readonly id: Float64Array;
  /** Submission, epoch ms. */
  readonly submissionMs: Float64Array;
  /** Run time, ms. */
  readonly durationMs: Float64Array;
  /** vCPUs reserved. */
  readonly cpuCount: Float64Array;
  /** Capacity, MHz. */
  readonly capacityMhz: Float64Array;
  /** Memory, MiB × 1000. */
  readonly memCapacity: Float64Array;
  /** Number of fragments; null without the column. */
  readonly fragmentCount: Float64Array | null;
  /** Places in the table by id; the first one where an id is there twice. */
  readonly placeOf: ReadonlyMap<number, number>;
  /** Ids of text and their numbers. */
  readonly ids: TaskIds;
}

/** What the fragments of each task sum to, by its place in the table. */
export interface FragmentSums {
  /** Number of fragments. */
  readonly count: Float64Array;
  /** Sum of the durations, ms. */
  readonly durationMs: Float64Array;
  /** Sum of usage × duration, MHz · ms. */
  readonly energyMhzMs: Float64Array;
  /** Greatest usage, MHz. */
  readonly peakMhz: Float64Array;
}

/** Read the tasks, whose columns are these. */
export async function readTasks(
  file: ParquetFile,
  columns: readonly Column[],
): Promise<TaskTable> {
  const read = (name: string) => readWhole(file, name);
  const ids = new TaskIds();
  const id = await readAllIds(file, ids);
  const placeOf = new Map<number, number>();
  for (const [place, one] of id.entries()) if (!placeOf.has(one)) placeOf.set(one, place);
  const [, submitted, lasted, count, capacity, memory] = columns.map(({ name }) => name);
  const submissionMs = await readTimes(file, submitted ?? "");
  return {
    length: id.length,
    id,
    submissionMs,
    // The oldest layout has the time of the stop.
    durationMs: STOP_NAMES.includes(lasted ?? "")
      ? (await readTimes(file, lasted ?? "")).map((stopMs, at) =>
        stopMs - (submissionMs[at] as number)
      )
      : await read(lasted ?? ""),
    cpuCount: await read(count ?? ""),
    capacityMhz: file.has(capacity ?? "")
      ? await read(capacity ?? "")
      : new Float64Array(id.length),
    memCapacity: await read(memory ?? ""),
    fragmentCount: file.has("num_fragments") ? await read("num_fragments") : null,
    placeOf,
    ids,
  };
}

const STOP_NAMES: readonly string[] = ["stop_time", "endTime"];

async function readAllIds(file: ParquetFile, ids: TaskIds): Promise<Float64Array> {
  const whole = new Float64Array(file.rows);
  let at = 0;
  for (const group of file.groups.keys()) {
    const part = await readIds(file, { group, ids });
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function readIds(
  file: ParquetFile,
  { group, ids }: { readonly group: number; readonly ids: TaskIds },
): Promise<Float64Array> {
  const isText = file.columns.some(({ name, type }) => name === "id" && type === "BYTE_ARRAY");
  if (!isText) return await file.readNumbers("id", group);
  const texts = await file.readTexts("id", group);
  return Float64Array.from(texts, (text) => text === null ? NaN : ids.numberOf(text));
}

/** Parts of a unit of a timestamp in a ms. */
const PER_MS: Readonly<Record<string, number>> = { MILLIS: 1, MICROS: 1e3, NANOS: 1e6 };

/** Times in epoch ms, whatever the unit of the column. */
async function readTimes(file: ParquetFile, name: string): Promise<Float64Array> {
  const unit = file.columns.find((column) => column.name === name)?.timestampUnit ?? "MILLIS";
  const perMs = PER_MS[unit] ?? 1;
  return (await readWhole(file, name)).map((time) => time / perMs);
}

async function readWhole(file: ParquetFile, name: string): Promise<Float64Array> {
  const whole = new Float64Array(file.rows);
  let at = 0;
  for (const group of file.groups.keys()) {
    const part = await file.readNumbers(name, group);
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Check what is in `tasks.parquet` by itself. */
export function checkTasks(tasks: TaskTable): Check[] {
  const counts = new Offenders();
  const capacities = new Offenders();
  const memories = new Offenders();
  const durations = new Offenders();
  const submissions = new Offenders();
  const twice = new Offenders();
  for (const [place, number] of tasks.id.entries()) {
    const id = tasks.ids.labelOf(number);
    if (tasks.placeOf.get(number) !== place) twice.add(id);
    if (!((tasks.cpuCount[place] as number) >= 1)) counts.add(id);
    if (!isAtLeast(tasks.capacityMhz[place] as number, 0)) capacities.add(id);
    if (!isAtLeast(tasks.memCapacity[place] as number, 0)) memories.add(id);
    if (!isAtLeast(tasks.durationMs[place] as number, 1)) durations.add(id);
    if (!isAtLeast(tasks.submissionMs[place] as number, 0)) submissions.add(id);
  }
  return [
    checkOf("has_tasks", {
      problems: tasks.length === 0 ? ["there is no task, OpenDC needs one to start"] : [],
      found: `${tasks.length} tasks`,
    }),
    checkOf("unique_ids", {
      problems: twice.problems("ids are there twice, which corrupts OpenDC's results"),
      found: `${tasks.placeOf.size} ids`,
    }),
    checkOf("task_values", {
      problems: [
        ...counts.problems("tasks have cpu_count below 1"),
        ...capacities.problems("tasks have no valid cpu_capacity"),
        ...memories.problems("tasks have no valid mem_capacity"),
        ...durations.problems("tasks have duration below 1 ms"),
        ...submissions.problems("tasks have no valid submission_time"),
      ],
      found: "all in range",
    }),
  ];
}

function isAtLeast(value: number, least: number): boolean {
  return value >= least && value < Infinity;
}

/** What a pass over `fragments.parquet` found. */
export interface FragmentScan {
  /** Per task. */
  readonly sums: FragmentSums;
  /** The checks of the pass itself. */
  readonly checks: readonly Check[];
}

/** Read the fragments, whose columns are these, and check them against the tasks. */
export async function scanFragments(
  file: ParquetFile,
  { tasks, columns }: { readonly tasks: TaskTable; readonly columns: readonly Column[] },
): Promise<FragmentScan> {
  const usageName = columns.find(({ type }) => type === "DOUBLE")?.name ?? "";
  const sums: FragmentSums = {
    count: new Float64Array(tasks.length),
    durationMs: new Float64Array(tasks.length),
    energyMhzMs: new Float64Array(tasks.length),
    peakMhz: new Float64Array(tasks.length),
  };
  const empty = new Offenders();
  const usages = new Offenders();
  const unknown = new Offenders();
  const order = new OrderWatch();
  let row = 0;
  let lastId = NaN;
  let place = -1;
  for (const group of file.groups.keys()) {
    const ids = await readIds(file, { group, ids: tasks.ids });
    const durations = await file.readNumbers("duration", group);
    const usage = await file.readNumbers(usageName, group);
    for (let at = 0; at < ids.length; at++, row++) {
      const id = ids[at] as number;
      const durationMs = durations[at] as number;
      const mhz = usage[at] as number;
      if (id !== lastId) {
        lastId = id;
        place = tasks.placeOf.get(id) ?? -1;
        if (place >= 0) order.enter(place);
      }
      if (!isAtLeast(durationMs, 1)) empty.add(`row ${row}: ${durationMs} ms`);
      if (!isAtLeast(mhz, 0)) usages.add(`row ${row}: ${mhz}`);
      if (place < 0) {
        unknown.add(tasks.ids.labelOf(id));
        continue;
      }
      sums.count[place] = (sums.count[place] as number) + 1;
      sums.durationMs[place] = (sums.durationMs[place] as number) + durationMs;
      sums.energyMhzMs[place] = (sums.energyMhzMs[place] as number) + mhz * durationMs;
      if (mhz > (sums.peakMhz[place] as number)) sums.peakMhz[place] = mhz;
    }
  }
  const checks = [
    checkOf("known_ids", {
      problems: unknown.problems("fragments belong to no task"),
      found: `${row} fragments`,
    }),
    checkOf("fragment_durations", {
      problems: empty.problems("fragments are shorter than 1 ms: OpenDC skips them by recursion"),
      found: "all at least 1 ms",
    }),
    checkOf("cpu_usage", {
      problems: usages.problems("fragments have no valid cpu_usage"),
      found: "all finite and not negative",
    }),
    checkPresence(tasks, sums),
    checkTiling(tasks, sums),
    checkOrder(tasks, order),
    checkCounts(tasks, sums),
  ];
  return { sums, checks };
}

/** Follows in which order the fragments' tasks come. */
class OrderWatch {
  readonly #seen = new Set<number>();
  #last = -1;
  isGrouped = true;
  isSameOrder = true;

  enter(place: number): void {
    if (this.#seen.has(place)) this.isGrouped = false;
    if (place < this.#last) this.isSameOrder = false;
    this.#seen.add(place);
    this.#last = place;
  }
}

function checkPresence(tasks: TaskTable, { count }: FragmentSums): Check {
  const without = new Offenders();
  for (const [place, id] of tasks.id.entries()) {
    if (count[place] === 0 && tasks.placeOf.get(id) === place) without.add(tasks.ids.labelOf(id));
  }
  return checkOf("tasks_have_fragments", {
    problems: without.problems("tasks have no fragments: OpenDC drops them silently"),
    found: "all",
  });
}

/** Why the fragments of a task cannot be summed. */
const TWICE = "ids are there twice, so that no task's fragments are known";

function checkTiling(tasks: TaskTable, { count, durationMs }: FragmentSums): Check {
  const untiled = new Offenders();
  if (tasks.placeOf.size < tasks.length) return skipped("tiling", TWICE);
  for (const [place, id] of tasks.id.entries()) {
    if (count[place] === 0 || durationMs[place] === tasks.durationMs[place]) continue;
    untiled.add(`${tasks.ids.labelOf(id)}: ${durationMs[place]} of ${tasks.durationMs[place]} ms`);
  }
  return checkOf("tiling", {
    problems: untiled.problems("tasks run for another time than their fragments"),
    found: "the fragments of each task sum to its duration",
  });
}

/** A loader that reads both files together needs both in one order; any other sorts by itself. */
function checkOrder(tasks: TaskTable, { isGrouped, isSameOrder }: OrderWatch): Check {
  const isSorted = isAscending(tasks.submissionMs);
  const facts: [boolean, string][] = [
    [isSorted, "tasks are not sorted by submission_time"],
    [isGrouped, "fragments of a task are not together"],
    [isSameOrder, "fragments are in another order than the tasks"],
  ];
  const problems = facts.filter(([isGood]) => !isGood).map(([, problem]) => problem);
  if (tasks.fragmentCount === null && problems.length > 0) {
    return skipped("order", `${problems.join("; ")}: of no matter without num_fragments`);
  }
  return checkOf("order", { problems, found: "by submission, fragments in the same order" });
}

function isAscending(values: Float64Array): boolean {
  return values.every((value, at) => at === 0 || value >= (values[at - 1] as number));
}

function checkCounts(
  { fragmentCount, id, ids, placeOf }: TaskTable,
  { count }: FragmentSums,
): Check {
  if (fragmentCount === null) return skipped("num_fragments", "there is no such column");
  if (placeOf.size < id.length) return skipped("num_fragments", TWICE);
  const wrong = new Offenders();
  for (const [place, one] of id.entries()) {
    // A task without fragments is told by tasks_have_fragments.
    if (count[place] !== 0 && fragmentCount[place] !== count[place]) {
      wrong.add(`${ids.labelOf(one)}: ${fragmentCount[place]} declared, ${count[place]} there`);
    }
  }
  return checkOf("num_fragments", {
    problems: wrong.problems("tasks declare another number of fragments"),
    found: "as many as there are",
  });
}
