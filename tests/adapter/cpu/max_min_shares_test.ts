import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { maxMinShares } from "../../../adapter/cpu/max_min_shares.ts";

const CAPACITY = fc.integer({ min: 1, max: 128 });
const DEMANDS = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 40 });
/** Rounding of a few dozen additions of numbers around 100. */
const TOLERANCE = 1e-9;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

Deno.test.each<[number, number[], number[]]>([
  [8, [1, 2, 4], [1, 2, 4]],
  [4, [1, 4, 4], [1, 1.5, 1.5]],
  [2, [1, 4], [1, 1]],
  [3, [2, 2, 4], [1, 1, 1]],
  [2, [4, 1], [1, 1]],
  [2, [], []],
])("maxMinShares(%i, %j) is %j", (capacity, demands, shares) => {
  assertEquals(maxMinShares(capacity, demands), shares);
});

Deno.test("maxMinShares() sums to the smaller of capacity and demand", () => {
  fc.assert(fc.property(CAPACITY, DEMANDS, (capacity, demands) => {
    const total = sum(maxMinShares(capacity, demands));
    assertAlmostEquals(total, Math.min(capacity, sum(demands)), TOLERANCE);
  }));
});

Deno.test("maxMinShares() gives nobody more than it asks for", () => {
  fc.assert(fc.property(CAPACITY, DEMANDS, (capacity, demands) => {
    const shares = maxMinShares(capacity, demands);
    assert(shares.every((share, index) => share <= (demands[index] ?? 0) + TOLERANCE));
  }));
});

Deno.test("maxMinShares() leaves nobody short beside somebody who has more", () => {
  fc.assert(fc.property(CAPACITY, DEMANDS, (capacity, demands) => {
    const shares = maxMinShares(capacity, demands);
    const short = shares.filter((share, index) => share < (demands[index] ?? 0) - TOLERANCE);
    // To raise a share that is short, one that is as small or smaller would have to shrink.
    assert(short.every((share) => share >= Math.max(...shares) - TOLERANCE));
  }));
});

Deno.test("maxMinShares() does not depend on the order of the demands", () => {
  fc.assert(fc.property(CAPACITY, DEMANDS, (capacity, demands) => {
    const backwards = maxMinShares(capacity, demands.toReversed()).toReversed();
    for (const [index, share] of maxMinShares(capacity, demands).entries()) {
      assertAlmostEquals(share, backwards[index] ?? 0, TOLERANCE);
    }
  }));
});
