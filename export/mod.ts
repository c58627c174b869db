/**
 * What becomes of a run, as functions: parse and audit it, export it as an OpenDC workload, verify that.
 *
 * @example From a parsed run to a verified OpenDC workload
 * ```ts
 * import { exportOpendc, verifyOpendc } from "@tracekit/tracekit/export";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const cts = `${folder}/run/CTS`;
 * await Deno.mkdir(cts, { recursive: true });
 * const node = { node_id: "n1", cpu_cores: 4, cpu_freq_mhz: 2400, mem_mb: 8192 };
 * await Deno.writeTextFile(`${cts}/nodes.json`, JSON.stringify([node]));
 * const task = { trace_id: "t1", node: "n1", pid: 42, state: "done", samples: 1, cpu_units: 1 };
 * const times = { ts_enqueue: 900, ts_start: 1000, ts_end: 2000, cpu_ms: 500, max_rss_kb: 2048 };
 * await Deno.writeTextFile(`${cts}/invocations.jsonl`, `${JSON.stringify({ ...task, ...times })}\n`);
 * const row = { trace_id: "t1", pid: 42, ts_ms: 2000, dt_ms: 1000, cpu_ms: 500, rss_kb: 2048 };
 * const source = { source: "reading" };
 * await Deno.writeTextFile(`${cts}/proc_metrics.jsonl`, `${JSON.stringify({ ...row, ...source })}\n`);
 *
 * const output = `${folder}/workload`;
 * const summary = await exportOpendc({ input: `${folder}/run`, output, version: "0.1.0" });
 * assertEquals(summary.tasks, 1);
 * const report = await verifyOpendc({ input: output });
 * assertEquals(report.ok, true);
 * ```
 *
 * @module
 */

export * from "./parse.ts";
export * from "./opendc/export.ts";
export type * from "./opendc/summary.ts";
export * from "./verify/verify.ts";
export * from "./public_types.ts";
