/**
 * The checks of the CPU demand over time: pure.
 *
 * @module
 */

import { bootstrapInterval, type Interval } from "./bootstrap.ts";
import { type Comparison, comparisonOf, tooFew } from "./comparison.ts";
import { medianOf, pearsonOf, rmseOf, smapeOf } from "./statistics.ts";
import type { Thresholds } from "./thresholds.ts";

/** Demand over time, MHz. */
export interface CpuDemand {
  /** A value per bin. */
  readonly bins: readonly number[];
  /** Mean from the first submission to the last end. */
  readonly meanMhz: number;
}

/** Demand over time, as it was and as simulated. */
export interface CpuSeries {
  /** As it was. */
  readonly measured: CpuDemand;
  /** As simulated. */
  readonly simulated: CpuDemand;
  /** Length of a bin, ms. */
  readonly binMs: number;
}

/** Bins below which the shape of a series says nothing: two have a correlation of ±1. */
export const LEAST_BINS = 10;

/** The checks of a series. */
export function compareCpu(
  { measured, simulated, binMs }: CpuSeries,
  thresholds: Thresholds,
): Comparison[] {
  const a = measured.bins;
  const b = simulated.bins;
  const tooLittle = tooFew(a.length, {
    least: LEAST_BINS,
    of: `bins of ${binMs / 1000} s`,
  });
  const note = `${a.length} bins of ${binMs / 1000} s`;
  const interval = (statistic: Statistic) => tooLittle === null ? ofBins(a, b, statistic) : null;
  return [
    comparisonOf({
      id: "cpu_smape",
      what: "sMAPE of the CPU demand",
      measured: measured.meanMhz,
      simulated: simulated.meanMhz,
      unit: "MHz",
      value: smapeOf(a, b),
      interval: interval(smapeOf),
      threshold: thresholds.cpuSmape,
      note,
      tooLittle,
    }),
    comparisonOf({
      id: "cpu_pearson",
      what: "correlation of the CPU demand",
      value: pearsonOf(a, b),
      interval: interval(pearsonOf),
      valueUnit: "r",
      threshold: thresholds.cpuPearson,
      passes: "at least",
      note: pearsonOf(a, b) === null ? "one of the series is constant" : note,
      tooLittle,
    }),
    comparisonOf({
      id: "cpu_rmse",
      what: "RMSE of the CPU demand over the simulated median",
      value: relativeRmse(a, b),
      interval: interval(relativeRmse),
      threshold: thresholds.cpuRmse,
      note: relativeRmse(a, b) === null ? "the simulated median is 0" : note,
      tooLittle,
    }),
  ];
}

function relativeRmse(measured: readonly number[], simulated: readonly number[]): number | null {
  const median = simulated.length === 0 ? 0 : medianOf(simulated);
  return median > 0 ? rmseOf(measured, simulated) / median : null;
}

type Statistic = (a: readonly number[], b: readonly number[]) => number | null;

/** Interval over blocks of neighbouring bins, of the usual length n^(1/3). */
function ofBins(
  a: readonly number[],
  b: readonly number[],
  statistic: Statistic,
): Interval | null {
  const pick = (series: readonly number[], places: Uint32Array) =>
    Array.from(places, (place) => series[place] as number);
  return bootstrapInterval(
    a.length,
    (places) => statistic(pick(a, places), pick(b, places)),
    { blockLength: Math.max(1, Math.round(Math.cbrt(a.length))) },
  );
}
