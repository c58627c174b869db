/**
 * What kind of machine this is, from /proc and /sys, without a subprocess.
 *
 * @module
 */

import { BOOT_ID_FILE } from "../trace/linux/boot_id.ts";
import { join } from "@std/path";
import type { ClockReading } from "../trace/clock.ts";
import { FORMAT_VERSION, type NodeMeta } from "../trace/records.ts";
import { kbToMib, roundToUs } from "../trace/units.ts";
import { type CpuInfo, parseCpuInfo } from "./proc/cpuinfo.ts";
import { parseCpuList } from "../trace/cpu_list.ts";
import { parseMeminfo } from "./proc/meminfo.ts";
import { parseCgroupVersion } from "../trace/linux/mounts.ts";
import { interfaceTowards, parseIpv4, parseNetRoute } from "./proc/net_route.ts";
import { type Procfs, readTextIfThere } from "./proc/procfs.ts";

/** What describes the node besides the machine itself. */
export interface NodeMetaOptions {
  /** RUN_ID. */
  readonly runId: string;
  /** NODE_ID. */
  readonly nodeId: string;
  /** STAGE; null: none. */
  readonly stage: string | null;
  /** Where sysfs is mounted. */
  readonly sysfs: string;
  /** CPUs of the machine that belong to this node; null: all. */
  readonly cpus: string | null;
  /** Cores that the roles of this node may use, `availableCores()`; null: all that are online. */
  readonly availableCores: number | null;
  /** CPU_FREQ_MHZ; null: as the machine says. */
  readonly frequencyMhz: number | null;
  /** VM_IP: the address whose route names the interface; null: the default route. */
  readonly address: string | null;
  /** IFACE: the interface, where it is given. */
  readonly interface: string | null;
  /** Both clocks now. */
  readonly now: ClockReading;
}

/**
 * The node's metadata.
 *
 * @throws {RangeError} when `cpus` names a CPU that the machine does not have.
 */
export function readNodeMeta(procfs: Procfs, options: NodeMetaOptions): NodeMeta {
  const cpuInfo = parseCpuInfo(procfs.readIfThere("cpuinfo") ?? "");
  const online = onlineCpus(procfs, { sysfs: options.sysfs, cpuInfo });
  const own = options.cpus === null ? null : ownCpus(options.cpus, online);
  const frequency = frequencyOf(cpuInfo, own ?? online, options);
  // A cpuset or a quota leaves a worker fewer than the machine has.
  const usable = Math.min(options.availableCores ?? Infinity, online.length);
  const memKb = procfs.parse("meminfo", parseMeminfo)?.get("MemTotal") || null;
  return {
    format_version: FORMAT_VERSION,
    run_id: options.runId,
    node_id: options.nodeId,
    stage: options.stage,
    host_name: lineOf(procfs, "sys/kernel/hostname"),
    boot_id: lineOf(procfs, BOOT_ID_FILE),
    ts_ms: options.now.tsMs,
    boot_ms: options.now.bootMs,
    cpu_cores: own?.length ?? usable,
    cpus: options.cpus,
    machine_cores: online.length,
    cpu_model: cpuInfo.model,
    cpu_freq_mhz: frequency?.mhz ?? null,
    cpu_freq_source: frequency?.source ?? null,
    mem_kb: memKb,
    mem_mb: memKb === null ? null : kbToMib(memKb),
    interface: options.interface ?? readInterface(procfs, options.address),
    kernel: lineOf(procfs, "sys/kernel/osrelease"),
    cgroup_version: parseCgroupVersion(procfs.readIfThere("self/mounts") ?? ""),
  };
}

/** The CPUs that are online: sysfs knows their numbers, /proc/cpuinfo at least how many. */
function onlineCpus(
  procfs: Procfs,
  { sysfs, cpuInfo: { coreCount } }: { readonly sysfs: string; readonly cpuInfo: CpuInfo },
): number[] {
  const path = join(sysfs, "devices/system/cpu/online");
  const text = readTextIfThere(path);
  const online = text === null ? null : procfs.problems.try(path, () => parseCpuList(text));
  if (online !== null) return online;
  // A machine runs on one core at least, also where nothing tells how many there are.
  return Array.from({ length: Math.max(1, coreCount) }, (_, cpu) => cpu);
}

function ownCpus(list: string, online: readonly number[]): number[] {
  const cpus = parseCpuList(list);
  const missing = cpus.filter((cpu) => !online.includes(cpu));
  if (missing.length === 0) return cpus;
  throw new RangeError(
    `Cannot use CPUs "${list}": CPUs of this machine (${online.join(",")}) are required, got ${
      missing.join(",")
    }`,
  );
}

interface Frequency {
  readonly mhz: number;
  readonly source: NonNullable<NodeMeta["cpu_freq_source"]>;
}

function frequencyOf(
  cpuInfo: CpuInfo,
  cpus: readonly number[],
  { frequencyMhz, sysfs }: NodeMetaOptions,
): Frequency | null {
  if (frequencyMhz !== null) return { mhz: frequencyMhz, source: "override" };
  const maxKhz = cpus.map((cpu) => {
    const file = `devices/system/cpu/cpu${cpu}/cpufreq/cpuinfo_max_freq`;
    return Number(readTextIfThere(join(sysfs, file)) ?? NaN);
  }).filter((khz) => khz > 0 && khz < Infinity);
  if (maxKhz.length > 0) {
    // Cores of two kinds (big.LITTLE) together can do what as many of their mean can.
    const meanKhz = maxKhz.reduce((sum, khz) => sum + khz, 0) / maxKhz.length;
    return { mhz: roundToUs(meanKhz / 1000), source: "cpufreq_max" };
  }
  const mhz = cpuInfo.frequencyMhz;
  return mhz === null ? null : { mhz, source: "cpuinfo" };
}

/** A name or an IPv6 address has no route here: then the default route names the interface. */
function readInterface(procfs: Procfs, address: string | null): string | null {
  const routes = procfs.parseIfThere("net/route", parseNetRoute) ?? [];
  return interfaceTowards(routes, address === null ? null : parseIpv4(address)) ??
    interfaceTowards(routes, null);
}

function lineOf(procfs: Procfs, name: string): string | null {
  return procfs.readIfThere(name)?.trim() || null;
}
