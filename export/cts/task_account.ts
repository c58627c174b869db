/**
 * Conservation: the rows of a task sum to its exact total.
 *
 * What the readings of its processes did not see is spread over the time in which it can have happened.
 * First over the tails, the time between the last reading of a process and its end, where a process is
 * taken to have run on at most {@linkcode TAIL_RATE_FACTOR} times as fast as it was ever seen to go.
 * What is beyond that was used by processes that no reading met, at any time of the task's life: it is
 * spread as evenly as the task's cores allow.
 *
 * Where the data contradict each other: a total that is a little below what was read (rounding, the
 * launcher's own part) trims the last rows; one that is further below misses processes, and the readings
 * count. CPU time that no interval can hold is kept, and counted as overfull.
 *
 * @module
 */

import type { ProcessSeries, RowSink } from "./process_series.ts";
import type { ProfilePool, Share, UsageProfile } from "./usage_profile.ts";

/**
 * How much faster than ever seen a process may have ended: its fastest interval is an average. Worst
 * outcome of too much is that CPU time of children that were never met is put behind the last reading
 * of one that was; of too little, that a process's own end is spread over its life.
 */
const TAIL_RATE_FACTOR = 1.25;

/**
 * Excess of the readings over the total that is trimmed, µs. It covers totals cut to whole µs and the
 * launch shim, whose cost is taken off the total; worst outcome: this much true CPU time per task is lost.
 */
const TRIM_LIMIT_US = 2000;

/** A task as the conservation step sees it; times in µs on the clock of the run. */
export interface TaskOptions {
  /** Its trace. */
  readonly traceId: string;
  /** When it was spawned; null: not on record. */
  readonly startUs: number | null;
  /** When it was reaped; Infinity: not on record. */
  readonly endUs: number;
  /** Exact CPU time of its whole tree, µs; null: not known. */
  readonly totalUs: number | null;
  /** How much too small that may be for its coarse steps, µs. */
  readonly totalStepUs: number;
  /** Cores that it can have used at once. */
  readonly cores: number;
  /** Its first process; null: not known. */
  readonly pid: number | null;
  /** Start time of that process, clock ticks; null: not known. */
  readonly startTicks: number | null;
  /** Where its profile comes from. */
  readonly profiles: ProfilePool;
}

/** CPU time of one task: what its processes' readings saw, and what its total shows beyond. */
export class TaskAccount {
  /** Its trace. */
  readonly traceId: string;
  /** When it was spawned, µs; -Infinity: not on record. */
  readonly startUs: number;
  /** When it was reaped, µs; Infinity: not on record. */
  readonly endUs: number;
  /** Cores that it can have used at once. */
  readonly cores: number;
  /** Its processes, in the order in which they were first read; none once it is finished. */
  processes: ProcessSeries[] = [];
  /** Readings of its processes; known once it is finished. */
  samples = 0;
  /** Most resident memory that one of its processes was read to have, kB; -1: none was read. */
  peakRssKb: number = -1;
  /** CPU time that readings saw, µs. */
  seenUs = 0;
  /** CPU time of the rows that were written, µs. */
  rowsUs = 0;
  /** Rows written. */
  rows = 0;
  /** What the readings saw beyond the total and was not trimmed, µs. */
  excessUs = 0;
  /** Rows that say more CPU time than their interval can hold. */
  overfullRows = 0;
  /** Most cores that its readings show in use at a time, or the mean where that is more. */
  parallelism = 0;
  /** True once all its rows are written. */
  isFinished = false;
  readonly #pid: number | null;
  readonly #startTicks: number | null;
  readonly #totalUs: number | null;
  readonly #trimLimitUs: number;
  readonly #profiles: ProfilePool;
  #profile: UsageProfile | null = null;
  #lastUs = -Infinity;

  /** A task none of whose processes was read yet. */
  constructor(options: TaskOptions) {
    this.traceId = options.traceId;
    this.startUs = options.startUs ?? -Infinity;
    this.endUs = options.endUs;
    this.cores = options.cores;
    this.#pid = options.pid;
    this.#startTicks = options.startTicks;
    this.#totalUs = options.totalUs;
    this.#trimLimitUs = TRIM_LIMIT_US + options.totalStepUs;
    this.#profiles = options.profiles;
  }

  /** Exact CPU time, µs: the total, or what was read where that is more; null: not known. */
  get cpuUs(): number | null {
    return this.#totalUs === null ? null : this.#totalUs + this.excessUs;
  }

  /** Part of its CPU time that no reading saw, µs. */
  get unseenUs(): number {
    return Math.max(0, (this.cpuUs ?? 0) - this.seenUs);
  }

  /**
   * Difference between its rows and its exact total once it is finished, µs. A task without a start has
   * none: over which time the CPU time that no reading saw is to be spread is not known, and it is in no
   * row.
   */
  get residualUs(): number {
    const { cpuUs } = this;
    return cpuUs === null || this.startUs === -Infinity ? 0 : Math.abs(this.rowsUs - cpuUs);
  }

