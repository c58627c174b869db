/**
 * The workload that a sweep varies: that of the policy's experiment, read whole.
 *
 * @module
 */

import { join } from "@std/path";
import { type ReadManifest, readManifest } from "../opendc/manifest.ts";
import type { ExperimentSpec } from "../opendc/experiment.ts";
import { POLICY_FOLDER } from "../opendc/policy_workload.ts";
import { ExportError } from "../opendc/input.ts";
import type { TopologySpec } from "../opendc/topology.ts";
import { ParquetFile } from "../parquet_reader.ts";

/** A workload as columns. */
export interface SourceWorkload {
  /** Ids of the tasks. */
  readonly id: Float64Array;
  /** Their names. */
  readonly names: readonly string[];
  /** Their other numbers, by column. */
  readonly numbers: Readonly<Record<SourceColumn, Float64Array>>;
  /** Length and demand of their fragments, by place of the task. */
  readonly fragments: readonly { readonly durationMs: number[]; readonly mhz: number[] }[];
}

/** Numeric columns of the tasks. */
const SOURCE_COLUMNS = [
  "submission_time",
  "duration",
  "cpu_count",
  "cpu_capacity",
  "mem_capacity",
] as const;

/** A numeric column of the tasks. */
export type SourceColumn = typeof SOURCE_COLUMNS[number];

/** What a sweep starts from. */
export interface SweepSource {
  /** The export. */
  readonly manifest: ReadManifest;
  /** What times are multiplied by. */
  readonly timeFactor: number;
  /** Placement of the run. */
  readonly policy: ExperimentSpec["allocationPolicies"][number];
  /** Datacenter of the run. */
  readonly topology: TopologySpec;
  /** Its tasks; those that occupy a host until it joined are left out. */
  readonly workload: SourceWorkload;
}

/**
 * Read the export in `folder`.
 *
 * @throws {ExportError} when it is not an export.
 */
export async function readSource(folder: string): Promise<SweepSource> {
  const manifest = await readManifest(folder);
  const experiment = manifest?.experiments.find(({ node }) => node === null);
  if (manifest === null || experiment === undefined) {
    throw new ExportError(
      `Cannot sweep "${folder}": the manifest.json of an export is required; run export-opendc`,
    );
  }
  const json = async <T>(name: string): Promise<T> =>
    JSON.parse(await Deno.readTextFile(join(folder, name))) as T;
  const spec = await json<ExperimentSpec>(experiment.file);
  const [policy] = spec.allocationPolicies;
  if (policy === undefined) {
    throw new ExportError(`Cannot sweep "${folder}": ${experiment.file} has no allocation policy`);
  }
  const place = experiment.has_latencies === true ? join(folder, POLICY_FOLDER) : folder;
  const ids = new Set(manifest.tasks.map(({ id }) => id));
  return {
    manifest,
    timeFactor: experiment.time_factor,
    policy,
    topology: await json<TopologySpec>("small_datacenter.json"),
    workload: await readTables(place, ids),
  };
}

async function readTables(folder: string, ids: ReadonlySet<number>): Promise<SourceWorkload> {
  using tasks = await ParquetFile.open(join(folder, "tasks.parquet"));
  const all = await readWhole(tasks, "id");
  const kept = [...all.keys()].filter((place) => ids.has(all[place] as number));
  const texts: (string | null)[] = [];
  for (const group of tasks.groups.keys()) texts.push(...await tasks.readTexts("name", group));
  const numbers = {} as Record<SourceColumn, Float64Array>;
  for (const name of SOURCE_COLUMNS) {
    const values = await readWhole(tasks, name);
    numbers[name] = Float64Array.from(kept, (place) => values[place] as number);
  }
  const id = Float64Array.from(kept, (place) => all[place] as number);
  return {
    id,
    names: kept.map((place) => texts[place] ?? String(all[place])),
    numbers,
    fragments: await readFragments(join(folder, "fragments.parquet"), id),
  };
}

async function readFragments(
  path: string,
  id: Float64Array,
): Promise<SourceWorkload["fragments"]> {
  using file = await ParquetFile.open(path);
  const placeOf = new Map(Array.from(id, (one, place) => [one, place]));
  const fragments = Array.from(id, () => ({ durationMs: [] as number[], mhz: [] as number[] }));
  for (const group of file.groups.keys()) {
    const ids = await file.readNumbers("id", group);
    const durations = await file.readNumbers("duration", group);
    const usage = await file.readNumbers("cpu_usage", group);
    for (const [row, one] of ids.entries()) {
      const own = fragments[placeOf.get(one) ?? -1];
      own?.durationMs.push(durations[row] as number);
      own?.mhz.push(usage[row] as number);
    }
  }
  return fragments;
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
