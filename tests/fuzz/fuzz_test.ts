import { assertEquals, assertGreater } from "@std/assert";
import { Mutator } from "./mutate.ts";
import { runRound } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Rounds of each target here; `deno task fuzz` draws others for as long as it is told. */
const ROUNDS = 15;

Deno.test.each(Object.keys(TARGETS))("%s takes what was changed at random", async (name) => {
  await using target = await TARGETS[name]?.();
  for (let seed = 0; seed < ROUNDS && target !== undefined; seed++) {
    await runRound(target, { seed, mutator: new Mutator(seed) });
  }
});

Deno.test("Mutator draws the same changes for a seed, and others for another", () => {
  const bytes = new TextEncoder().encode('{"a":1,"b":[2,3]}'.repeat(20));
  const draw = () => Array.from({ length: 20 }, (_, seed) => new Mutator(seed).bytes(bytes).join());
  assertEquals(draw(), draw());
  assertGreater(new Set(draw()).size, 15);
});
