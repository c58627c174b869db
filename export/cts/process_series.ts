/**
 * The readings of one process as what it used between them.
 *
 * A reading is a total since the process started, so that nothing it says can be lost: what cannot have
 * been used in one interval (more than its length times the cores: clock ticks are coarse, and a sampler
 * can be held up between its stamp and its reading) belongs to the neighbours.
 *
 * @module
 */

import type { Share } from "./usage_profile.ts";

/**
 * Excess that may always be carried to the next interval, µs per core: ten clock ticks. Worst outcome of
 * a smaller one: readings of a loaded host are reported as impossible that are only late.
 */
const CARRY_US = 100_000;

/**
 * CPU time that the last row keeps where there is any, µs: totals are cut to whole µs twice, as user and
 * as system time, and what the readings have above that must come off a last row. Worst outcome: so much
 * of it is in a later row than it was used in.
 */
const KEPT_US = 2;

/** What one reading says. */
export interface SeriesReading {
  /** When it was read, µs on the clock of the run. */
  readonly atUs: number;
  /** CPU time since the process started, µs. */
  readonly cpuUs: number;
  /** Resident memory, kB; -1: not known. */
  readonly rssKb: number;
  /** Peak resident memory so far, kB; -1: not known. */
  readonly hwmKb: number;
}

/** What was used in one interval. */
export interface MetricRow {
  /** End of the interval, µs. */
  readonly endUs: number;
  /** Length of the interval, µs. */
  readonly dtUs: number;
  /** CPU time used in it, µs. */
  readonly cpuUs: number;
  /** Resident memory at its end, kB; -1: not known. */
  readonly rssKb: number;
}

/** The task of a process, as far as its readings concern it. */
export interface TaskOfSeries {
  /** Its trace. */
  readonly traceId: string;
  /** When it was reaped, µs; Infinity: not on record. */
  readonly endUs: number;
  /** Part of its CPU time that no reading saw so far, µs. */
  readonly unseenUs: number;
  /** True for the process that was launched, rather than one of its descendants. */
  isFirst(process: { readonly pid: number; readonly startTicks: number }): boolean;
  /** Note that a reading at `atUs` showed `newUs` more. */
  see(newUs: number, atUs: number): void;
  /** Enter a row that is final. */
  enter(share: Share): void;
}

/** Takes rows as they become final. */
export interface RowSink {
  /** The difference of two readings of a process; the row is valid during the call only. */
  reading(series: ProcessSeries, row: MetricRow): void;
  /** CPU time of a task that only its total shows; `pid` null: of which process is not known. */
  spread(task: TaskOfSeries, row: MetricRow & { readonly pid: number | null }): void;
}

/** What became of a reading. */
export type ReadOutcome = "taken" | "duplicate" | "unsorted" | "after_end";

/** Which process a series is of, and what is known before its first reading. */
export interface SeriesOptions {
  /** Process id. */
  readonly pid: number;
  /** Start time, clock ticks since boot; -1: not known. */
  readonly startTicks: number;
  /** When it began to use CPU time that counts, µs; null: at its first reading. */
  readonly fromUs: number | null;
  /** Cores that it can have used at once. */
  readonly cores: number;
  /** The task that it belongs to; null: none. */
  readonly account: TaskOfSeries | null;
  /** Trace named in its readings; null: none. */
  readonly traceId: string | null;
  /** Takes its rows. */
  readonly sink: RowSink;
}

/** One process, identified by pid and start time. */
export class ProcessSeries {
  /** Process id. */
  readonly pid: number;
  /** Start time, clock ticks since boot; -1: not known. */
  readonly startTicks: number;
  /** The task that it belongs to; null: none. */
  readonly account: TaskOfSeries | null;
  /** Trace named in its readings, or that of its task; null: none. */
  readonly traceId: string | null;
  /** End of the last interval, or its start before there is one, µs. */
  lastUs: number;
  /** Highest CPU total read, µs. */
  lastCpuUs = 0;
  /** CPU total from which it counts, µs. */
  baseUs = 0;
  /** Readings taken. */
  readings = 0;
  /** Most cores used over one interval. */
  peakRate = 0;
  /** Most resident memory read, kB; -1: none was. */
  peakRssKb: number = -1;
  /** Readings whose CPU total was below the one before. */
  decreases = 0;
  /** Rows that say more CPU time than the interval can hold. */
  overfullRows = 0;
  /** What the sink wants to keep for the rows of this process. */
  rowSuffix: Uint8Array | null = null;
  /** An earlier process with the same pid. */
  older: ProcessSeries | null = null;
  readonly #cores: number;
  readonly #sink: RowSink;
  #isBased: boolean;
  #readUs = -Infinity;
  #carryUs = 0;
  /** The last row is held back: what the next reading shows may still belong to it. */
  readonly #held = { endUs: 0, dtUs: 0, cpuUs: 0, rssKb: -1 };
  /** The same for its task; both serve for all rows, for there are millions. */
  readonly #share = { fromUs: 0, toUs: 0, cpuUs: 0 };

