/**
 * A node's run directory as a parsed run: `CTS/`, what export, verify and compare read, and the audit.
 *
 * @module
 */

import { basename, join } from "@std/path";
import type { CtsNode, Invocation } from "../trace/cts.ts";
import type { NodeMeta } from "../trace/records.ts";
import { RunDir } from "../trace/run_dir.ts";
import { kbToMib, msToUs, usToMs } from "../trace/units.ts";
import { type Attempt, makeAttempts } from "./attempts.ts";
import { type Audit, auditRun } from "./audit.ts";
import { auditReport } from "./audit_report.ts";
import { type Layout, LAYOUT_FOLDERS, openRowFiles, type RowFiles } from "./cts_rows.ts";
import { type NodeInputs, readNodeInputs } from "./node_inputs.ts";
import { type LineCounts, noLines, RawSampleFile } from "./raw_samples.ts";
import { type Alignment, bootUsOf, type RecordTime, RunClock } from "./run_clock.ts";
import { type LedgerCounts, RunLedger } from "./run_ledger.ts";
import { readServiceShares, type ServiceTotals } from "./service_shares.ts";
import { StagedFiles } from "./staged_files.ts";

/** Sampling interval where the collector did not leave one, ms: the default of PROC_INTERVAL_MS. */
const DEFAULT_INTERVAL_MS = 200;

/** Steps to which CTS/nodes.json rounds, as the seeds' `nodes_norm` does. */
const FREQ_STEP_MHZ = 100;
const MEM_STEP_MIB = 1024;

/** How far a parse is. */
export interface ParseProgress {
  /** Bytes of samples read. */
  readonly doneBytes: number;
  /** Bytes of samples there are. */
  readonly totalBytes: number;
  /** Readings taken. */
  readonly samples: number;
}

/** How to parse. */
export interface ParseOptions {
  /** NODE_ID of a run whose records do not name it. Default: the name of the folder. */
  readonly nodeId?: string;
  /** STAGE, in place of the recorded one. */
  readonly stage?: string;
  /** Which files to write. Default: cts. */
  readonly layout?: Layout;
  /** Whose clock times are put on. Default: none, the node's own. */
  readonly align?: Alignment;
  /** Told now and then how far it is. */
  readonly onProgress?: (progress: ParseProgress) => void;
  /** Aborting it stops the parse; what was there before stays. */
  readonly signal?: AbortSignal;
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

/** One pass over the samples. */
interface Pass {
  readonly attempts: readonly Attempt[];
  readonly counts: LedgerCounts;
  readonly clock: RunClock;
  readonly lines: LineCounts;
  readonly service: ServiceTotals;
}

/** What a pass works with. */
interface PassOptions extends ParseOptions {
  readonly inputs: NodeInputs;
  readonly rows: RowFiles;
}

/**
 * Parse the node's run directory `path` and write the result into its folder `CTS/` (or `cctf/`); the
 * files appear together, and a parse that fails leaves the last ones.
 *
 * @throws {Error} when files cannot be read or written; never for what stands in them.
 */
export async function parseNode(path: string, options: ParseOptions = {}): Promise<ParseSummary> {
  const runDir = RunDir.at(path);
  const layout = options.layout ?? "cts";
  const folder = join(path, LAYOUT_FOLDERS[layout]);
  const inputs = await readNodeInputs(runDir);
  await using staged = await StagedFiles.in(folder);
  using rows = await openRowFiles(layout, staged);
  const pass = await readSamples(runDir, { ...options, inputs, rows });
  inputs.files.set(runDir.procMetrics, pass.lines);
  if (pass.service.lines !== null) inputs.files.set(runDir.serviceCpu, pass.service.lines);
  await rows.sync();
  const node = inputs.meta?.node_id ?? options.nodeId ?? basename(path);
  const invocations = pass.attempts.map((attempt) => invocationOf(attempt, node));
  const audit = auditRun({
    ...pass,
    inputs,
    node,
    isAligned: options.align === "controller",
    intervalMs: intervalOf(inputs),
  });
  const write = (name: string, text: string): Promise<void> =>
    Deno.writeTextFile(staged.stage(name), text);
  await write("invocations.jsonl", invocations.map((one) => JSON.stringify(one) + "\n").join(""));
  await write("nodes.json", toJson(nodesOf(inputs, options.stage)));
  await write("audit_report.md", auditReport(audit));
  await write("audit.json", toJson(audit));
  await staged.commit();
  return {
    runDir: path,
    folder,
    node,
    invocations: invocations.length,
    samples: pass.counts.samples,
    cpuResidualMaxMs: audit.cpu_residual_max_ms,
    audit,
  };
}

async function readSamples(runDir: RunDir, options: PassOptions): Promise<Pass> {
  const path = runDir.procMetrics;
  const { inputs, rows, signal } = options;
  const cores = inputs.meta?.cpu_cores ?? Infinity;
  const clock = new RunClock(await firstTime(path, inputs));
  if (options.align === "controller") clock.align(inputs.offsets);
  const attempts = makeAttempts(inputs.events.spans.values(), {
    results: inputs.results,
    clock,
    cores,
  });
  const service = await readServiceShares(runDir.serviceCpu, { attempts, clock, sink: rows });
  const intervalUs = msToUs(intervalOf(inputs));
  const ledger = new RunLedger({ attempts, clock, cores, intervalUs, sink: rows });
  using source = await openIfThere(path);
  if (source !== null) {
    const totalBytes = (await Deno.stat(path)).size;
    while (await source.fill()) {
      signal?.throwIfAborted();
      while (source.next()) ledger.read(source.reading);
      await rows.flush();
      const { samples } = ledger.counts;
      options.onProgress?.({ doneBytes: source.bytesRead, totalBytes, samples });
    }
  }
  ledger.finish();
  return { attempts, counts: ledger.counts, clock, service, lines: source?.counts ?? noLines() };
}

/** The first time of the run that is known with its boot clock, of the samples where they have one. */
async function firstTime(path: string, inputs: NodeInputs): Promise<RecordTime | null> {
  using source = await openIfThere(path);
  if (source !== null && await source.fill() && source.next() && source.reading.bootUs >= 0) {
    return { tsUs: source.reading.tsUs, bootUs: source.reading.bootUs };
  }
  for (const { launch, end } of inputs.events.spans.values()) {
    const event = end ?? launch;
    if (event === null || event.ts_start === null || event.boot_start_ms === null) continue;
    return { tsUs: msToUs(event.ts_start), bootUs: bootUsOf(event.boot_start_ms) };
  }
  return null;
}

async function openIfThere(path: string): Promise<RawSampleFile | null> {
  try {
    return await RawSampleFile.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function intervalOf({ stats }: NodeInputs): number {
  return stats.at(-1)?.interval_ms ?? DEFAULT_INTERVAL_MS;
}

function invocationOf({ event, account, state }: Attempt, node: string): Invocation {
  const { cpuUs, startUs, endUs } = account;
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
    cpu_ms: cpuUs === null ? null : usToMs(cpuUs),
    cpu_source: event.cpu_source,
    cpu_seen_ms: usToMs(cpuUs === null ? account.seenUs : Math.min(account.seenUs, cpuUs)),
    max_rss_kb: event.max_rss_kb ?? (account.peakRssKb < 0 ? null : account.peakRssKb),
    samples: account.samples,
    start_ticks: event.start_ticks,
  };
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

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
