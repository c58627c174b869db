import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  distributionOf,
  quantileInterval,
  quantileRatioInterval,
  rankTest,
  ratioOfMeansInterval,
  sortedKnown,
  studentQuantile,
} from "../../../export/summary/statistics.ts";

Deno.test("distributionOf() leaves out what is not known", () => {
  assertEquals(distributionOf([null]), null);
  assertEquals(distributionOf([4, null, 1, 3, 2]), {
    count: 4,
    mean: 2.5,
    p50: 2.5,
    p95: 3.8499999999999996,
    p99: 3.9699999999999998,
    max: 4,
  });
});

Deno.test("quantileInterval() is the same each time, holds the quantile, and shrinks with the sample", () => {
  const values = (count: number) =>
    sortedKnown(Array.from({ length: count }, (_, at) => (at * 7919) % count));
  const width = (count: number) => {
    const found = quantileInterval(values(count), 0.5);
    assert(found !== null && found.low < count / 2 && found.high > count / 2 - 1);
    return (found.high - found.low) / count;
  };
  assertEquals(quantileInterval(values(100), 0.5), quantileInterval(values(100), 0.5));
  // The standard error of a uniform sample's median is 1 / (2 √n) of its range.
  assertAlmostEquals(width(100), 2 * 1.96 / 20, 0.04);
  assertAlmostEquals(width(10_000), 2 * 1.96 / 200, 0.004);
  assertEquals(quantileInterval(values(4), 0.5), null);
});

Deno.test("quantileRatioInterval() sees a doubling, and none where there is none", () => {
  const a = sortedKnown(Array.from({ length: 400 }, (_, at) => 100 + (at * 37) % 50));
  const doubled = quantileRatioInterval({ a, b: a.map((one) => 2 * one) }, 0.5);
  assert(doubled !== null && doubled.low > 1.8 && doubled.high < 2.2);
  const same = quantileRatioInterval({ a, b: a }, 0.5);
  assert(same !== null && same.low < 1 && same.high > 1);
});

/** Two-sided p of U by counting all ways in which n and m different values can be ordered. */
function exactP(larger: number, { n, m }: { readonly n: number; readonly m: number }): number {
  const counts = new Map<string, number[]>();
  function waysOf(a: number, b: number): number[] {
    if (a === 0 || b === 0) return [1];
    const key = `${a},${b}`;
    const known = counts.get(key);
    if (known !== undefined) return known;
    const ways = new Array<number>(a * b + 1).fill(0);
    // The largest value is one of b, and then exceeds all a others, or one of a.
    waysOf(a, b - 1).forEach((count, u) => ways[u + a] = (ways[u + a] ?? 0) + count);
    waysOf(a - 1, b).forEach((count, u) => ways[u] = (ways[u] ?? 0) + count);
    counts.set(key, ways);
    return ways;
  }
  const ways = waysOf(n, m);
  const all = ways.reduce((sum, one) => sum + one, 0);
  const distance = Math.abs(larger - n * m / 2);
  const extreme = ways.reduce(
    (sum, count, u) => Math.abs(u - n * m / 2) >= distance - 1e-9 ? sum + count : sum,
    0,
  );
  return extreme / all;
}

Deno.test("rankTest() comes near the exact p of Mann-Whitney, and counts pairs for delta", () => {
  for (const shift of [0.5, 2.5, 4.5, 7.5]) {
    const a = sortedKnown(Array.from({ length: 12 }, (_, at) => at));
    const b = sortedKnown(Array.from({ length: 15 }, (_, at) => at * 0.8 + shift + 0.01));
    let larger = 0;
    for (const x of a) for (const y of b) larger += y > x ? 1 : 0;
    const { p, delta } = rankTest(a, b);
    assertAlmostEquals(delta, 2 * larger / (12 * 15) - 1, 1e-12);
    assertAlmostEquals(p ?? NaN, exactP(larger, { n: 12, m: 15 }), 0.01);
  }
});

Deno.test("rankTest() names the size of the effect, takes ties as halves, and gives no p for few", () => {
  const equal = sortedKnown(Array.from({ length: 10 }, () => 1));
  assertEquals(rankTest(equal, equal), { p: 1, delta: 0, effect: "negligible" });
  const all = sortedKnown([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals(rankTest(all, all.map((one) => one + 100)).effect, "large");
  assertEquals(rankTest(all.map((one) => one + 100), all).delta, -1);
  assertEquals(rankTest(sortedKnown([1, 2]), sortedKnown([3])), {
    p: null,
    delta: 1,
    effect: "large",
  });
});

Deno.test("studentQuantile() gives the values of the tables", () => {
  for (const [freedom, expected] of [[1, 12.706], [2, 4.303], [10, 2.228], [100, 1.984]] as const) {
    assertAlmostEquals(studentQuantile(0.975, freedom), expected, 0.0006);
  }
});

Deno.test("ratioOfMeansInterval() needs repeats, and widens with their spread", () => {
  assertEquals(ratioOfMeansInterval([1], [2, 2]), null);
  const narrow = ratioOfMeansInterval([100, 101, 99], [110, 111, 109]);
  assert(narrow !== null && narrow.low > 1.05 && narrow.high < 1.15);
  const wide = ratioOfMeansInterval([100, 150, 60], [110, 160, 70]);
  assert(wide !== null && wide.low < 1 && wide.high > 1);
});
