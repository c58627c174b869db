/**
 * How sure a difference between two runs is. Pure; the same values give the same interval.
 *
 * @module
 */

import { quantileOfSorted } from "./summary.ts";

/** A difference with its 95 % interval. */
export interface Difference {
  /** Of the second from the first. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Draws: the ends of a 95 % interval then vary by 2 % or so of its length. */
const DRAWS = 4000;

/** A generator of numbers from 0 to 1 (mulberry32: small, and good enough to resample with). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A draw of the gamma distribution with shape ≥ 1 (Marsaglia and Tsang 2000). */
function gamma(shape: number, random: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * Draw of the `p` quantile as a bootstrap would give it: the part of the values below a resampled
 * quantile is beta distributed, so no resample of the values has to be made, however many there are.
 */
function drawQuantile(
  sorted: Float64Array,
  { p, random }: { readonly p: number; readonly random: () => number },
): number {
  const a = gamma((sorted.length + 1) * p + 0.5, random);
  const b = gamma((sorted.length + 1) * (1 - p) + 0.5, random);
  return quantileOfSorted(sorted, a / (a + b));
}

/** Fewest values of a run from which an interval is made. */
const VALUES_LEAST = 5;

/** The difference of the `p` quantiles of two samples, both sorted; null where one has too few values. */
export function quantileDifference(
  first: Float64Array,
  { second, p }: { readonly second: Float64Array; readonly p: number },
): Difference | null {
  if (first.length < VALUES_LEAST || second.length < VALUES_LEAST) return null;
  const random = generator(1);
  const draws = Float64Array.from(
    { length: DRAWS },
    () => drawQuantile(second, { p, random }) - drawQuantile(first, { p, random }),
  ).sort();
  return {
    value: quantileOfSorted(second, p) - quantileOfSorted(first, p),
    low: quantileOfSorted(draws, 0.025),
    high: quantileOfSorted(draws, 0.975),
  };
}
