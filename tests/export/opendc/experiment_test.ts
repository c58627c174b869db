import { assertEquals, assertMatch } from "@std/assert";
import { parseWeigher, termsOf } from "../../../trace/weighers.ts";
import {
  experimentOf,
  type ExperimentSpec,
  type Policy,
  policyNotes,
} from "../../../export/opendc/experiment.ts";

function experiment(policy: Partial<Policy>): ExperimentSpec {
  return experimentOf({
    name: "policy",
    topology: "topology.json",
    workload: "workload",
    policy: { weighers: [], slots: null, ...policy },
    exportIntervalS: 1,
  });
}

Deno.test("experimentOf() writes what OpenDCExperimentRunner reads, and nothing else", () => {
  assertEquals(experiment({}), {
    name: "policy",
    topologies: [{ pathToFile: "topology.json" }],
    workloads: [{ pathToFile: "workload", type: "ComputeWorkload" }],
    allocationPolicies: [{
      type: "filter",
      filters: [{ type: "Compute" }, { type: "VCpu", allocationRatio: 1 }],
      weighers: [],
    }],
    exportModels: [{ exportInterval: 1, printFrequency: null }],
  });
});

const WEIGHERS = [
  ["instances", "min", [{ type: "InstanceCount", multiplier: -1 }], /use v2.4f/],
  ["instances", "max", [{ type: "InstanceCount", multiplier: 1 }], /use v2.4f/],
  ["vcpu", "min", [{ type: "VCpu", multiplier: 1 }], /use v2.4f/],
  ["vcpu", "max", [{ type: "VCpu", multiplier: -1 }], /here -1, in v2.4f as in later/],
  ["instances:1,vcpu:-0.5", "min", [
    { type: "InstanceCount", multiplier: 1 },
    { type: "VCpu", multiplier: 0.5 },
  ], /use v2.4f/],
  ["vcpu:2,instances:-1", "min", [
    { type: "VCpu", multiplier: -2 },
    { type: "InstanceCount", multiplier: -1 },
  ], /here -2, in v2.4f as in later/],
] as const;

for (const [weigher, weigherOrder, expected, note] of WEIGHERS) {
  Deno.test(`experimentOf() expresses the weigher ${weigher} ${weigherOrder}`, () => {
    const weighers = termsOf(parseWeigher(weigher), weigherOrder);
    const { allocationPolicies } = experiment({ weighers });
    assertEquals(allocationPolicies[0]?.weighers, expected);
    assertMatch(policyNotes({ weighers, slots: null }).join("\n"), note);
  });
}

Deno.test("experimentOf() limits the tasks of a host where the nodes have slots", () => {
  const { allocationPolicies } = experiment({ slots: 2 });
  assertEquals(allocationPolicies[0]?.filters.at(-1), { type: "InstanceCount", limit: 2 });
});
