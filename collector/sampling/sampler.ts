/**
 * The sampling loop: at each deadline every followed process is read, then what came and went is looked
 * for, and the lines of the tick go out in one write.
 *
 * @module
 */

import type { Clock } from "../../trace/clock.ts";
import type { LineSink } from "../../trace/patient_writer.ts";
import type { CollectorStats } from "../../trace/records.ts";
import { NS_PER_MS, NS_PER_US, roundToUs } from "../../trace/units.ts";
import type { Alarm } from "./alarm.ts";
import type { Finder } from "../finding/finder.ts";
import type { FollowedSet } from "../following/followed_set.ts";
import type { ServiceLog } from "../finding/service_log.ts";
import type { HostSeries } from "./host_metrics.ts";
import { Lateness } from "./lateness.ts";
import type { OwnAccount } from "../own_account.ts";
import type { Realtime } from "./realtime.ts";

/** How often the collector writes its account of itself, ms. */
const STATS_INTERVAL_MS = 5000;

/** What the loop works with. */
export interface SamplerOptions {
  /** Finds the processes to follow. */
  readonly finder: Finder;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Wakes the loop. */
  readonly alarm: Alarm;
  /** Where subjects that nobody launched are written down. */
  readonly services: ServiceLog;
  /** Stamps ticks and readings. */
  readonly clock: Clock;
  /** `proc_metrics.jsonl`. */
  readonly samples: LineSink;
  /** `processes.jsonl`. */
  readonly processes: LineSink;
  /** `collector_stats.jsonl`. */
  readonly stats: LineSink;
  /** Writes the host series; null: none. */
  readonly host: HostSeries | null;
  /** PROC_INTERVAL_MS. */
  readonly intervalMs: number;
  /** PROC_REFRESH: false looks for processes at the first tick only. */
  readonly isRefreshing: boolean;
  /** What CPU time is read from. */
  readonly cpuSource: CollectorStats["cpu_source"];
  /** The priority of this thread. */
  readonly realtime: Realtime;
  /** Reads the collector's own counters. */
  readonly readAccount: () => OwnAccount;
  /** Files of the kernel that turned out not to be usable since the last call. */
  readonly takeProblems: () => string[];
  /** Ends the loop after one last tick. */
  readonly signal: AbortSignal;
  /** Called once, after the first tick is on the disk. */
  readonly onStarted: () => void;
  /** Tells the user. */
  readonly report: (line: string) => void;
}

/**
 * Sample until the signal is aborted.
 *
 * @returns How many samples were written.
 * @throws {Error} when a file cannot be written.
 */
export async function runSampler(options: SamplerOptions): Promise<number> {
  const { alarm, clock, finder, followed, intervalMs, signal } = options;
  const account = new PeriodAccount(options);
  finder.refresh();
  writeReadings(options);
  options.host?.write();
  options.onStarted();
  let deadlineMs = clock.bootMs() + intervalMs;
  while (!signal.aborted) {
    const events = await alarm.wait(deadlineMs);
    followed.readEnded(events.ended);
    if (options.isRefreshing) finder.react(events);
    const lateMs = clock.bootMs() - deadlineMs;
    if (lateMs >= 0) {
      followed.readAll();
      if (options.isRefreshing) finder.refresh();
      options.services.closeEnded();
      const missed = Math.floor(lateMs / intervalMs);
      account.tick(lateMs, missed);
      options.host?.writeIfDue();
      if (options.realtime.isTooLong(clock.bootMs() - deadlineMs - lateMs, intervalMs)) {
        options.realtime.leave();
        options.report("real-time priority given back: ticks take half of the interval and more");
      }
      deadlineMs += (missed + 1) * intervalMs;
    }
    writeReadings(options);
    account.writeIfDue();
  }
  followed.readAll();
  writeReadings(options);
  options.services.finish();
  options.host?.write();
  return account.write();
}

/** Processes first: a sample is of a process that is on record. */
function writeReadings({ followed, processes, samples }: SamplerOptions): void {
  processes.append(followed.takeProcesses());
  samples.appendBytes(followed.takeLines());
}

/** Collects what happens in a period and writes it as one line. */
class PeriodAccount {
  readonly #options: SamplerOptions;
  readonly #lateness = new Lateness();
  #last: OwnAccount;
  #startedMs: number;
  #missed = 0;
  #samplesTotal = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#last = options.readAccount();
    this.#startedMs = options.clock.bootMs();
  }

  tick(lateMs: number, missed: number): void {
    this.#lateness.add(lateMs);
    this.#missed += missed;
  }

  writeIfDue(): void {
    if (this.#options.clock.bootMs() - this.#startedMs >= STATS_INTERVAL_MS) this.write();
  }

  /** Write the line; returns the samples of the whole run. */
  write(): number {
    const { clock, finder, followed, intervalMs, cpuSource, realtime, stats } = this.#options;
    const { tsMs, bootMs } = clock.now();
    const now = this.#options.readAccount();
    const late = this.#lateness.take();
    const counts = followed.takeCounts();
    const cpuMs = (now.cpuMs ?? 0) - (this.#last.cpuMs ?? 0);
    const line: CollectorStats = {
      ts_ms: tsMs,
      boot_ms: bootMs,
      mode: finder.mode,
      interval_ms: intervalMs,
      cpu_source: cpuSource,
      is_realtime: realtime.isActive,
      ticks: late.ticks,
      missed_ticks: this.#missed,
      late_max_ms: roundToUs(late.maxMs),
      late_p99_ms: roundToUs(late.p99Ms),
      samples: counts.samples,
      tracked: followed.size,
      gone: counts.gone,
      denied: counts.denied,
      foreign: finder.takeForeignCount(),
      cpu_ms: roundToUs(cpuMs),
      cpu_per_sample_us: counts.samples === 0 ? null : usPerSample(cpuMs, counts.samples),
      rss_kb: now.rssKb,
      forks: now.forks === null || this.#last.forks === null ? null : now.forks - this.#last.forks,
      problems: this.#options.takeProblems().join("\n") || null,
      births_seen: counts.births,
      births_met: finder.takeBornCount(),
    };
    stats.append([line]);
    this.#last = now;
    this.#startedMs = bootMs;
    this.#missed = 0;
    this.#samplesTotal += counts.samples;
    return this.#samplesTotal;
  }
}

/** Microseconds of CPU per sample, in whole nanoseconds. */
function usPerSample(cpuMs: number, samples: number): number {
  return Math.round(cpuMs * NS_PER_MS / samples) / NS_PER_US;
}
