import { assertEquals } from "@std/assert";
import { Lateness } from "../../../collector/sampling/lateness.ts";

Deno.test("Lateness.take() has the nearest rank of 99 % and the maximum, and begins again", () => {
  const lateness = new Lateness();
  for (let tick = 200; tick >= 1; tick--) lateness.add(tick);
  assertEquals(lateness.take(), { ticks: 200, p99Ms: 198, maxMs: 200 });
  lateness.add(7);
  assertEquals(lateness.take(), { ticks: 1, p99Ms: 7, maxMs: 7 });
  assertEquals(lateness.take(), { ticks: 0, p99Ms: 0, maxMs: 0 });
});
