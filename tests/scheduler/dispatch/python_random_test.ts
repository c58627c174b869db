import { assertEquals, assertThrows } from "@std/assert";
import golden from "../../fixtures/python_mix.json" with { type: "json" };
import { PythonRandom } from "../../../scheduler/dispatch/python_random.ts";

for (const known of golden.mt19937) {
  Deno.test(`PythonRandom(${known.seed}) draws what CPython draws`, () => {
    const words = new PythonRandom(known.seed);
    assertEquals(known.getrandbits32.map(() => words.getrandbits(32)), known.getrandbits32);
    const dice = new PythonRandom(known.seed);
    assertEquals(known.randint_1_100.map(() => dice.randint(1, 100)), known.randint_1_100);
    const items = known.shuffle_range20.map((_, index) => index);
    new PythonRandom(known.seed).shuffle(items);
    assertEquals(items, known.shuffle_range20);
  });
}

Deno.test("PythonRandom.random() draws what CPython draws, far into the sequence", () => {
  // random.Random(2**64 + 1), the first value and the one after 2000 others: CPython 3.11.
  const random = new PythonRandom(2n ** 64n + 1n);
  const first = random.random();
  for (let index = 1; index < 2000; index++) random.random();
  assertEquals([first, random.random()], [0.10175875467846374, 0.8852088644210198]);
});

Deno.test("PythonRandom.randint() refuses an empty span", () => {
  assertThrows(() => new PythonRandom(1).randint(2, 1), RangeError, "Cannot draw below 0");
});
