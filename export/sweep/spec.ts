/**
 * What a sweep varies: a small JSON file, and the scenarios that it stands for. Pure.
 *
 * @module
 */

import {
  boolean,
  integer,
  list,
  nested,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "../../trace/schema.ts";
import { parseWeigher, WEIGHER_PATTERN } from "../../trace/weighers.ts";

const NAME = string({ doc: "Name of the value in the table." });

const POLICY = record("policy", {
  name: NAME,
  weigher: nullable(
    string({
      doc: "Weigher, as of scheduler --weigher; null: that of the run.",
      pattern: WEIGHER_PATTERN,
      expected: "instances, vcpu, or NAME:MULTIPLIER,…",
    }),
  ),
  order: nullable(oneOf(["min", "max"], { doc: "Which weight wins; default min." })),
  slots: nullable(integer({ doc: "Most tasks of a host.", unit: "count", min: 1 })),
});

const TOPOLOGY = record("topology", {
  name: NAME,
  hosts: nullable(integer({ doc: "Times as many hosts.", unit: "count", min: 1 })),
  cores: nullable(number({ doc: "Times as many cores in each.", min: 0 })),
  speed: nullable(number({ doc: "Times the speed of a core.", min: 0 })),
  over_provisioning: nullable(number({ doc: "vCPUs for each core.", min: 0 })),
});

const WORKLOAD = record("workload", {
  name: NAME,
  sample: nullable(number({ doc: "Share of the tasks that is kept.", min: 0 })),
  copies: nullable(integer({ doc: "The run this many times, superposed.", unit: "count", min: 1 })),
});

const FAILURES = record("failures", {
  name: NAME,
  trace: nullable(string({ doc: "Failure trace, parquet; null: no failures." })),
  repeat: nullable(boolean({ doc: "Begin it again at its end; default false." })),
});

const CARBON = record("carbon", {
  name: NAME,
  trace: nullable(string({ doc: "Carbon trace, parquet or CSV; null: none." })),
});

/** Figures that a sweep can minimize. */
const OBJECTIVES = [
  "makespan_s",
  "wait_mean_s",
  "wait_p95_s",
  "slowdown",
  "energy_kj",
  "carbon_g",
  "hosts",
] as const;

/** A figure that a sweep can minimize. */
export type Objective = typeof OBJECTIVES[number];

/** The file. */
export const SWEEP_SPEC = record("sweep", {
  export: string({ doc: "Folder of the export, relative to this file." }),
  policies: nullable(list(nested(POLICY, { doc: "One." }), { doc: "Placements." })),
  topologies: nullable(list(nested(TOPOLOGY, { doc: "One." }), { doc: "Datacenters." })),
  workloads: nullable(list(nested(WORKLOAD, { doc: "One." }), { doc: "Workloads." })),
  failures: nullable(list(nested(FAILURES, { doc: "One." }), { doc: "Failures." })),
  carbon: nullable(list(nested(CARBON, { doc: "One." }), { doc: "Carbon intensities." })),
  seeds: nullable(list(integer({ doc: "One.", min: 0 }), { doc: "Seeds." })),
  objectives: nullable(
    list(oneOf(OBJECTIVES, { doc: "One." }), { doc: "Figures to minimize, the first one first." }),
  ),
});

/** The file as it is read. */
export type SweepSpec = RecordOf<typeof SWEEP_SPEC>;

/** One placement. */
export type SweepPolicy = RecordOf<typeof POLICY>;
/** One datacenter. */
export type SweepTopology = RecordOf<typeof TOPOLOGY>;
/** One workload. */
export type SweepWorkload = RecordOf<typeof WORKLOAD>;
/** Failures of one kind. */
export type SweepFailures = RecordOf<typeof FAILURES>;
/** One carbon intensity. */
export type SweepCarbon = RecordOf<typeof CARBON>;

/** One simulation of a sweep. */
export interface Scenario {
  /** Its values by name and its seed, joined; also its folder. */
  readonly id: string;
  /** Its values without the seed. */
  readonly group: string;
  readonly policy: SweepPolicy;
  readonly topology: SweepTopology;
  readonly workload: SweepWorkload;
  readonly failures: SweepFailures;
  readonly carbon: SweepCarbon;
  readonly seed: number;
}

/** Objectives where the file names none. */
const DEFAULT_OBJECTIVES: readonly Objective[] = ["makespan_s", "wait_p95_s", "energy_kj"];

/** The objectives of a sweep. */
export function objectivesOf({ objectives }: SweepSpec): readonly Objective[] {
  return objectives ?? DEFAULT_OBJECTIVES;
}

const AS_IS = { name: "as-is" };

/**
 * Every combination of the values, in order; an axis that the file does not have has the run's own value.
 *
 * @throws {RangeError} for a name that cannot be a folder, or is there twice, and an unknown weigher.
 */
export function scenariosOf(spec: SweepSpec): Scenario[] {
  const policies = named("policies", spec.policies ?? [POLICY.decode(AS_IS, "policies")]);
  for (const { weigher } of policies) parseWeigher(weigher ?? "");
  const topologies = named("topologies", spec.topologies ?? [TOPOLOGY.decode(AS_IS, "topologies")]);
  const workloads = named("workloads", spec.workloads ?? [WORKLOAD.decode(AS_IS, "workloads")]);
  const failures = named("failures", spec.failures ?? [FAILURES.decode({ name: "none" }, "")]);
  const carbon = named("carbon", spec.carbon ?? [CARBON.decode({ name: "none" }, "")]);
  const seeds = spec.seeds ?? [0];
  const scenarios: Scenario[] = [];
  for (const policy of policies) {
    for (const topology of topologies) {
      for (const workload of workloads) {
        for (const failure of failures) {
          for (const intensity of carbon) {
            const group = [policy, topology, workload, failure, intensity]
              .map(({ name }) => name).join(",");
            for (const seed of seeds) {
              const id = `${group},${seed}`;
              const values = { policy, topology, workload, failures: failure, carbon: intensity };
              scenarios.push({ id, group, ...values, seed });
            }
          }
        }
      }
    }
  }
  return scenarios;
}

function named<T extends { readonly name: string }>(
  axis: string,
  values: readonly T[],
): readonly T[] {
  const names = values.map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name)) {
      throw new RangeError(
        `Cannot sweep ${axis}[${at}]: a name of at most 32 letters, digits, ".", "_" and "-" is ` +
          `required, got ${JSON.stringify(name)}`,
      );
    }
    if (names.indexOf(name) !== at) {
      throw new RangeError(`Cannot sweep ${axis}: each name once is required, got ${name} twice`);
    }
  }
  if (names.length === 0) {
    throw new RangeError(`Cannot sweep ${axis}: one value or more is required`);
  }
  return values;
}