  /** A process without readings yet. */
  constructor(options: SeriesOptions) {
    this.pid = options.pid;
    this.startTicks = options.startTicks;
    this.account = options.account;
    this.traceId = options.account?.traceId ?? options.traceId;
    this.#cores = options.cores;
    this.#sink = options.sink;
    this.lastUs = options.fromUs ?? 0;
    this.#isBased = options.fromUs !== null;
  }

  /** CPU time that was read but is in no row yet, µs. */
  get carryUs(): number {
    return this.#carryUs;
  }

  /** CPU time of the row that is held back, µs. */
  get heldCpuUs(): number {
    return this.#held.cpuUs;
  }

  /** Take the next reading; the row before it becomes final. */
  read(reading: SeriesReading): ReadOutcome {
    const account = this.account;
    const isLate = account !== null && reading.atUs > account.endUs;
    if (isLate) {
      const isKnown = this.#readUs >= account.endUs;
      // Its end was read before; this says the same once more.
      if (isKnown && reading.cpuUs === this.lastCpuUs) return "taken";
      if (isKnown || !this.#isLastOf(account, reading)) return "after_end";
    }
    const atUs = isLate ? account.endUs : reading.atUs;
    if (atUs < this.#readUs) return "unsorted";
    if (atUs === this.#readUs && reading.cpuUs === this.lastCpuUs) return "duplicate";
    this.#readUs = atUs;
    this.readings++;
    this.peakRssKb = Math.max(this.peakRssKb, reading.rssKb, reading.hwmKb);
    if (!this.#isBased) {
      this.#isBased = true;
      this.lastUs = atUs;
      this.lastCpuUs = this.baseUs = reading.cpuUs;
      return "taken";
    }
    let newUs = reading.cpuUs - this.lastCpuUs;
    if (newUs < 0) {
      this.decreases++;
      newUs = 0;
    }
    this.lastCpuUs += newUs;
    account?.see(newUs, atUs);
    const dtUs = atUs - this.lastUs;
    // A first reading can be before the recorded start, for two programs stamped the two; and an
    // interval that cannot hold what its row keeps is none.
    if (dtUs < KEPT_US) this.#carryUs += newUs;
    else {
      this.lastUs = atUs;
      this.#close(newUs, dtUs);
      this.#held.rssKb = reading.rssKb;
    }
    return "taken";
  }

  /**
   * True when `reading`, taken after the end of its task, still says what this process used within it: the
   * collector is told of an end when it has happened, and until somebody waits for the process, which has
   * no memory left, its counters are kept. Of a descendant it counts only as far as the total goes: what a
   * task leaves behind may have used more by then.
   */
  #isLastOf(account: TaskOfSeries, { rssKb, cpuUs }: SeriesReading): boolean {
    if (rssKb >= 0) return false;
    return account.isFirst(this) || cpuUs - this.lastCpuUs <= account.unseenUs;
  }

  /** Continue from `atUs` where the clock was set back: what was used meanwhile goes to the next interval. */
  restartAt(atUs: number): void {
    this.#readUs = -Infinity;
    this.lastUs = atUs;
  }

  /** Take up to `limitUs` off the row that is held back; returns how much that was. */
  trim(limitUs: number): number {
    const trimmedUs = Math.min(limitUs, this.#held.cpuUs);
    this.#held.cpuUs -= trimmedUs;
    return trimmedUs;
  }

  /** Make the row that is held back final. */
  flush(): void {
    const held = this.#held;
    if (held.dtUs === 0) return;
    this.peakRate = Math.max(this.peakRate, held.cpuUs / held.dtUs);
    if (this.account !== null) {
      const share = this.#share;
      share.fromUs = held.endUs - held.dtUs;
      share.toUs = held.endUs;
      share.cpuUs = held.cpuUs;
      this.account.enter(share);
    }
    this.#sink.reading(this, held);
    held.dtUs = held.cpuUs = 0;
  }

  /** End an interval of `dtUs`, in which `newUs` were read to be used, at the last reading. */
  #close(newUs: number, dtUs: number): void {
    const held = this.#held;
    const limitUs = dtUs * this.#cores;
    let usedUs = newUs + this.#carryUs;
    this.#carryUs = 0;
    if (usedUs > limitUs) {
      let excessUs = usedUs - limitUs;
      usedUs = limitUs;
      const backUs = Math.min(excessUs, held.dtUs * this.#cores - held.cpuUs);
      if (backUs > 0) {
        held.cpuUs += backUs;
        excessUs -= backUs;
      }
      if (excessUs <= Math.max(limitUs, CARRY_US * this.#cores)) this.#carryUs = excessUs;
      else {
        // More than any lateness explains: the data contradict the number of cores. The sum is kept.
        this.overfullRows++;
        usedUs += excessUs;
      }
    }
    const keptUs = Math.min(KEPT_US - usedUs, held.cpuUs);
    if (keptUs > 0) {
      held.cpuUs -= keptUs;
      usedUs += keptUs;
    }
    this.flush();
    held.endUs = this.lastUs;
    held.dtUs = dtUs;
    held.cpuUs = usedUs;
  }
}
