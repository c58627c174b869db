/**
 * Statistics of samples: quantiles with bootstrap intervals, and whether one sample tends to be larger.
 * What is drawn at random is drawn from a fixed seed, so that the same run gives the same words.
 *
 * @module
 */

import { errorFunction, gammaln } from "simple-statistics";

/** Quantiles of some values. */
export interface Distribution {
  /** How many values. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 95th percentile. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
  /** Largest. */
  readonly max: number;
}

/** Quantiles of the values that are known; null where none is. */
export function distributionOf(values: Iterable<number | null>): Distribution | null {
  const sorted = sortedKnown(values);
  if (sorted.length === 0) return null;
  return {
    count: sorted.length,
    mean: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
    p50: quantileSorted(sorted, 0.5),
    p95: quantileSorted(sorted, 0.95),
    p99: quantileSorted(sorted, 0.99),
    max: sorted.at(-1) as number,
  };
}

/** The values that are known, in ascending order. */
export function sortedKnown(values: Iterable<number | null>): Float64Array {
  return Float64Array.from([...values].filter((one) => one !== null)).sort();
}

/** The `p` quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan). */
export function quantileSorted(sorted: ArrayLike<number>, p: number): number {
  const at = (sorted.length - 1) * p;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (at - Math.floor(at)) * (high - low);
}

/** An interval of confidence. */
export interface Interval {
  /** Its lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
}

/** Share of such intervals that hold the true value. */
const CONFIDENCE = 0.95;

/** Resamples: their own noise moves the ends of a 95 % interval by less than a tenth of its length. */
const RESAMPLES = 1000;

/** Fewer values say nothing about a quantile's interval. */
const VALUES_MIN = 5;

/**
 * Percentile bootstrap interval of the `p` quantile of sorted values; null for fewer than five.
 */
export function quantileInterval(sorted: Float64Array, p: number): Interval | null {
  if (sorted.length < VALUES_MIN) return null;
  const random = randomOf(sorted.length);
  return middleOf(Float64Array.from({ length: RESAMPLES }, () => resample(sorted, { p, random })));
}

/** Percentile bootstrap interval of the ratio of two quantiles, `b` to `a`; null for fewer than five. */
export function quantileRatioInterval(
  { a, b }: { readonly a: Float64Array; readonly b: Float64Array },
  p: number,
): Interval | null {
  if (Math.min(a.length, b.length) < VALUES_MIN) return null;
  const random = randomOf(a.length + b.length);
  const ratios = Float64Array.from(
    { length: RESAMPLES },
    () => resample(b, { p, random }) / resample(a, { p, random }),
  );
  return ratios.every(Number.isFinite) ? middleOf(ratios) : null;
}

function middleOf(values: Float64Array): Interval {
  const sorted = values.sort();
  const outside = (1 - CONFIDENCE) / 2;
  return { low: quantileSorted(sorted, outside), high: quantileSorted(sorted, 1 - outside) };
}

/** The quantile of as many values drawn with replacement: drawn as counts, so that nothing is sorted. */
function resample(
  sorted: Float64Array,
  { p, random }: { readonly p: number; readonly random: () => number },
): number {
  const counts = new Uint32Array(sorted.length);
  for (let drawn = 0; drawn < sorted.length; drawn++) {
    const at = Math.floor(random() * sorted.length);
    counts[at] = (counts[at] as number) + 1;
  }
  const place = (sorted.length - 1) * p;
  let seen = 0;
  let low = NaN;
  for (let at = 0; at < sorted.length; at++) {
    seen += counts[at] as number;
    if (Number.isNaN(low) && seen > Math.floor(place)) low = sorted[at] as number;
    if (seen <= Math.ceil(place)) continue;
    return low + (place - Math.floor(place)) * ((sorted[at] as number) - low);
  }
  return low;
}

/** Uniform numbers from 0 to 1: mulberry32, by Tommy Ettinger, in the public domain. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whether values of one sample tend to be larger than those of another. */
export interface RankTest {
  /**
   * Two-sided p of the Mann-Whitney U test, normal approximation with correction for ties and
   * continuity; null where a sample has fewer than eight values, for which the approximation is poor.
   */
  readonly p: number | null;
  /**
   * Cliff's delta, -1 to 1: how much more often a value of the second sample is the larger one than the
   * smaller one.
   */
  readonly delta: number;
  /** The size of delta in words, by Romano and others (2006). */
  readonly effect: "negligible" | "small" | "medium" | "large";
}

/** Fewer values make the normal approximation poor. */
const NORMAL_MIN = 8;

/** Bounds of |delta| between negligible, small, medium and large. */
const EFFECT_BOUNDS = [0.147, 0.33, 0.474] as const;
const EFFECTS = ["negligible", "small", "medium", "large"] as const;

/** Compare two samples, each of at least one value. */
export function rankTest(a: Float64Array, b: Float64Array): RankTest {
  const { rankSumB, tieTerm } = ranksOf(a, b);
  const pairs = a.length * b.length;
  // Pairs in which the value of b is larger, ties as a half.
  const larger = rankSumB - b.length * (b.length + 1) / 2;
  const delta = 2 * larger / pairs - 1;
  const total = a.length + b.length;
  const variance = pairs / 12 * (total + 1 - tieTerm / (total * (total - 1)));
  const size = EFFECT_BOUNDS.filter((bound) => Math.abs(delta) >= bound).length;
  return {
    p: Math.min(a.length, b.length) < NORMAL_MIN
      ? null
      : twoSidedP({ distance: Math.abs(larger - pairs / 2), variance }),
    delta,
    effect: EFFECTS[size] ?? "large",
  };
}

function twoSidedP(
  { distance, variance }: { readonly distance: number; readonly variance: number },
): number {
  // All values equal: nothing differs.
  if (variance <= 0) return 1;
  const z = Math.max(0, distance - 0.5) / Math.sqrt(variance);
  return Math.max(0, 1 - errorFunction(z / Math.SQRT2));
}

/** Sum of the ranks of `b` among all values, and Σ (t³ - t) over groups of t equal values. */
function ranksOf(a: Float64Array, b: Float64Array): { rankSumB: number; tieTerm: number } {
  const all = [
    ...Array.from(a, (value) => ({ value, isB: false })),
    ...Array.from(b, (value) => ({ value, isB: true })),
  ].sort((one, other) => one.value - other.value);
  let rankSumB = 0;
  let tieTerm = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to++;
    const ties = to - from;
    const rank = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) if (all[at]?.isB) rankSumB += rank;
    tieTerm += ties ** 3 - ties;
    from = to;
  }
  return { rankSumB, tieTerm };
}

