/**
 * What the demo prints at its end, from the parsed run.
 */

import { join } from "@std/path";
import { quantileSorted } from "simple-statistics";
import type { Audit } from "../../export/audit/audit.ts";
import type { Progress } from "../../scheduler/queue/queue.ts";
import type { Invocation } from "../../trace/cts.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { kbToMib } from "../../trace/units.ts";

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
  /** Path of the report. */
  readonly report: string;
}

/** Everything that is known at the end of a demo. */
export interface DemoOutcome {
  /** RUN_ID. */
  readonly runId: string;
  /** Tasks dispatched. */
  readonly total: number;
  /** How many tasks ended in each way, as the queue counted them. */
  readonly ended: Progress["ended"];
  /** Invocations of all nodes. */
  readonly invocations: readonly Invocation[];
  /** The audit of each node. */
  readonly audits: readonly Audit[];
  /** The run on one screen. */
  readonly screen: readonly string[];
  /** Where the run is. */
  readonly runDir: string;
  /** Where the export is. */
  readonly exportDir: string;
  /** Path of the report. */
  readonly report: string;
}

/** The summary of `outcome`. */
export function summaryOf(outcome: DemoOutcome): DemoSummary {
  const { audits, ended, invocations } = outcome;
  return {
    run_id: outcome.runId,
    tasks: outcome.total,
    done: ended.done,
    failed: ended.failed,
    dead: ended.dead,
    makespan_ms: makespanMs(invocations),
    wait_p50_ms: medianWaitMs(invocations),
    samples: audits.reduce((sum, { samples }) => sum + samples, 0),
    cpu_residual_max_ms: Math.max(0, ...audits.map((one) => one.cpu_residual_max_ms)),
    run_dir: outcome.runDir,
    export_dir: outcome.exportDir,
    report: outcome.report,
  };
}

/** The report of `outcome` for people: the tasks, the run on one screen and where everything is. */
export function reportOf(outcome: DemoOutcome): string[] {
  const summary = summaryOf(outcome);
  return [
    "",
    tableOf(outcome.invocations),
    "",
    ...outcome.screen,
    "",
    ...outcome.invocations.filter(({ state }) => state !== "done").map((one) =>
      `${one.task_id} ${one.state}: what it said is in ${logOf(one, outcome)}`
    ),
    "",
    `Run:    ${summary.run_dir} (CTS/audit_report.md of each node says how good it is)`,
    `Export: ${summary.export_dir} (its README.md says how OpenDC replays it)`,
    `Report: ${summary.report} (open it in a browser: timeline, curves, distributions)`,
  ];
}

function logOf({ node, task_id, attempt }: Invocation, { runDir }: DemoOutcome): string {
  return join(RunDir.at(join(runDir, node)).taskLogs, `${task_id}.${attempt}.log`);
}

/** From the first enqueue to the last end of `invocations`, ms; null when there is none. */
export function makespanMs(invocations: readonly Invocation[]): number | null {
  const starts = invocations.map(({ ts_enqueue }) => ts_enqueue).filter((one) => one !== null);
  const ends = invocations.map(({ ts_end }) => ts_end).filter((one) => one !== null);
  if (starts.length === 0 || ends.length === 0) return null;
  return Math.round(Math.max(...ends) - Math.min(...starts));
}

/** Median wait of `invocations` in the queue, ms; null when there is none. */
function medianWaitMs(invocations: readonly Invocation[]): number | null {
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
