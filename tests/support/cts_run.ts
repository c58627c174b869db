/**
 * Parsed runs for the tests of what reads them: written as the contract has them, from a few words per
 * task.
 */

import { join } from "@std/path";
import type { CtsNode, Invocation, ProcMetric } from "../../trace/cts.ts";

/** A time at which the runs of the tests begin, epoch ms: 2025-09-01 12:00:00 UTC. */
export const RUN_START_MS = 1_756_728_000_000;

/** A node; what is not given is that of a 4-core machine. */
export function ctsNode(given: Partial<CtsNode> & { readonly node_id: string }): CtsNode {
  return {
    stage: "test",
    cpu_cores: 4,
    cpu_model: "Test CPU",
    cpu_freq_mhz: 2400,
    cpu_freq_mhz_exact: 2399.998,
    mem_mb: 16384,
    mem_kb_exact: 16_384_000,
    capacity_units: null,
    slots: null,
    allocation_ratio: null,
    ...given,
  };
}

/** An invocation; what is not given is that of a task that is done. */
export function ctsInvocation(
  given: Partial<Invocation> & { readonly trace_id: string },
): Invocation {
  return {
    span_id: null,
    pid: 1000,
    ts_enqueue: RUN_START_MS,
    ts_start: RUN_START_MS,
    ts_end: RUN_START_MS + 1000,
    task_id: null,
    attempt: 1,
    node: "cloud1",
    profile: null,
    status: 0,
    state: "done",
    cpu_units: 1,
    cpu_ms: null,
    cpu_source: null,
    cpu_seen_ms: null,
    max_rss_source: null,
    max_rss_kb: null,
    samples: 0,
    start_ticks: null,
    kind: null,
    origin: null,
    parents: null,
    ...given,
  };
}

/** A row; what is not given is a reading of one process. */
export function ctsRow(
  given: Partial<ProcMetric> & Pick<ProcMetric, "ts_ms" | "dt_ms" | "cpu_ms">,
): ProcMetric {
  return { pid: 1000, rss_kb: null, trace_id: null, span_id: null, source: "reading", ...given };
}

/** One folder of a run. */
export interface CtsFolder {
  readonly nodes: readonly CtsNode[];
  readonly invocations: readonly Invocation[];
  readonly rows: readonly ProcMetric[];
}

/** Write `CTS/` into `folder`. */
export async function writeCts(folder: string, cts: CtsFolder): Promise<void> {
  const path = join(folder, "CTS");
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeTextFile(join(path, "nodes.json"), JSON.stringify(cts.nodes));
  await writeLines(join(path, "invocations.jsonl"), cts.invocations);
  await writeLines(join(path, "proc_metrics.jsonl"), cts.rows);
}

