/**
 * Reads what OpenDC wrote about a simulation: the task, host, powerSource and service parquet of v2.4f
 * and later.
 *
 * Versions differ in their time bases: up to v2.4f all times of a task count from the first submission,
 * later its submission is absolute. Columns that a version lacks are told from those that it has.
 *
 * @module
 */

import { join } from "@std/path";
import type { TaskTimes } from "./checks.ts";
import { isFile } from "../opendc/input.ts";
import { ParquetFile } from "../parquet_reader.ts";
import { TimeBins } from "./time_bins.ts";

/** A task of the simulation. */
export interface SimulatedTask extends TaskTimes {
  /** Name of its host; null: not on record. */
  readonly host: string | null;
}

/** A host of the simulation. */
export interface SimulatedHost {
  /** Work done, MHz · ms. */
  readonly workMhzMs: TimeBins;
  /** Capacity, MHz. */
  readonly capacityMhz: number;
}

/** What a simulation did. */
export interface SimulatedRun {
  /** Tasks that it finished, by id. */
  readonly tasks: ReadonlyMap<number, SimulatedTask>;
  /** Hosts by name; null without host.parquet. */
  readonly hosts: ReadonlyMap<string, SimulatedHost> | null;
  /** Energy, J; null without powerSource.parquet. */
  readonly energyJ: number | null;
  /** Carbon, g CO2; null where powerSource.parquet has none on record. */
  readonly carbonG: number | null;
  /** Tasks completed, by the service's own account; null without service.parquet. */
  readonly completed: number | null;
  /** Time base of the submissions found. */
  readonly submissionBase: "relative" | "absolute" | "none";
}

/** How a simulation is read. */
export interface SimulatedOptions {
  /** Id by name, as the workload has them. */
  readonly idOfName: ReadonlyMap<string, number>;
  /** Ids of the workload. */
  readonly ids: ReadonlySet<number>;
  /** First submission of the workload, epoch ms. */
  readonly firstSubmissionMs: number;
  /** What the workload's times are multiplied by. */
  readonly timeFactor: number;
  /** Length of a bin, ms of the run. */
  readonly binMs: number;
  /** Capacity of a host where host.parquet does not tell, MHz. */
  readonly capacityOf: (host: string) => number;
}

/** An output of OpenDC that cannot be read as one. */
export class SimulationError extends Error {
  /** Name of the class. */
  override readonly name = "SimulationError";
}

/**
 * The folder with `task.parquet`: `folder` itself, or the only one in it, as in
 * `output/NAME/raw-output/0/seed=0`.
 *
 * @throws {SimulationError} when there is none, or more than one.
 */
export async function findSimulation(folder: string): Promise<string> {
  const found = await foldersWithTasks(folder, SEARCH_DEPTH);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new SimulationError(
    found.length === 0
      ? `Cannot compare "${folder}": a folder with OpenDC's task.parquet is required, also deeper; ` +
        `the simulation left none`
      : `Cannot compare "${folder}": one simulation is required, got ${found.length}: ${
        found.join(", ")
      }`,
  );
}

/** `output/NAME/raw-output/0/seed=0`, and one above. */
const SEARCH_DEPTH = 6;

