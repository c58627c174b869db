/**
 * How late the ticks of a period were.
 *
 * @module
 */

/** Lateness of the ticks since it was taken last. */
export class Lateness {
  #latesMs: number[] = [];

  /** Note one tick. */
  add(lateMs: number): void {
    this.#latesMs.push(lateMs);
  }

  /** How many ticks, their 99th percentile (nearest rank) and maximum, ms; then forget them. */
  take(): { readonly ticks: number; readonly p99Ms: number; readonly maxMs: number } {
    const sorted = this.#latesMs.sort((a, b) => a - b);
    this.#latesMs = [];
    const rank = Math.ceil(sorted.length * 0.99);
    return { ticks: sorted.length, p99Ms: sorted[rank - 1] ?? 0, maxMs: sorted.at(-1) ?? 0 };
  }
}
