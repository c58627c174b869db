/**
 * A parsed run in a few numbers: what `show` prints.
 *
 * @module
 */

import { join } from "@std/path";
import type { Audit } from "../audit/audit.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { DecodeError, quote } from "../../trace/schema.ts";
import type { TableRun } from "../tables/run.ts";
import type { TaskRow } from "../tables/task_tables.ts";
import { type Distribution, distributionOf } from "./statistics.ts";

/** Tasks named as the slowest. */
const SLOWEST = 5;

/** A task as a summary names it. */
export type NamedTask = Pick<
  TaskRow,
  "task_id" | "trace_id" | "profile" | "node" | "state" | "wait_ms" | "run_ms" | "cpu_ms"
>;

/** What was made of a node. */
export interface NodeSummary {
  /** NODE_ID. */
  readonly node: string;
  /** Attempts that ran there. */
  readonly attempts: number;
  /** vCPUs offered; null: not known. */
  readonly capacity_units: number | null;
  /** Logical cores; null: not known. */
  readonly cpu_cores: number | null;
  /** Reserved vCPU time relative to what was offered over the makespan; null: not known. */
  readonly reserved_ratio: number | null;
  /** CPU time of all attempts relative to the cores over the makespan; null: not known. */
  readonly used_ratio: number | null;
}

/** How far the numbers can be trusted. */
export interface DataQuality {
  /** Readings of processes. */
  readonly samples: number;
  /** Share of the exact CPU time that readings saw; null: there was none. */
  readonly cpu_seen_ratio: number | null;
  /** Largest difference between the rows of a task and its exact total, ms; null: not audited. */
  readonly cpu_residual_max_ms: number | null;
  /** Largest bound of a node's clock error, ms; null: not measured. */
  readonly clock_error_max_ms: number | null;
  /** Sampling deadlines that passed without a tick; null: no collector's account. */
  readonly missed_ticks: number | null;
  /** What the audits found, with the node. */
  readonly findings: readonly string[];
}

/** A run in a few numbers. */
export interface RunSummary {
  /** RUN_ID. */
  readonly run_id: string;
  /** Folder of the run. */
  readonly folder: string;
  /** First time on record, epoch ms; null: there is none. */
  readonly ts_begin: number | null;
  /** From the first enqueue, else start, to the last end, ms; null where nothing ended. */
  readonly makespan_ms: number | null;
  /** PASS where no node's audit found anything; null where a node has no audit. */
  readonly verdict: Audit["verdict"] | null;
  /** Tasks. */
  readonly tasks: number;
  /** Tasks by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Attempts on record. */
  readonly attempts: number;
  /** HTTP requests. */
  readonly requests: number;
  /** From enqueue to start, ms. */
  readonly wait_ms: Distribution | null;
  /** Its parts. */
  readonly queue_ms: Distribution | null;
  readonly placement_ms: Distribution | null;
  readonly launch_ms: Distribution | null;
  /** Run times, ms. */
  readonly run_ms: Distribution | null;
  /** Slowdowns. */
  readonly slowdown: Distribution | null;
  /** Run times of HTTP requests, ms. */
  readonly request_ms: Distribution | null;
  /** vCPU time reserved by the tasks, ms; null: nothing was reserved. */
  readonly cpu_reserved_ms: number | null;
  /** CPU time used by the tasks of which it is known, ms; null: it is known of none. */
  readonly cpu_ms: number | null;
  /** CPU time relative to the reservation, over the tasks that have both; null: none has. */
  readonly cpu_used_ratio: number | null;
  /** Largest peak of resident memory, kB; null: not known. */
  readonly max_rss_kb: number | null;
  /** The task that it is of. */
  readonly max_rss_task: string | null;
  /** The tasks with the longest time in the system. */
  readonly slowest: readonly NamedTask[];
  /** The nodes, by name. */
  readonly nodes: readonly NodeSummary[];
  /** How far the numbers can be trusted. */
  readonly quality: DataQuality;
}

