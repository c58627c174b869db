import { assertEquals, assertMatch } from "@std/assert";
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
    policy: { weigher: "", weigherOrder: "min", slots: null, ...policy },
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
  ["instances", "min", { type: "InstanceCount", multiplier: -1 }, /use v2.4f/],
  ["instances", "max", { type: "InstanceCount", multiplier: 1 }, /use v2.4f/],
  ["vcpu", "min", { type: "VCpu", multiplier: 1 }, /use v2.4f/],
  ["vcpu", "max", { type: "VCpu", multiplier: -1 }, /throws .* in v2.4f as in later/],
] as const;

for (const [weigher, weigherOrder, expected, note] of WEIGHERS) {
  Deno.test(`experimentOf() expresses the weigher ${weigher} ${weigherOrder}`, () => {
    const { allocationPolicies } = experiment({ weigher, weigherOrder });
    assertEquals(allocationPolicies[0]?.weighers, [expected]);
    assertMatch(policyNotes({ weigher, weigherOrder, slots: null }).join("\n"), note);
  });
}

Deno.test("experimentOf() limits the tasks of a host where the nodes have slots", () => {
  const { allocationPolicies } = experiment({ slots: 2 });
  assertEquals(allocationPolicies[0]?.filters.at(-1), { type: "InstanceCount", limit: 2 });
});
