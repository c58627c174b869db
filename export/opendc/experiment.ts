/**
 * Experiment files for OpenDCExperimentRunner: pure.
 *
 * Source: ExperimentSpec and AllocationPolicySpec of opendc-experiments-base, v2.4f to master. The
 * scaling policy stays at its default NoDelay: `Perfect` never ends on ordinary traces in v2.4u.
 *
 * @module
 */

/**
 * Times of the replay are multiplied by this, so that OpenDC's scheduling tick of one second, which
 * cannot be configured, becomes a millisecond of the run.
 */
export const REPLAY_TIME_FACTOR = 1000;

/** How the run's scheduler placed. */
export interface Policy {
  /** Weigher; empty: first-fit. */
  readonly weigher: "" | "instances" | "vcpu";
  /** Which hosts the weigher prefers. */
  readonly weigherOrder: "min" | "max";
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
    allocationPolicies: [{ type: "filter", filters, weighers: weighersOf(policy) }],
    exportModels: [{ exportInterval: exportIntervalS, printFrequency: null }],
  };
}

/**
 * OpenDC prefers the highest weight: InstanceCount counts tasks, VCpu counts free vCPUs.
 */
function weighersOf({ weigher, weigherOrder }: Policy): { type: string; multiplier: number }[] {
  if (weigher === "instances") {
    return [{ type: "InstanceCount", multiplier: weigherOrder === "min" ? -1 : 1 }];
  }
  if (weigher === "vcpu") return [{ type: "VCpu", multiplier: weigherOrder === "min" ? 1 : -1 }];
  return [];
}

/** What a version of OpenDC cannot do of `policy`, one sentence each. */
export function policyNotes({ weigher, weigherOrder }: Policy): string[] {
  const notes: string[] = [];
  const isRefused = weigher === "vcpu" && weigherOrder === "max";
  if (weigher !== "" && !isRefused) {
    notes.push(
      "From v2.4g on OpenDC places best-fit over used hosts and its weighers are unreliable: use " +
        "v2.4f for a run with a weigher.",
    );
  }
  if (isRefused) {
    notes.push(
      "OpenDC throws on the VCpu weigher with multiplier -1, in v2.4f as in later versions: simulate " +
        "the replay instead of the policy.",
    );
  }
  return notes;
}
