/**
 * Which source each exit total of an attempt is taken from. Pure.
 *
 * @module
 */

import type { InvocationEvent } from "../trace/records.ts";
import type { SeenPeak } from "./peak_memory.ts";
import type { CgroupTotals } from "./place/task_place.ts";
import type { ChildCpu } from "./start/children_counters.ts";
import type { Rusage } from "./start/wait_result.ts";

/** What is known when the last process of an attempt has ended. */
export interface ExitReadings {
  /** Of its cgroups; null: it had none. */
  readonly cgroup: CgroupTotals | null;
  /** Of wait4(2); null: not available. */
  readonly rusage: Rusage | null;
  /** By the launcher's counters for its children; null: not available. */
  readonly childCpu: ChildCpu | null;
  /** Peak memory of the launcher itself just after the spawn, kB, which ru_maxrss starts from. */
  readonly launcherPeakKb: number | null;
  /** Highest resident memory that was seen; null: it was never read. */
  readonly seenPeak: SeenPeak | null;
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
  | "memory_peak_source"
  | "throttled_ms"
  | "throttled_source"
  | "minor_faults"
  | "major_faults"
  | "voluntary_switches"
  | "involuntary_switches"
  | "read_blocks"
  | "written_blocks"
  | "counters_source"
>;

/** The best of `readings` for each total. */
export function exitTotals(readings: ExitReadings): ExitTotals {
  const { cgroup, rusage } = readings;
  return {
    ...cpuTotals(readings),
    ...memoryPeak(readings),
    memory_peak_kb: cgroup?.memoryPeakKb ?? null,
    memory_peak_source: cgroup?.memoryPeakSource ?? "none",
    throttled_ms: cgroup?.throttledMs ?? null,
    throttled_source: cgroup?.throttledSource ?? "none",
    minor_faults: rusage?.minorFaults ?? null,
    major_faults: rusage?.majorFaults ?? null,
    voluntary_switches: rusage?.voluntarySwitches ?? null,
    involuntary_switches: rusage?.involuntarySwitches ?? null,
    read_blocks: rusage?.readBlocks ?? null,
    written_blocks: rusage?.writtenBlocks ?? null,
    counters_source: rusage === null ? "none" : "rusage",
  };
}

function cpuTotals(
  { cgroup, rusage, childCpu }: ExitReadings,
): Pick<InvocationEvent, "user_ms" | "system_ms" | "cpu_source"> {
  if (cgroup !== null && cgroup.cpuSource !== null) {
    return { user_ms: cgroup.userMs, system_ms: cgroup.systemMs, cpu_source: cgroup.cpuSource };
  }
  if (rusage !== null) {
    return { user_ms: rusage.userMs, system_ms: rusage.systemMs, cpu_source: "rusage" };
  }
  if (childCpu === null) return { user_ms: null, system_ms: null, cpu_source: "none" };
  return { user_ms: childCpu.userMs, system_ms: childCpu.systemMs, cpu_source: "proc" };
}

/**
 * How far above the launcher's own peak ru_maxrss must be to be the process's own. The kernel's memory
 * counters are approximate per CPU, so that both figures waver. Worst outcome of a larger margin: a
 * peak in it comes from sampled VmHWM instead.
 */
const LAUNCHER_PEAK_MARGIN = 1.1;

function memoryPeak(
  { cgroup, rusage, launcherPeakKb, seenPeak }: ExitReadings,
): Pick<InvocationEvent, "max_rss_kb" | "max_rss_source"> {
  const found: Pick<InvocationEvent, "max_rss_kb" | "max_rss_source">[] = [];
  // Up to exec the child has the launcher's memory: only a higher peak is its own.
  const floorKb = (launcherPeakKb ?? Infinity) * LAUNCHER_PEAK_MARGIN;
  if (rusage !== null && rusage.maxRssKb > floorKb) {
    found.push({ max_rss_kb: rusage.maxRssKb, max_rss_source: "rusage" });
  }
  if (seenPeak !== null) {
    const max_rss_source = seenPeak.isSum ? "tree" : "vmhwm";
    found.push({ max_rss_kb: seenPeak.kb, max_rss_source });
  }
  const [best] = found.sort((a, b) => (b.max_rss_kb ?? 0) - (a.max_rss_kb ?? 0));
  if (best !== undefined) return best;
  // Over before it could be read: in so little time there is little page cache in the group's peak.
  const groupKb = cgroup?.memoryPeakKb ?? null;
  if (groupKb === null) return { max_rss_kb: null, max_rss_source: "none" };
  return { max_rss_kb: Math.round(groupKb), max_rss_source: cgroup?.memoryPeakSource ?? "none" };
}
