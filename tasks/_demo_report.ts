/**
 * What the demo prints at its end, from the parsed run.
 */

import { quantileSorted } from "simple-statistics";
import type { Invocation } from "../trace/cts.ts";
import { kbToMib } from "../trace/units.ts";

/** The summary that `--json` prints: names and units are part of the command's contract. */
export interface DemoSummary {
  readonly run_id: string;
  /** Tasks dispatched. */
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly dead: number;
  /** From the first enqueue to the last end, ms; null when nothing ended. */
  readonly makespan_ms: number | null;
  /** Median of ts_start − ts_enqueue over the tasks that ended, ms; null when nothing ended. */
  readonly wait_p50_ms: number | null;
  /** Real readings of the tasks' processes. */
  readonly samples: number;
  /** Largest difference between a task's rows and its exact total, ms. */
  readonly cpu_residual_max_ms: number;
  readonly run_dir: string;
  readonly export_dir: string;
}

/** From the first enqueue to the last end of `invocations`, ms; null when there is none. */
export function makespanMs(invocations: readonly Invocation[]): number | null {
  const starts = invocations.map(({ ts_enqueue }) => ts_enqueue).filter((one) => one !== null);
  const ends = invocations.map(({ ts_end }) => ts_end).filter((one) => one !== null);
  if (starts.length === 0 || ends.length === 0) return null;
  return Math.round(Math.max(...ends) - Math.min(...starts));
}

/** Median wait of `invocations` in the queue, ms; null when there is none. */
export function medianWaitMs(invocations: readonly Invocation[]): number | null {
  const waits = invocations.map(waitMs).filter((one) => one !== null).sort((a, b) => a - b);
  return waits.length === 0 ? null : Math.round(quantileSorted(waits, 0.5));
}

function waitMs({ ts_enqueue, ts_start }: Invocation): number | null {
  return ts_enqueue === null || ts_start === null ? null : ts_start - ts_enqueue;
}

function runMs({ ts_start, ts_end }: Invocation): number | null {
  return ts_start === null || ts_end === null ? null : ts_end - ts_start;
}

const COLUMNS = [
  "task",
  "profile",
  "node",
  "state",
  "wait s",
  "run s",
  "CPU s",
  "peak MiB",
  "samples",
] as const;

/** Columns of text, which align to the left; numbers align to the right. */
const TEXT_COLUMNS = 4;

/** A table of `invocations`, one row a task, in the order of their start. Unknown is `-`. */
export function tableOf(invocations: readonly Invocation[]): string {
  const ordered = invocations.toSorted((a, b) => (a.ts_start ?? 0) - (b.ts_start ?? 0));
  const rows = [
    COLUMNS,
    ...ordered.map((one) => [
      one.task_id ?? one.trace_id,
      one.profile ?? "-",
      one.node,
      one.state,
      seconds(waitMs(one)),
      seconds(runMs(one)),
      seconds(one.cpu_ms),
      one.max_rss_kb === null ? "-" : kbToMib(one.max_rss_kb).toFixed(0),
      String(one.samples),
    ]),
  ];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < TEXT_COLUMNS ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}

function seconds(ms: number | null): string {
  return ms === null ? "-" : (ms / 1000).toFixed(2);
}
