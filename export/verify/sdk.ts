/**
 * Checks experiments and topologies in the form of OpenDC's SDK (2026) against what its readers accept:
 * pure.
 *
 * Source: opendc-sdk-model and ExperimentImports of opendc-cli, OpenDC's master of 2026-07. Unknown keys
 * are errors with `opendc --strict` only, but are ignored silently without: here they are problems.
 *
 * @module
 */

import { someOf } from "./check.ts";
import { FREQUENCY_UNITS, MEMORY_UNITS, quantityOf, TIME_UNITS } from "./quantity.ts";

type Json = Readonly<Record<string, unknown>>;

/** Keys that each object may have, and those that it must have. */
const KEYS = {
  experiment: {
    known: [
      "name",
      "topologies",
      "workloads",
      "allocationPolicies",
      "failureModels",
      "maxNumFailures",
      "checkpointModels",
      "exportModels",
      "runs",
      "initialSeed",
    ],
    required: ["topologies", "workloads"],
  },
  topology: { known: ["clusters"], required: ["clusters"] },
  cluster: { known: ["name", "count", "hosts", "powerSource", "battery"], required: ["hosts"] },
  host: {
    known: [
      "name",
      "count",
      "cpu",
      "memory",
      "gpu",
      "cpuPowerModel",
      "gpuPowerModel",
      "cpuDistribution",
      "gpuDistribution",
    ],
    required: ["cpu", "memory"],
  },
  cpu: {
    known: ["coreCount", "coreSpeed", "count", "vendor", "modelName", "architecture"],
    required: ["coreCount", "coreSpeed"],
  },
  memory: { known: ["size", "speed", "vendor", "modelName", "architecture"], required: ["size"] },
} as const;

const FILTERS = [
  "compute",
  "sameHost",
  "differentHost",
  "instanceCount",
  "ram",
  "vcpuCapacity",
  "vcpu",
  "vgpu",
];
const WEIGHERS = ["ram", "coreRam", "instanceCount", "vcpuCapacity", "vcpu", "vgpu"];

/** What an experiment in this form says. */
export interface SdkExperiment {
  /** Files that it imports, relative to itself. */
  readonly imports: readonly string[];
  /** Workloads and other resources that it names, relative to itself. */
  readonly sources: readonly string[];
  /** What is wrong with it. */
  readonly problems: readonly string[];
}

/** Read the content of an experiment file in this form. */
export function readSdkExperiment(value: unknown): SdkExperiment {
  const problems: string[] = [];
  const imports: string[] = [];
  const sources: string[] = [];
  const experiment = objectOf(value, "experiment", problems);
  for (const topology of listOf(experiment.topologies)) {
    const { importFrom } = (topology ?? {}) as Json;
    if (typeof importFrom === "string") imports.push(importFrom);
    else problems.push(...sdkTopologyProblems(topology));
  }
  for (const workload of listOf(experiment.workloads)) {
    const { type, source, scalingPolicy } = (workload ?? {}) as Json;
    const { name } = (source ?? {}) as Json;
    if (type === "trace" && typeof name === "string") sources.push(name);
    else if (type !== "inline") problems.push('a workload is {type: "trace", source} or "inline"');
    if (scalingPolicy === "Perfect") problems.push("scalingPolicy Perfect never ends");
  }
  for (const policy of listOf(experiment.allocationPolicies)) {
    const { filters, weighers } = (policy ?? {}) as Json;
    problems.push(...tagProblems("filter", listOf(filters), FILTERS));
    problems.push(...tagProblems("weigher", listOf(weighers), WEIGHERS));
  }
  for (const model of listOf(experiment.exportModels)) {
    const { exportInterval } = (model ?? {}) as Json;
    if (exportInterval === undefined) continue;
    if (typeof exportInterval === "number") {
      problems.push(`exportInterval ${exportInterval} without a unit is ms`);
    } else if (quantityOf(exportInterval, TIME_UNITS) === null) {
      problems.push(`exportInterval ${JSON.stringify(exportInterval)} is not a duration`);
    }
  }
  return { imports, sources, problems };
}

/** What is wrong with a topology in this form. */
export function sdkTopologyProblems(value: unknown): string[] {
  const problems: string[] = [];
  const topology = objectOf(value, "topology", problems);
  for (const one of listOf(topology.clusters)) {
    const cluster = objectOf(one, "cluster", problems);
    for (const host of listOf(cluster.hosts)) problems.push(...hostProblems(host));
  }
  return problems;
}

function hostProblems(value: unknown): string[] {
  const problems: string[] = [];
  const host = objectOf(value, "host", problems);
  const { coreCount, coreSpeed } = objectOf(host.cpu, "cpu", problems);
  const { size } = objectOf(host.memory, "memory", problems);
  if (!Number.isSafeInteger(coreCount) || Number(coreCount) < 1) {
    problems.push(`coreCount ${JSON.stringify(coreCount)} is not whole`);
  }
  if (quantityOf(coreSpeed, FREQUENCY_UNITS) === null) {
    problems.push(`coreSpeed ${JSON.stringify(coreSpeed)} is not a frequency`);
  }
  if (typeof size !== "string" || quantityOf(size, MEMORY_UNITS) === null) {
    problems.push(`memory.size ${JSON.stringify(size)} is not a size with a unit`);
  }
  return problems;
}

function tagProblems(what: string, list: readonly unknown[], known: readonly string[]): string[] {
  const unknown = list.map((one) => String(((one ?? {}) as Json).type))
    .filter((tag) => !known.includes(tag));
  return unknown.map((tag) => `${what} ${tag} is unknown, one of ${known.join(", ")} is required`);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown, kind: keyof typeof KEYS, problems: string[]): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${kind} is not an object`);
    return {};
  }
  const known: readonly string[] = [...KEYS[kind].known, "importFrom"];
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) problems.push(`${kind} has unknown keys: ${someOf(unknown)}`);
  for (const key of KEYS[kind].required) {
    if (!(key in value)) problems.push(`${kind} has no ${key}`);
  }
  return value as Json;
}
