/**
 * Run directories for the tests of what parses them: the records of the contract, from a few words each.
 */

import { join } from "@std/path";
import type {
  ClockOffset,
  CollectorStats,
  InvocationEvent,
  NodeMeta,
  RawSample,
  TaskResult,
} from "../../trace/records.ts";
import type { Invocation, ProcMetric } from "../../trace/cts.ts";

/** When the runs of the tests begin: wall clock and boot clock, ms. */
export const RUN_START = { tsMs: 1_756_728_000_000, bootMs: 5_000_000 } as const;

/** A sample at `atMs` after the start of the run; what is not given is that of one process. */
export function rawSample(
  atMs: number,
  given: Partial<RawSample> = {},
): Partial<RawSample> {
  return {
    ts_ms: RUN_START.tsMs + atMs,
    boot_ms: RUN_START.bootMs + atMs,
    pid: 1000,
    start_ticks: RUN_START.bootMs / 10,
    trace_id: "trace-a",
    cpu_ns: 0,
    rss_kb: 1024,
    ...given,
  };
}

/** When an invocation ran, ms after the start of the run. */
export interface Life {
  readonly startMs: number;
  /** null: it has no end. */
  readonly endMs: number | null;
}

/** The last event of an invocation; what is not given is that of a task that is done. */
export function invocationEvent(
  { startMs, endMs }: Life,
  given: Partial<InvocationEvent> = {},
): Partial<InvocationEvent> {
  const isEnded = endMs !== null;
  return {
    event: isEnded ? "exit" : "launch",
    trace_id: "trace-a",
    span_id: `span-of-${given.trace_id ?? "trace-a"}`,
    module_id: "command",
    instance_id: "adapter",
    task_id: "task-a",
    attempt: 1,
    ts_enqueue: RUN_START.tsMs + startMs - 10,
    ts_start: RUN_START.tsMs + startMs,
    boot_start_ms: RUN_START.bootMs + startMs,
    node: "cloud1",
    cpu_units: 1,
    ...(isEnded
      ? {
        ts_end: RUN_START.tsMs + endMs,
        boot_end_ms: RUN_START.bootMs + endMs,
        pid: 1000,
        start_ticks: RUN_START.bootMs / 10,
        status: 0,
        user_ms: 0,
        system_ms: 0,
        cpu_source: "rusage",
        max_rss_kb: 2048,
      }
      : {}),
    ...given,
  };
}

/** What the queue decided; by default that task-a is done. */
export function taskResult(given: Partial<TaskResult> = {}): Partial<TaskResult> {
  return {
    task_id: "task-a",
    attempt: 1,
    node: "cloud1",
    state: "done",
    ts_finish: RUN_START.tsMs + 1_000_000,
    ...given,
  };
}

/** A node of 4 cores. */
export function nodeMeta(given: Partial<NodeMeta> = {}): Partial<NodeMeta> {
  return {
    format_version: "1.0",
    run_id: "run",
    node_id: "cloud1",
    stage: "test",
    ts_ms: RUN_START.tsMs,
    boot_ms: RUN_START.bootMs,
    cpu_cores: 4,
    cpu_model: "Test CPU",
    cpu_freq_mhz: 2445.4,
    mem_kb: 16_300_000,
    ...given,
  };
}

/** The collector's account of a run of `samples` samples. */
export function collectorStats(
  samples: number,
  given: Partial<CollectorStats> = {},
): Partial<CollectorStats> {
  return {
    ts_ms: RUN_START.tsMs,
    mode: "whitelist",
    interval_ms: 200,
    cpu_source: "cpu_clock",
    is_realtime: true,
    ticks: 100,
    missed_ticks: 0,
    late_max_ms: 0.9,
    late_p99_ms: 0.5,
    samples,
    tracked: 1,
    gone: 1,
    denied: 0,
    foreign: 0,
    cpu_ms: 12.5,
    rss_kb: 51_200,
    births_seen: 1,
    ...given,
  };
}

/** A measured offset to the controller's clock. */
export function clockOffset(
  atMs: number,
  { offset_ms, error_ms = 0.5 }: { readonly offset_ms: number; readonly error_ms?: number },
): ClockOffset {
  const { tsMs, bootMs } = RUN_START;
  return { ts_ms: tsMs + atMs, boot_ms: bootMs + atMs, offset_ms, error_ms };
}

/** Records of a node; what is not given is a sound file without anything in it. */
export interface RawRun {
  readonly samples?: readonly Partial<RawSample>[];
  readonly events?: readonly Partial<InvocationEvent>[];
  readonly results?: readonly Partial<TaskResult>[];
  readonly offsets?: readonly ClockOffset[];
  readonly meta?: Partial<NodeMeta>;
  readonly stats?: readonly Partial<CollectorStats>[];
}

/** Write a node's run directory `folder`. */
export async function writeRawRun(folder: string, run: RawRun): Promise<void> {
  await Deno.mkdir(join(folder, "pids"), { recursive: true });
  const { samples = [], events = [], offsets = [clockOffset(0, { offset_ms: 0 })] } = run;
  const ended = events.filter(({ event, task_id }) => event === "exit" && task_id !== null);
  const results = run.results ??
    ended.map(({ task_id, attempt }) =>
      taskResult({ task_id: task_id ?? "task-a", attempt: attempt ?? null })
    );
  const files: Record<string, readonly object[]> = {
    "proc_metrics.jsonl": samples,
    "events.command.jsonl": events,
    "results.jsonl": results,
    "clock.jsonl": offsets,
    "collector_stats.jsonl": run.stats ?? [collectorStats(samples.length)],
  };
  for (const [name, records] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), toLines(records));
  }
  await Deno.writeTextFile(join(folder, "node_meta.json"), JSON.stringify(run.meta ?? nodeMeta()));
}

/** Records as JSON Lines. */
export function toLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** The parsed run in `folder`. */
export async function readCts(
  folder: string,
): Promise<{ invocations: Invocation[]; rows: ProcMetric[] }> {
  const read = async (name: string): Promise<unknown[]> =>
    (await Deno.readTextFile(join(folder, "CTS", name))).split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return {
    invocations: await read("invocations.jsonl") as Invocation[],
    rows: await read("proc_metrics.jsonl") as ProcMetric[],
  };
}

/** Sum of the CPU time of `rows` that belong to `traceId`, whole µs. */
export function cpuUsOf(rows: readonly ProcMetric[], traceId: string): number {
  return rows.filter(({ trace_id }) => trace_id === traceId)
    .reduce((sum, { cpu_ms }) => sum + Math.round(cpu_ms * 1000), 0);
}

/** One task of 1 s that was read four times, and its total of 812.345 ms. */
export const SOUND_RUN: RawRun = {
  samples: [
    rawSample(3, { cpu_ns: 2_000_000 }),
    rawSample(200, { cpu_ns: 190_000_000 }),
    rawSample(400, { cpu_ns: 380_000_500 }),
    rawSample(600, { cpu_ns: 380_000_900 }),
  ],
  events: [
    invocationEvent({ startMs: 0, endMs: null }),
    invocationEvent({ startMs: 0, endMs: 1000 }, { user_ms: 800.3, system_ms: 12.045 }),
  ],
};
