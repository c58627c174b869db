/**
 * One line of `proc_metrics.jsonl`. A thousand processes make thousands of lines a second, so the line
 * is put together as text; what stays the same for a process is put together once.
 *
 * @module
 */

import type { RawSample } from "../trace/records.ts";
import type { Reading } from "./process_reader.ts";

/** What names a process in each of its samples. */
export type SampleIdentity = Pick<RawSample, "pid" | "start_ticks" | "trace_id">;

/** The part of a line that is the same in every sample of a process. */
export function identityPart({ pid, start_ticks, trace_id }: SampleIdentity): string {
  return `,"pid":${pid},"start_ticks":${start_ticks},"trace_id":${JSON.stringify(trace_id)}`;
}

/**
 * The line of one reading, newline included: a raw sample without the fields that were not read.
 *
 * @param identity What {@linkcode identityPart} gave for the process.
 * @param hwmKb VmHWM, kB, where it was read at this time.
 */
export function sampleLine(identity: string, reading: Reading, hwmKb: number | null): string {
  const cpu = reading.cpuNs === null
    ? `,"utime":${reading.utime},"stime":${reading.stime}`
    : `,"cpu_ns":${reading.cpuNs}`;
  const hwm = hwmKb === null ? "" : `,"hwm_kb":${hwmKb}`;
  return `{"ts_ms":${reading.tsMs},"boot_ms":${reading.bootMs}${identity}${cpu},"rss_kb":${reading.rssKb}${hwm}}\n`;
}