  /** True for the process that was launched, rather than one of its descendants. */
  isFirst({ pid, startTicks }: { readonly pid: number; readonly startTicks: number }): boolean {
    return pid === this.#pid && this.mayBegin(startTicks);
  }

  /** True when a process that began at `startTicks` (-1: not known) can be the one launched. */
  mayBegin(startTicks: number): boolean {
    return this.#startTicks === null || startTicks < 0 || startTicks === this.#startTicks;
  }

  /** Note that a reading at `atUs` showed `newUs` more. */
  see(newUs: number, atUs: number): void {
    this.seenUs += newUs;
    if (atUs > this.#lastUs) this.#lastUs = atUs;
    this.#profileFrom(atUs).extendTo(atUs);
  }

  /** Enter a row that is final. */
  enter(share: Share): void {
    this.rows++;
    this.rowsUs += share.cpuUs;
    this.#profileFrom(share.fromUs).add(share);
  }

  /**
   * Write the rows that are held back and those of the CPU time that no reading saw.
   *
   * @param intervalUs Sampling interval: a process that the next tick did not meet had ended by then.
   */
  finish(sink: RowSink, intervalUs: number): void {
    this.isFinished = true;
    const heldUs = this.processes.reduce((sum, one) => sum + one.heldCpuUs, 0);
    let restUs = (this.#totalUs ?? this.seenUs) - this.rowsUs - heldUs;
    if (restUs < 0 && -restUs <= this.#trimLimitUs) {
      for (const one of this.processes) restUs += one.trim(-restUs);
    }
    for (const one of this.processes) one.flush();
    const endUs = this.endUs === Infinity ? this.#lastUs : this.endUs;
    const startUs = this.startUs === -Infinity ? endUs : this.startUs;
    const meanRate = endUs > startUs ? (this.#totalUs ?? this.seenUs) / (endUs - startUs) : 0;
    this.parallelism = Math.max(meanRate, this.#profile?.peakRate() ?? 0);
    if (restUs < 0) this.excessUs = -restUs;
    else if (endUs > startUs) this.#spread(restUs, { startUs, endUs, intervalUs, sink });
    for (const one of this.processes) {
      this.samples += one.readings;
      this.peakRssKb = Math.max(this.peakRssKb, one.peakRssKb);
      this.overfullRows += one.overfullRows;
    }
    this.processes = [];
    if (this.#profile !== null) this.#profiles.giveBack(this.#profile);
    this.#profile = null;
  }

  #spread(
    cpuUs: number,
    { startUs, endUs, intervalUs, sink }: {
      startUs: number;
      endUs: number;
      intervalUs: number;
      sink: RowSink;
    },
  ): void {
    const profile = this.#profileFrom(startUs);
    let restUs = cpuUs;
    const write = (share: Share, pid: number | null): void => {
      const dtUs = share.toUs - share.fromUs;
      if (share.cpuUs > dtUs * this.cores) this.overfullRows++;
      this.enter(share);
      sink.spread(this, { endUs: share.toUs, dtUs, cpuUs: share.cpuUs, rssKb: -1, pid });
    };
    const tails = this.#tails(endUs, intervalUs);
    let likelyUs = tails.reduce((sum, tail) => sum + tail.cpuUs, 0);
    for (const { pid, ...tail } of tails) {
      const wantedUs = restUs < likelyUs ? Math.ceil(tail.cpuUs * (restUs / likelyUs)) : tail.cpuUs;
      likelyUs -= tail.cpuUs;
      const takenUs = Math.min(wantedUs, restUs, profile.room(tail.fromUs, tail.toUs));
      if (takenUs > 0) write({ ...tail, cpuUs: takenUs }, pid);
      restUs -= takenUs;
    }
    // A task without any row gets one of 0: it ran, and used less than can be told.
    if (restUs === 0 && (this.rows > 0 || this.#totalUs === null)) return;
    const pid = this.processes.length === 0 ? this.#pid : null;
    for (const share of profile.fill(restUs, endUs)) write(share, pid);
  }

  /** Time between the last reading of each process and its end, with what it can have used there. */
  #tails(endUs: number, intervalUs: number): (Share & { readonly pid: number })[] {
    return this.processes.flatMap((one) => {
      // Met by the last tick, so that no later one can have missed it.
      const isLast = this.isFirst(one) || one.lastUs > this.#lastUs - intervalUs / 2;
      const toUs = isLast ? endUs : Math.min(endUs, one.lastUs + intervalUs);
      const rate = Math.min(this.cores, one.peakRate * TAIL_RATE_FACTOR);
      const cpuUs = Math.floor((toUs - one.lastUs) * rate);
      return cpuUs > 0 ? [{ pid: one.pid, fromUs: one.lastUs, toUs, cpuUs }] : [];
    });
  }

  #profileFrom(atUs: number): UsageProfile {
    this.#profile ??= this.#profiles.take(
      this.startUs === -Infinity ? atUs : this.startUs,
      this.cores,
    );
    return this.#profile;
  }
}
