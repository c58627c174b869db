/**
 * Counts over time from the intervals of tasks: how many waited, how many ran, what they reserved.
 *
 * @module
 */

/** Equal bins of time. */
export interface Bins {
  /** Begin of the first. */
  readonly from: number;
  /** End of the last. */
  readonly to: number;
  /** How many. */
  readonly count: number;
}

/** Intervals to add up. */
export interface Weighted {
  /** Begin; NaN: it never began. */
  readonly begin: Float64Array;
  /** End; NaN: it has not ended. */
  readonly end: Float64Array;
  /** What each counts; NaN counts nothing. Default: one each. */
  readonly weight?: Float64Array;
  /** Which of them count. Default: all. */
  readonly isCounted?: (item: number) => boolean;
}

/** Mean in each bin of the weights of the intervals that are open. */
export function loadOf(
  { begin, end, weight, isCounted }: Weighted,
  { from, to, count }: Bins,
): Float64Array {
  const binLength = (to - from) / count;
  // Sums of whole bins are steps at the bins' edges; what covers a bin in part is added to it alone.
  const steps = new Float64Array(count + 1);
  const parts = new Float64Array(count + 1);
  for (let item = 0; item < begin.length; item++) {
    const start = begin[item] as number;
    const stop = Number.isNaN(end[item] as number) ? to : end[item] as number;
    const amount = weight === undefined ? 1 : weight[item] as number;
    if (!(stop > from && start < to) || Number.isNaN(amount)) continue;
    if (isCounted !== undefined && !isCounted(item)) continue;
    const left = Math.max(0, (start - from) / binLength);
    const right = Math.min(count, (stop - from) / binLength);
    const firstBin = Math.floor(left);
    const lastBin = Math.floor(right);
    if (firstBin === lastBin) {
      parts[firstBin] = (parts[firstBin] as number) + (right - left) * amount;
      continue;
    }
    parts[firstBin] = (parts[firstBin] as number) + (firstBin + 1 - left) * amount;
    parts[lastBin] = (parts[lastBin] as number) + (right - lastBin) * amount;
    steps[firstBin + 1] = (steps[firstBin + 1] as number) + amount;
    steps[lastBin] = (steps[lastBin] as number) - amount;
  }
  const load = new Float64Array(count);
  let open = 0;
  for (let bin = 0; bin < count; bin++) {
    open += steps[bin] as number;
    // Differences of equal sums may leave the last bit behind.
    load[bin] = Math.max(0, open + (parts[bin] as number));
  }
  return load;
}

/** Mean of a stepped series in each of other bins; 0 outside of it. */
export function resampled(
  values: Float64Array,
  { length, from, to, count }: Bins & {
    /** Length of a bin of `values`, the first of which begins at 0. */
    readonly length: number;
  },
): Float64Array {
  const means = new Float64Array(count);
  const step = (to - from) / count;
  for (let bin = 0; bin < count; bin++) {
    const left = Math.max(0, (from + bin * step) / length);
    const right = Math.min(values.length, (from + (bin + 1) * step) / length);
    let sum = 0;
    for (let at = Math.floor(left); at < right; at++) {
      sum += (values[at] as number) * (Math.min(right, at + 1) - Math.max(left, at));
    }
    means[bin] = sum * length / step;
  }
  return means;
}

/** Most intervals that are open at once, of those that begin and end. */
export function peakOf({ begin, end }: Pick<Weighted, "begin" | "end">): number {
  const begins = begin.filter((one) => !Number.isNaN(one)).sort();
  const ends = end.filter((one) => !Number.isNaN(one)).sort();
  let peak = 0;
  let ended = 0;
  for (let begun = 0; begun < begins.length; begun++) {
    while (ended < ends.length && (ends[ended] as number) <= (begins[begun] as number)) ended++;
    peak = Math.max(peak, begun + 1 - ended);
  }
  return peak;
}
