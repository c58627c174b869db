import { assertEquals } from "@std/assert";
import {
  type HostNode,
  powerNotes,
  topologyNotes,
  topologyOf,
} from "../../../export/opendc/topology.ts";
import { ctsNode } from "../../support/cts_run.ts";

function hosts(...names: readonly string[]): HostNode[] {
  return names.map((node_id) => ({ node: ctsNode({ node_id }), freqMhz: 2400 }));
}

Deno.test("topologyOf() aggregates identical hosts and says which node each one is", () => {
  const { spec, nodeOfHost } = topologyOf(hosts("cloud1", "cloud2", "cloud3"));
  assertEquals(spec, {
    clusters: [{
      name: "C01",
      hosts: [{
        name: "cloud1",
        count: 3,
        cpu: { coreCount: 4, coreSpeed: 2400 },
        memory: { memorySize: "16384 MiB" },
      }],
    }],
  });
  assertEquals(nodeOfHost, { "cloud1": "cloud1", "cloud1-0": "cloud2", "cloud1-1": "cloud3" });
});

Deno.test("topologyOf() keeps the order of nodes, which is the order of first-fit", () => {
  const [first, second, third] = hosts("cloud1", "cloud2", "cloud3");
  const other = { node: ctsNode({ node_id: "cloud2", cpu_cores: 8 }), freqMhz: 2400 };
  const { spec } = topologyOf([first, other, third].filter((one) => one !== undefined));
  assertEquals(
    spec.clusters[0]?.hosts.map(({ name, count }) => [name, count]),
    [["cloud1", 1], ["cloud2", 1], ["cloud3", 1]],
  );
  assertEquals(second?.node.node_id, "cloud2");
});

Deno.test("topologyOf() expresses over-provisioning in slower cores", () => {
  const node = ctsNode({ node_id: "cloud1", cpu_cores: 4, capacity_units: 5 });
  const { spec } = topologyOf([{ node, freqMhz: 2400 }]);
  assertEquals(spec.clusters[0]?.hosts[0]?.cpu, { coreCount: 5, coreSpeed: 1920 });
  assertEquals(topologyNotes([{ node, freqMhz: 2400 }]).length, 1);
});

Deno.test("topologyOf() takes the exact memory where the rounded one is none, and says what is unknown", () => {
  const small = ctsNode({ node_id: "small", mem_mb: 0, mem_kb_exact: 262_144 });
  const unknown = ctsNode({ node_id: "unknown", mem_mb: null, mem_kb_exact: null });
  const nodes = [{ node: small, freqMhz: 2400 }, { node: unknown, freqMhz: 2400 }];
  const sizes = topologyOf(nodes).spec.clusters[0]?.hosts.map(({ memory }) => memory.memorySize);
  assertEquals(sizes, ["256 MiB", "1048576 MiB"]);
  assertEquals(topologyNotes(nodes), [
    "Memory is not on record, 1 TiB stands for it: unknown.",
  ]);
});

Deno.test("powerNotes() warns of a power model with which OpenDC 2.4f does not end", () => {
  const model = {
    power: 0,
    idlePower: 100,
    maxPower: 200,
    calibrationFactor: 1.4,
    asymUtil: 0,
    dvfs: false,
  };
  const notesOf = (modelType: "mse" | "linear") =>
    powerNotes([{
      node: ctsNode({ node_id: "n1" }),
      freqMhz: 1,
      power: { ...model, modelType },
    }]);
  assertEquals(notesOf("linear"), []);
  assertEquals(notesOf("mse").map((note) => note.includes("2.4f does not end with")), [true]);
});
