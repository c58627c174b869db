/**
 * The same experiments and topologies in the form of OpenDC's SDK (2026), for `opendc run`: pure.
 *
 * Source: opendc-sdk-model and opendc-cli of OpenDC's master, 2026-07. Quantities are strings with
 * units, tags are in lower camel case, and every path is relative to the file that names it.
 *
 * @module
 */

import type { ExperimentSpec } from "./experiment.ts";
import type { PowerModel } from "../power/models.ts";
import type { TopologySpec } from "./topology.ts";

/** Folder of an export for the files in this form. */
export const SDK_FOLDER = "sdk";

/** File of an experiment in this form, relative to the export. */
export function sdkFileOf(experiment: string): string {
  return `${SDK_FOLDER}/${experiment}.json`;
}

/** File of an experiment's topology in this form, relative to the export. */
export function sdkTopologyFileOf(experiment: string): string {
  return `${SDK_FOLDER}/topology-${experiment}.json`;
}

/** A topology in this form. */
export function sdkTopologyOf({ clusters }: TopologySpec): Record<string, unknown> {
  return {
    clusters: clusters.map(({ name, hosts, powerSource }) => ({
      name,
      ...(powerSource === undefined ? {} : {
        powerSource: { carbon: { type: "named", name: `../${powerSource.carbonTracePath}` } },
      }),
      hosts: hosts.map((host) => ({
        name: host.name,
        count: host.count,
        cpu: { coreCount: host.cpu.coreCount, coreSpeed: `${host.cpu.coreSpeed} MHz` },
        memory: { size: host.memory.memorySize },
        ...(host.cpuPowerModel === undefined
          ? {}
          : { cpuPowerModel: sdkPower(host.cpuPowerModel) }),
      })),
    })),
  };
}

function sdkPower({ modelType, ...model }: PowerModel): Record<string, unknown> {
  const watts = (value: number) => `${value} Watts`;
  return {
    ...model,
    type: modelType,
    power: watts(model.power),
    idlePower: watts(model.idlePower),
    maxPower: watts(model.maxPower),
  };
}

/** An experiment in this form, for {@linkcode SDK_FOLDER}, with its topology beside it. */
export function sdkExperimentOf(experiment: ExperimentSpec): Record<string, unknown> {
  return {
    name: experiment.name,
    topologies: [{ importFrom: `topology-${experiment.name}.json` }],
    workloads: experiment.workloads.map(({ pathToFile }) => ({
      type: "trace",
      source: { type: "named", name: pathToFile === "." ? ".." : `../${pathToFile}` },
    })),
    allocationPolicies: experiment.allocationPolicies.map(({ type, filters, weighers }) => ({
      type,
      filters: filters.map(inSdkNames),
      weighers: weighers.map(inSdkNames),
    })),
    exportModels: experiment.exportModels.map(({ exportInterval, printFrequency }) => ({
      exportInterval: `${exportInterval} seconds`,
      printFrequency,
    })),
    runs: 1,
  };
}

/** Tags of the SDK by those of the older form. */
const SDK_TAGS: Readonly<Record<string, string>> = {
  Compute: "compute",
  VCpu: "vcpu",
  Ram: "ram",
  InstanceCount: "instanceCount",
};

function inSdkNames(
  one: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  const tag = SDK_TAGS[String(one.type)];
  if (tag === undefined) {
    throw new RangeError(
      `Cannot write "${one.type}" for OpenDC's SDK: one of ${Object.keys(SDK_TAGS).join(", ")} ` +
        `is required`,
    );
  }
  return { ...one, type: tag };
}
