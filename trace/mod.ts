/**
 * The trace contract of Tracekit as a library: write a run's files from a launcher or collector of your
 * own, read them, and read what `parse` made of them.
 *
 * @example A collector of your own, and what its readings say
 * ```ts
 * import { JsonLinesWriter, RAW_SAMPLE, type RawSample, readRecords, RunDir } from "@tracekit/tracekit/trace";
 * import { assertEquals } from "@std/assert";
 *
 * const run = RunDir.of(await Deno.makeTempDir(), "20250901T120000Z");
 * await Deno.mkdir(run.path);
 * {
 *   using samples = JsonLinesWriter.open(run.procMetrics);
 *   const reading = { pid: 42, start_ticks: 100, rss_kb: 2048 };
 *   samples.append([{ ...reading, ts_ms: 0, cpu_ns: 0 }, { ...reading, ts_ms: 200, cpu_ns: 5e7 }]);
 * }
 *
 * const last = new Map<number, RawSample>();
 * const onBadLine = ({ line, reason }: { line: number; reason: string }) => {
 *   throw new Error(`line ${line}: ${reason}`);
 * };
 * for await (
 *   const sample of readRecords(run.procMetrics, { decode: RAW_SAMPLE.decode, onBadLine })
 * ) last.set(sample.pid, sample);
 * // 50 ms of CPU time in 200 ms.
 * assertEquals([last.get(42)?.ts_ms, last.get(42)?.cpu_ns], [200, 50_000_000]);
 * ```
 *
 * @module
 */

export * from "./cts.ts";
export * from "./json_lines.ts";
export * from "./records.ts";
export * from "./run_dir.ts";
export * from "./schema.ts";
export * from "./task.ts";
