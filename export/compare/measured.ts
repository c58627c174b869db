/**
 * Reads what was measured of the tasks of an export: when they waited and ran, and what they used.
 *
 * @module
 */

import type { TaskTimes } from "./checks.ts";
import type { ManifestExperiment } from "../opendc/written.ts";
import type { ReadManifest } from "../opendc/manifest.ts";
import { findSources, keyOf, readRun, type SourcedInvocation } from "../opendc/input.ts";
import { emptyCounts, readRows, TaskIndex } from "../opendc/join.ts";
import { submissionOf } from "../opendc/tasks.ts";
import { SimulationError } from "./simulated.ts";
import { binFor } from "./thresholds.ts";
import { TimeBins } from "./time_bins.ts";

/** A task as it was measured. */
export interface MeasuredTask extends TaskTimes {
  /** Id in the workload. */
  readonly id: number;
  /** NODE_ID. */
  readonly node: string;
}

/** What was measured. */
export interface MeasuredRun {
  /** The tasks of the experiment. */
  readonly tasks: readonly MeasuredTask[];
  /** Work done by node, MHz · ms. */
  readonly workMhzMs: ReadonlyMap<string, TimeBins>;
  /** First submission in the experiment's workload, epoch ms. */
  readonly firstSubmissionMs: number;
  /** Last end, ms since the first submission. */
  readonly spanMs: number;
  /** Length of a bin, ms. */
  readonly binMs: number;
}

/** What is read. */
export interface MeasuredOptions {
  /** Which invocation each task is. */
  readonly manifest: ReadManifest;
  /** The experiment that was simulated. */
  readonly experiment: ManifestExperiment;
  /** Length of a bin, ms; null: as the length of the run allows. */
  readonly binMs: number | null;
}

/**
 * Read the run that was exported; times count from the first submission of the experiment.
 *
 * @throws {SimulationError} when it is not the run that was exported.
 */
export async function readMeasured(
  folder: string,
  { manifest, experiment, binMs: binGivenMs }: MeasuredOptions,
): Promise<MeasuredRun> {
  const sources = await findSources(folder);
  const { invocations } = await readRun(sources);
  const byKey = new Map(invocations.map((one) => [keyOf(one), one]));
  const own = manifest.tasks.filter(({ node }) =>
    experiment.node === null || node === experiment.node
  );
  const found = own.map((task) => ({ task, invocation: timed(byKey.get(keyOf(task)), folder) }));
  const submissions = found.map(({ invocation }) =>
    experiment.node === null ? submissionOf(invocation) : invocation.ts_start
  );
  // The workload has whole ms; what was measured is compared as it was.
  const firstSubmissionMs = Math.round(
    submissions.reduce((min, one) => Math.min(min, one), Infinity),
  );
  const tasks = found.map(({ task, invocation }, at): MeasuredTask => ({
    id: task.id,
    node: task.node,
    submissionMs: (submissions[at] as number) - firstSubmissionMs,
    startMs: invocation.ts_start - firstSubmissionMs,
    endMs: invocation.ts_end - firstSubmissionMs,
  }));
  const spanMs = tasks.reduce((max, { endMs }) => Math.max(max, endMs), 0);
  const binMs = binGivenMs ?? binFor(spanMs);
  const workMhzMs = new Map<string, TimeBins>();
  const nodes = found.map(({ task }) => {
    const bins = workMhzMs.get(task.node) ?? new TimeBins(binMs);
    workMhzMs.set(task.node, bins);
    return { bins, freqMhz: manifest.freq_mhz[task.node] ?? NaN };
  });
  const hasRows = new Uint8Array(found.length);
  const store = {
    add: (
      place: number,
      { tsMs, dtMs, cpuMs }: {
        readonly tsMs: number;
        readonly dtMs: number;
        readonly cpuMs: number;
      },
    ) => {
      const node = nodes[place];
      const toMs = tsMs - firstSubmissionMs;
      hasRows[place] = 1;
      node?.bins.add(cpuMs * node.freqMhz, { fromMs: toMs - dtMs, toMs });
    },
  };
  const index = new TaskIndex(invocations, { candidates: found.map((one) => one.invocation) });
  const peakRssKb = new Float64Array(found.length);
  const sink = { index, store, peakRssKb, counts: emptyCounts(), onRead: () => {} };
  for (const [at, source] of sources.entries()) await readRows(source, { at, sink });
  for (const [place, { invocation }] of found.entries()) {
    const node = nodes[place];
    const times = tasks[place];
    if (hasRows[place] === 1 || node === undefined || times === undefined) continue;
    const work = (invocation.cpu_ms ?? 0) * node.freqMhz;
    node.bins.add(work, { fromMs: times.startMs, toMs: times.endMs });
  }
  return { tasks, workMhzMs, firstSubmissionMs, spanMs, binMs };
}

interface TimedInvocation extends SourcedInvocation {
  readonly ts_start: number;
  readonly ts_end: number;
}

function timed(invocation: SourcedInvocation | undefined, folder: string): TimedInvocation {
  if (
    invocation !== undefined && invocation.ts_start !== null && invocation.ts_end !== null
  ) {
    return invocation as TimedInvocation;
  }
  throw new SimulationError(
    `Cannot compare with "${folder}": the run that was exported is required, but a task of the ` +
      `export is not in it`,
  );
}
