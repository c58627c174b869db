/**
 * Reads a parsed run for a report: its tasks, what they used over time, how good the record is.
 *
 * @module
 */

import { join } from "@std/path";
import type { Audit } from "../audit/audit.ts";
import { readCounted } from "../cts/counted_records.ts";
import { namesIn } from "../cts/run_folders.ts";
import { readRows } from "../tables/rows.ts";
import { openTableRun, type TableRun } from "../tables/run.ts";
import { sampleBlocks } from "../tables/samples.ts";
import type { PlacementRow } from "../tables/queue_tables.ts";
import type { AttemptRow, TaskRow } from "../tables/task_tables.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { RUN_META, type RunMeta } from "../../trace/records.ts";
import type { Table } from "./columns.ts";
import {
  type ReportNode,
  type RunHead,
  tableNames,
  TaskColumns,
  type TaskFacts,
} from "./run_columns.ts";
import { Usage } from "./usage.ts";

/** Under which conditions a run was recorded. */
export interface Provenance {
  /** What each role ran with: `scheduler`, `worker of cloud1`. */
  readonly roles: readonly { readonly name: string; readonly meta: RunMeta }[];
  /** Machine of each node. */
  readonly machines: readonly {
    readonly node: string;
    readonly cpuModel: string | null;
    readonly cores: number;
    readonly memKb: number | null;
    readonly kernel: string | null;
    readonly version: string | null;
    readonly denoVersion: string | null;
  }[];
}

/** A run that was read. */
export interface RunParts {
  readonly head: RunHead;
  /** Its columns, named for its place in the report. */
  readonly tables: readonly Table[];
  /** The audit of each node that has one. */
  readonly audits: readonly Audit[];
  /** Null: it was simulated. */
  readonly provenance: Provenance | null;
}

/** How a run is read. */
export interface ReadRunOptions {
  /** Its place in the report. */
  readonly place: number;
  readonly signal?: AbortSignal;
  /** Called with each task and attempt, and how invocations name it. */
  readonly onFact?: (key: string, fact: TaskFacts) => void;
}

/** Sampling interval where no collector left its own, ms: the default of the collector. */
const INTERVAL_MS = 200;

/**
 * Read the parsed run in `folder`.
 *
 * @throws {ExportError} when it is not parsed.
 */
export async function readRun(
  folder: string,
  { place, signal, onFact }: ReadRunOptions,
): Promise<RunParts> {
  const run = await openTableRun(folder);
  const audits = await readAudits(run);
  const decisions = await readDecisions(run);
  const columns = new TaskColumns();
  const rowOfAttempt = new Map<string, number>();
  for (const fact of factsOf(run, decisions)) {
    const key = attemptKey(fact);
    if (key !== null) {
      rowOfAttempt.set(key, columns.count);
      onFact?.(key, fact);
    }
    columns.add(fact);
  }
  const zeroMs = columns.firstMs;
  const spanMs = Math.max(0, columns.lastMs - zeroMs);
  const nodes = nodesOf(run);
  const order = columns.order;
  const tasks = columns.table(tableNames(place).tasks, { order, zeroMs });
  const usage = await readUsage(run, {
    nodes,
    order,
    rowOfAttempt,
    zeroMs,
    spanMs,
    tasks,
    intervalMs: Math.max(
      INTERVAL_MS,
      ...audits.map(({ collector }) => collector?.interval_ms ?? 0),
    ),
    ...(signal === undefined ? {} : { signal }),
  });
  const { bins, binMs, points } = usage.size;
  return {
    head: {
      id: run.runId,
      kind: "measured",
      zeroMs,
      spanMs,
      nodes,
      binMs,
      bins,
      seriesPoints: points,
    },
    tables: [tasks, ...usage.tables(place)],
    audits,
    provenance: await readProvenance(run),
  };
}

/** Names an attempt: by trace and span, as invocations do. */
export function attemptKey(
  { trace_id, span_id }: { readonly trace_id: string | null; readonly span_id: string | null },
): string | null {
  return trace_id === null ? null : `${trace_id} ${span_id ?? ""}`;
}

type Fact = TaskFacts & { readonly trace_id: string | null; readonly span_id: string | null };

/** Tasks with the attempt that counts, then the attempts that do not. */
function* factsOf(
  { tasks, attempts }: TableRun,
  decisions: Decisions,
): Generator<Fact> {
  const byKey = new Map(attempts.map((one) => [attemptKey(one), one]));
  const counted = new Set<string | null>();
  for (const task of tasks) {
    const key = attemptKey(task);
    counted.add(key);
    yield taskFact(task, { attempt: byKey.get(key) ?? null, decisions });
  }
  for (const attempt of attempts) {
    if (!counted.has(attemptKey(attempt))) yield repeatedFact(attempt);
  }
}

function taskFact(
  task: TaskRow,
  { attempt, decisions }: {
    readonly attempt: AttemptRow | null;
    readonly decisions: Decisions;
  },
): Fact {
  return {
    ...task,
    task_id: task.task_id ?? task.trace_id ?? "",
    command: task.path,
    wait_reason: decisions.waits.get(task.task_id ?? "") ?? null,
    placed_reason: decisions.placements.get(task.task_id ?? "") ?? null,
    last_words: attempt?.stderr_tail ?? null,
  };
}

/** An attempt after which another one counted. */
function repeatedFact(attempt: AttemptRow): Fact {
  return {
    ...attempt,
    task_id: attempt.task_id ?? attempt.trace_id,
    attempts: null,
    ts_head: null,
    ts_assigned: null,
    command: attempt.path,
    wait_reason: null,
    placed_reason: null,
    last_words: attempt.stderr_tail,
  };
}

