/**
 * The trace contract of Tracekit as a library: read a run's files, or write them from a launcher or
 * collector of your own. Everything else is a command (`deno task`).
 *
 * @example Count the readings of each process in a run
 * ```ts ignore
 * import { RAW_SAMPLE, readRecords, RunDir } from "./mod.ts";
 *
 * const path = RunDir.of("logs", "20250901T120000Z").procMetrics;
 * const counts = new Map<number, number>();
 * const onBadLine = ({ line, reason }) => console.error(`line ${line}: ${reason}`);
 * for await (const { pid } of readRecords(path, { decode: RAW_SAMPLE.decode, onBadLine })) {
 *   counts.set(pid, (counts.get(pid) ?? 0) + 1);
 * }
 * ```
 *
 * @module
 */

export * from "./trace/adapter_protocol.ts";
export * from "./trace/cts.ts";
export * from "./trace/json_lines.ts";
export * from "./trace/records.ts";
export * from "./trace/run_dir.ts";
export * from "./trace/schema.ts";
export * from "./trace/task.ts";
