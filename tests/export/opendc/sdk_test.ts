import { assertEquals, assertThrows } from "@std/assert";
import { experimentOf } from "../../../export/opendc/experiment.ts";
import { sdkExperimentOf, sdkTopologyOf } from "../../../export/opendc/sdk.ts";

// Both literals were read by the SDK of OpenDC's master of 2026-07, unknown keys refused.

Deno.test("sdkExperimentOf() writes what opendc run reads, paths relative to its folder", () => {
  const experiment = experimentOf({
    name: "replay-cloud1",
    topology: "replay/cloud1/topology.json",
    workload: "replay/cloud1",
    policy: {
      weighers: [
        { weigher: "instances", multiplier: -1 },
        { weigher: "vcpu", multiplier: -0.5 },
      ],
      slots: 2,
    },
    exportIntervalS: 1000,
  });
  assertEquals(sdkExperimentOf(experiment), {
    name: "replay-cloud1",
    topologies: [{ importFrom: "topology-replay-cloud1.json" }],
    workloads: [{ type: "trace", source: { type: "named", name: "../replay/cloud1" } }],
    allocationPolicies: [{
      type: "filter",
      filters: [
        { type: "compute" },
        { type: "vcpu", allocationRatio: 1 },
        { type: "instanceCount", limit: 2 },
      ],
      weighers: [
        { type: "instanceCount", multiplier: -1 },
        { type: "vcpu", multiplier: 0.5 },
      ],
    }],
    exportModels: [{ exportInterval: "1000 seconds", printFrequency: null }],
    runs: 1,
  });
});

Deno.test("sdkExperimentOf() refuses a filter that it has no name for", () => {
  const experiment = experimentOf({
    name: "policy",
    topology: "t.json",
    workload: ".",
    policy: { weighers: [], slots: null },
    exportIntervalS: 1,
  });
  const [policy] = experiment.allocationPolicies;
  const filters = [{ type: "Other" }];
  assertThrows(
    () => sdkExperimentOf({ ...experiment, allocationPolicies: [{ ...policy!, filters }] }),
    RangeError,
    "one of Compute, VCpu, Ram, InstanceCount is required",
  );
});

Deno.test("sdkTopologyOf() gives each quantity its unit", () => {
  const host = {
    name: "cloud1",
    count: 2,
    cpu: { coreCount: 4, coreSpeed: 650.5 },
    memory: { memorySize: "24576 MiB" },
  };
  assertEquals(sdkTopologyOf({ clusters: [{ name: "C01", hosts: [host] }] }), {
    clusters: [{
      name: "C01",
      hosts: [{
        name: "cloud1",
        count: 2,
        cpu: { coreCount: 4, coreSpeed: "650.5 MHz" },
        memory: { size: "24576 MiB" },
      }],
    }],
  });
});
