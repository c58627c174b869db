/**
 * Measurements for benches: each is a process of its own that measures itself, CPU time of all its
 * threads and the peak of its resident memory.
 */

import process from "node:process";
import { fromFileUrl } from "@std/path";

/** What some work cost. */
export interface Measurement {
  /** CPU time of all threads, s. */
  readonly cpu_s: number;
  /** Time on the clock, s: for the record, this machine is shared. */
  readonly wall_s: number;
  /** Peak resident memory, MiB. */
  readonly peak_mb: number;
}

/** Run the bench file `url` with `args` in a process of its own; it calls {@linkcode runMeasured}. */
export async function measure(url: string, args: readonly string[]): Promise<Measurement> {
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--config", config, fromFileUrl(url), ...args],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${args[0]} failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** Do `work`, and print what it cost. */
export async function runMeasured(work: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage();
  const status = await Deno.readTextFile("/proc/self/status");
  const measurement: Measurement = {
    cpu_s: (user + system) / 1e6,
    wall_s: (performance.now() - startMs) / 1000,
    peak_mb: Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024,
  };
  console.log(JSON.stringify(measurement));
}

/** The median of one field of `measurements`. */
export function median(
  measurements: readonly Measurement[],
  field: keyof Measurement,
): number {
  const sorted = measurements.map((one) => one[field]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
