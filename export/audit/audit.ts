/**
 * The audit: what a parsed run can be trusted for, and what each gap costs. Pure: facts in, verdict out.
 *
 * @module
 */

import { type CpuControlAccount, cpuControlAccount } from "./cpu_control.ts";
import type { Invocation } from "../../trace/cts.ts";
import { type CollectorStats, FORMAT_VERSION } from "../../trace/records.ts";
import { roundToUs, US_PER_MS, usToMs } from "../../trace/units.ts";
import type { Attempt } from "../cts/attempts.ts";
import { auditChecks } from "./checks.ts";
import type { AuditFacts, CollectorAccount } from "./facts.ts";
import { type Finding, largest, nameOf } from "./finding.ts";
import { judgedAttempts, unseenIntervals } from "./trace_checks.ts";

/** Tasks named with what no reading saw: enough to see of what kind they are. */
const UNSEEN_TASKS = 20;

/** What the readings saw of a task. */
export interface UnseenTask {
  /** The task, with its attempt. */
  readonly task: string;
  /** Its exact CPU time, ms. */
  readonly cpu_ms: number;
  /** Part of it that readings saw, ms. */
  readonly cpu_seen_ms: number;
  /** What they did not see in intervals' worth: interval times the cores that it used at once. */
  readonly unseen_intervals: number;
  /** Readings of its processes. */
  readonly samples: number;
}

/** The audit as `audit.json` holds it. */
export interface Audit {
  /** FORMAT_VERSION of the writer. */
  readonly format_version: string;
  /** NODE_ID. */
  readonly node: string;
  /** PASS where nothing was found. */
  readonly verdict: "PASS" | "FINDINGS";
  /** The collector's own account; null: it left none. */
  readonly collector: CollectorAccount | null;
  /** Invocations. */
  readonly tasks: number;
  /** Invocations by state. */
  readonly states: Readonly<Partial<Record<Invocation["state"], number>>>;
  /** Readings. */
  readonly samples: number;
  /** Exact CPU time of all invocations, ms. */
  readonly cpu_total_ms: number;
  /** Part of it that readings saw, ms. */
  readonly cpu_seen_ms: number;
  /** Part of it that only exit totals show, ms. */
  readonly cpu_spread_ms: number;
  /** Invocations of a second or more that have readings. */
  readonly judged_tasks: number;
  /** What the readings saw least of one of those, in intervals' worth. */
  readonly unseen_intervals_max: number;
  /** Largest difference between the rows of an invocation and its exact total, ms. */
  readonly cpu_residual_max_ms: number;
  /** How many invocations know each field. */
  readonly fields: Readonly<Record<string, number>>;
  /** Largest bound of the clock's error, ms; null: not measured. */
  readonly clock_error_max_ms: number | null;
  /** How CPUs were given, and what that did. */
  readonly cpu_control: CpuControlAccount;
  /** The tasks with most CPU time that no reading saw; all are in invocations.jsonl. */
  readonly unseen: readonly UnseenTask[];
  /** What is not as it should be. */
  readonly findings: readonly Finding[];
  /** What is worth knowing and costs nothing. */
  readonly notes: readonly string[];
}

/** Audit a parsed run. */
export function auditRun(facts: AuditFacts): Audit {
  const { attempts, counts, inputs, node, intervalMs } = facts;
  const judged = judgedAttempts(attempts);
  const collector = collectorAccount(facts);
  const { findings, notes } = auditChecks(facts, collector);
  const sumMs = (of: (attempt: Attempt) => number): number =>
    usToMs(attempts.reduce((sum, attempt) => sum + of(attempt), 0));
  const states: Partial<Record<Invocation["state"], number>> = {};
  for (const { state } of attempts) states[state] = (states[state] ?? 0) + 1;
  return {
    format_version: FORMAT_VERSION,
    node,
    verdict: findings.length === 0 ? "PASS" : "FINDINGS",
    collector,
    tasks: attempts.length,
    states,
    samples: counts.samples,
    cpu_total_ms: sumMs(({ account }) => account.cpuUs ?? account.seenUs),
    cpu_seen_ms: sumMs(({ account }) => (account.cpuUs ?? account.seenUs) - account.unseenUs),
    cpu_spread_ms: sumMs(({ account }) => account.unseenUs),
    judged_tasks: judged.length,
    unseen_intervals_max: roundToUs(
      largest(judged, ({ account }) => unseenIntervals(account, intervalMs)),
    ),
    // A run of a service has more requests than a call can have arguments.
    cpu_residual_max_ms: usToMs(largest(attempts, ({ account }) => account.residualUs)),
    fields: {
      ts_enqueue: attempts.filter(({ event }) => event.ts_enqueue !== null).length,
      ts_start: attempts.filter(({ account }) => account.startUs !== -Infinity).length,
      ts_end: attempts.filter(({ account }) => account.endUs !== Infinity).length,
      pid: attempts.filter(({ event }) => event.pid !== null).length,
      cpu_ms: attempts.filter(({ account }) => account.cpuUs !== null).length,
      max_rss_kb: attempts.filter(({ event }) => event.max_rss_kb !== null).length,
    },
    clock_error_max_ms: inputs.offsets.length === 0
      ? null
      : largest(inputs.offsets, ({ error_ms }) => error_ms),
    cpu_control: cpuControlAccount(attempts.map(({ event }) => event), inputs.limitsSet),
    unseen: unseenTasks(attempts, intervalMs),
    findings,
    notes,
  };
}

