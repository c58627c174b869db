import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import golden from "../../fixtures/python_mix.json" with { type: "json" };
import { drawMix, expandMix, parseMix } from "../../../scheduler/dispatch/mix.ts";
import { BUILT_IN_PROFILES } from "../../../scheduler/dispatch/profiles.ts";
import { PythonRandom } from "../../../scheduler/dispatch/python_random.ts";

for (const { mix, total, seed, sequence } of golden.with_total) {
  Deno.test(`expandMix() reproduces ${mix} total ${total} seed ${seed}`, () => {
    const parts = parseMix(mix, BUILT_IN_PROFILES);
    const drawn = expandMix(parts, { total, random: new PythonRandom(seed) });
    assertEquals(drawn.map(({ name }) => name), sequence);
  });
}

for (const { mix, inputs, seed, sequence } of golden.without_total) {
  Deno.test(`drawMix() reproduces ${mix} over ${inputs} inputs seed ${seed}`, () => {
    const parts = parseMix(mix, BUILT_IN_PROFILES);
    const drawn = drawMix(parts, { count: inputs, random: new PythonRandom(seed) });
    assertEquals(drawn.map(({ name }) => name), sequence);
  });
}

Deno.test("expandMix() gives each profile its share, within one, and the total", () => {
  const names = ["fast1080p", "medium480p", "hevc1080p", "light1c"];
  const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(weights, fc.nat(500), fc.maxSafeInteger(), (weights, total, seed) => {
      const text = weights.map((weight, index) => `${names[index]}=${weight}`).join(",");
      const mix = parseMix(text, BUILT_IN_PROFILES);
      const drawn = expandMix(mix, { total, random: new PythonRandom(seed) });
      assertEquals(drawn.length, total);
      const sum = weights.reduce((all, weight) => all + weight, 0);
      for (const { profile, weight } of mix) {
        const count = drawn.filter((one) => one === profile).length;
        // In whole numbers; one more than a share that comes out even is still within one.
        assert(Math.abs(count * sum - total * weight) <= sum);
      }
    }),
  );
});

Deno.test("expandMix() gives what is left over to the heaviest, not to the first", () => {
  const mix = parseMix("light1c=1,fast1080p=3,hevc1080p=3", BUILT_IN_PROFILES);
  const drawn = expandMix(mix, { total: 3, random: new PythonRandom(1) });
  // 3/7, 9/7 and 9/7: one each of the two heavy ones, and one more of the first of them.
  const names = drawn.map(({ name }) => name).sort();
  assertEquals(names, ["fast1080p", "fast1080p", "hevc1080p"]);
});

const WRONG: readonly (readonly [mix: string, message: string])[] = [
  ["nosuch=1", `unknown profile "nosuch", known are fast1080p`],
  ["fast1080p=0", `the weight of "fast1080p" must be a whole number from 1 to 1000000, got "0"`],
  ["fast1080p=-3", `the weight of "fast1080p"`],
  ["fast1080p=NaN", `the weight of "fast1080p"`],
  ["fast1080p=1.5", `the weight of "fast1080p"`],
  ["fast1080p=1000001", `the weight of "fast1080p"`],
  ["fast1080p=Infinity", `the weight of "fast1080p"`],
  ["fast1080p", `NAME=WEIGHT is required, got "fast1080p"`],
  ["fast1080p=1,,hevc1080p=1", `NAME=WEIGHT is required, got ""`],
  ["", `NAME=WEIGHT is required, got ""`],
  ["light1c=1,light_1c=2", `profile "light1c" is in it twice`],
];
for (const [mix, message] of WRONG) {
  Deno.test(`parseMix() refuses "${mix}"`, () => {
    assertThrows(() => parseMix(mix, BUILT_IN_PROFILES), RangeError, message);
  });
}
