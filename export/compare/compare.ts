/**
 * Compares a simulation by OpenDC with the run that its workload was exported from.
 *
 * @module
 */

import { dirname, join, resolve } from "@std/path";
import { compareRuns, type TaskPair } from "./checks.ts";
import type { Comparison } from "./comparison.ts";
import type { CpuDemand, CpuSeries } from "./cpu_checks.ts";
import type { TimeBins } from "./time_bins.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "./thresholds.ts";
import { type MeasuredRun, readMeasured } from "./measured.ts";
import { findSimulation, readSimulation, type SimulatedRun, SimulationError } from "./simulated.ts";
import type { ManifestExperiment } from "../opendc/written.ts";
import { type ReadManifest, readManifest } from "../opendc/manifest.ts";
import type { TopologySpec } from "../opendc/topology.ts";
import { readInputText } from "../../trace/input_file.ts";

/** What to compare. */
export interface CompareOptions {
  /** The parsed run. */
  readonly measured: string;
  /** Folder with OpenDC's output, or one above it. */
  readonly simulated: string;
  /** Folder of the export; null: the one that the output is in. */
  readonly export?: string | null;
  /** Name of the experiment; null: the one whose name is in the output's path. */
  readonly experiment?: string | null;
  /** Bounds that differ from those of the field. */
  readonly thresholds?: Partial<Thresholds>;
}

/** How busy a host was. */
export interface HostUtilisation {
  /** NODE_ID. */
  readonly node: string;
  /** Its name in OpenDC's output. */
  readonly host: string;
  /** Part of its capacity in use from the first submission to the last end. */
  readonly measured: number;
  /** The same as simulated; null without host.parquet. */
  readonly simulated: number | null;
}

/** What was compared and how it came out. */
export interface CompareReport {
  /** The run. */
  readonly measured: string;
  /** Folder with OpenDC's output. */
  readonly simulated: string;
  /** The experiment. */
  readonly experiment: string;
  /** True when no check fails. */
  readonly ok: boolean;
  /** The checks. */
  readonly checks: readonly Comparison[];
  /** How busy each host was. */
  readonly hosts: readonly HostUtilisation[];
  /** Part of the tasks that the simulation placed on the node that they ran on; null: not on record. */
  readonly placement_agreement: number | null;
  /** Energy of the simulation, J; null without powerSource.parquet. */
  readonly energy_j: number | null;
  /** Energy of OpenDC's default power model at the measured utilisation, J. */
  readonly energy_modelled_j: number;
  /** Time base of the submissions in task.parquet. */
  readonly submission_base: SimulatedRun["submissionBase"];
  /** What else there is to know. */
  readonly notes: readonly string[];
}

/** OpenDC's default power model, linear between these, W. */
const IDLE_W = 200;
const MAX_W = 400;

/** A simulation beside the run that it was made from, task by task. */
export interface SimulatedPair {
  /** Folder with OpenDC's output. */
  readonly simulatedFolder: string;
  /** The export between them. */
  readonly manifest: ReadManifest;
  /** The experiment. */
  readonly experiment: ManifestExperiment;
  /** Capacity of each node, MHz. */
  readonly capacities: ReadonlyMap<string, number>;
  /** The run. */
  readonly measured: MeasuredRun;
  /** The simulation. */
  readonly simulated: SimulatedRun;
  /** Each task of the run, as it was and as simulated. */
  readonly pairs: readonly TaskPair[];
}

/**
 * Read a simulation and its run.
 *
 * @throws {SimulationError} when the output, the export or the run is not what it should be.
 */
export async function readSimulatedPair(
  options: CompareOptions,
  { binMs }: Pick<Thresholds, "binMs"> = DEFAULT_THRESHOLDS,
): Promise<SimulatedPair> {
  const simulatedFolder = await findSimulation(resolve(options.simulated));
  const { folder, manifest } = await findExport(options.export ?? null, simulatedFolder);
  const experiment = chooseExperiment(manifest, {
    name: options.experiment ?? null,
    path: simulatedFolder,
  });
  const capacities = await readCapacities(folder, manifest);
  const measured = await readMeasured(options.measured, { manifest, experiment, binMs });
  const simulated = await readSimulation(simulatedFolder, {
    idOfName: new Map(manifest.tasks.map(({ name, id }) => [name, id])),
    ids: new Set(measured.tasks.map(({ id }) => id)),
    firstSubmissionMs: measured.firstSubmissionMs,
    timeFactor: experiment.time_factor,
    binMs: measured.binMs,
    capacityOf: (host) => capacities.get(manifest.hosts[host] ?? host) ?? NaN,
  });
  const pairs = pairsOf(measured, { simulated, manifest, experiment });
  return { simulatedFolder, manifest, experiment, capacities, measured, simulated, pairs };
}

