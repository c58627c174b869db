/**
 * Which CPUs are threads of one core and which cores are in one NUMA node, from
 * /sys/devices/system/{cpu,node} (sysfs-devices-system-cpu).
 *
 * @module
 */

import { join } from "@std/path";
import { parseCpuList } from "../../trace/cpu_list.ts";

/** One logical CPU and its place. */
export interface CpuPlace {
  /** Its number. */
  readonly cpu: number;
  /** The physical core: the lowest CPU of its SMT siblings. */
  readonly core: number;
  /** NUMA node. */
  readonly node: number;
}

/**
 * The places of `cpus`, neighbours beside each other: by node, then core, then thread. A machine that
 * does not tell counts as one node of single-threaded cores.
 *
 * @param sysfs Where sysfs(5) is mounted.
 */
export function readCpuTopology(cpus: readonly number[], sysfs = "/sys"): CpuPlace[] {
  const nodes = readNodes(join(sysfs, "devices/system/node"));
  const places = cpus.map((cpu) => {
    const path = join(sysfs, `devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    const siblings = readList(path) ?? [cpu];
    return { cpu, core: Math.min(...siblings), node: nodes.get(cpu) ?? 0 };
  });
  return places.sort((a, b) => a.node - b.node || a.core - b.core || a.cpu - b.cpu);
}

function readNodes(folder: string): Map<number, number> {
  const nodes = new Map<number, number>();
  for (const node of readList(join(folder, "online")) ?? []) {
    for (const cpu of readList(join(folder, `node${node}/cpulist`)) ?? []) nodes.set(cpu, node);
  }
  return nodes;
}

function readList(path: string): number[] | null {
  try {
    const text = Deno.readTextFileSync(path).trim();
    // A node of memory without CPUs has an empty list.
    return text === "" ? [] : parseCpuList(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