async function writeLines(path: string, records: readonly object[]): Promise<void> {
  await Deno.writeTextFile(path, records.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

/**
 * A run of two nodes as it happens: equal pids on both, a task of two processes, one with an idle time,
 * one of 0.4 ms, one without readings, one that failed, one attempt that was superseded, one that never
 * ended. Returns what each folder holds, by node.
 */
export function twoNodeRun(): Readonly<Record<string, CtsFolder>> {
  const t = RUN_START_MS;
  const cloud1 = ctsNode({ node_id: "cloud1" });
  const cloud2 = ctsNode({ node_id: "cloud2", cpu_cores: 2, capacity_units: 4 });
  return {
    cloud1: {
      nodes: [cloud1],
      invocations: [
        ctsInvocation({
          trace_id: "a".repeat(32),
          task_id: "t1",
          pid: 4242,
          ts_enqueue: t + 0.25,
          ts_start: t + 10.4,
          ts_end: t + 1010.4,
          cpu_units: 2,
          cpu_ms: 1500,
          max_rss_kb: 204_800,
          samples: 6,
        }),
        ctsInvocation({
          trace_id: "c".repeat(32),
          task_id: "t3",
          pid: 4250,
          ts_enqueue: t + 2,
          ts_start: t + 1020.1,
          ts_end: t + 1020.5,
          cpu_ms: 0.3,
          max_rss_kb: 1024,
        }),
        ctsInvocation({
          trace_id: "d".repeat(32),
          task_id: "t4",
          pid: 4251,
          ts_enqueue: t + 3,
          ts_start: t + 1030,
          ts_end: t + 1330,
          state: "failed",
          status: 1,
          cpu_ms: 100,
          max_rss_kb: 2048,
        }),
        ctsInvocation({
          trace_id: "e".repeat(32),
          task_id: "t5",
          pid: 4252,
          ts_enqueue: t + 4,
          ts_start: t + 1400,
          ts_end: t + 1600,
          state: "superseded",
          cpu_ms: 150,
        }),
        ctsInvocation({
          trace_id: "9".repeat(32),
          task_id: "t8",
          pid: 4260,
          ts_enqueue: t + 9,
          ts_start: t + 2000,
          ts_end: null,
          state: "running",
        }),
      ],
      rows: [
        ...[0, 1, 2, 3, 4].map((tick) =>
          ctsRow({
            trace_id: "a".repeat(32),
            pid: 4242,
            ts_ms: t + 210.4 + tick * 200,
            dt_ms: 200,
            cpu_ms: 200 + tick * 10,
            rss_kb: 100_000,
          })
        ),
        ctsRow({
          trace_id: "a".repeat(32),
          pid: 4243,
          ts_ms: t + 610.4,
          dt_ms: 500,
          cpu_ms: 400,
          rss_kb: 50_000,
        }),
        ctsRow({
          trace_id: "c".repeat(32),
          pid: 4250,
          ts_ms: t + 1020.5,
          dt_ms: 0.4,
          cpu_ms: 0.3,
          source: "spread",
        }),
        ctsRow({ trace_id: "d".repeat(32), pid: 4251, ts_ms: t + 1330, dt_ms: 300, cpu_ms: 100 }),
        ctsRow({ trace_id: "e".repeat(32), pid: 4252, ts_ms: t + 1600, dt_ms: 200, cpu_ms: 150 }),
      ],
    },
    cloud2: {
      nodes: [cloud2],
      invocations: [
        ctsInvocation({
          trace_id: "b".repeat(32),
          task_id: "t2",
          node: "cloud2",
          pid: 4242,
          ts_enqueue: t + 1,
          ts_start: t + 11,
          ts_end: t + 611,
          cpu_units: 4,
          cpu_ms: 580,
          max_rss_kb: 307_200,
          samples: 2,
        }),
        ctsInvocation({
          trace_id: "f".repeat(32),
          task_id: "t5",
          node: "cloud2",
          pid: 4300,
          attempt: 2,
          ts_enqueue: t + 4,
          ts_start: t + 1700,
          ts_end: t + 1900,
          cpu_units: 1,
          cpu_ms: 180,
          max_rss_kb: 4096,
        }),
        ctsInvocation({
          trace_id: "7".repeat(32),
          task_id: "t6",
          node: "cloud2",
          pid: 4301,
          ts_enqueue: t + 5,
          ts_start: t + 1910,
          ts_end: t + 2110,
          cpu_units: 2,
        }),
        ctsInvocation({
          trace_id: "8".repeat(32),
          task_id: "t7",
          node: "cloud2",
          pid: 4302,
          ts_enqueue: t + 6,
          ts_start: t + 2200,
          ts_end: t + 2300,
          cpu_units: 1,
          cpu_ms: 42,
          cpu_source: "rusage",
        }),
      ],
      rows: [
        ctsRow({ trace_id: "b".repeat(32), pid: 4242, ts_ms: t + 211, dt_ms: 200, cpu_ms: 380 }),
        // Nothing was used from 211 to 411.
        ctsRow({ trace_id: "b".repeat(32), pid: 4242, ts_ms: t + 611, dt_ms: 200, cpu_ms: 200 }),
        // An older writer's row: no trace_id, found by pid and time.
        ctsRow({ pid: 4300, ts_ms: t + 1900, dt_ms: 200, cpu_ms: 180 }),
        // Nobody's row.
        ctsRow({ trace_id: "0".repeat(32), pid: 77, ts_ms: t + 500, dt_ms: 200, cpu_ms: 1 }),
      ],
    },
  };
}

/** Write {@linkcode twoNodeRun} into `folder`, one folder per node. */
export async function writeTwoNodeRun(folder: string): Promise<void> {
  for (const [node, cts] of Object.entries(twoNodeRun())) await writeCts(join(folder, node), cts);
}