/** The tasks whose readings saw least of what they used. */
function unseenTasks(attempts: readonly Attempt[], intervalMs: number): UnseenTask[] {
  return attempts.filter(({ account }) => account.unseenUs > 0)
    .toSorted((a, b) => b.account.unseenUs - a.account.unseenUs)
    .slice(0, UNSEEN_TASKS)
    .map((attempt) => ({
      task: nameOf(attempt),
      cpu_ms: usToMs(attempt.account.cpuUs ?? 0),
      cpu_seen_ms: usToMs(attempt.account.seenUs),
      unseen_intervals: roundToUs(unseenIntervals(attempt.account, intervalMs)),
      samples: attempt.account.samples,
    }));
}

/**
 * The start of a collector, ms: until V8 has compiled the loop for good, a reading costs twice as much and
 * more, which says nothing about the hours of a run.
 */
const START_UP_MS = 30_000;

/** Readings after the start that a cost per reading takes: below that, a tick's own cost is most of it. */
const COST_SAMPLES_MIN = 1000;

/** CPU time of the collector per reading once it has started, µs; null: too few to tell. */
function costPerSampleUs(stats: readonly CollectorStats[]): number | null {
  const startMs = stats[0]?.ts_ms ?? 0;
  let cpuMs = 0;
  let samples = 0;
  for (const line of stats) {
    if (line.ts_ms - startMs < START_UP_MS) continue;
    cpuMs += line.cpu_ms;
    samples += line.samples;
  }
  return samples < COST_SAMPLES_MIN ? null : roundToUs(cpuMs * US_PER_MS / samples);
}

function collectorAccount({ inputs: { stats } }: AuditFacts): CollectorAccount | null {
  const last = stats.at(-1);
  if (last === undefined) return null;
  const sum = (of: (line: CollectorStats) => number): number =>
    stats.reduce((total, line) => total + of(line), 0);
  const max = (of: (line: CollectorStats) => number): number => largest(stats, of);
  const cpuMs = sum(({ cpu_ms }) => cpu_ms);
  const lastedMs = sum(({ ticks, missed_ticks, interval_ms }) =>
    (ticks + missed_ticks) * interval_ms
  );
  return {
    mode: last.mode,
    interval_ms: last.interval_ms,
    cpu_ms: roundToUs(cpuMs),
    cpu_per_sample_us: costPerSampleUs(stats),
    core_percent: lastedMs > 0 ? roundToUs(100 * cpuMs / lastedMs) : null,
    rss_max_kb: stats.some(({ rss_kb }) => rss_kb === null) ? null : max((one) => one.rss_kb ?? 0),
    ticks: sum(({ ticks }) => ticks),
    missed_ticks: sum(({ missed_ticks }) => missed_ticks),
    late_max_ms: max(({ late_max_ms }) => late_max_ms),
    late_p99_ms: max(({ late_p99_ms }) => late_p99_ms),
    is_realtime: stats.every(({ is_realtime }) => is_realtime),
    samples: sum(({ samples }) => samples),
    denied: sum(({ denied }) => denied),
    foreign: sum(({ foreign }) => foreign),
    forks: stats.some(({ forks }) => forks === null) ? null : sum(({ forks }) => forks ?? 0),
    births_seen: sum(({ births_seen }) => births_seen),
    births_met: stats.some(({ births_met }) => births_met === null)
      ? null
      : sum(({ births_met }) => births_met ?? 0),
  };
}
