/**
 * The nodes of a run as OpenDC's topology: pure.
 *
 * Source: TopologySpecs of opendc-compute-topology. A bare `coreSpeed` is MHz; `memorySize` carries its
 * unit, for a bare one is MiB; unknown keys are errors, so that none is added.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import type { CtsNode } from "../../trace/cts.ts";
import { kbToMib } from "../../trace/units.ts";
import type { PowerModel } from "../power/models.ts";

/** A host of the topology as OpenDC reads it. */
export interface HostSpec {
  /** Name; with a count, of the first of them. */
  readonly name: string;
  /** How many such hosts. */
  readonly count: number;
  /** Cores, and the speed of each in MHz. */
  readonly cpu: { readonly coreCount: number; readonly coreSpeed: number };
  /** Memory with its unit. */
  readonly memory: { readonly memorySize: string };
  /** Its power model, W; default: OpenDC's, linear from 200 to 400 W. */
  readonly cpuPowerModel?: PowerModel;
}

/** The topology file. */
export interface TopologySpec {
  /** The clusters; ours has one. */
  readonly clusters: readonly ClusterSpec[];
}

/** A cluster of the topology. */
export interface ClusterSpec {
  /** Name. */
  readonly name: string;
  /** Its hosts. */
  readonly hosts: readonly HostSpec[];
  /** What feeds it, with its carbon trace, relative to where OpenDC is started; default: no carbon. */
  readonly powerSource?: { readonly carbonTracePath: string };
}

/** `topology` fed with the carbon intensities of the file `carbonTracePath`. */
export function withCarbon({ clusters }: TopologySpec, carbonTracePath: string): TopologySpec {
  return { clusters: clusters.map((one) => ({ ...one, powerSource: { carbonTracePath } })) };
}

/** A node and the frequency that its tasks were exported with. */
export interface HostNode {
  /** The node. */
  readonly node: CtsNode;
  /** Frequency of a core, MHz. */
  readonly freqMhz: number;
  /** Its power model; null: not calibrated. */
  readonly power?: PowerModel | null;
}

/** A topology, and which node each simulated host stands for. */
export interface Topology {
  /** The file. */
  readonly spec: TopologySpec;
  /** NODE_ID by the host's name in OpenDC's output. */
  readonly nodeOfHost: Readonly<Record<string, string>>;
}

/** vCPUs that a node offers: its worker's capacity, else its cores. */
export function vcpusOf({ capacity_units, cpu_cores }: CtsNode): number {
  return capacity_units ?? cpu_cores;
}

/** True where a node offers other than its cores: the host is then emulated. */
function isEmulated(node: CtsNode): boolean {
  return vcpusOf(node) !== node.cpu_cores;
}

/**
 * The topology of `nodes`, in their order, which is the order in which OpenDC tries the hosts. Identical
 * hosts that follow one another become one entry with a count; `count: N` named H is H, H-0, H-1, … in
 * the output.
 *
 * A host offers as many cores as its worker had vCPUs, at a speed that leaves the machine's total as it
 * is: OpenDC hangs when a host holds more tasks than cores, so that over-provisioning is expressed in
 * the cores and not in a ratio.
 */
export function topologyOf(nodes: readonly HostNode[]): Topology {
  const hosts: HostSpec[] = [];
  const nodeOfHost: Record<string, string> = {};
  for (const { node, freqMhz, power = null } of nodes) {
    const coreCount = vcpusOf(node);
    const host: HostSpec = {
      name: node.node_id,
      count: 1,
      cpu: { coreCount, coreSpeed: (freqMhz * node.cpu_cores) / coreCount },
      memory: { memorySize: `${memoryMib(node)} MiB` },
      ...(power === null ? {} : { cpuPowerModel: power }),
    };
    const last = hosts.at(-1);
    if (last !== undefined && isSameHost(last, host)) {
      nodeOfHost[`${last.name}-${last.count - 1}`] = node.node_id;
      hosts[hosts.length - 1] = { ...last, count: last.count + 1 };
    } else {
      nodeOfHost[host.name] = node.node_id;
      hosts.push(host);
    }
  }
  return { spec: { clusters: [{ name: "C01", hosts }] }, nodeOfHost };
}

function isSameHost(a: HostSpec, b: HostSpec): boolean {
  return a.cpu.coreCount === b.cpu.coreCount && a.cpu.coreSpeed === b.cpu.coreSpeed &&
    a.memory.memorySize === b.memory.memorySize &&
    JSON.stringify(a.cpuPowerModel) === JSON.stringify(b.cpuPowerModel);
}

/**
 * Memory of a node, MiB: as rounded by parse, else as found. Where neither is known, 1 TiB: the
 * experiments have no memory filter, and OpenDC only refuses a task larger than the whole host.
 */
function memoryMib({ mem_mb, mem_kb_exact }: CtsNode): number {
  // OpenDC takes whole MiB: less than one is one.
  if (mem_mb !== null && mem_mb > 0) return Math.max(1, Math.round(mem_mb));
  return mem_kb_exact === null
    ? UNKNOWN_MEMORY_MIB
    : Math.max(1, Math.round(kbToMib(mem_kb_exact)));
}

/** Stands for memory that is not known: above any task of one machine. */
const UNKNOWN_MEMORY_MIB = 1024 * 1024;

/** What is to be known about the hosts before simulating, one sentence each. */
export function topologyNotes(nodes: readonly HostNode[]): string[] {
  const notes: string[] = [];
  const emulated = nodes.filter(({ node }) => isEmulated(node)).map(({ node }) =>
    `${node.node_id} (${counted(node.cpu_cores, "core")} for ${counted(vcpusOf(node), "vCPU")})`
  );
  if (emulated.length > 0) {
    notes.push(
      `Hosts have as many cores as their workers offered vCPUs, at a speed that keeps the machine's ` +
        `total: ${emulated.join(", ")}.`,
    );
  }
  const unknown = nodes.filter(({ node }) => isMemoryUnknown(node)).map(({ node }) => node.node_id);
  if (unknown.length > 0) {
    notes.push(`Memory is not on record, 1 TiB stands for it: ${unknown.join(", ")}.`);
  }
  return notes;
}

function isMemoryUnknown({ mem_mb, mem_kb_exact }: CtsNode): boolean {
  return !(mem_mb !== null && mem_mb > 0) && mem_kb_exact === null;
}

/** What is to be known about the power models: nothing where no host has one. */
export function powerNotes(hosts: readonly HostNode[]): string[] {
  const namesOf = (some: readonly HostNode[]) => some.map(({ node }) => node.node_id).join(", ");
  const without = hosts.filter(({ power = null }) => power === null);
  const endless = hosts.filter(({ power }) => power?.modelType === "mse");
  const notes: string[] = [];
  if (without.length > 0 && without.length < hosts.length) {
    notes.push(
      `The power model of ${namesOf(without)} is not calibrated: OpenDC's default is used.`,
    );
  }
  if (endless.length > 0) {
    notes.push(
      `WARNING: OpenDC 2.4f does not end with the power model mse (${namesOf(endless)}): ` +
        `choose another model for it, or use a later OpenDC.`,
    );
  }
  return notes;
}
