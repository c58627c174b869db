import { assert, assertEquals } from "@std/assert";
import { bootstrapInterval } from "../../../export/compare/bootstrap.ts";

const VALUES = Array.from({ length: 200 }, (_, at) => (at * 7919) % 100);

function meanAt(places: Uint32Array): number {
  return Array.from(places).reduce((sum, place) => sum + (VALUES[place] as number), 0) /
    places.length;
}

Deno.test("bootstrapInterval() of a mean has the width that theory gives", () => {
  const interval = bootstrapInterval(VALUES.length, meanAt);
  assert(interval !== null);
  const mean = VALUES.reduce((sum, one) => sum + one, 0) / VALUES.length;
  const variance = VALUES.reduce((sum, one) => sum + (one - mean) ** 2, 0) / VALUES.length;
  const half = 1.96 * Math.sqrt(variance / VALUES.length);
  assert(Math.abs(interval[0] - (mean - half)) < 0.15 * half, `${interval}`);
  assert(Math.abs(interval[1] - (mean + half)) < 0.15 * half, `${interval}`);
});

Deno.test("bootstrapInterval() is the same for the same input", () => {
  assertEquals(bootstrapInterval(200, meanAt), bootstrapInterval(200, meanAt));
});

Deno.test("bootstrapInterval() draws neighbours together", () => {
  bootstrapInterval(50, (places) => {
    const [first = 0, second = 0, third = 0] = places;
    assertEquals([second - first, third - second], [1, 1]);
    return 0;
  }, { blockLength: 5 });
});

Deno.test("bootstrapInterval() is null for one place and for a statistic that does not exist", () => {
  assertEquals(bootstrapInterval(1, () => 0), null);
  assertEquals(bootstrapInterval(10, () => null), null);
});
