/**
 * The sampling loop: at each deadline every followed process is read, then what came and went is looked
 * for, and the lines of the tick go out in one write.
 *
 * @module
 */

import type { Clock } from "../trace/clock.ts";
import type { JsonLinesWriter } from "../trace/json_lines.ts";
import type { CollectorStats } from "../trace/records.ts";
import { roundToUs } from "../trace/units.ts";
import type { Alarm } from "./alarm.ts";
import type { Finder } from "./finder.ts";
import type { FollowedSet } from "./followed_set.ts";
import { Lateness } from "./lateness.ts";
import type { OwnAccount } from "./own_account.ts";

/** How often the collector writes its account of itself, ms. */
const STATS_INTERVAL_MS = 5000;

/** What the loop works with. */
export interface SamplerOptions {
  readonly finder: Finder;
  readonly followed: FollowedSet;
  readonly alarm: Alarm;
  readonly clock: Clock;
  /** `proc_metrics.jsonl`. */
  readonly samples: JsonLinesWriter;
  /** `collector_stats.jsonl`. */
  readonly stats: JsonLinesWriter;
  /** PROC_INTERVAL_MS. */
  readonly intervalMs: number;
  /** PROC_REFRESH: false looks for processes at the first tick only. */
  readonly isRefreshing: boolean;
  readonly cpuSource: CollectorStats["cpu_source"];
  /** True when this thread has real-time priority. */
  readonly isRealtime: boolean;
  /** Reads the collector's own counters. */
  readonly readAccount: () => OwnAccount;
  /** Ends the loop after one last tick. */
  readonly signal: AbortSignal;
  /** Called once, after the first tick is on the disk. */
  readonly onStarted: () => void;
}

/**
 * Sample until the signal is aborted.
 *
 * @returns How many samples were written.
 * @throws {Error} when a file cannot be written.
 */
export async function runSampler(options: SamplerOptions): Promise<number> {
  const { alarm, clock, finder, followed, intervalMs, samples, signal } = options;
  const account = new PeriodAccount(options);
  finder.refresh();
  samples.appendText(followed.takeLines());
  options.onStarted();
  let deadlineMs = clock.bootMs() + intervalMs;
  while (!signal.aborted) {
    const events = await alarm.wait(deadlineMs);
    if (options.isRefreshing) finder.react(events);
    const lateMs = clock.bootMs() - deadlineMs;
    if (lateMs >= 0) {
      followed.readAll();
      if (options.isRefreshing) finder.refresh();
      const missed = Math.floor(lateMs / intervalMs);
      account.tick(lateMs, missed);
      deadlineMs += (missed + 1) * intervalMs;
    }
    samples.appendText(followed.takeLines());
    account.writeIfDue();
  }
  followed.readAll();
  samples.appendText(followed.takeLines());
  return account.write();
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
    const { clock, finder, followed, intervalMs, cpuSource, isRealtime, stats } = this.#options;
    const { tsMs, bootMs } = clock.now();
    const now = this.#options.readAccount();
    const late = this.#lateness.take();
    const counts = followed.takeCounts();
    const line: CollectorStats = {
      ts_ms: tsMs,
      boot_ms: bootMs,
      mode: finder.mode,
      interval_ms: intervalMs,
      cpu_source: cpuSource,
      is_realtime: isRealtime,
      ticks: late.ticks,
      missed_ticks: this.#missed,
      late_max_ms: roundToUs(late.maxMs),
      late_p99_ms: roundToUs(late.p99Ms),
      samples: counts.samples,
      tracked: followed.size,
      gone: counts.gone,
      denied: counts.denied,
      foreign: finder.takeForeignCount(),
      cpu_ms: roundToUs((now.cpuMs ?? 0) - (this.#last.cpuMs ?? 0)),
      rss_kb: now.rssKb,
      forks: now.forks === null || this.#last.forks === null ? null : now.forks - this.#last.forks,
      births_seen: counts.births,
    };
    stats.append([line]);
    this.#last = now;
    this.#startedMs = bootMs;
    this.#missed = 0;
    this.#samplesTotal += counts.samples;
    return this.#samplesTotal;
  }
}
