/** What was recorded, as a table. Pure. */

import type { Invocation } from "../../trace/cts.ts";
import { kbToMib } from "../../trace/units.ts";
import { duration } from "./status_report.ts";

/** Rows that fit on a screen. */
const ROWS_MAX = 20;

const HEADER = ["what", "state", "wall", "CPU", "cores", "peak memory", "readings"];

/** The invocations with most CPU time, a line each; `command` names one that has no profile. */
export function recordLines(invocations: readonly Invocation[], command: string | null): string[] {
  const sorted = invocations.toSorted((a, b) => (b.cpu_ms ?? 0) - (a.cpu_ms ?? 0));
  const rows = [HEADER, ...sorted.slice(0, ROWS_MAX).map((one) => rowOf(one, command))];
  const widths = HEADER.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
  const rest = invocations.length - ROWS_MAX;
  return rest > 0 ? [...lines, `and ${rest} more`] : lines;
}

function rowOf(one: Invocation, command: string | null): string[] {
  const { ts_start, ts_end, cpu_ms, max_rss_kb } = one;
  const wallMs = ts_start === null || ts_end === null ? null : ts_end - ts_start;
  return [
    nameOf(one, command),
    one.status === null || one.status === 0 ? one.state : `exit ${one.status}`,
    duration(wallMs),
    duration(cpu_ms),
    wallMs === null || cpu_ms === null ? "?" : (cpu_ms / wallMs).toFixed(2),
    max_rss_kb === null ? "?" : `${kbToMib(max_rss_kb).toFixed(1)} MiB`,
    String(one.samples),
  ];
}

function nameOf({ profile, pid, task_id }: Invocation, command: string | null): string {
  return (task_id ?? [profile ?? command, pid].filter((one) => one !== null).join(" ")) || "?";
}