async function foldersWithTasks(folder: string, depth: number): Promise<string[]> {
  if (await isFile(join(folder, "task.parquet"))) return [folder];
  if (depth === 0) return [];
  const found: string[] = [];
  for (const name of await subfolders(folder)) {
    found.push(...await foldersWithTasks(join(folder, name), depth - 1));
  }
  return found;
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Read the simulation in `folder`, which holds `task.parquet`. */
export async function readSimulation(
  folder: string,
  options: SimulatedOptions,
): Promise<SimulatedRun> {
  const tasks = await readTasks(join(folder, "task.parquet"), options);
  return {
    ...tasks,
    hosts: await ifThere(join(folder, "host.parquet"), (file) => readHosts(file, options)),
    energyJ: await ifThere(
      join(folder, "powerSource.parquet"),
      (file) => readSum(file, "energy_usage", options),
    ),
    carbonG: await ifThere(
      join(folder, "powerSource.parquet"),
      (file) => readSum(file, "carbon_emission", options),
    ),
    completed: await ifThere(join(folder, "service.parquet"), readCompleted),
  };
}

async function ifThere<T>(
  path: string,
  read: (file: ParquetFile) => Promise<T>,
): Promise<T | null> {
  if (!await isFile(path)) return null;
  using file = await ParquetFile.open(path);
  return await read(file);
}

/** What the rows of one task said last, in the file's own times. */
interface TaskRecord {
  submission: number;
  schedule: number;
  finish: number;
  delay: number;
  host: string | null;
  isFailed: boolean;
}

async function readTasks(
  path: string,
  options: SimulatedOptions,
): Promise<Pick<SimulatedRun, "tasks" | "submissionBase">> {
  using file = await ParquetFile.open(path);
  const hasTimes = file.has("schedule_time") && file.has("finish_time");
  if (!hasTimes || !(file.has("task_name") || file.has("task_id"))) {
    throw new SimulationError(
      `Cannot compare "${path}": schedule_time, finish_time, and task_name or task_id are required, got ${
        file.columns.map(({ name }) => name).join(", ")
      }`,
    );
  }
  const records = new Map<number, TaskRecord>();
  for (const group of file.groups.keys()) await readTaskGroup(file, { group, records, options });
  const bases = {
    submission: baseOf([...records.values()].map(({ submission }) => submission), options),
    schedule: baseOf([...records.values()].map(({ schedule }) => schedule), options),
    finish: baseOf([...records.values()].map(({ finish }) => finish), options),
  };
  const tasks = new Map<number, SimulatedTask>();
  for (const [id, record] of records) {
    if (record.isFailed || !Number.isFinite(record.schedule + record.finish)) continue;
    const inRun = (time: number, base: number) => (time - base) / options.timeFactor;
    const startMs = inRun(record.schedule, bases.schedule);
    const delayMs = record.delay / options.timeFactor;
    tasks.set(id, {
      submissionMs: Number.isFinite(delayMs)
        ? startMs - delayMs
        : inRun(record.submission, bases.submission),
      startMs,
      endMs: inRun(record.finish, bases.finish),
      host: record.host,
    });
  }
  const hasSubmissions = file.has("submission_time");
  const submissionBase = !hasSubmissions
    ? "none"
    : bases.submission === 0
    ? "relative"
    : "absolute";
  return { tasks, submissionBase };
}

async function readTaskGroup(
  file: ParquetFile,
  { group, records, options }: {
    readonly group: number;
    readonly records: Map<number, TaskRecord>;
    readonly options: SimulatedOptions;
  },
): Promise<void> {
  const numbers = async (name: string) =>
    file.has(name) ? await file.readNumbers(name, group) : null;
  const texts = async (name: string) => file.has(name) ? await file.readTexts(name, group) : null;
  const ids = await readIds(file, { group, options });
  const submission = await numbers("submission_time");
  const schedule = await numbers("schedule_time");
  const finish = await numbers("finish_time");
  const delay = await numbers("scheduling_delay");
  const host = await texts("host_name");
  const state = await texts("task_state");
  for (const [row, id] of ids.entries()) {
    if (id === null) continue;
    const record = records.get(id) ??
      { submission: NaN, schedule: NaN, finish: NaN, delay: NaN, host: null, isFailed: false };
    records.set(id, record);
    record.submission = known(submission?.[row], record.submission);
    record.schedule = known(schedule?.[row], record.schedule);
    record.finish = known(finish?.[row], record.finish);
    record.delay = known(delay?.[row], record.delay);
    record.host = host?.[row] || record.host;
    record.isFailed = state?.[row] === "FAILED";
  }
}

function known(value: number | undefined, before: number): number {
  return value !== undefined && Number.isFinite(value) ? value : before;
}

/** The workload's id of each row: by name, for early versions count task_id themselves. */
async function readIds(
  file: ParquetFile,
  { group, options }: { readonly group: number; readonly options: SimulatedOptions },
): Promise<(number | null)[]> {
  const column = file.has("task_name") ? "task_name" : "task_id";
  const isText = file.columns.find(({ name }) => name === column)?.type === "BYTE_ARRAY";
  const idOf = (id: number) => options.ids.has(id) ? id : null;
  if (!isText) return Array.from(await file.readNumbers(column, group), idOf);
  const names = await file.readTexts(column, group);
  return names.map((name) =>
    name === null ? null : options.idOfName.get(name) ?? idOf(Number(name))
  );
}

/** What the times of a column count from: the epoch where even the least is behind the first submission. */
function baseOf(times: readonly number[], { firstSubmissionMs }: SimulatedOptions): number {
  const least = times.reduce((min, one) => one < min ? one : min, Infinity);
  return least >= firstSubmissionMs && firstSubmissionMs > 0 ? firstSubmissionMs : 0;
}

async function readHosts(
  file: ParquetFile,
  { timeFactor, binMs, capacityOf }: SimulatedOptions,
): Promise<Map<string, SimulatedHost> | null> {
  const isComplete = ["timestamp", "host_name", "cpu_time_active"].every((name) => file.has(name));
  if (!isComplete) return null;
  const hosts = new Map<string, { workMhzMs: TimeBins; capacityMhz: number; untilMs: number }>();
  for (const group of file.groups.keys()) {
    const names = await file.readTexts("host_name", group);
    const timestamps = await file.readNumbers("timestamp", group);
    const active = await file.readNumbers("cpu_time_active", group);
    const capacities = file.has("cpu_capacity")
      ? await file.readNumbers("cpu_capacity", group)
      : null;
    for (const [row, name] of names.entries()) {
      if (name === null) continue;
      const told = capacities?.[row] ?? 0;
      const host = hosts.get(name) ??
        { workMhzMs: new TimeBins(binMs), capacityMhz: capacityOf(name), untilMs: 0 };
      hosts.set(name, host);
      if (told > 0) host.capacityMhz = told;
      const toMs = (timestamps[row] as number) / timeFactor;
      // cpu_time_active is the time since the last line, weighted by the part of the host in use.
      const work = (active[row] as number) / timeFactor * host.capacityMhz;
      host.workMhzMs.add(work, { fromMs: host.untilMs, toMs });
      host.untilMs = toMs;
    }
  }
  return hosts;
}

/** The sum of a column that grows with simulated time; null without it. */
async function readSum(
  file: ParquetFile,
  name: string,
  { timeFactor }: SimulatedOptions,
): Promise<number | null> {
  if (!file.has(name)) return null;
  let sum = 0;
  for (const group of file.groups.keys()) {
    for (const one of await file.readNumbers(name, group)) sum += one;
  }
  return sum / timeFactor;
}

async function readCompleted(file: ParquetFile): Promise<number | null> {
  if (!file.has("tasks_completed")) return null;
  let completed = 0;
  for (const group of file.groups.keys()) {
    for (const one of await file.readNumbers("tasks_completed", group)) {
      completed = Math.max(completed, one);
    }
  }
  return completed;
}