/** Why tasks waited, and why they went where they did, in words. */
interface Decisions {
  readonly waits: ReadonlyMap<string, string>;
  readonly placements: ReadonlyMap<string, string>;
}

/** The scheduler's decisions on each task; of several the last one. */
async function readDecisions(run: TableRun): Promise<Decisions> {
  const waits = new Map<string, string>();
  const placements = new Map<string, string>();
  for await (const row of readRows(run, "placements")) {
    if (row.task_id === null) continue;
    if (row.decision === "waiting") waits.set(row.task_id, reasonText(row.reasons, row.reason));
    else placements.set(row.task_id, placementText(row));
  }
  return { waits, placements };
}

function placementText(
  { candidates, weigher, weigher_order: order, weighers }: Pick<
    PlacementRow,
    "candidates" | "weigher" | "weigher_order" | "weighers"
  >,
): string {
  if (candidates <= 1) return "the only node with room";
  const rule = weighers !== null
    ? `chosen by ${weighers}`
    : weigher === null || weigher === ""
    ? "the first by name"
    : `chosen by ${weigher}, ${order ?? "min"} first`;
  return `${rule}, of ${candidates} nodes with room`;
}

const REASONS: Readonly<Record<string, string>> = {
  busy: "had too few free vCPUs",
  no_slot: "had no free slot",
  no_token: "had no slot token",
  draining: "took nothing new",
  too_small: "were too small for it",
};

function reasonText(reasons: string | null, reason: string | null): string {
  if (reasons === null) {
    return reason === "no_node" ? "no node was known" : reason ?? "no node had room";
  }
  const counts = Object.entries(JSON.parse(reasons) as Record<string, number>);
  return counts.map(([name, count]) => `${count} nodes ${REASONS[name] ?? name}`).join(", ");
}

function nodesOf({ nodes }: TableRun): ReportNode[] {
  return nodes.map((node) => ({
    id: node.node_id,
    capacityUnits: node.capacity_units,
    cores: node.cpu_cores,
    memKb: node.mem_kb_exact,
  })).sort((a, b) => new Intl.Collator("en", { numeric: true }).compare(a.id, b.id));
}

async function readUsage(
  run: TableRun,
  { nodes, order, rowOfAttempt, zeroMs, spanMs, intervalMs, tasks, signal }: {
    readonly nodes: readonly ReportNode[];
    readonly order: Uint32Array;
    readonly rowOfAttempt: ReadonlyMap<string, number>;
    readonly zeroMs: number;
    readonly spanMs: number;
    readonly intervalMs: number;
    readonly tasks: Table;
    readonly signal?: AbortSignal;
  },
): Promise<Usage> {
  const { start_ms: start, run_ms: runTime } = tasks.columns;
  const times = {
    start: start?.kind === "number" ? start.values as Float64Array : new Float64Array(),
    run: runTime?.kind === "number" ? runTime.values as Float64Array : new Float64Array(),
  };
  const usage = new Usage({ nodes: nodes.length, tasks: order.length, spanMs, intervalMs }, times);
  const placeOfNode = new Map(nodes.map(({ id }, at) => [id, at]));
  const placeOfRow = new Uint32Array(order.length);
  order.forEach((row, at) => placeOfRow[row] = at);
  // Invocations are found by themselves: their objects are the same in all samples.
  const taskOf = new Map<unknown, number>();
  for (const one of run.invocations) {
    const row = rowOfAttempt.get(attemptKey(one) ?? "");
    if (row !== undefined) taskOf.set(one, placeOfRow[row] as number);
  }
  for await (const block of sampleBlocks(run, signal === undefined ? {} : { signal })) {
    for (const { line, node, invocation } of block) {
      usage.add({
        node: placeOfNode.get(node) ?? -1,
        task: taskOf.get(invocation) ?? -1,
        toMs: line.tsMs - zeroMs,
        dtMs: line.dtMs,
        cpuMs: line.cpuMs,
        rssKb: line.rssKb < 0 ? null : line.rssKb,
      });
    }
  }
  return usage;
}

async function readAudits({ sources }: TableRun): Promise<Audit[]> {
  const audits: Audit[] = [];
  for (const { cts } of sources) {
    const audit = await readRecordFile(join(cts.folder, "audit.json"), (value) => value as Audit);
    if (audit !== null) audits.push(audit);
  }
  return audits;
}

const META_FILE = /^run_meta\.(\w+)\.json$/;

async function readProvenance(run: TableRun): Promise<Provenance> {
  const folders = [
    ...(run.sources.some(({ runDir }) => runDir.path === run.folder)
      ? []
      : [{ path: run.folder, node: null }]),
    ...run.sources.map(({ runDir, node }) => ({ path: runDir.path, node })),
  ];
  const roles: { name: string; meta: RunMeta }[] = [];
  for (const { path, node } of folders) {
    for (const file of (await namesIn(path)).filter((one) => META_FILE.test(one)).sort()) {
      const meta = await readRecordFile(join(path, file), RUN_META.decode);
      if (meta === null) continue;
      roles.push({ name: node === null ? meta.role : `${meta.role} of ${node}`, meta });
    }
  }
  for (const { path } of folders) {
    await readCounted(RunDir.at(path).dispatches, RUN_META.decode, (meta) => {
      roles.push({ name: meta.role, meta });
    });
  }
  return {
    roles,
    machines: run.nodes.map((node) => ({
      node: node.node_id,
      cpuModel: node.cpu_model,
      cores: node.cpu_cores,
      memKb: node.mem_kb_exact,
      kernel: node.kernel,
      version: node.version,
      denoVersion: node.deno_version,
    })),
  };
}
