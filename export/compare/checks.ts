/**
 * The checks that researchers apply to "simulated against measured": pure.
 *
 * @module
 */

import {
  bestLag,
  kolmogorovSmirnov,
  medianOf,
  pearsonOf,
  quantileOf,
  relativeErrorOf,
  rmseOf,
  smapeOf,
} from "./statistics.ts";
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
}

/** Demand over time, MHz, a value per bin. */
export interface CpuSeries {
  /** As it was. */
  readonly measured: readonly number[];
  /** As simulated. */
  readonly simulated: readonly number[];
}

/** Units of the figures. */
export type FigureUnit = "ms" | "ratio" | "p" | "r" | "tasks" | "MHz";

/** One check: what was compared, by which figure, against which bound. */
export interface Comparison {
  /** Stable name. */
  readonly id: string;
  /** What is compared, in words. */
  readonly what: string;
  /** The measured figure; null where there is none of its own. */
  readonly measured: number | null;
  /** The simulated figure; null where there is none of its own. */
  readonly simulated: number | null;
  /** Unit of both. */
  readonly unit: FigureUnit;
  /** What is held against the bound; null where it does not exist. */
  readonly value: number | null;
  /** The bound. */
  readonly threshold: number;
  /** Unit of value and bound. */
  readonly valueUnit: FigureUnit;
  /** Which side of the bound passes. */
  readonly passes: "at most" | "at least";
  /** How it ended; skip: the figure does not exist. */
  readonly status: "pass" | "fail" | "skip";
  /** What else there is to know. */
  readonly note: string | null;
}

type Given =
  & Pick<Comparison, "id" | "what" | "value" | "threshold">
  & Partial<Comparison>;

function compare(given: Given): Comparison {
  const { value, threshold, passes = "at most" } = given;
  const isGood = value !== null && (passes === "at most" ? value <= threshold : value >= threshold);
  return {
    measured: null,
    simulated: null,
    unit: "ms",
    valueUnit: "ratio",
    passes,
    note: null,
    status: value === null ? "skip" : isGood ? "pass" : "fail",
    ...given,
  };
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
  /** The bounds. */
  readonly thresholds: Thresholds;
}

/** All checks. */
export function compareRuns(
  tasks: readonly TaskPair[],
  { cpu, isReplay, thresholds }: ComparisonOptions,
): Comparison[] {
  const finished = tasks.filter((pair): pair is Finished => pair.simulated !== null);
  const checks = [compareFinished(tasks, finished)];
  if (finished.length > 0) {
    checks.push(
      ...(isReplay ? [compareStarts(finished, thresholds)] : compareWaits(finished, thresholds)),
      compareCompletions(finished, thresholds),
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
  return compare({
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

function compareWaits(tasks: readonly Finished[], thresholds: Thresholds): Comparison[] {
  const measured = tasks.map(({ measured }) => measured.startMs - measured.submissionMs);
  const simulated = tasks.map(({ simulated }) => simulated.startMs - simulated.submissionMs);
  const percentile = (percent: number, threshold: number) => {
    const was = quantileOf(measured, percent / 100);
    const is = quantileOf(simulated, percent / 100);
    return compare({
      id: `wait_p${percent}`,
      what: `relative error of the ${percent}th percentile of the waits`,
      measured: was,
      simulated: is,
      value: relativeErrorOf(is, was),
      threshold,
    });
  };
  const ks = kolmogorovSmirnov(measured, simulated);
  return [
    percentile(50, thresholds.waitP50),
    percentile(95, thresholds.waitP95),
    percentile(99, thresholds.waitP99),
    compare({
      id: "wait_ks",
      what: "Kolmogorov-Smirnov test of the waits",
      value: ks.p,
      valueUnit: "p",
      threshold: thresholds.waitKsP,
      passes: "at least",
      note: `D = ${ks.statistic.toFixed(4)}, p ${ks.method}`,
    }),
  ];
}

function compareStarts(tasks: readonly Finished[], { replayStartMs }: Thresholds): Comparison {
  const off = tasks.map(({ measured, simulated }) =>
    Math.abs(simulated.startMs - measured.startMs)
  );
  return compare({
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
  { binMs, maxLag, completions }: Thresholds,
): Comparison {
  const measured = tasks.map((pair) => pair.measured.endMs);
  const simulated = tasks.map((pair) => pair.simulated.endMs);
  const last = Math.max(greatest(measured), greatest(simulated));
  const bins = Math.floor(last / binMs) + 1;
  const { rmse, lag } = bestLag(cumulative(measured, { binMs, bins }), {
    later: cumulative(simulated, { binMs, bins }),
    maxLag,
  });
  return compare({
    id: "completions",
    what: "RMSE of the cumulative completions, as a part of all",
    value: rmse / tasks.length,
    threshold: completions,
    note: `${bins} bins of ${binMs / 1000} s, best lag ${lag} bins`,
  });
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

function compareMakespan(tasks: readonly Finished[], thresholds: Thresholds): Comparison {
  const measured = greatest(tasks.map((pair) => pair.measured.endMs));
  const simulated = greatest(tasks.map((pair) => pair.simulated.endMs));
  const common = { id: "makespan", measured, simulated };
  if (measured < thresholds.shortRunMs) {
    return compare({
      ...common,
      what: "error of the makespan (a run of less than 10 minutes)",
      value: Math.abs(simulated - measured),
      valueUnit: "ms",
      threshold: thresholds.makespanMs,
    });
  }
  return compare({
    ...common,
    what: "relative error of the makespan",
    value: relativeErrorOf(simulated, measured),
    threshold: thresholds.makespan,
  });
}

function compareCpu({ measured, simulated }: CpuSeries, thresholds: Thresholds): Comparison[] {
  const note = `${measured.length} bins of ${thresholds.binMs / 1000} s`;
  const median = simulated.length === 0 ? 0 : medianOf(simulated);
  const rmse = rmseOf(measured, simulated);
  return [
    compare({
      id: "cpu_smape",
      what: "sMAPE of the CPU demand",
      measured: meanOf(measured),
      simulated: meanOf(simulated),
      unit: "MHz",
      value: smapeOf(measured, simulated),
      threshold: thresholds.cpuSmape,
      note,
    }),
    compare({
      id: "cpu_pearson",
      what: "correlation of the CPU demand",
      value: pearsonOf(measured, simulated),
      valueUnit: "r",
      threshold: thresholds.cpuPearson,
      passes: "at least",
      note: measured.length < 2 ? "one bin has no correlation: use a smaller --bin-s" : note,
    }),
    compare({
      id: "cpu_rmse",
      what: "RMSE of the CPU demand over the simulated median",
      value: median > 0 ? rmse / median : null,
      threshold: thresholds.cpuRmse,
      note: median > 0 ? note : "the simulated median is 0",
    }),
  ];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}
