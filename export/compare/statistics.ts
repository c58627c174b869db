/**
 * The statistics of "simulated against measured": pure. What simple-statistics has comes from there.
 *
 * @module
 */

import {
  median,
  quantile,
  relativeError,
  rootMeanSquare,
  sampleCorrelation,
} from "simple-statistics";

/** The `p` quantile of `values`, linear between neighbours (type 7 of Hyndman and Fan, numpy's). */
export function quantileOf(values: readonly number[], p: number): number {
  return quantile([...values], p);
}

/** |found - reference| / |reference|; 0 when both are 0, infinite when only the reference is. */
export function relativeErrorOf(found: number, reference: number): number {
  return relativeError(found, reference);
}

/**
 * Symmetric mean absolute percentage error, 0 to 2: the mean of |a - b| over the mean of |a| and |b|,
 * where two zeros agree (Armstrong 1985, in the form of Chen and Yang 2004).
 */
export function smapeOf(a: readonly number[], b: readonly number[]): number {
  const terms = a.map((one, at) => {
    const other = b[at] ?? 0;
    const size = Math.abs(one) + Math.abs(other);
    return size === 0 ? 0 : 2 * Math.abs(one - other) / size;
  });
  return terms.length === 0 ? 0 : terms.reduce((sum, one) => sum + one, 0) / terms.length;
}

/** Pearson's correlation; null where a series is constant or shorter than two, for there is none. */
export function pearsonOf(a: readonly number[], b: readonly number[]): number | null {
  if (a.length < 2) return null;
  const correlation = sampleCorrelation([...a], [...b]);
  return Number.isFinite(correlation) ? correlation : null;
}

/** Root mean square of the differences. */
export function rmseOf(a: readonly number[], b: readonly number[]): number {
  return a.length === 0 ? 0 : rootMeanSquare(a.map((one, at) => one - (b[at] ?? 0)));
}

/** The middle of `values`. */
export function medianOf(values: readonly number[]): number {
  return median([...values]);
}

/** What a Kolmogorov-Smirnov test says. */
export interface KsTest {
  /** Greatest distance of the two empirical distributions. */
  readonly statistic: number;
  /** Probability of such a distance or a greater one when both are of one distribution. */
  readonly p: number;
  /** How p was found. */
  readonly method: "exact" | "asymptotic";
}

/**
 * Lattice points up to which p is counted exactly: 10^7 take some 50 ms. Beyond, each sample has at least
 * hundreds of values, where the limit distribution is off by less than 0.01.
 */
const EXACT_POINTS = 1e7;

/** Two-sample, two-sided Kolmogorov-Smirnov test; with ties the exact p is an upper bound. */
export function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): KsTest {
  const statistic = ksStatistic(a.toSorted(ascending), b.toSorted(ascending));
  const isExact = a.length * b.length <= EXACT_POINTS;
  const sizes = { n: a.length, m: b.length };
  return {
    statistic,
    p: isExact ? exactKsP(statistic, sizes) : asymptoticKsP(statistic, sizes),
    method: isExact ? "exact" : "asymptotic",
  };
}

function ascending(a: number, b: number): number {
  return a - b;
}

function ksStatistic(a: readonly number[], b: readonly number[]): number {
  let statistic = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && (a[i] as number) === value) i++;
    while (j < b.length && (b[j] as number) === value) j++;
    statistic = Math.max(statistic, Math.abs(i / a.length - j / b.length));
  }
  return statistic;
}

/** Sizes of two samples. */
export interface SampleSizes {
  /** Values of the first. */
  readonly n: number;
  /** Values of the second. */
  readonly m: number;
}

/**
 * Probability that two samples of one continuous distribution are `statistic` or more apart: the share of
 * the lattice paths from (0, 0) to (n, m) that reach a point that far from the diagonal (Hodges 1958,
 * "The significance probability of the Smirnov two-sample test").
 *
 * Row by row, as the probability that a path through (i, j) has reached the band before or at it, so
 * that no number grows beyond 1.
 */
export function exactKsP(statistic: number, { n, m }: SampleSizes): number {
  // Distances are multiples of 1 / (n m): half of one is room for the rounding of the statistic.
  const band = statistic - 0.5 / (n * m);
  const reached = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i / n - j / m) >= band) reached[j] = 1;
      else if (i === 0) reached[j] = j === 0 ? 0 : reached[j - 1] as number;
      else if (j > 0) {
        // Of the paths through (i, j), i of i + j come from below: hypergeometric counting.
        const below = i / (i + j);
        reached[j] = below * (reached[j] as number) + (1 - below) * (reached[j - 1] as number);
      }
    }
  }
  return reached[m] as number;
}

/** The same by the limit distribution of Kolmogorov, with Stephens's correction for finite samples. */
export function asymptoticKsP(statistic: number, { n, m }: SampleSizes): number {
  const root = Math.sqrt((n * m) / (n + m));
  return kolmogorovSurvival((root + 0.12 + 0.11 / root) * statistic);
}

/** Q(x) = 2 Σ (-1)^(k-1) exp(-2 k² x²): the survival function of Kolmogorov's distribution. */
export function kolmogorovSurvival(x: number): number {
  // Below this the series converges slowly, and Q differs from 1 by less than 10^-12.
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/** The best alignment of two series. */
export interface LaggedError {
  /** Root mean square of the differences at the best lag. */
  readonly rmse: number;
  /** Bins by which the second series is late; negative: early. */
  readonly lag: number;
}

/**
 * The lag within ±`maxLag` bins at which `later` comes nearest to `series`. Before its first bin a series
 * is 0, behind its last one it keeps its value, as a cumulative count does.
 */
export function bestLag(
  series: readonly number[],
  { later, maxLag }: { readonly later: readonly number[]; readonly maxLag: number },
): LaggedError {
  const valueAt = (bin: number) => bin < 0 ? 0 : later[Math.min(bin, later.length - 1)] ?? 0;
  let best: LaggedError = { rmse: Infinity, lag: 0 };
  for (let step = 0; step <= 2 * maxLag; step++) {
    // 0, 1, -1, 2, -2, …: of equally good lags the smallest is taken.
    const lag = step % 2 === 1 ? (step + 1) / 2 : -step / 2;
    const rmse = rmseOf(series, series.map((_, bin) => valueAt(bin + lag)));
    if (rmse < best.rmse) best = { rmse, lag: lag + 0 };
  }
  return best;
}
