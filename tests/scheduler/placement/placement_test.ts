import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  explainWaiting,
  type Host,
  infeasibility,
  normalized,
  place,
  type PlacementPolicy,
  planBatch,
  release,
  reserve,
} from "../../../scheduler/placement/placement.ts";
import { parseWeigher, termsOf } from "../../../trace/weighers.ts";
import { hostsOf, placed } from "../../support/placement_language.ts";

/** [what it shows, nodes, tasks, policy, plan] */
const TABLE: readonly [string, string, string, Parameters<typeof placed>[2], string][] = [
  ["takes the first node by name", "b:4/4, a:4/4", "1", {}, "a"],
  ["fills a node before the next", "a:2/4, b:4/4", "1 1 1", {}, "a a b"],
  ["passes a node that is too full", "a:1/4, b:4/4", "2 1", {}, "b a"],
  ["lets a head that fits nowhere block what is behind it", "a:3/4, b:3/4", "4 1 1", {}, "-"],
  ["places what is before a head that waits", "a:3/4", "1 4 1", {}, "a -"],
  [
    "compares names by code units",
    "cloud10:1/1, cloud2:1/1, Z:1/1",
    "1 1 1",
    {},
    "Z cloud10 cloud2",
  ],
  ["needs a slot where the node has slots", "a:4/4 s0, b:4/4 s1, c:4/4", "1 1 1", {}, "b c c"],
  ["keeps a slot limit below the capacity", "a:4/4 s2", "1 1 1", {}, "a a -"],
  ["does not place on a node that drains", "a:4/4 ~, b:1/1", "1 1", {}, "b -"],
  ["does not place on a node held back below zero", "a:-2/4, b:1/4", "1", {}, "b"],
  ["weighs by tasks, fewest first", "a:9/9 t3, b:9/9 t1, c:9/9 t2", "1 1 1", {
    weigher: "instances",
  }, "b b c"],
  ["weighs by tasks, most first", "a:9/9 t3, b:9/9 t1", "1 1", {
    weigher: "instances",
    order: "max",
  }, "a a"],
  [
    "weighs by units in use, fewest first",
    "a:5/8, b:6/8, c:3/4",
    "1 1 1",
    { weigher: "vcpu" },
    "c b c",
  ],
  ["weighs by units in use, most first", "a:5/8, b:2/8, c:3/4", "1 1 1", {
    weigher: "vcpu",
    order: "max",
  }, "b b a"],
  ["breaks a tie by name", "c:4/4, b:4/4, a:4/4 t1", "1", { weigher: "instances" }, "b"],
  ["weighs only what is feasible", "a:1/8 t0, b:8/8 t9", "2", { weigher: "instances" }, "b"],
  ["prefers a positive multiplier's largest weight", "a:9/9 t0, b:9/9 t2, c:9/9 t1", "1", {
    weigher: parseWeigher("instances:1"),
  }, "b"],
  // Few vCPUs in use count half as much as many tasks: a 0 - 0, b 1 - 0.5, c 0.5 - 0.5 × 0.25.
  ["adds normalized weights times multipliers", "a:8/8 t0, b:4/8 t4, c:7/8 t2", "1", {
    weigher: parseWeigher("instances:1,vcpu:-0.5"),
  }, "b"],
  // a 0 - 0, b 1 - 2, c 0.5 - 2 × 0.25: a and c are equal.
  ["breaks a tie of sums by name", "c:7/8 t2, b:4/8 t4, a:8/8 t0", "1", {
    weigher: parseWeigher("instances:1,vcpu:-2"),
  }, "a"],
  ["does not count a weight that all have", "a:2/8 t3, b:8/8 t3", "1", {
    weigher: parseWeigher("instances:-9,vcpu:-1"),
  }, "b"],
  ["takes the first name where no weight differs", "b:8/8, a:8/8", "1", {
    weigher: parseWeigher("instances:1,vcpu:1"),
  }, "a"],
  // Over all nodes d would stretch the scale of tasks, and c would win.
  ["normalizes over feasible nodes only", "a:8/8 t0, b:6/8 t2, d:0/8 t100", "1", {
    weigher: parseWeigher("instances:1,vcpu:-0.5"),
  }, "b"],
  ["takes no node where none is feasible", "a:1/8", "2", {
    weigher: parseWeigher("instances:1,vcpu:1"),
  }, "-"],
  ["backfills among the first tasks only", "a:2/8", "4 1 8 1 1", { scanPending: 2 }, "- a - - -"],
  ["backfills in the order of the queue", "a:3/8", "4 2 1 1", { scanPending: 4 }, "- a a -"],
  ["honours --scan-slots for nodes with slots", "a:4/4 s1, b:4/4 s1, c:4/4", "1 1", {
    tokens: ["b"],
  }, "b c"],
];

for (const [what, nodes, tasks, policy, plan] of TABLE) {
  Deno.test(`planBatch() ${what}`, () => assertEquals(placed(nodes, tasks, policy), plan));
}

