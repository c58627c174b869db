/**
 * CPU time of a cgroup: `cpu.stat` of both versions, and the `cpuacct.usage_*` files of v1.
 *
 * @module
 */

import { nsToMs, usToMs } from "../../trace/units.ts";

/** CPU time of a cgroup and its descendants; null where the kernel does not tell. */
export interface CgroupCpu {
  /** In user mode. */
  readonly userMs: number | null;
  /** In the kernel. */
  readonly systemMs: number | null;
  /** Held back by a quota. */
  readonly throttledMs: number | null;
}

/**
 * The text of a `cpu.stat`: v2 counts µs (cgroup-v2.rst), v1 only knows the throttling, in ns
 * (sched-bwc.rst).
 */
export function parseCpuStat(text: string): CgroupCpu {
  const values = new Map(
    text.trim().split("\n").map((line) => {
      const [name = "", value = ""] = line.split(" ");
      return [name, Number(value)];
    }),
  );
  const inMs = (name: string, convert: (value: number) => number): number | null => {
    const value = values.get(name);
    return value === undefined || !Number.isFinite(value) ? null : convert(value);
  };
  return {
    userMs: inMs("user_usec", usToMs),
    systemMs: inMs("system_usec", usToMs),
    throttledMs: inMs("throttled_usec", usToMs) ?? inMs("throttled_time", nsToMs),
  };
}
