/**
 * A node's run directory as a parsed run: `CTS/`, what export, verify and compare read, and the audit.
 *
 * @module
 */

import { basename, join } from "@std/path";
import type { CtsNode, Invocation } from "../trace/cts.ts";
import type { NodeMeta } from "../trace/records.ts";
import { RunDir } from "../trace/run_dir.ts";
import { kbToMib, usToMs } from "../trace/units.ts";
import type { Attempt } from "./cts/attempts.ts";
import { type Audit, auditRun } from "./audit/audit.ts";
import { auditReport } from "./audit/report.ts";
import { ByteLines } from "./byte_lines.ts";
import { LAYOUT_FOLDERS } from "./cts/rows.ts";
import { readHostIntervals } from "./cts/host_metrics.ts";
import { type NodeInputs, readNodeInputs } from "./cts/node_inputs.ts";
import { type PassOptions, readRun } from "./cts/run_pass.ts";
import { StagedFiles } from "./staged_files.ts";

/** Steps to which CTS/nodes.json rounds, as the seeds' `nodes_norm` does. */
const FREQ_STEP_MHZ = 100;
const MEM_STEP_MIB = 1024;

/** Records held before they are written: half a megabyte. */
const RECORDS_PER_FLUSH = 1000;

/** How to parse. */
export interface ParseOptions extends Partial<Omit<PassOptions, "inputs" | "staged">> {
  /** NODE_ID of a run whose records do not name it. Default: the name of the folder. */
  readonly nodeId?: string;
  /** STAGE, instead of the recorded one. */
  readonly stage?: string;
}

/** What a parse made. */
export interface ParseSummary {
  /** The node's run directory. */
  readonly runDir: string;
  /** Folder with the parsed run. */
  readonly folder: string;
  /** NODE_ID. */
  readonly node: string;
  /** Invocations written. */
  readonly invocations: number;
  /** Readings taken. */
  readonly samples: number;
  /** Largest difference between a task's rows and its exact total, ms. */
  readonly cpuResidualMaxMs: number;
  /** The audit. */
  readonly audit: Audit;
}

/**
 * Parse the node's run directory `path` and write the result into its folder `CTS/` (or `cctf/`); the
 * files appear together, and a parse that fails leaves the last ones.
 *
 * @throws {Error} when files cannot be read or written; never for what is in them.
 */
export async function parseNode(path: string, options: ParseOptions = {}): Promise<ParseSummary> {
  const runDir = RunDir.at(path);
  const layout = options.layout ?? "cts";
  const folder = join(path, LAYOUT_FOLDERS[layout]);
  const inputs = await readNodeInputs(runDir);
  await using staged = await StagedFiles.in(folder);
  const pass = await readRun(runDir, { ...options, layout, inputs, staged });
  inputs.files.set(runDir.procMetrics, pass.lines);
  if (pass.service.lines !== null) inputs.files.set(runDir.serviceCpu, pass.service.lines);
  const host = layout === "cctf" ? await readHostIntervals(runDir.hostMetrics, pass.clock) : null;
  if (host !== null) inputs.files.set(runDir.hostMetrics, host.counts);
  const node = inputs.meta?.node_id ?? options.nodeId ?? basename(path);
  const audit = auditRun({
    ...pass,
    inputs,
    node,
    isAligned: options.align === "controller",
  });
  await writeRecords(staged.stage("invocations.jsonl"), invocationsOf(pass.attempts, node));
  if (host !== null) await writeRecords(staged.stage("host_metrics.jsonl"), host.intervals);
  await Deno.writeTextFile(staged.stage("nodes.json"), toJson(nodesOf(inputs, options.stage)));
  await Deno.writeTextFile(staged.stage("audit_report.md"), auditReport(audit));
  await Deno.writeTextFile(staged.stage("audit.json"), toJson(audit));
  await staged.commit();
  return {
    runDir: path,
    folder,
    node,
    invocations: pass.attempts.length,
    samples: pass.counts.samples,
    cpuResidualMaxMs: audit.cpu_residual_max_ms,
    audit,
  };
}

/** One after the other: all at once would double the memory of a run of many. */
function* invocationsOf(attempts: readonly Attempt[], node: string): Generator<Invocation> {
  for (const attempt of attempts) yield invocationOf(attempt, node);
}

function invocationOf({ event, account, state }: Attempt, node: string): Invocation {
  const { cpuUs, startUs, endUs } = account;
  const kind = kindOf(event);
  const isObserved = kind === "service";
  return {
    trace_id: event.trace_id,
    span_id: event.span_id,
    pid: event.pid,
    ts_enqueue: event.ts_enqueue,
    ts_start: startUs === -Infinity ? null : usToMs(startUs),
    ts_end: endUs === Infinity ? null : usToMs(endUs),
    task_id: event.task_id,
    attempt: event.attempt,
    node: event.node ?? node,
    profile: event.profile,
    status: event.status,
    state,
    cpu_units: event.cpu_units,
    cpu_ms: cpuUs !== null ? usToMs(cpuUs) : isObserved ? usToMs(account.seenUs) : null,
    cpu_source: cpuUs === null && isObserved ? "readings" : event.cpu_source,
    cpu_seen_ms: usToMs(cpuUs === null ? account.seenUs : Math.min(account.seenUs, cpuUs)),
    ...peakMemory(event, account.peakRssKb),
    samples: account.samples,
    start_ticks: event.start_ticks,
    kind,
    origin: null,
    parents: null,
  };
}

/** The peak of the exit account, else the highest reading. */
function peakMemory(
  { max_rss_kb, max_rss_source }: Attempt["event"],
  readKb: number,
): Pick<Invocation, "max_rss_kb" | "max_rss_source"> {
  if (max_rss_kb !== null) return { max_rss_kb, max_rss_source };
  if (readKb < 0) return { max_rss_kb: null, max_rss_source: "none" };
  return { max_rss_kb: readKb, max_rss_source: "readings" };
}

function kindOf({ module_id, task_id }: Attempt["event"]): Invocation["kind"] {
  if (module_id === "service") return "service";
  if (module_id === "http") return "request";
  return task_id === null ? "command" : "task";
}

function nodesOf({ meta, worker }: NodeInputs, stage: string | undefined): CtsNode[] {
  if (meta === null) return [];
  return [{
    node_id: meta.node_id,
    stage: stage ?? meta.stage,
    cpu_cores: meta.cpu_cores,
    cpu_model: meta.cpu_model,
    cpu_freq_mhz: roundTo(meta.cpu_freq_mhz, FREQ_STEP_MHZ),
    cpu_freq_mhz_exact: meta.cpu_freq_mhz,
    mem_mb: roundTo(memMibOf(meta), MEM_STEP_MIB),
    mem_kb_exact: meta.mem_kb,
    capacity_units: worker?.capacity_units ?? null,
    slots: worker?.slots ?? null,
    allocation_ratio: worker?.allocation_ratio ?? null,
  }];
}

function memMibOf({ mem_kb, mem_mb }: NodeMeta): number | null {
  return mem_kb === null ? mem_mb : kbToMib(mem_kb);
}

/** `value` to the nearest step; as it is where that would be 0. */
function roundTo(value: number | null, step: number): number | null {
  return value === null ? null : Math.round(value / step) * step || value;
}

async function writeRecords(path: string, records: Iterable<object>): Promise<void> {
  using lines = await ByteLines.create(path);
  const encoder = new TextEncoder();
  let count = 0;
  for (const record of records) {
    lines.raw(encoder.encode(`${JSON.stringify(record)}\n`));
    if (++count % RECORDS_PER_FLUSH === 0) await lines.flush();
  }
  await lines.sync();
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
