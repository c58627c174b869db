/**
 * The checks that researchers apply to "simulated against measured": pure.
 *
 * @module
 */

import { bootstrapInterval, type Interval } from "./bootstrap.ts";
import { type Comparison, comparisonOf, tooFew } from "./comparison.ts";
import { compareCpu, type CpuSeries, LEAST_BINS } from "./cpu_checks.ts";
import { bestLag, kolmogorovSmirnov, medianOf, quantileOf, relativeErrorOf } from "./statistics.ts";
import type { Thresholds } from "./thresholds.ts";

/** When a task was submitted, started and ended, ms since the first submission. */
export interface TaskTimes {
  /** Entered the queue. */
  readonly submissionMs: number;
  /** Started. */
  readonly startMs: number;
  /** Ended. */
  readonly endMs: number;
}

/** A task in the run and in its simulation. */
export interface TaskPair {
  /** As it was. */
  readonly measured: TaskTimes;
  /** As simulated; null where the simulation did not finish it. */
  readonly simulated: TaskTimes | null;
  /** True where the simulation placed it on the node that it ran on; null: not on record. */
  readonly isSameNode: boolean | null;
}

/** A task that both have. */
interface Finished extends TaskPair {
  readonly simulated: TaskTimes;
}

/** What is compared besides the tasks. */
export interface ComparisonOptions {
  /** CPU demand; null where the simulation has no hosts on record. */
  readonly cpu: CpuSeries | null;
  /** True for a replay: tasks are submitted as they started, so that none waits. */
  readonly isReplay: boolean;
  /** Length of a bin, ms. */
  readonly binMs: number;
  /** The bounds. */
  readonly thresholds: Thresholds;
}

/** All checks. */
export function compareRuns(
  tasks: readonly TaskPair[],
  { cpu, isReplay, binMs, thresholds }: ComparisonOptions,
): Comparison[] {
  const finished = tasks.filter((pair): pair is Finished => pair.simulated !== null);
  const checks = [compareFinished(tasks, finished)];
  if (finished.length > 0) {
    checks.push(
      ...(isReplay
        ? [compareStarts(finished, thresholds)]
        : [...compareWaits(finished, thresholds), comparePlacement(finished, thresholds)]),
      compareCompletions(finished, { binMs, thresholds }),
      compareMakespan(finished, thresholds),
    );
  }
  if (cpu !== null) checks.push(...compareCpu(cpu, thresholds));
  return checks;
}

function compareFinished(
  tasks: readonly TaskPair[],
  finished: readonly Finished[],
): Comparison {
  return comparisonOf({
    id: "tasks_finished",
    what: "tasks that the simulation did not finish",
    measured: tasks.length,
    simulated: finished.length,
    unit: "tasks",
    value: tasks.length - finished.length,
    valueUnit: "tasks",
    threshold: 0,
  });
}

/**
 * Waits below which a percentile is the greatest wait or next to it: one task decides. Of the median, a
 * number from which half the waits are more than a handful.
 */
const LEAST_WAITS = { 50: 10, 95: 20, 99: 100 } as const;

/** Below this, a Kolmogorov-Smirnov test rejects nothing but distributions that hardly overlap. */
const LEAST_KS_WAITS = 20;

function compareWaits(tasks: readonly Finished[], thresholds: Thresholds): Comparison[] {
  const measured = tasks.map(({ measured }) => measured.startMs - measured.submissionMs);
  const simulated = tasks.map(({ simulated }) => simulated.startMs - simulated.submissionMs);
  const errorOf = (percent: number, was: readonly number[], is: readonly number[]) =>
    relativeErrorOf(quantileOf(is, percent / 100), quantileOf(was, percent / 100));
  const percentile = (percent: keyof typeof LEAST_WAITS, threshold: number) => {
    const tooLittle = tooFew(tasks.length, { least: LEAST_WAITS[percent], of: "waits" });
    return comparisonOf({
      id: `wait_p${percent}`,
      what: `relative error of the ${percent}th percentile of the waits`,
      measured: quantileOf(measured, percent / 100),
      simulated: quantileOf(simulated, percent / 100),
      value: errorOf(percent, measured, simulated),
      interval: tooLittle === null
        ? bootstrapInterval(
          tasks.length,
          (places) => errorOf(percent, pick(measured, places), pick(simulated, places)),
        )
        : null,
      threshold,
      tooLittle,
    });
  };
  const ks = kolmogorovSmirnov(measured, simulated);
  return [
    percentile(50, thresholds.waitP50),
    percentile(95, thresholds.waitP95),
    percentile(99, thresholds.waitP99),
    comparisonOf({
      id: "wait_ks",
      what: "Kolmogorov-Smirnov test of the waits",
      value: ks.p,
      valueUnit: "p",
      threshold: thresholds.waitKsP,
      passes: "at least",
      note: `D = ${ks.statistic.toFixed(4)}, p ${ks.method}`,
      tooLittle: tooFew(tasks.length, { least: LEAST_KS_WAITS, of: "waits" }),
    }),
  ];
}

