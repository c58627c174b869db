/**
 * Shares the CPU time of a service out among the requests that are open: each interval between two
 * readings is split equally over those open in it (processor sharing), and is background when none is.
 * Pure, and one step per reading or request however many are open.
 *
 * Laws, in whole nanoseconds: shares and background sum to what was read; a request's share is at most
 * its open time × cores.
 *
 * @module
 */

/** How {@linkcode CpuShares} splits. */
export interface CpuSharesOptions {
  /** Cores that the service can use at once. */
  readonly cores: number;
  /** First reading: what was used before belongs to nobody here, ns. */
  readonly totalNs: number;
  /** Boot clock of the first reading, ms. */
  readonly bootMs: number;
}

/** A reading of all the CPU time that a service has used. */
export interface CpuReading {
  /** CPU time since the service started, ns, whole. */
  readonly totalNs: number;
  /** Boot clock of the reading, ms. */
  readonly bootMs: number;
}

/** A request's part: what {@linkcode CpuShares.open} gave. */
export interface Share {
  /** {@linkcode CpuShares}' account per request when this one was opened or taken from last, ns. */
  sinceNs: number;
}

/** Shares the CPU time of one service out. Take a reading before each opening and closing. */
export class CpuShares {
  readonly #cores: number;
  #totalNs: number;
  #bootMs: number;
  #openCount = 0;
  /** What one request would have that had been open from the beginning. */
  #perRequestNs = 0;
  /**
   * Read, and not given to anybody yet: the remainder of a division, and what a reading showed beyond
   * what the cores can do in its interval. The kernel counts a running thread at its clock tick only,
   * so that a reading can be late by one (4 ms): it goes to the next interval.
   */
  #restNs = 0;
  #backgroundNs = 0;

  constructor({ cores, totalNs, bootMs }: CpuSharesOptions) {
    this.#cores = cores;
    this.#totalNs = totalNs;
    this.#bootMs = bootMs;
  }

  /** Requests open now. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Account for the time since the last reading. */
  read({ totalNs, bootMs }: CpuReading): void {
    const possibleNs = Math.floor(Math.max(0, bootMs - this.#bootMs) * 1e6 * this.#cores);
    // A counter that went back is another one: the cgroup was made again. Nothing is known of the time between.
    const usedNs = Math.max(0, totalNs - this.#totalNs) + this.#restNs;
    this.#totalNs = totalNs;
    this.#bootMs = Math.max(bootMs, this.#bootMs);
    if (this.#openCount === 0) {
      this.#backgroundNs += usedNs;
      this.#restNs = 0;
      return;
    }
    const eachNs = Math.floor(Math.min(usedNs, possibleNs) / this.#openCount);
    this.#perRequestNs += eachNs;
    this.#restNs = usedNs - eachNs * this.#openCount;
  }

  /** A request begins. */
  open(): Share {
    this.#openCount++;
    return { sinceNs: this.#perRequestNs };
  }

  /** What the request of `share` got since it was opened or taken from, ns; it stays open. */
  take(share: Share): number {
    const takenNs = this.#perRequestNs - share.sinceNs;
    share.sinceNs = this.#perRequestNs;
    return takenNs;
  }

  /** The request of `share` ends: what it got since it was opened or taken from, ns. */
  close(share: Share): number {
    this.#openCount--;
    return this.take(share);
  }

  /** What was used with no request open since the last call, ns. */
  takeBackground(): number {
    const takenNs = this.#backgroundNs;
    this.#backgroundNs = 0;
    return takenNs;
  }

  /** The end: what is still in nobody's share is background. No request may be open. */
  settle(): void {
    this.#backgroundNs += this.#restNs;
    this.#restNs = 0;
  }
}
