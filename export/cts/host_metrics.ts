/**
 * The series of the whole host for the older layout: what was used between two readings of counters that
 * count since boot.
 *
 * @module
 */

import { HOST_METRICS, type HostMetrics } from "../../trace/records.ts";
import { ticksToMs, usToMs } from "../../trace/units.ts";
import { readCounted } from "./counted_records.ts";
import type { LineCounts } from "./raw_samples.ts";
import { recordTime, type RunClock } from "./run_clock.ts";

/** Counters and what their differences are called; ticks and µs become ms. */
const COUNTERS = {
  user_ticks: "user_ms",
  nice_ticks: "nice_ms",
  system_ticks: "system_ms",
  idle_ticks: "idle_ms",
  iowait_ticks: "iowait_ms",
  irq_ticks: "irq_ms",
  softirq_ticks: "softirq_ms",
  steal_ticks: "steal_ms",
  received_bytes: "received_bytes",
  sent_bytes: "sent_bytes",
  cpu_some_us: "cpu_some_ms",
  memory_some_us: "memory_some_ms",
  memory_full_us: "memory_full_ms",
  io_some_us: "io_some_ms",
  io_full_us: "io_full_ms",
} as const;

/** Gauges: the values that were read at the end of the interval. */
const GAUGES = ["mem_total_kb", "mem_free_kb", "mem_available_kb", "swap_used_kb"] as const;

type Counter = keyof typeof COUNTERS;

/** What the host used in one interval that ends at `ts_ms`; null: not known. */
export type HostInterval = Record<string, number | null>;

/** The intervals in the file `path`, and what else was there; null: there is no such file. */
export async function readHostIntervals(
  path: string,
  clock: RunClock,
): Promise<{ intervals: HostInterval[]; counts: LineCounts } | null> {
  const intervals: HostInterval[] = [];
  let before: HostMetrics | null = null;
  const counts = await readCounted(path, HOST_METRICS.decode, (reading) => {
    const interval = before === null ? null : intervalBetween(before, { after: reading, clock });
    if (interval !== null) intervals.push(interval);
    before = reading;
  });
  return counts === null ? null : { intervals, counts };
}

/** What was used between two readings; null where a machine was started again between them. */
function intervalBetween(
  before: HostMetrics,
  { after, clock }: { after: HostMetrics; clock: RunClock },
): HostInterval | null {
  const endUs = clock.toUs(recordTime(after));
  const dtUs = endUs - clock.toUs(recordTime(before));
  if (dtUs <= 0 || (after.user_ticks ?? 0) < (before.user_ticks ?? 0)) return null;
  const interval: HostInterval = { ts_ms: usToMs(endUs), dt_ms: usToMs(dtUs) };
  for (const [counter, name] of Object.entries(COUNTERS) as [Counter, string][]) {
    const used = (after[counter] ?? NaN) - (before[counter] ?? NaN);
    // The kernel's counters of idle time can go back by a tick, proc_stat(5).
    interval[name] = Number.isNaN(used) ? null : Math.max(0, inUnitOf(counter, used));
  }
  for (const gauge of GAUGES) interval[gauge] = after[gauge];
  return interval;
}

function inUnitOf(counter: Counter, used: number): number {
  if (counter.endsWith("_ticks")) return ticksToMs(used);
  return counter.endsWith("_us") ? usToMs(used) : used;
}