/**
 * 95 % interval of the ratio of two geometric means, `b` to `a`: Welch's t on logarithms. Null where a
 * sample has fewer than two values, or one that is not above 0.
 */
export function ratioOfMeansInterval(
  a: readonly number[],
  b: readonly number[],
): Interval | null {
  if (Math.min(a.length, b.length) < 2 || [...a, ...b].some((one) => one <= 0)) return null;
  const [one, other] = [momentsOf(a), momentsOf(b)];
  const change = other.mean - one.mean;
  const variance = one.meanVariance + other.meanVariance;
  if (variance === 0) return { low: Math.exp(change), high: Math.exp(change) };
  const freedom = variance ** 2 /
    (one.meanVariance ** 2 / (a.length - 1) + other.meanVariance ** 2 / (b.length - 1));
  const margin = studentQuantile((1 + CONFIDENCE) / 2, freedom) * Math.sqrt(variance);
  return { low: Math.exp(change - margin), high: Math.exp(change + margin) };
}

/** Mean of the logarithms, and the variance of that mean. */
function momentsOf(values: readonly number[]): { mean: number; meanVariance: number } {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const squares = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { mean, meanVariance: squares / (logs.length - 1) / logs.length };
}

/** Simpson's rule with so many intervals is exact to more digits than are shown. */
const SIMPSON_INTERVALS = 2000;

/** The `p` quantile, above 0.5, of Student's t, found by bisection over its integrated density. */
export function studentQuantile(p: number, freedom: number): number {
  const scale = Math.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2)) /
    Math.sqrt(freedom * Math.PI);
  const density = (t: number) => scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2);
  const below = (t: number): number => {
    const step = t / SIMPSON_INTERVALS;
    let sum = density(0) + density(t);
    for (let at = 1; at < SIMPSON_INTERVALS; at++) {
      sum += (at % 2 === 0 ? 2 : 4) * density(at * step);
    }
    return 0.5 + sum * step / 3;
  };
  let low = 0;
  let high = 1;
  while (below(high) < p) high *= 2;
  for (let halving = 0; halving < 50; halving++) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** 95 % interval of a mean by Student's t; null for fewer than two values. */
export function meanInterval(values: readonly number[]): Interval | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const margin = studentQuantile((1 + CONFIDENCE) / 2, values.length - 1) *
    Math.sqrt(squares / (values.length - 1) / values.length);
  return { low: mean - margin, high: mean + margin };
}
