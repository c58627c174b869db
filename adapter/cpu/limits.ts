/**
 * Limits on a task's CPU use, as each kind of control writes them. Pure.
 *
 * @module
 */

import { formatCpuList } from "../../trace/cpu_list.ts";

/** What a task may use; null: not limited. */
export interface CpuLimits {
  /** CPUs that it may run on. */
  readonly cpus: readonly number[] | null;
  /** CPU time per time: 1.5 is one and a half cores. */
  readonly quotaCores: number | null;
  /** Weight against its neighbours, 1 to 10,000; 100 is the default of cgroup v2 and systemd. */
  readonly weight: number | null;
}

/** A value and the file that it is written to. */
export type FileValue = readonly [file: string, value: string];

/**
 * Period over which a quota counts, µs: the kernel's default. A shorter one slices finer and costs more
 * throttling; worst outcome of this one: a task that used up its quota is paused for up to 100 ms.
 */
const PERIOD_US = 100_000;
/** Smallest quota that the kernel takes, µs (sched-bwc.rst). */
const MIN_QUOTA_US = 1000;
/** Weight of a group that nobody gave one, in cgroup v2 and systemd. */
const DEFAULT_WEIGHT = 100;
/** `cpu.shares` of v1 that means the same. */
const DEFAULT_SHARES = 1024;
/** Smallest `cpu.shares`, sched(7). */
const MIN_SHARES = 2;
const MAX_WEIGHT = 10_000;

/** Weight of a task of `units` vCPUs, within what cgroup v2 takes. */
export function weightOf(units: number, weightPerUnit: number): number {
  return Math.min(units * weightPerUnit, MAX_WEIGHT);
}

/** The file that holds a group's weight, in either version. */
export function weightValue(weight: number | null, version: 1 | 2): FileValue {
  const own = weight ?? DEFAULT_WEIGHT;
  if (version === 2) return ["cpu.weight", String(Math.min(own, MAX_WEIGHT))];
  const shares = Math.round(own * DEFAULT_SHARES / DEFAULT_WEIGHT);
  return ["cpu.shares", String(Math.max(shares, MIN_SHARES))];
}

/** Files of cgroup v2, cgroup-v2.rst; of the controller `cpuset` only where CPUs are limited. */
export function cgroupV2Values(limits: CpuLimits): FileValue[] {
  const { quotaCores, weight } = limits;
  const quota = quotaCores === null ? "max" : String(quotaUs(quotaCores));
  return [
    weightValue(weight, 2),
    ["cpu.max", `${quota} ${PERIOD_US}`],
    ...cpusetValues(limits),
  ];
}

/** Files of the v1 controller `cpu`, sched-bwc.rst. */
export function cgroupV1CpuValues({ quotaCores, weight }: CpuLimits): FileValue[] {
  return [
    weightValue(weight, 1),
    ["cpu.cfs_period_us", String(PERIOD_US)],
    ["cpu.cfs_quota_us", String(quotaCores === null ? -1 : quotaUs(quotaCores))],
  ];
}

/** The file of the controller `cpuset`, the same in both versions; none where CPUs are not limited. */
export function cpusetValues({ cpus }: CpuLimits): FileValue[] {
  return cpus === null ? [] : [["cpuset.cpus", formatCpuList(cpus)]];
}

/** Properties of a systemd unit, systemd.resource-control(5). */
export function systemdProperties({ cpus, quotaCores, weight }: CpuLimits): string[] {
  return [
    "CPUAccounting=yes",
    `CPUWeight=${weight ?? DEFAULT_WEIGHT}`,
    // An empty value takes the limit away.
    `CPUQuota=${quotaCores === null ? "" : `${quotaPercent(quotaCores)}%`}`,
    ...(cpus === null ? [] : [`AllowedCPUs=${formatCpuList(cpus)}`]),
  ];
}

/** A quota as systemd and the records count: 100 is one core, two decimals. */
export function quotaPercent(quotaCores: number): number {
  return Math.round(quotaCores * 10_000) / 100;
}

function quotaUs(quotaCores: number): number {
  return Math.max(Math.round(quotaCores * PERIOD_US), MIN_QUOTA_US);
}
