import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { lexicographicOrder, paretoFront, weightedOrder } from "../../../export/sweep/pareto.ts";
import { scenariosOf, SWEEP_SPEC } from "../../../export/sweep/spec.ts";
import { topologyVariant, variantOf } from "../../../export/sweep/variant.ts";

function specOf(given: object): ReturnType<typeof SWEEP_SPEC.decode> {
  return SWEEP_SPEC.decode({ export: "x", ...given }, "spec.json");
}

Deno.test("scenariosOf() has every combination, each once", () => {
  const scenarios = scenariosOf(specOf({
    policies: [{ name: "run" }, { name: "spread", weigher: "instances" }],
    topologies: [{ name: "one" }, { name: "two", hosts: 2 }, { name: "fast", speed: 2 }],
    workloads: [{ name: "half", sample: 0.5 }, { name: "all" }],
    seeds: [0, 7],
  }));
  assertEquals(scenarios.length, 2 * 3 * 2 * 2);
  assertEquals(new Set(scenarios.map(({ id }) => id)).size, 24);
  assertEquals(scenarios[0]?.id, "run,one,half,none,none,0");
  assertEquals(scenarios.at(-1)?.id, "spread,fast,all,none,none,7");
});

Deno.test("scenariosOf() of nothing is the run as it was", () => {
  const [only, ...others] = scenariosOf(specOf({}));
  assertEquals(others, []);
  assertEquals(only?.id, "as-is,as-is,as-is,none,none,0");
  assertEquals([only?.topology.hosts, only?.workload.sample], [null, null]);
});

const WRONG: readonly (readonly [string, object, string])[] = [
  ["a name with a slash", { policies: [{ name: "a/b" }] }, "policies[0]"],
  ["a name twice", { workloads: [{ name: "a" }, { name: "a" }] }, "got a twice"],
  ["a weigher twice", {
    policies: [{ name: "a", weigher: "vcpu:1,vcpu:2" }],
  }, 'weigher "vcpu" is in it twice'],
  ["an axis without a value", { topologies: [] }, "one value or more"],
];

for (const [what, given, message] of WRONG) {
  Deno.test(`scenariosOf() refuses ${what}`, () => {
    assertThrows(() => scenariosOf(specOf(given)), RangeError, message);
  });
}

const SUBMISSIONS = Array.from({ length: 1000 }, (_, at) => 1_000_000 + at * 10);

function workload(given: object): Parameters<typeof variantOf>[1]["workload"] {
  return { name: "w", sample: null, copies: null, ...given };
}

Deno.test("variantOf() of the whole workload is the workload", () => {
  const tasks = variantOf(SUBMISSIONS, { workload: workload({}), seed: 3 });
  assertEquals(tasks.map(({ submissionMs }) => submissionMs), SUBMISSIONS);
  assertEquals(tasks.map(({ original }) => original), [...SUBMISSIONS.keys()]);
});

Deno.test("variantOf() keeps about its share, the same for the same seed", () => {
  const half = (seed: number) =>
    variantOf(SUBMISSIONS, { workload: workload({ sample: 0.5 }), seed })
      .map(({ original }) => original);
  assertEquals(half(1), half(1));
  assert(half(1).join() !== half(2).join());
  for (const seed of [1, 2, 3, 4]) assertAlmostEquals(half(seed).length, 500, 65);
});

Deno.test("variantOf() superposes copies within the span of the run", () => {
  const tasks = variantOf(SUBMISSIONS, { workload: workload({ copies: 3 }), seed: 5 });
  assertEquals(tasks.length, 3000);
  const times = tasks.map(({ submissionMs }) => submissionMs);
  assertEquals(times, times.toSorted((a, b) => a - b));
  assertEquals([times[0], (times.at(-1) ?? 0) <= 1_009_990], [1_000_000, true]);
  const shifted = tasks.filter(({ copy, original }) => copy === 1 && original === 0);
  assert((shifted[0]?.submissionMs ?? 0) > 1_000_000);
});

Deno.test("topologyVariant() scales hosts, cores and speed; over-provisioning keeps the total", () => {
  const host = {
    name: "h",
    count: 2,
    cpu: { coreCount: 4, coreSpeed: 2000 },
    memory: { memorySize: "1 GiB" },
  };
  const vary = (given: object) =>
    topologyVariant({ clusters: [{ name: "C", hosts: [host] }] }, {
      name: "t",
      hosts: null,
      cores: null,
      speed: null,
      over_provisioning: null,
      ...given,
    }).clusters[0]?.hosts[0];
  assertEquals(vary({}), host);
  assertEquals(vary({ hosts: 3 })?.count, 6);
  assertEquals(vary({ cores: 2 })?.cpu, { coreCount: 8, coreSpeed: 2000 });
  assertEquals(vary({ speed: 1.5 })?.cpu, { coreCount: 4, coreSpeed: 3000 });
  assertEquals(vary({ over_provisioning: 2 })?.cpu, { coreCount: 8, coreSpeed: 1000 });
});

Deno.test("paretoFront() has what nothing is better than, and never an unknown figure", () => {
  const points = [[1, 5], [2, 2], [5, 1], [2, 3], [1, 5], [0, null]];
  assertEquals(paretoFront(points), [true, true, true, false, true, false]);
});

Deno.test("lexicographicOrder() lets the next objective decide within 1 %", () => {
  assertEquals(lexicographicOrder([[100, 9], [100.5, 1], [90, 99], [null, 0]]), [2, 1, 0, 3]);
});

Deno.test("weightedOrder() scales each objective to its range", () => {
  assertEquals(weightedOrder([[0, 1000], [1, 0], [0.4, 400]]), [2, 0, 1]);
});
