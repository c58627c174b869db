/**
 * The figures of a scenario, and those of the run itself.
 *
 * @module
 */

import { readMeasured } from "../compare/measured.ts";
import { findSimulation, readSimulation } from "../compare/simulated.ts";
import { quantileOf } from "../compare/statistics.ts";
import { SCENARIO_NAME, type ScenarioTasks } from "./scenario_files.ts";
import type { SweepSource } from "./source.ts";
import { join } from "@std/path";

/** Figures of one scenario. */
export interface Metrics {
  /** Tasks that ended. */
  readonly tasks: number;
  /** Tasks that did not. */
  readonly unfinished: number;
  /** First submission to last end, s. */
  readonly makespan_s: number;
  /** Mean wait, s. */
  readonly wait_mean_s: number;
  /** Median wait, s. */
  readonly wait_p50_s: number;
  /** 95th percentile of the waits, s. */
  readonly wait_p95_s: number;
  /** Mean bounded slowdown: (wait + run) / run, of runs of at least 10 s. */
  readonly slowdown: number;
  /** Part of the capacity in use from the first submission to the last end; null: not on record. */
  readonly utilisation: number | null;
  /** Hosts. */
  readonly hosts: number | null;
  /** Energy, kJ; null: not on record, as of the run itself. */
  readonly energy_kj: number | null;
  /** Carbon, g CO2; null: no carbon trace. */
  readonly carbon_g: number | null;
  /** Carbon per task, g CO2. */
  readonly carbon_g_per_task: number | null;
}

/** Runs shorter than this count as this long in the slowdown, s (Feitelson and Rudolph 1998). */
const SLOWDOWN_BOUND_S = 10;

interface Times {
  readonly submissionMs: number;
  readonly startMs: number;
  readonly endMs: number;
}

function timesOf(
  times: readonly Times[],
): Pick<Metrics, "makespan_s" | "wait_mean_s" | "wait_p50_s" | "wait_p95_s" | "slowdown"> {
  const waitsS = times.map(({ startMs, submissionMs }) => (startMs - submissionMs) / 1000);
  const slowdowns = times.map(({ submissionMs, startMs, endMs }) => {
    const runS = (endMs - startMs) / 1000;
    const responseS = (endMs - submissionMs) / 1000;
    return Math.max(1, responseS / Math.max(runS, SLOWDOWN_BOUND_S));
  });
  return {
    makespan_s: times.reduce((max, { endMs }) => Math.max(max, endMs), 0) / 1000,
    wait_mean_s: meanOf(waitsS),
    wait_p50_s: waitsS.length === 0 ? 0 : quantileOf(waitsS, 0.5),
    wait_p95_s: waitsS.length === 0 ? 0 : quantileOf(waitsS, 0.95),
    slowdown: meanOf(slowdowns),
  };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Read what OpenDC wrote in the `folder` of a scenario. */
export async function readMetrics(
  folder: string,
  { source, scenario, hasCarbon }: {
    readonly source: SweepSource;
    readonly scenario: ScenarioTasks;
    readonly hasCarbon: boolean;
  },
): Promise<Metrics> {
  const { manifest, timeFactor } = source;
  const simulation = await findSimulation(join(folder, "output", SCENARIO_NAME));
  const found = await readSimulation(simulation, {
    idOfName: new Map(scenario.names.map((name, at) => [name, at + 1])),
    ids: new Set(scenario.names.map((_, at) => at + 1)),
    firstSubmissionMs: scenario.firstMs,
    timeFactor,
    binMs: 60_000,
    capacityOf: () => NaN,
  });
  const latencies = new Map(manifest.tasks.map((task) => [task.id, task]));
  const isScaled = timeFactor > 1;
  const times = [...found.tasks].map(([id, { submissionMs, startMs, endMs }]): Times => {
    const original = source.workload.id[scenario.tasks[id - 1]?.original ?? -1] ?? -1;
    const { lead_ms, tail_ms } = latencies.get(original) ?? { lead_ms: 0, tail_ms: 0 };
    const known = Number.isFinite(submissionMs)
      ? submissionMs
      : ((scenario.tasks[id - 1]?.submissionMs ?? 0) - scenario.firstMs) / timeFactor;
    return {
      submissionMs: known,
      startMs: startMs + (isScaled ? lead_ms ?? 0 : 0),
      endMs: endMs - (isScaled ? tail_ms ?? 0 : 0),
    };
  });
  const common = timesOf(times);
  const hosts = found.hosts === null ? null : [...found.hosts.values()];
  const work = hosts?.reduce((sum, { workMhzMs }) => sum + workMhzMs.total, 0) ?? null;
  const capacityMhz = hosts?.reduce((sum, host) => sum + host.capacityMhz, 0) ?? null;
  const carbonG = hasCarbon ? found.carbonG : null;
  return {
    tasks: times.length,
    unfinished: scenario.tasks.length - times.length,
    ...common,
    utilisation: work === null || capacityMhz === null || common.makespan_s === 0
      ? null
      : work / (capacityMhz * common.makespan_s * 1000),
    hosts: hosts?.length ?? null,
    energy_kj: found.energyJ === null ? null : found.energyJ / 1000,
    carbon_g: carbonG,
    carbon_g_per_task: carbonG === null || times.length === 0 ? null : carbonG / times.length,
  };
}

/** The figures of the run itself, read from `measured`. */
export async function measuredMetrics(
  measured: string,
  { manifest, topology }: SweepSource,
): Promise<Metrics> {
  const [experiment] = manifest.experiments.filter(({ node }) => node === null);
  if (experiment === undefined) throw new TypeError("Cannot measure an export without a policy");
  const run = await readMeasured(measured, { manifest, experiment, binMs: null });
  const common = timesOf(run.tasks);
  const work = [...run.workMhzMs.values()].reduce((sum, { total }) => sum + total, 0);
  const hosts = topology.clusters.flatMap((cluster) => cluster.hosts);
  const capacityMhz = hosts.reduce(
    (sum, { count, cpu }) => sum + count * cpu.coreCount * cpu.coreSpeed,
    0,
  );
  return {
    tasks: run.tasks.length,
    unfinished: 0,
    ...common,
    utilisation: common.makespan_s === 0 ? null : work / (capacityMhz * common.makespan_s * 1000),
    hosts: hosts.reduce((sum, { count }) => sum + count, 0),
    energy_kj: null,
    carbon_g: null,
    carbon_g_per_task: null,
  };
}