/**
 * Compare.
 *
 * @throws {SimulationError} when the output, the export or the run is not what it should be.
 */
export async function compareOpendc(options: CompareOptions): Promise<CompareReport> {
  const thresholds = { ...DEFAULT_THRESHOLDS, ...options.thresholds };
  const read = await readSimulatedPair(options, thresholds);
  const { manifest, experiment, capacities, measured, simulated, simulatedFolder, pairs } = read;
  const { binMs } = measured;
  const checks = compareRuns(pairs, {
    cpu: cpuSeries(measured, { simulated, spanMs: simulatedSpan(pairs) }),
    isReplay: experiment.node !== null,
    binMs,
    thresholds,
  });
  const hosts = utilisations({ measured, simulated, manifest, experiment, capacities, pairs });
  return {
    measured: options.measured,
    simulated: simulatedFolder,
    experiment: experiment.name,
    ok: checks.every(({ status }) => status !== "fail"),
    checks,
    hosts,
    placement_agreement: agreement(pairs),
    energy_j: simulated.energyJ,
    energy_modelled_j: modelledEnergy(hosts, measured.spanMs),
    submission_base: simulated.submissionBase,
    notes: notesOf(simulated, experiment),
  };
}

/** The export whose manifest names the tasks: the folder given, or the nearest above the output. */
async function findExport(
  given: string | null,
  simulatedFolder: string,
): Promise<{ readonly folder: string; readonly manifest: ReadManifest }> {
  for (
    let folder = given ?? simulatedFolder;
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const manifest = await readManifest(folder);
    if (manifest !== null) return { folder, manifest };
    if (given !== null) break;
  }
  throw new SimulationError(
    `Cannot compare "${simulatedFolder}": the manifest.json of the export is required, got none ${
      given === null ? "above it; give its folder with --export DIR" : `in "${given}"`
    }`,
  );
}

function chooseExperiment(
  { experiments }: ReadManifest,
  { name, path }: { readonly name: string | null; readonly path: string },
): ManifestExperiment {
  const names = experiments.map((one) => one.name);
  if (name !== null) {
    const chosen = experiments.find((one) => one.name === name);
    if (chosen !== undefined) return chosen;
    throw new SimulationError(
      `Cannot compare experiment "${name}": one of ${names.join(", ")} is required`,
    );
  }
  const parts = path.split("/");
  const inPath = experiments.filter((one) => parts.includes(one.name));
  const [only] = inPath;
  if (only !== undefined && inPath.length === 1) return only;
  throw new SimulationError(
    `Cannot compare "${path}": which experiment it is of is required, give --experiment ${
      names.join("|")
    }`,
  );
}

/** Capacity of each node, MHz, from the export's topology. */
async function readCapacities(
  folder: string,
  { hosts }: ReadManifest,
): Promise<Map<string, number>> {
  const text = await readInputText(join(folder, "small_datacenter.json"));
  const { clusters } = JSON.parse(text) as TopologySpec;
  const capacities = new Map<string, number>();
  for (const { name, count, cpu } of clusters.flatMap((cluster) => cluster.hosts)) {
    const names = [name, ...Array.from({ length: count - 1 }, (_, at) => `${name}-${at}`)];
    for (const one of names) capacities.set(hosts[one] ?? one, cpu.coreCount * cpu.coreSpeed);
  }
  return capacities;
}

