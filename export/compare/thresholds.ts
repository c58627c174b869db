/**
 * Bounds of "simulated against measured": pure.
 *
 * @module
 */

/** Bounds of the checks, and how their series are made. */
export interface Thresholds {
  /** Greatest relative error of the median wait. */
  readonly waitP50: number;
  /** Greatest relative error of the 95th percentile of the waits. */
  readonly waitP95: number;
  /** Greatest relative error of the 99th percentile of the waits. */
  readonly waitP99: number;
  /** Least p of the Kolmogorov-Smirnov test of the waits. */
  readonly waitKsP: number;
  /** Greatest error of the cumulative completions, as a part of all. */
  readonly completions: number;
  /** Lags tried, bins to either side. */
  readonly maxLag: number;
  /** Length of a bin, ms; null: as long as the length of the run allows, at most a minute. */
  readonly binMs: number | null;
  /** Greatest relative error of the makespan. */
  readonly makespan: number;
  /** Greatest error of the makespan of a short run, ms. */
  readonly makespanMs: number;
  /** Runs below this are short, ms. */
  readonly shortRunMs: number;
  /** Greatest sMAPE of the CPU demand. */
  readonly cpuSmape: number;
  /** Least correlation of the CPU demand. */
  readonly cpuPearson: number;
  /** Greatest RMSE of the CPU demand, as a part of the simulated median. */
  readonly cpuRmse: number;
  /** Greatest deviation of a start in a replay, ms. */
  readonly replayStartMs: number;
  /** Least share of the tasks on the node that they ran on. */
  readonly sameNode: number;
}

/** Bins by length, ms: that of the field first. */
const BIN_LENGTHS_MS = [60_000, 30_000, 10_000, 5000, 2000, 1000] as const;

/** Bins that a run is divided into at least, where it is long enough. */
const BINS_WANTED = 20;

/** Length of a bin for a run of `spanMs`, ms: the longest that gives {@linkcode BINS_WANTED} bins. */
export function binFor(spanMs: number): number {
  return BIN_LENGTHS_MS.find((binMs) => spanMs / binMs >= BINS_WANTED) ?? 1000;
}

/** The bounds that are used in the field. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  waitP50: 0.05,
  waitP95: 0.1,
  waitP99: 0.2,
  waitKsP: 0.05,
  completions: 0.03,
  maxLag: 10,
  binMs: null,
  makespan: 0.01,
  makespanMs: 6000,
  shortRunMs: 600_000,
  cpuSmape: 0.05,
  cpuPearson: 0.95,
  cpuRmse: 0.1,
  // A replay is exact; rounding to whole milliseconds moves a start by at most one.
  replayStartMs: 1,
  sameNode: 0.95,
};
