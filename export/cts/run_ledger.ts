/**
 * The one pass over a run's readings: each is put to its process, each process to its task, and a task
 * is closed when the readings have passed its end.
 *
 * @module
 */

import { ticksToUs } from "../../trace/units.ts";
import type { Attempt } from "./attempts.ts";
import type { RawReading } from "./raw_line.ts";
import { ProcessSeries, type RowSink } from "./process_series.ts";
import type { RunClock } from "./run_clock.ts";
import type { TaskAccount } from "./task_account.ts";

/** How far readings may be out of order, µs: more than one walk over all processes takes. */
const DISORDER_US = 1_000_000;

/** Time after which a task that ended gets no more readings, µs: beyond the disorder that is let pass. */
const GRACE_US = 1_500_000;

/**
 * How much before its task's start a process may seem to have begun, µs: start ticks are 10 ms wide and
 * ts_start is a bracket around the spawn. One that is older was there before, and what it used counts
 * from its first reading.
 */
const EARLY_US = 100_000;

/** Readings that are not in the order of time: they must be sorted first. */
export class UnsortedError extends Error {
  /** Name of the class. */
  override readonly name = "UnsortedError";
}

/** What the pass found besides rows. */
export interface LedgerCounts {
  /** Readings taken. */
  samples: number;
  /** Readings that repeat another one. */
  duplicates: number;
  /** Readings of a task's processes after its end. */
  afterEnd: number;
  /** Readings whose CPU total was below the one before. */
  decreases: number;
  /** Processes read. */
  processes: number;
  /** Processes that took over the pid of another one. */
  reusedPids: number;
  /** Processes without a trace, or with one that no event names. */
  foreignProcesses: number;
  /** CPU time of those, µs. */
  foreignUs: number;
  /** Rows of those that say more than their interval can hold. */
  foreignOverfullRows: number;
  /** Traces that readings name and no event does. */
  readonly strangerTraces: Set<string>;
  /** Times that a wall clock without a boot clock went back. */
  clockBackSteps: number;
  /** First reading on the timeline, µs; NaN: there is none. */
  firstUs: number;
  /** Latest reading on the timeline, µs; NaN: there is none. */
  lastUs: number;
}

/** What {@linkcode RunLedger} works with. */
export interface LedgerOptions {
  /** The attempts of the run. */
  readonly attempts: readonly Attempt[];
  /** The timeline. */
  readonly clock: RunClock;
  /** Cores of the node; Infinity: not known. */
  readonly cores: number;
  /** Sampling interval, µs. */
  readonly intervalUs: number;
  /** Takes the rows. */
  readonly sink: RowSink;
}

/** Puts readings to processes and processes to tasks. */
export class RunLedger {
  /** What was found so far. */
  readonly counts: LedgerCounts = {
    samples: 0,
    duplicates: 0,
    afterEnd: 0,
    decreases: 0,
    processes: 0,
    reusedPids: 0,
    foreignProcesses: 0,
    foreignUs: 0,
    foreignOverfullRows: 0,
    strangerTraces: new Set(),
    clockBackSteps: 0,
    firstUs: NaN,
    lastUs: NaN,
  };
  readonly #options: LedgerOptions;
  /** The process that has each pid, with those that had it before. */
  readonly #processes = new Map<number, ProcessSeries>();
  readonly #byTrace: ReadonlyMap<string, readonly TaskAccount[]>;
  readonly #byPid: ReadonlyMap<number, readonly TaskAccount[]>;
  /** Tasks by their end, latest first. */
  readonly #open: TaskAccount[];
  /** End of the task that is closed next, with its grace, µs. */
  #nextUs: number;
  readonly #reading = { atUs: 0, cpuUs: 0, rssKb: -1, hwmKb: -1 };

