/**
 * Checks a topology and experiments against what OpenDC's readers accept: pure.
 *
 * Source: TopologySpecs and ExperimentSpec, v2.4f to master; an unknown key is an error up to v2.4u.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import { type Check, checkOf, someOf } from "./check.ts";
import { FREQUENCY_UNITS, MEMORY_UNITS, quantityOf } from "./quantity.ts";
import type { TaskTable } from "./workload.ts";

/** Keys that each object of a topology may have. */
const KEYS = {
  topology: ["clusters"],
  cluster: ["name", "count", "hosts", "powerSource", "battery"],
  host: ["name", "count", "cpu", "gpu", "memory", "cpuPowerModel", "gpuPowerModel"],
  cpu: ["modelName", "vendor", "arch", "count", "coreCount", "coreSpeed"],
  memory: ["modelName", "vendor", "arch", "memorySize", "memorySpeed"],
} as const;

/**
 * A bare memorySize above this is bytes by mistake: it is read as MiB, and 2^26 of them are 64 TiB, more
 * than any machine has. Worst outcome: the mistake goes unseen on a host of less than 64 MiB.
 */
const BARE_MIB_MAX = 2 ** 26;

/** The largest host of a topology in each respect. */
export interface LargestHost {
  /** Cores. */
  readonly coreCount: number;
  /** Memory, MiB. */
  readonly memoryMib: number;
}

/** What a topology was found to hold. */
export interface FoundTopology {
  /** Its check. */
  readonly check: Check;
  /** Its largest host; null where it is not a topology. */
  readonly largest: LargestHost | null;
}

/** Check a topology file's content. */
export function checkTopology(value: unknown): FoundTopology {
  const reader = new TopologyReader();
  for (const cluster of reader.listIn(reader.objectOf(value, "topology"), "clusters")) {
    for (const host of reader.listIn(reader.objectOf(cluster, "cluster"), "hosts")) {
      reader.readHost(host);
    }
  }
  const { problems, hosts, largest } = reader;
  if (hosts === 0) problems.push("there is no host");
  return { check: checkOf("topology", { problems, found: counted(hosts, "host") }), largest };
}

type Json = Readonly<Record<string, unknown>>;

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Reads a topology and gathers what is wrong with it. */
class TopologyReader {
  readonly problems: string[] = [];
  hosts = 0;
  largest: LargestHost | null = null;

  objectOf(value: unknown, kind: keyof typeof KEYS): Json {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.problems.push(`${kind} is not an object`);
      return {};
    }
    const known: readonly string[] = KEYS[kind];
    const unknown = Object.keys(value).filter((key) => !known.includes(key));
    if (unknown.length > 0) this.problems.push(`${kind} has unknown keys: ${someOf(unknown)}`);
    return value as Json;
  }

  listIn(object: Json, key: string): readonly unknown[] {
    const list = object[key];
    if (Array.isArray(list)) return list;
    this.problems.push(`${key} is not a list`);
    return [];
  }

  readHost(value: unknown): void {
    const host = this.objectOf(value, "host");
    const count = host.count ?? 1;
    if (!isWhole(count)) this.problems.push(`count ${JSON.stringify(count)} is not whole`);
    this.hosts += Number(count);
    const cpu = this.objectOf(host.cpu, "cpu");
    const { coreCount, coreSpeed } = cpu;
    if (!isWhole(coreCount)) {
      this.problems.push(`coreCount ${JSON.stringify(coreCount)} is not whole`);
    }
    if (quantityOf(coreSpeed, FREQUENCY_UNITS) === null) {
      this.problems.push(`coreSpeed ${JSON.stringify(coreSpeed)} is no frequency`);
    }
    const memoryMib = this.#memoryOf(this.objectOf(host.memory, "memory"));
    this.largest = largerOf(this.largest, {
      coreCount: Number(coreCount),
      memoryMib: memoryMib ?? NaN,
    });
  }

  #memoryOf({ memorySize }: Json): number | null {
    const memoryMib = quantityOf(memorySize, MEMORY_UNITS);
    if (memoryMib === null) {
      this.problems.push(`memorySize ${JSON.stringify(memorySize)} is no size`);
    }
    if (typeof memorySize === "number" && memorySize > BARE_MIB_MAX) {
      this.problems.push(`memorySize ${memorySize} without a unit is MiB: it looks like bytes`);
    }
    return memoryMib;
  }
}

function largerOf(a: LargestHost | null, b: LargestHost): LargestHost {
  if (a === null) return b;
  return {
    coreCount: Math.max(a.coreCount, b.coreCount),
    memoryMib: Math.max(a.memoryMib, b.memoryMib),
  };
}

/** Check that every task fits into some host: OpenDC lets one that does not wait forever. */
export function checkFit(tasks: TaskTable, largest: LargestHost): Check {
  const problems: string[] = [];
  const cores = tasks.cpuCount.reduce((max, one) => Math.max(max, one), 0);
  if (cores > largest.coreCount) {
    problems.push(`a task reserves ${cores} cores, the largest host has ${largest.coreCount}`);
  }
  const memoryMib = tasks.memCapacity.reduce((max, one) => Math.max(max, one), 0) / 1000;
  if (memoryMib > largest.memoryMib) {
    problems.push(
      `a task needs ${memoryMib} MiB (mem_capacity / 1000), the largest host has ${largest.memoryMib}`,
    );
  }
  return checkOf("tasks_fit", {
    problems,
    found: `at most ${cores} cores and ${Math.round(memoryMib)} MiB`,
  });
}

/** What an experiment file says: the paths that it names, and what is wrong with it by itself. */
export interface ReadExperiment {
  /** Topologies and workloads, relative to where OpenDC is started. */
  readonly paths: readonly string[];
  /** What is wrong. */
  readonly problems: readonly string[];
}

/** Read the content of an experiment file. */
export function readExperiment(value: unknown): ReadExperiment {
  if (typeof value !== "object" || value === null) {
    return { paths: [], problems: ["is not an object"] };
  }
  const reader = new TopologyReader();
  const paths: string[] = [];
  for (const key of ["topologies", "workloads"] as const) {
    for (const one of reader.listIn(value as Json, key)) {
      const { pathToFile, scalingPolicy } = one as Json;
      if (typeof pathToFile === "string") paths.push(pathToFile);
      else reader.problems.push(`${key}: pathToFile is required`);
      if (scalingPolicy === "Perfect") reader.problems.push("scalingPolicy Perfect never ends");
    }
  }
  return { paths, problems: reader.problems };
}
