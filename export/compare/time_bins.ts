/**
 * Amounts over time, collected in bins of equal length: pure.
 *
 * @module
 */

/** Sums per bin; bin 0 begins at 0 ms. */
export class TimeBins {
  readonly #binMs: number;
  readonly #sums: number[] = [];

  /** Bins of this length, ms. */
  constructor(binMs: number) {
    this.#binMs = binMs;
  }

  /**
   * Add an amount that was spent evenly between two times, ms; what is before 0 counts at 0, and an
   * amount without duration in the bin of its time.
   */
  add(amount: number, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    const from = Math.max(0, fromMs);
    const to = Math.max(from, toMs);
    const first = Math.floor(from / this.#binMs);
    const last = Math.max(first, Math.ceil(to / this.#binMs) - 1);
    for (let bin = first; bin <= last; bin++) {
      const begin = Math.max(from, bin * this.#binMs);
      const end = Math.min(to, (bin + 1) * this.#binMs);
      const part = to > from ? (end - begin) / (to - from) : 1;
      this.#sums[bin] = (this.#sums[bin] ?? 0) + amount * part;
    }
  }

  /** The sum of all bins. */
  get total(): number {
    return this.#sums.reduce((sum, one) => sum + (one ?? 0), 0);
  }

  /**
   * The mean per ms in each of the first `count` bins of a series that ends at `endMs`: the last bin
   * that it reaches counts with the part of it that is covered.
   */
  means(count: number, endMs: number): number[] {
    return Array.from({ length: count }, (_, bin) => {
      const coveredMs = Math.min(this.#binMs, endMs - bin * this.#binMs);
      return coveredMs > 0 ? (this.#sums[bin] ?? 0) / coveredMs : 0;
    });
  }
}
