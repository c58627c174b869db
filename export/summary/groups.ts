/**
 * Tasks of a run by profile, node or command: quantiles with bootstrap intervals.
 *
 * @module
 */

import type { TaskRow } from "../tables/task_tables.ts";
import type { Grouping } from "./groupings.ts";
import { type Interval, quantileInterval, quantileSorted, sortedKnown } from "./statistics.ts";
import { durationText, percentText, tableLines } from "./text.ts";

/** A quantile with its 95 % interval. */
export interface Estimate {
  /** The quantile; null: no value is known. */
  readonly value: number | null;
  /** Its interval; null for fewer than five values. */
  readonly interval: Interval | null;
}

/** The tasks of one group. */
export interface GroupSummary {
  /** What they share; null: not known. */
  readonly group: string | null;
  /** How many. */
  readonly tasks: number;
  /** Waits, ms. */
  readonly wait_p50_ms: Estimate;
  readonly wait_p95_ms: Estimate;
  /** Run times, ms. */
  readonly run_p50_ms: Estimate;
  /** CPU time, ms. */
  readonly cpu_p50_ms: Estimate;
  /** CPU time used relative to the vCPU time reserved, all tasks together; null: nothing reserved. */
  readonly used_ratio: number | null;
}

const KEY_OF: Readonly<Record<Grouping, (task: TaskRow) => string | null>> = {
  profile: ({ profile }) => profile,
  node: ({ node }) => node,
  command: ({ path }) => path,
};

/** The groups, largest first. */
export function groupTasks(tasks: readonly TaskRow[], by: Grouping): GroupSummary[] {
  return [...Map.groupBy(tasks, KEY_OF[by])]
    .map(([group, own]) => groupOf(group, own))
    .sort((a, b) => b.tasks - a.tasks);
}

function groupOf(group: string | null, tasks: readonly TaskRow[]): GroupSummary {
  const waits = sortedKnown(tasks.map(({ wait_ms }) => wait_ms));
  const runs = sortedKnown(tasks.map(({ run_ms }) => run_ms));
  const cpu = sortedKnown(tasks.map(({ cpu_ms }) => cpu_ms));
  const reserving = tasks.filter(({ cpu_reserved_ms, cpu_ms }) =>
    cpu_reserved_ms !== null && cpu_ms !== null
  );
  const reserved = reserving.reduce((sum, one) => sum + (one.cpu_reserved_ms ?? 0), 0);
  const used = reserving.reduce((sum, one) => sum + (one.cpu_ms ?? 0), 0);
  return {
    group,
    tasks: tasks.length,
    wait_p50_ms: estimate(waits, 0.5),
    wait_p95_ms: estimate(waits, 0.95),
    run_p50_ms: estimate(runs, 0.5),
    cpu_p50_ms: estimate(cpu, 0.5),
    used_ratio: reserved === 0 ? null : used / reserved,
  };
}

function estimate(sorted: Float64Array, p: number): Estimate {
  if (sorted.length === 0) return { value: null, interval: null };
  return { value: quantileSorted(sorted, p), interval: quantileInterval(sorted, p) };
}

/** The lines that show `groups`: each quantile, and below it its interval. */
export function groupLines(groups: readonly GroupSummary[], by: Grouping): string[] {
  const rows = groups.flatMap((one): string[][] => {
    const estimates = [one.wait_p50_ms, one.wait_p95_ms, one.run_p50_ms, one.cpu_p50_ms];
    return [
      [
        one.group ?? "-",
        String(one.tasks),
        ...estimates.map(({ value }) => durationText(value)),
        percentText(one.used_ratio),
      ],
      ["", "", ...estimates.map(intervalText), ""],
    ];
  });
  return [
    ...tableLines([[by, "n", "wait p50", "wait p95", "run p50", "CPU p50", "used"], ...rows], {
      texts: 1,
      textWidth: 14,
    }),
    "In brackets: 95 % bootstrap intervals; - where fewer than 5 tasks are known.",
  ];
}

/** The interval in the unit of its value. */
function intervalText({ value, interval }: Estimate): string {
  if (interval === null) return "-";
  const { low, high } = interval;
  const isShort = Math.abs(value ?? 0) < 1000;
  const scale = isShort ? 1 : 1000;
  const digits = high / scale < 100 ? (isShort ? 1 : 2) : 0;
  return `[${(low / scale).toFixed(digits)}, ${(high / scale).toFixed(digits)}]`;
}