for (
  const [weights, expected] of [
    [[], []],
    [[7], [0]],
    [[3, 3, 3], [0, 0, 0]],
    [[2, 6, 3], [0, 1, 0.25]],
    [[-4, 0], [0, 1]],
  ] as const
) {
  Deno.test(`normalized() scales [${weights}] to [${expected}]`, () => {
    assertEquals(normalized(weights), [...expected]);
  });
}

Deno.test("explainWaiting() names each node's reason", () => {
  const hosts = hostsOf("a:1/8, b:2/2, c:8/8 ~, d:8/8 s0, e:8/8 s1, f:8/8");
  assertEquals(explainWaiting(4, { hosts, tokenNodes: new Set() }), {
    busy: ["a"],
    too_small: ["b"],
    draining: ["c"],
    no_slot: ["d"],
    no_token: ["e"],
  });
});

const host: fc.Arbitrary<Host> = fc.record({
  node: fc.stringMatching(/^[a-d]{1,2}$/),
  capacity: fc.integer({ min: 1, max: 8 }),
  free: fc.integer({ min: -2, max: 8 }),
  freeSlots: fc.option(fc.integer({ min: 0, max: 3 })),
  tasks: fc.nat(5),
  isDraining: fc.boolean(),
});
const cluster = fc.uniqueArray(host, { selector: ({ node }) => node, maxLength: 8 }).map((hosts) =>
  hosts.sort((a, b) => a.node < b.node ? -1 : 1)
);
const policy: fc.Arbitrary<PlacementPolicy> = fc.record({
  weigher: fc.oneof(
    fc.constantFrom("" as const, "instances" as const, "vcpu" as const),
    // A sum of one term is the choice by that weigher, whatever the multiplier.
    fc.record({
      weigher: fc.constantFrom("instances" as const, "vcpu" as const),
      multiplier: fc.constantFrom(-2, -0.5, 0.5, 3),
    }).map((term) => [term]),
  ),
  order: fc.constantFrom("min" as const, "max" as const),
  scanPending: fc.integer({ min: 1, max: 4 }),
});

/** The same decision, written as the rules say it: filter, sort by weight and name, take the first. */
function reference(
  units: number,
  hosts: readonly Host[],
  { weigher, order }: PlacementPolicy,
): string | null {
  const feasible = hosts.filter((one) =>
    !one.isDraining && one.free >= units && one.capacity >= units && one.freeSlots !== 0
  );
  const [term] = termsOf(weigher, order);
  const weight = (one: Host) =>
    term === undefined ? 0 : term.weigher === "instances" ? one.tasks : one.capacity - one.free;
  const sign = -Math.sign(term?.multiplier ?? 0);
  const sorted = feasible.toSorted((a, b) =>
    sign * (weight(a) - weight(b)) || (a.node < b.node ? -1 : 1)
  );
  return sorted[0]?.node ?? null;
}

Deno.test("place() decides as the rules say, for any cluster", () => {
  fc.assert(fc.property(cluster, policy, fc.integer({ min: 1, max: 8 }), (hosts, how, units) => {
    const decision = place(units, { hosts, tokenNodes: null }, how);
    const node = decision.kind === "placed" ? decision.host.node : null;
    assertEquals(node, reference(units, hosts, how));
  }));
});

Deno.test("planBatch() is a sequence of single decisions, and over-commits nothing", () => {
  const tasks = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 12 });
  fc.assert(fc.property(cluster, policy, tasks, (hosts, how, each) => {
    const queue = each.map((units, at) => ({ taskId: `t${at}`, units }));
    const before = structuredClone(hosts);
    const plan = planBatch(queue, { hosts, tokenNodes: null }, how);
    const books = structuredClone(before);
    const expected: [string, string, number][] = [];
    let skipped = 0;
    for (const { taskId, units } of queue) {
      const node = reference(units, books, how);
      const chosen = books.find((one) => one.node === node);
      if (chosen === undefined) {
        skipped += 1;
        if (skipped >= how.scanPending) break;
        continue;
      }
      expected.push([taskId, chosen.node, skipped]);
      chosen.free -= units;
      chosen.tasks += 1;
      if (chosen.freeSlots !== null) chosen.freeSlots -= 1;
    }
    assertEquals(
      plan.placements.map(({ task, host, index }) => [task.taskId, host.node, index]),
      expected,
    );
    assertEquals(hosts, books, "the hosts' books have the plan already");
    for (const [at, { free, freeSlots }] of hosts.entries()) {
      const was = before[at];
      if (free < 0) assertEquals(free, was?.free);
      if (freeSlots !== null && freeSlots < 0) assertEquals(freeSlots, was?.freeSlots);
    }
    const { waiting } = plan;
    if (waiting !== null && how.scanPending === 1) {
      for (const one of hosts) assertEquals(infeasibility(one, waiting.units, null) !== null, true);
    }
  }));
});

Deno.test("release() gives back what reserve() took", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 64 }),
    fc.option(fc.integer({ min: 1, max: 8 })),
    (units, freeSlots) => {
      const host = { node: "n", capacity: 64, free: 64, freeSlots, tasks: 3, isDraining: false };
      const before = { ...host };
      reserve(host, units);
      release(host, units);
      assertEquals(host, before);
    },
  ));
});
