/**
 * Experiment files for OpenDCExperimentRunner: pure.
 *
 * Source: ExperimentSpec and AllocationPolicySpec of opendc-experiments-base, v2.4f to master. The
 * scaling policy stays at its default NoDelay: `Perfect` never ends on ordinary traces in v2.4u.
 *
 * @module
 */

import type { WeigherTerm } from "../../trace/weighers.ts";

/**
 * Times of the replay are multiplied by this, so that OpenDC's scheduling tick of one second, which
 * cannot be configured, becomes a millisecond of the run.
 */
export const REPLAY_TIME_FACTOR = 1000;

/** How the run's scheduler placed. */
export interface Policy {
  /** The terms of a host's weight; none: first-fit. */
  readonly weighers: readonly WeigherTerm[];
  /** Slots of every node; null: capacity only, or they differ. */
  readonly slots: number | null;
}

/** The experiment file. */
export interface ExperimentSpec {
  /** Name, and the folder under `output/`. */
  readonly name: string;
  /** The topology. */
  readonly topologies: readonly { readonly pathToFile: string }[];
  /** The workload. */
  readonly workloads: readonly { readonly pathToFile: string; readonly type: "ComputeWorkload" }[];
  /** Filters and weighers. */
  readonly allocationPolicies: readonly {
    readonly type: "filter";
    readonly filters: readonly Readonly<Record<string, string | number>>[];
    readonly weighers: readonly Readonly<Record<string, string | number>>[];
  }[];
  /** How often a line of output is written, simulated s. */
  readonly exportModels: readonly {
    readonly exportInterval: number;
    readonly printFrequency: null;
  }[];
}

/** What an experiment runs on. */
export interface ExperimentOptions {
  /** Name, and the folder under `output/`. */
  readonly name: string;
  /** Topology file, relative to where the runner is started. */
  readonly topology: string;
  /** Folder of the workload, relative to where the runner is started. */
  readonly workload: string;
  /** How to place. */
  readonly policy: Policy;
  /** Simulated seconds between two lines of output. */
  readonly exportIntervalS: number;
}

/** An experiment with the given placement. */
export function experimentOf(
  { name, topology, workload, policy, exportIntervalS }: ExperimentOptions,
): ExperimentSpec {
  const filters: Record<string, string | number>[] = [
    { type: "Compute" },
    // Over-provisioning is in the hosts' cores: the ratio stays 1.
    { type: "VCpu", allocationRatio: 1 },
  ];
  if (policy.slots !== null) filters.push({ type: "InstanceCount", limit: policy.slots });
  return {
    name,
    topologies: [{ pathToFile: topology }],
    workloads: [{ pathToFile: workload, type: "ComputeWorkload" }],
    allocationPolicies: [{ type: "filter", filters, weighers: policy.weighers.map(opendcWeigher) }],
    exportModels: [{ exportInterval: exportIntervalS, printFrequency: null }],
  };
}

/**
 * OpenDC scales and adds weights as the scheduler does, and prefers the highest: InstanceCount counts
 * tasks, VCpu free vCPUs where the scheduler counts those in use.
 */
function opendcWeigher({ weigher, multiplier }: WeigherTerm): {
  readonly type: string;
  readonly multiplier: number;
} {
  switch (weigher) {
    case "instances":
      return { type: "InstanceCount", multiplier };
    case "vcpu":
      return { type: "VCpu", multiplier: 0 - multiplier };
  }
}

/** What a version of OpenDC cannot do of `policy`, one sentence each. */
export function policyNotes({ weighers }: Policy): string[] {
  const notes: string[] = [];
  const refused = weighers.map(opendcWeigher)
    .find(({ type, multiplier }) => type === "VCpu" && multiplier < 0);
  if (weighers.length > 0 && refused === undefined) {
    notes.push(
      "From v2.4g on OpenDC places best-fit over used hosts and its weighers are unreliable: use " +
        "v2.4f for a run with a weigher.",
    );
  }
  if (refused !== undefined) {
    notes.push(
      `OpenDC throws on the VCpu weigher with a negative multiplier, here ${refused.multiplier}, in ` +
        "v2.4f as in later versions: simulate the replay instead of the policy.",
    );
  }
  return notes;
}