function pairsOf(
  measured: MeasuredRun,
  { simulated, manifest, experiment }: {
    readonly simulated: SimulatedRun;
    readonly manifest: ReadManifest;
    readonly experiment: ManifestExperiment;
  },
): TaskPair[] {
  const latencies = new Map(
    manifest.tasks.map(({ id, lead_ms, tail_ms }) =>
      [id, experiment.has_latencies === true ? [lead_ms ?? 0, tail_ms ?? 0] : [0, 0]] as const
    ),
  );
  return measured.tasks.map((task) => {
    const held = simulated.tasks.get(task.id) ?? null;
    const [leadMs = 0, tailMs = 0] = latencies.get(task.id) ?? [];
    // A simulated task holds its capacity; it starts after its launch and ends before the release.
    const found = held && { ...held, startMs: held.startMs + leadMs, endMs: held.endMs - tailMs };
    // Without a submission on record it is the workload's own.
    const known = found === null || Number.isFinite(found.submissionMs)
      ? found
      : { ...found, submissionMs: task.submissionMs };
    const host = found?.host ?? null;
    const isSameNode = host === null ? null : (manifest.hosts[host] ?? host) === task.node;
    return { measured: task, simulated: known, isSameNode };
  });
}

function simulatedSpan(pairs: readonly TaskPair[]): number {
  return pairs.reduce((max, { simulated }) => Math.max(max, simulated?.endMs ?? 0), 0);
}

function cpuSeries(
  measured: MeasuredRun,
  { simulated, spanMs }: { readonly simulated: SimulatedRun; readonly spanMs: number },
): CpuSeries | null {
  if (simulated.hosts === null) return null;
  const { binMs } = measured;
  const bins = Math.max(1, Math.ceil(Math.max(spanMs, measured.spanMs) / binMs));
  const demand = (series: readonly TimeBins[], untilMs: number): CpuDemand => ({
    bins: sumOf(series.map((one) => one.means(bins, untilMs)), bins),
    meanMhz: untilMs > 0 ? series.reduce((sum, { total }) => sum + total, 0) / untilMs : 0,
  });
  return {
    measured: demand([...measured.workMhzMs.values()], measured.spanMs),
    simulated: demand([...simulated.hosts.values()].map((host) => host.workMhzMs), spanMs),
    binMs,
  };
}

function sumOf(series: readonly (readonly number[])[], bins: number): number[] {
  return Array.from(
    { length: bins },
    (_, bin) => series.reduce((sum, one) => sum + (one[bin] ?? 0), 0),
  );
}

function utilisations(
  { measured, simulated, manifest, experiment, capacities, pairs }: {
    readonly measured: MeasuredRun;
    readonly simulated: SimulatedRun;
    readonly manifest: ReadManifest;
    readonly experiment: ManifestExperiment;
    readonly capacities: ReadonlyMap<string, number>;
    readonly pairs: readonly TaskPair[];
  },
): HostUtilisation[] {
  const simulatedMs = simulatedSpan(pairs);
  const used = (work: number, capacityMhz: number, spanMs: number) =>
    spanMs > 0 ? work / (capacityMhz * spanMs) : 0;
  return Object.entries(manifest.hosts)
    .filter(([, node]) => experiment.node === null || node === experiment.node)
    .map(([host, node]) => {
      const capacityMhz = capacities.get(node) ?? NaN;
      const work = measured.workMhzMs.get(node)?.total ?? 0;
      // A replay's topology has this node alone, under its own name.
      const found = simulated.hosts?.get(experiment.node === null ? host : node) ?? null;
      return {
        node,
        host,
        measured: used(work, capacityMhz, measured.spanMs),
        simulated: found && used(found.workMhzMs.total, found.capacityMhz, simulatedMs),
      };
    });
}

function agreement(pairs: readonly TaskPair[]): number | null {
  const placed = pairs.flatMap(({ isSameNode }) => isSameNode === null ? [] : [isSameNode]);
  return placed.length === 0 ? null : placed.filter(Boolean).length / placed.length;
}

function modelledEnergy(hosts: readonly HostUtilisation[], spanMs: number): number {
  return hosts.reduce(
    (sum, { measured }) => sum + (IDLE_W + (MAX_W - IDLE_W) * measured) * spanMs / 1000,
    0,
  );
}

function notesOf(
  { hosts, energyJ, completed, tasks }: SimulatedRun,
  { extra_tasks }: ManifestExperiment,
): string[] {
  const notes: string[] = [];
  if (hosts === null) notes.push("No host.parquet with hosts by name: CPU is not compared.");
  if (energyJ === null) notes.push("No powerSource.parquet: there is no simulated energy.");
  if (completed === null) notes.push("No service.parquet.");
  else if (completed !== tasks.size + (extra_tasks ?? 0)) {
    notes.push(
      `The service counts ${completed} completed tasks, task.parquet has ${tasks.size} that ended.`,
    );
  }
  return notes;
}
