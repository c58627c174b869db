/**
 * CPU time of a cgroup since it was made: `cpu.stat` of cgroup v2 (cgroup-v2.rst), `cpuacct.usage` of
 * cgroup v1 (cpuacct.rst). Parsing is pure.
 *
 * @module
 */

import { join } from "@std/path";
import { nsToMs, usToMs } from "../../trace/units.ts";
import { readTextIfThere } from "./procfs.ts";

/** A total and where it comes from. */
export interface CgroupCpu {
  /** CPU time of all its processes, those that ended too, ms. */
  readonly cpuMs: number;
  /** Which hierarchy counts it. */
  readonly source: "cgroup_v2" | "cgroup_v1";
}

/** `usage_usec` of cpu.stat, µs; null where it is not there. */
export function parseUsageUsec(text: string): number | null {
  const [, digits] = /^usage_usec (\d+)$/m.exec(text) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** CPU time of the cgroup `directory`; null where neither file can be read. */
export function readCgroupCpu(directory: string): CgroupCpu | null {
  const us = parseUsageUsec(readTextIfThere(join(directory, "cpu.stat")) ?? "");
  if (us !== null) return { cpuMs: usToMs(us), source: "cgroup_v2" };
  const text = readTextIfThere(join(directory, "cpuacct.usage"))?.trim() ?? "";
  return /^\d+$/.test(text) ? { cpuMs: nsToMs(Number(text)), source: "cgroup_v1" } : null;
}