/** The summary of `run`; its samples are not read. */
export async function summarizeRun(run: TableRun): Promise<RunSummary> {
  const audits = await Promise.all(run.sources.map(({ cts }) => readAudit(cts.folder)));
  const { tasks, attempts, requests } = run;
  const span = spanOf(run);
  const reserved = tasks.filter(({ cpu_reserved_ms }) => cpu_reserved_ms !== null);
  const judged = reserved.filter(({ cpu_ms }) => cpu_ms !== null);
  const judgedMs = sumOf(judged, ({ cpu_reserved_ms }) => cpu_reserved_ms);
  const largest = tasks.reduce<TaskRow | null>(
    (most, one) => (one.max_rss_kb ?? -1) > (most?.max_rss_kb ?? -1) ? one : most,
    null,
  );
  const of = (name: MeasureName) => distributionOf(tasks.map((task) => task[name]));
  return {
    run_id: run.runId,
    folder: run.folder,
    ts_begin: span?.beginMs ?? null,
    makespan_ms: span === null ? null : span.endMs - span.beginMs,
    verdict: verdictOf(audits),
    tasks: tasks.length,
    states: countBy(tasks, ({ state }) => state),
    attempts: attempts.length,
    requests: requests.length,
    wait_ms: of("wait_ms"),
    queue_ms: of("queue_ms"),
    placement_ms: of("placement_ms"),
    launch_ms: of("launch_ms"),
    run_ms: of("run_ms"),
    slowdown: of("slowdown"),
    request_ms: distributionOf(requests.map(({ run_ms }) => run_ms)),
    cpu_reserved_ms: reserved.length === 0
      ? null
      : sumOf(reserved, ({ cpu_reserved_ms }) => cpu_reserved_ms),
    cpu_ms: tasks.every(({ cpu_ms }) => cpu_ms === null)
      ? null
      : sumOf(tasks, ({ cpu_ms }) => cpu_ms),
    cpu_used_ratio: judgedMs === 0 ? null : sumOf(judged, ({ cpu_ms }) => cpu_ms) / judgedMs,
    max_rss_kb: largest?.max_rss_kb ?? null,
    max_rss_task: largest === null ? null : nameOf(largest),
    slowest: slowestOf(tasks),
    nodes: nodeSummaries(run, span),
    quality: qualityOf(run, audits),
  };
}

/** Columns of a task that are summarised. */
type MeasureName = "wait_ms" | "queue_ms" | "placement_ms" | "launch_ms" | "run_ms" | "slowdown";

/** How a summary names a task. */
export function nameOf({ task_id, trace_id }: NamedTask): string {
  return task_id ?? trace_id ?? "?";
}

interface Span {
  readonly beginMs: number;
  readonly endMs: number;
}

function spanOf({ tasks, requests }: TableRun): Span | null {
  let beginMs = Infinity;
  let endMs = -Infinity;
  for (const { ts_enqueue, ts_start, ts_end } of tasks) {
    beginMs = Math.min(beginMs, ts_enqueue ?? ts_start ?? Infinity);
    endMs = Math.max(endMs, ts_end ?? -Infinity);
  }
  for (const { ts_start, ts_end } of requests) {
    beginMs = Math.min(beginMs, ts_start ?? Infinity);
    endMs = Math.max(endMs, ts_end ?? -Infinity);
  }
  return endMs > beginMs ? { beginMs, endMs } : null;
}

function sumOf<T>(rows: readonly T[], of: (row: T) => number | null): number {
  return rows.reduce((sum, row) => sum + (of(row) ?? 0), 0);
}

