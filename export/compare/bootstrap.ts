/**
 * Paired bootstrap intervals: pairs of measured and simulated values are drawn together, so that what
 * both have in common does not widen the interval. Pure and seeded: the same input has the same interval.
 *
 * @module
 */

import { quantileOf } from "./statistics.ts";

/** Ends of a 95 % interval. */
export type Interval = readonly [low: number, high: number];

/** Share of the resamples between the ends. */
const COVERAGE = 0.95;

/** Resamples of a small sample: the ends of the interval then vary by some percent of its width. */
const RESAMPLES = 1000;

/** Values drawn in all: some 0.5 s. Larger samples are drawn less often; their intervals are narrow. */
const DRAWS = 4e6;

/** Least number of resamples: below, the 2.5 % quantile would be the minimum. */
const LEAST_RESAMPLES = 80;

/** How samples are drawn. */
export interface BootstrapOptions {
  /**
   * Neighbours drawn together: 1 for independent pairs; longer for a series, whose neighbouring values
   * resemble each other (moving blocks, Künsch 1989).
   */
  readonly blockLength?: number;
}

/**
 * The percentile interval of `statistic` over resamples of `length` places; null where it does not exist
 * in one of them, or there are fewer than two places.
 */
export function bootstrapInterval(
  length: number,
  statistic: (places: Uint32Array) => number | null,
  { blockLength = 1 }: BootstrapOptions = {},
): Interval | null {
  if (length < 2) return null;
  const resamples = Math.max(LEAST_RESAMPLES, Math.min(RESAMPLES, Math.floor(DRAWS / length)));
  const random = randomOf(length);
  const places = new Uint32Array(length);
  const values: number[] = [];
  for (let one = 0; one < resamples; one++) {
    draw(places, { blockLength, random });
    const value = statistic(places);
    if (value === null || !Number.isFinite(value)) return null;
    values.push(value);
  }
  const tail = (1 - COVERAGE) / 2;
  return [quantileOf(values, tail), quantileOf(values, 1 - tail)];
}

function draw(
  places: Uint32Array,
  { blockLength, random }: { readonly blockLength: number; readonly random: () => number },
): void {
  const starts = places.length - blockLength + 1;
  for (let at = 0; at < places.length;) {
    const start = Math.floor(random() * starts);
    for (let step = 0; step < blockLength && at < places.length; step++) {
      places[at++] = start + step;
    }
  }
}

/** Numbers in [0, 1) from a seed: the generator mulberry32, whose period of 2^32 is ample here. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
