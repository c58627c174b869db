import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fairShares } from "../../../adapter/cpu/fair_shares.ts";

/** Tasks of whole vCPUs with the weight that is usual for them. */
const DEMANDS = fc.array(
  fc.integer({ min: 1, max: 32 }).map((cores) => ({ cores, weight: 100 * cores })),
  { minLength: 1, maxLength: 20 },
);

Deno.test("fairShares() leaves weights alone where everybody gets what it asks for", () => {
  const demands = [{ cores: 1, weight: 100 }, { cores: 2, weight: 7 }];
  assertEquals(fairShares(4, demands), demands);
});

Deno.test("fairShares() leaves the weight of a task alone that has the node to itself", () => {
  assertEquals(fairShares(2, [{ cores: 4, weight: 400 }]), [{ cores: 2, weight: 400 }]);
});

Deno.test("fairShares() lowers the weight of a large task beside a small one", () => {
  assertEquals(fairShares(2, [{ cores: 1, weight: 100 }, { cores: 4, weight: 400 }]), [
    { cores: 1, weight: 100 },
    { cores: 1, weight: 100 },
  ]);
});

Deno.test("fairShares() weighs tasks as their shares do, to a whole weight", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), DEMANDS, (capacity, demands) => {
    const shares = fairShares(capacity, demands);
    const perCore = shares.map(({ cores, weight }) => weight / cores);
    const best = Math.max(...perCore);
    for (const { cores, weight } of shares) assertAlmostEquals(weight, best * cores, 1);
  }));
});

Deno.test("fairShares() never raises a weight", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), DEMANDS, (capacity, demands) => {
    const shares = fairShares(capacity, demands);
    assert(shares.every(({ weight }, index) => weight <= (demands[index]?.weight ?? 0)));
  }));
});