  /** A ledger without readings. */
  constructor(options: LedgerOptions) {
    this.#options = options;
    const { attempts } = options;
    this.#byTrace = Map.groupBy(attempts.map(({ account }) => account), (one) => one.traceId);
    const known = attempts.filter(({ event }) => event.pid !== null);
    this.#byPid = new Map(
      [...Map.groupBy(known, ({ event }) => event.pid as number)]
        .map(([pid, all]) => [pid, all.map(({ account }) => account)]),
    );
    const open = attempts.map(({ account }) => account).filter((one) => !one.isFinished);
    this.#open = open.sort((a, b) => b.endUs - a.endUs);
    this.#nextUs = this.#nextEnd();
  }

  /**
   * Take one reading.
   *
   * @throws {UnsortedError} when it is behind a later one.
   */
  read(raw: RawReading): void {
    const { counts } = this;
    const { clock } = this.#options;
    const atUs = clock.toUs(raw);
    clock.watch(raw);
    if (!(atUs <= counts.lastUs)) counts.lastUs = atUs;
    else if (raw.bootUs >= 0 && atUs < counts.lastUs - DISORDER_US) throw new UnsortedError();
    if (Number.isNaN(counts.firstUs)) counts.firstUs = atUs;
    // Without a boot clock the wall clock may go back, and a task that seems over is not.
    if (raw.bootUs >= 0 && atUs > this.#nextUs) this.#closeUntil(atUs);
    const series = this.#seriesOf(raw, atUs);
    if (series === null) {
      counts.afterEnd++;
      return;
    }
    const reading = this.#reading;
    reading.atUs = atUs;
    reading.cpuUs = raw.cpuUs;
    reading.rssKb = raw.rssKb;
    reading.hwmKb = raw.hwmKb;
    let outcome = series.read(reading);
    if (outcome === "unsorted") {
      // CPU totals tell a clock that was set back from lines in the wrong order.
      if (raw.bootUs >= 0 || raw.cpuUs < series.lastCpuUs) throw new UnsortedError();
      counts.clockBackSteps++;
      series.restartAt(atUs);
      outcome = series.read(reading);
    }
    if (outcome === "duplicate") counts.duplicates++;
    else if (outcome === "after_end") counts.afterEnd++;
    else counts.samples++;
  }

  /** Close every task and process. */
  finish(): void {
    this.#closeUntil(Infinity);
    for (const newest of this.#processes.values()) {
      for (let one: ProcessSeries | null = newest; one !== null; one = one.older) this.#end(one);
    }
    this.#processes.clear();
  }

  #closeUntil(atUs: number): void {
    const { sink, intervalUs } = this.#options;
    while (this.#open.length > 0 && (this.#nextUs < atUs || atUs === Infinity)) {
      const account = this.#open.pop() as TaskAccount;
      const { processes } = account;
      account.finish(sink, intervalUs);
      for (const one of processes) {
        this.counts.decreases += one.decreases;
        if (this.#processes.get(one.pid) === one) this.#processes.delete(one.pid);
      }
      this.#nextUs = this.#nextEnd();
    }
  }

  #nextEnd(): number {
    return (this.#open.at(-1)?.endUs ?? Infinity) + GRACE_US;
  }

  /** Close a process that belongs to no task. */
  #end(series: ProcessSeries): void {
    if (series.account !== null) return;
    series.flush();
    this.counts.decreases += series.decreases;
    this.counts.foreignOverfullRows += series.overfullRows;
    this.counts.foreignUs += series.lastCpuUs - series.baseUs;
  }

  /** The process of a reading; null when its task is closed already. */
  #seriesOf(raw: RawReading, atUs: number): ProcessSeries | null {
    const newest = this.#processes.get(raw.pid) ?? null;
    for (let one = newest; one !== null; one = one.older) {
      if (isSameProcess(one, raw)) return one;
    }
    const traceId = raw.traceId();
    const account = this.#accountOf(raw, { traceId, atUs });
    if (account?.isFinished) return null;
    const series = new ProcessSeries({
      pid: raw.pid,
      startTicks: raw.startTicks,
      fromUs: this.#beginOf(raw, account),
      cores: account?.cores ?? this.#options.cores,
      account,
      traceId,
      sink: this.#options.sink,
    });
    series.older = newest;
    this.#processes.set(raw.pid, series);
    account?.processes.push(series);
    this.counts.processes++;
    if (newest !== null) this.counts.reusedPids++;
    if (account === null) {
      this.counts.foreignProcesses++;
      if (traceId !== null) this.counts.strangerTraces.add(traceId);
    }
    return series;
  }

  #accountOf(
    raw: RawReading,
    { traceId, atUs }: { traceId: string | null; atUs: number },
  ): TaskAccount | null {
    const candidates = traceId === null
      ? (this.#byPid.get(raw.pid) ?? []).filter((one) => one.mayBegin(raw.startTicks))
      : this.#byTrace.get(traceId) ?? [];
    return candidates.find((one) => atUs >= one.startUs - EARLY_US && atUs <= one.endUs) ??
      (traceId === null ? null : candidates[0] ?? null);
  }

  /** When the process began to use CPU time that counts, µs; null: at its first reading. */
  #beginOf(raw: RawReading, account: TaskAccount | null): number | null {
    const bornUs = raw.startTicks < 0
      ? null
      : this.#options.clock.bootToUs(ticksToUs(raw.startTicks), raw);
    if (account === null) {
      return bornUs !== null && bornUs >= this.counts.firstUs ? bornUs : null;
    }
    if (account.startUs === -Infinity) return bornUs;
    if (bornUs === null || account.isFirst(raw)) return account.startUs;
    return bornUs < account.startUs - EARLY_US ? null : Math.max(bornUs, account.startUs);
  }
}

function isSameProcess(series: ProcessSeries, raw: RawReading): boolean {
  if (series.startTicks >= 0 && raw.startTicks >= 0) return series.startTicks === raw.startTicks;
  // Without a start time only a CPU total that went back tells that the pid has a new owner.
  return raw.cpuUs >= series.lastCpuUs;
}