function pick(values: readonly number[], places: Uint32Array): number[] {
  return Array.from(places, (place) => values[place] as number);
}

function comparePlacement(tasks: readonly Finished[], { sameNode }: Thresholds): Comparison {
  const known = tasks.flatMap(({ isSameNode }) => isSameNode === null ? [] : [Number(isSameNode)]);
  return comparisonOf({
    id: "same_node",
    what: "tasks on the node that they ran on",
    value: known.length === 0 ? null : meanOf(known),
    interval: bootstrapInterval(known.length, (places) => meanOf(pick(known, places))),
    threshold: sameNode,
    passes: "at least",
    note: known.length === 0 ? "the simulation has no hosts of tasks on record" : null,
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

function compareStarts(tasks: readonly Finished[], { replayStartMs }: Thresholds): Comparison {
  const off = tasks.map(({ measured, simulated }) =>
    Math.abs(simulated.startMs - measured.startMs)
  );
  return comparisonOf({
    id: "start_deviation",
    what: "greatest deviation of a start",
    value: greatest(off),
    valueUnit: "ms",
    threshold: replayStartMs,
    note: `median ${medianOf(off).toFixed(3)} ms`,
  });
}

/** The greatest of any number of values that are not negative. */
function greatest(values: readonly number[]): number {
  return values.reduce((max, one) => Math.max(max, one), 0);
}

function compareCompletions(
  tasks: readonly Finished[],
  { binMs, thresholds: { maxLag, completions } }: {
    readonly binMs: number;
    readonly thresholds: Thresholds;
  },
): Comparison {
  const measured = tasks.map((pair) => pair.measured.endMs);
  const simulated = tasks.map((pair) => pair.simulated.endMs);
  const last = Math.max(greatest(measured), greatest(simulated));
  const bins = Math.floor(last / binMs) + 1;
  // A lag of a large part of the run would align anything.
  const lags = Math.min(maxLag, Math.floor(bins / 10));
  const errorOf = (was: readonly number[], is: readonly number[]) =>
    bestLag(cumulative(was, { binMs, bins }), {
      later: cumulative(is, { binMs, bins }),
      maxLag: lags,
    });
  const { rmse, lag } = errorOf(measured, simulated);
  const tooLittle = tooFew(bins, { least: LEAST_BINS, of: `bins of ${binMs / 1000} s` });
  return comparisonOf({
    id: "completions",
    what: "RMSE of the cumulative completions, as a part of all",
    value: rmse / tasks.length,
    interval: tooLittle === null ? completionsInterval(measured, simulated, errorOf) : null,
    threshold: completions,
    note: `${bins} bins of ${binMs / 1000} s, best lag ${lag} bins of at most ${lags}`,
    tooLittle,
  });
}

function completionsInterval(
  measured: readonly number[],
  simulated: readonly number[],
  errorOf: (was: readonly number[], is: readonly number[]) => { readonly rmse: number },
): Interval | null {
  return bootstrapInterval(
    measured.length,
    (places) => errorOf(pick(measured, places), pick(simulated, places)).rmse / measured.length,
  );
}

/** Number of ends up to the end of each bin. */
function cumulative(
  endsMs: readonly number[],
  { binMs, bins }: { readonly binMs: number; readonly bins: number },
): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const endMs of endsMs) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(endMs / binMs)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  let sum = 0;
  return counts.map((count) => sum += count);
}

/** The last end is of one task: resampling the tasks says nothing about it, so it has no interval. */
function compareMakespan(tasks: readonly Finished[], thresholds: Thresholds): Comparison {
  const measured = greatest(tasks.map((pair) => pair.measured.endMs));
  const simulated = greatest(tasks.map((pair) => pair.simulated.endMs));
  const common = { id: "makespan", measured, simulated };
  if (measured < thresholds.shortRunMs) {
    return comparisonOf({
      ...common,
      what: "error of the makespan (a run of less than 10 minutes)",
      value: Math.abs(simulated - measured),
      valueUnit: "ms",
      threshold: thresholds.makespanMs,
      note: `${(100 * relativeErrorOf(simulated, measured)).toFixed(2)} % of it`,
    });
  }
  return comparisonOf({
    ...common,
    what: "relative error of the makespan",
    value: relativeErrorOf(simulated, measured),
    threshold: thresholds.makespan,
  });
}
