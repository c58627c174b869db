/** The description of an experiment: policies × arrivals × seeds of one batch. Pure. */

import {
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

/** Names that become parts of a file name. */
const NAME = string({ doc: "Name.", pattern: /^[A-Za-z0-9._-]{1,64}$/ });

/** A policy of the scheduler. */
const POLICY = record("policy", {
  name: NAME,
  weigher: nullable(
    string({
      doc: "How to choose among feasible nodes, as of scheduler --weigher.",
      pattern: WEIGHER_PATTERN,
      expected: "instances, vcpu, or NAME:MULTIPLIER,…",
    }),
  ),
  weigher_order: nullable(oneOf(["min", "max"], { doc: "Which weight wins." })),
  scan_pending: nullable(
    integer({ doc: "Tasks to consider; 1: strict FIFO.", unit: "count", min: 1 }),
  ),
});

/** An experiment. */
export const EXPERIMENT_SPEC = record("experiment", {
  name: NAME,
  tasks: integer({ doc: "Tasks of each batch.", unit: "count", min: 1 }),
  mix: nullable(string({ doc: "Share of each profile; null: that of the demo." })),
  nodes: nullable(integer({ doc: "Nodes on this machine; null: 2.", unit: "count", min: 1 })),
  capacity_units: nullable(
    integer({ doc: "Capacity of each node; null: 4.", unit: "vcpu", min: 1 }),
  ),
  policies: list(nested(POLICY, { doc: "A policy." }), {
    doc: "Policies; the others are compared with the first.",
  }),
  arrivals: nullable(
    list(string({ doc: "As of dispatch --arrivals." }), {
      doc: "Arrival processes, as dispatch --arrivals has them; null: pulses of five tasks.",
    }),
  ),
  seeds: list(integer({ doc: "A seed.", min: 1 }), { doc: "Seeds of the mix: a repeat each." }),
  warm_up_s: nullable(
    number({ doc: "Tasks enqueued so soon after the first are left out.", unit: "s", min: 0 }),
  ),
});
/** An experiment, {@linkcode EXPERIMENT_SPEC}. */
export type ExperimentSpec = RecordOf<typeof EXPERIMENT_SPEC>;

/** One run of an experiment. */
export interface Cell {
  /** Name of the policy. */
  readonly policy: string;
  /** The arrival process; null: pulses. */
  readonly arrivals: string | null;
  /** Seed of the mix. */
  readonly seed: number;
  /** 2 for the second run of the A/A check, which has the same settings as the first. */
  readonly replicate: 1 | 2;
  /** Flags of the demo that runs it. */
  readonly flags: readonly string[];
}

/** The runs in their order: the A/A check first, then policy by policy. */
export function cellsOf(spec: ExperimentSpec): Cell[] {
  const [first] = spec.policies;
  const arrivals = spec.arrivals ?? [null];
  if (first === undefined || spec.seeds.length === 0 || arrivals.length === 0) {
    throw new RangeError("Cannot plan an experiment: a policy, a seed and an arrival are required");
  }
  for (const { weigher } of spec.policies) parseWeigher(weigher ?? "");
  const cells: Cell[] = [];
  const add = (policy: typeof first, arrival: string | null, replicate: 1 | 2) => {
    for (const seed of spec.seeds) {
      const flags = flagsOf(spec, { policy, arrival, seed });
      cells.push({ policy: policy.name, arrivals: arrival, seed, replicate, flags });
    }
  };
  add(first, arrivals[0] ?? null, 1);
  add(first, arrivals[0] ?? null, 2);
  for (const policy of spec.policies) {
    for (const arrival of arrivals) {
      if (policy !== first || arrival !== arrivals[0]) add(policy, arrival, 1);
    }
  }
  return cells;
}

function flagsOf(
  spec: ExperimentSpec,
  { policy, arrival, seed }: {
    readonly policy: ExperimentSpec["policies"][number];
    readonly arrival: string | null;
    readonly seed: number;
  },
): string[] {
  const values: Readonly<Record<string, string | number | null>> = {
    "total": spec.tasks,
    "mix": spec.mix,
    "nodes": spec.nodes,
    "capacity-units": spec.capacity_units,
    "weigher": policy.weigher,
    "weigher-order": policy.weigher_order,
    "scan-pending": policy.scan_pending,
    "arrivals": arrival,
    "seed": seed,
  };
  return Object.entries(values).filter(([, value]) => value !== null)
    .map(([name, value]) => `--${name}=${value}`);
}

/** What identifies a run: with the same key it need not run again. */
export function keyOf({ flags, replicate }: Cell): string {
  return [...flags, `replicate=${replicate}`].join(" ");
}
