/**
 * Which source each exit total of an attempt is taken from. Pure.
 *
 * @module
 */

import type { InvocationEvent } from "../trace/records.ts";
import type { CgroupTotals } from "./place/task_place.ts";
import type { Rusage } from "./start/wait_result.ts";

/** What is known when the last process of an attempt has ended. */
export interface ExitReadings {
  /** Of its cgroups; null: it had none. */
  readonly cgroup: CgroupTotals | null;
  /** Of wait4(2); null: not available. */
  readonly rusage: Rusage | null;
  /** Peak memory of the launcher itself just after the spawn, kB, which ru_maxrss starts from. */
  readonly launcherPeakKb: number | null;
  /** Highest VmHWM that was seen, kB. */
  readonly seenPeakKb: number | null;
}

/** The totals of an event. */
export type ExitTotals = Pick<
  InvocationEvent,
  | "user_ms"
  | "system_ms"
  | "cpu_source"
  | "max_rss_kb"
  | "max_rss_source"
  | "memory_peak_kb"
  | "throttled_ms"
  | "minor_faults"
  | "major_faults"
  | "voluntary_switches"
  | "involuntary_switches"
  | "read_blocks"
  | "written_blocks"
>;

/** The best of `readings` for each total. */
export function exitTotals({ cgroup, rusage, ...peaks }: ExitReadings): ExitTotals {
  return {
    ...cpuTotals(cgroup, rusage),
    ...memoryPeak(rusage, peaks),
    memory_peak_kb: cgroup?.memoryPeakKb ?? null,
    throttled_ms: cgroup?.throttledMs ?? null,
    minor_faults: rusage?.minorFaults ?? null,
    major_faults: rusage?.majorFaults ?? null,
    voluntary_switches: rusage?.voluntarySwitches ?? null,
    involuntary_switches: rusage?.involuntarySwitches ?? null,
    read_blocks: rusage?.readBlocks ?? null,
    written_blocks: rusage?.writtenBlocks ?? null,
  };
}

function cpuTotals(
  cgroup: CgroupTotals | null,
  rusage: Rusage | null,
): Pick<InvocationEvent, "user_ms" | "system_ms" | "cpu_source"> {
  if (cgroup !== null && cgroup.cpuSource !== null) {
    return { user_ms: cgroup.userMs, system_ms: cgroup.systemMs, cpu_source: cgroup.cpuSource };
  }
  if (rusage === null) return { user_ms: null, system_ms: null, cpu_source: "none" };
  return { user_ms: rusage.userMs, system_ms: rusage.systemMs, cpu_source: "rusage" };
}

/**
 * How far above the launcher's own peak ru_maxrss must be to be the process's own. The kernel's memory
 * counters are approximate per CPU, so that both figures waver. Worst outcome of a larger margin: a
 * peak in it comes from sampled VmHWM instead.
 */
const LAUNCHER_PEAK_MARGIN = 1.1;

function memoryPeak(
  rusage: Rusage | null,
  { launcherPeakKb, seenPeakKb }: Pick<ExitReadings, "launcherPeakKb" | "seenPeakKb">,
): Pick<InvocationEvent, "max_rss_kb" | "max_rss_source"> {
  // Up to exec the child has the launcher's memory: only a higher peak is its own.
  const floorKb = (launcherPeakKb ?? Infinity) * LAUNCHER_PEAK_MARGIN;
  if (rusage !== null && rusage.maxRssKb > floorKb) {
    return { max_rss_kb: rusage.maxRssKb, max_rss_source: "rusage" };
  }
  if (seenPeakKb !== null) return { max_rss_kb: seenPeakKb, max_rss_source: "vmhwm" };
  return { max_rss_kb: null, max_rss_source: "none" };
}
