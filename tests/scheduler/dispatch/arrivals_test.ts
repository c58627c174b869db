import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  parseArrivalFile,
  parseArrivals,
  poissonOffsets,
  pulseOffsets,
  regularOffsets,
} from "../../../scheduler/dispatch/arrivals.ts";
import { PythonRandom } from "../../../scheduler/dispatch/python_random.ts";

Deno.test("parseArrivals() reads the three forms", () => {
  assertEquals(parseArrivals("poisson:2.5"), { kind: "poisson", ratePerS: 2.5 });
  assertEquals(parseArrivals("every:0.1"), { kind: "every", intervalS: 0.1 });
  assertEquals(parseArrivals("file:a:b.csv"), { kind: "file", path: "a:b.csv" });
});

for (const wrong of ["poisson:0", "poisson:", "poisson:x", "every:-1", "file:", "weekly:1", ""]) {
  Deno.test(`parseArrivals() refuses "${wrong}"`, () => {
    assertThrows(() => parseArrivals(wrong), RangeError, "poisson:RATE");
  });
}

Deno.test("poissonOffsets() has exponential gaps of the asked rate", () => {
  const count = 20_000;
  const offsets = poissonOffsets(count, { ratePerS: 4, random: new PythonRandom(7) });
  const gaps = offsets.map((offset, index) => offset - (offsets[index - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / count;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / count;
  // Mean and standard deviation of an exponential gap are both 1/rate; 3 % is four standard errors.
  assertAlmostEquals(mean, 250, 7.5);
  assertAlmostEquals(Math.sqrt(variance), 250, 10);
});

Deno.test("regularOffsets() begins at once", () => {
  assertEquals(regularOffsets(3, 0.5), [0, 500, 1000]);
});

Deno.test("pulseOffsets() spaces pulses by interval and tasks by stagger", () => {
  const offsets = pulseOffsets(5, { size: 2, intervalS: 100, staggerS: 1 });
  assertEquals(offsets, [0, 1000, 100_000, 101_000, 200_000]);
});

Deno.test("pulseOffsets() lets a pulse that is longer than the interval end first", () => {
  const offsets = pulseOffsets(4, { size: 3, intervalS: 1, staggerS: 2 });
  assertEquals(offsets, [0, 2000, 4000, 6000]);
});

Deno.test("pulseOffsets() never goes back", () => {
  const seconds = fc.double({ min: 0, max: 1000, noNaN: true });
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 20 }), seconds, seconds, (...drawn) => {
      const [count, size, intervalS, staggerS] = drawn;
      const offsets = pulseOffsets(count, { size, intervalS, staggerS });
      for (const [index, offset] of offsets.entries()) {
        // One unit in the last place is lost where products are added.
        assertEquals(offset >= (offsets[index - 1] ?? 0) - 1e-6, true);
      }
    }),
  );
});

Deno.test("parseArrivalFile() takes the first column, behind a header and comments", () => {
  const text = "# made by hand\narrival_s,what\n0,a\n\n1.5,b\r\n1.5\n";
  assertEquals(parseArrivalFile(text, "a.csv"), [0, 1500, 1500]);
});

Deno.test("parseArrivalFile() refuses times that go back and words among them", () => {
  assertThrows(() => parseArrivalFile("2\n1\n", "a.csv"), SyntaxError, "a.csv:2: seconds of at");
  assertThrows(() => parseArrivalFile("1\nlater\n", "a.csv"), SyntaxError, `got "later"`);
  assertThrows(() => parseArrivalFile("-1\n", "a.csv"), SyntaxError, "a.csv:1");
});