function countBy<T>(rows: readonly T[], of: (row: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[of(row)] = (counts[of(row)] ?? 0) + 1;
  return counts;
}

function slowestOf(tasks: readonly TaskRow[]): NamedTask[] {
  const timeIn = ({ wait_ms, run_ms }: TaskRow) => (wait_ms ?? 0) + (run_ms ?? 0);
  return tasks.filter(({ run_ms }) => run_ms !== null)
    .sort((a, b) => timeIn(b) - timeIn(a))
    .slice(0, SLOWEST)
    .map(({ task_id, trace_id, profile, node, state, wait_ms, run_ms, cpu_ms }) => ({
      task_id,
      trace_id,
      profile,
      node,
      state,
      wait_ms,
      run_ms,
      cpu_ms,
    }));
}

function nodeSummaries({ nodes, attempts }: TableRun, span: Span | null): NodeSummary[] {
  const byNode = Map.groupBy(attempts, ({ node }) => node);
  const names = new Set([...nodes.map(({ node_id }) => node_id), ...byNode.keys()]);
  const spanMs = span === null ? null : span.endMs - span.beginMs;
  return [...names].sort().map((node): NodeSummary => {
    const own = byNode.get(node) ?? [];
    const known = nodes.find(({ node_id }) => node_id === node);
    const cores = known?.cpu_cores ?? null;
    const units = known?.capacity_units ?? null;
    const reservedMs = sumOf(own, ({ cpu_reserved_ms }) => cpu_reserved_ms);
    const usedMs = sumOf(own, ({ cpu_ms }) => cpu_ms);
    return {
      node,
      attempts: own.length,
      capacity_units: units,
      cpu_cores: cores,
      reserved_ratio: units === null || spanMs === null ? null : reservedMs / (units * spanMs),
      used_ratio: cores === null || spanMs === null ? null : usedMs / (cores * spanMs),
    };
  });
}

/** What a summary takes from `audit.json`. */
type AuditPart = Pick<
  Audit,
  "node" | "verdict" | "cpu_residual_max_ms" | "clock_error_max_ms" | "findings" | "collector"
>;

/** The verdict of the audit in the parsed run `folder`; null: there is none. */
export async function readVerdict(folder: string): Promise<Audit["verdict"] | null> {
  return (await readAudit(folder))?.verdict ?? null;
}

function readAudit(folder: string): Promise<AuditPart | null> {
  return readRecordFile(join(folder, "audit.json"), (value, where) => {
    const isAudit = typeof value === "object" && value !== null && "verdict" in value &&
      "findings" in value && Array.isArray(value.findings);
    if (isAudit) return value as unknown as AuditPart;
    throw new DecodeError(`Cannot read "${where}": an audit is required, got ${quote(value)}`);
  });
}

function verdictOf(audits: readonly (AuditPart | null)[]): RunSummary["verdict"] {
  if (audits.some((audit) => audit === null)) return null;
  return audits.every((audit) => audit?.verdict === "PASS") ? "PASS" : "FINDINGS";
}

function qualityOf(
  { invocations }: TableRun,
  audits: readonly (AuditPart | null)[],
): DataQuality {
  const known = audits.filter((audit) => audit !== null);
  const seen = invocations.filter(({ cpu_ms, cpu_seen_ms }) =>
    cpu_ms !== null && cpu_seen_ms !== null
  );
  const totalMs = sumOf(seen, ({ cpu_ms }) => cpu_ms);
  const ticks = known.flatMap(({ collector }) => collector?.missed_ticks ?? []);
  return {
    samples: sumOf(invocations, ({ samples }) => samples),
    cpu_seen_ratio: totalMs === 0 ? null : sumOf(seen, ({ cpu_seen_ms }) => cpu_seen_ms) / totalMs,
    cpu_residual_max_ms: maxOf(known.map((audit) => audit.cpu_residual_max_ms)),
    clock_error_max_ms: maxOf(known.map((audit) => audit.clock_error_max_ms)),
    missed_ticks: ticks.length === 0 ? null : ticks.reduce((sum, one) => sum + one, 0),
    findings: known.flatMap(({ node, findings }) => findings.map(({ what }) => `${node}: ${what}`)),
  };
}

function maxOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((one) => one !== null);
  return known.length === 0 ? null : Math.max(...known);
}
