import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { loadOf, peakOf, resampled } from "../../../export/report/load.ts";

Deno.test("loadOf() is the mean of what is open in each bin", () => {
  const begins = fc.double({ min: -10, max: 30, noNaN: true });
  const lengths = fc.double({ min: 0, max: 20, noNaN: true });
  fc.assert(fc.property(fc.array(fc.tuple(begins, lengths)), (items) => {
    const begin = Float64Array.from(items, ([one]) => one);
    const end = Float64Array.from(items, ([one, length]) => one + length);
    loadOf({ begin, end }, { from: 0, to: 20, count: 7 }).forEach((value, bin) => {
      const [low, high] = [bin * 20 / 7, (bin + 1) * 20 / 7];
      const covered = items.reduce(
        (sum, [one, length]) =>
          sum + Math.max(0, Math.min(high, one + length) - Math.max(low, one)),
        0,
      );
      assertAlmostEquals(value, covered / (20 / 7), 1e-6);
    });
  }));
});

Deno.test("loadOf() weighs, leaves out, and takes what has no end as open", () => {
  const begin = Float64Array.of(0, 1, NaN, 0);
  const end = Float64Array.of(1, NaN, 2, 2);
  const weight = Float64Array.of(2, 3, 9, NaN);
  const bins = { from: 0, to: 2, count: 2 };
  assertEquals([...loadOf({ begin, end, weight }, bins)], [2, 3]);
  assertEquals([...loadOf({ begin, end, isCounted: (item) => item === 3 }, bins)], [1, 1]);
});

Deno.test("resampled() keeps the mean, whatever the bins", () => {
  const values = Float64Array.of(1, 3, 5, 7);
  const of = (...[from, to, count]: [number, number, number]) => [
    ...resampled(values, { length: 10, from, to, count }),
  ];
  assertEquals(of(0, 40, 4), [1, 3, 5, 7]);
  assertEquals(of(0, 40, 2), [2, 6]);
  assertEquals(of(5, 15, 2), [1, 3]);
  assertEquals(of(30, 50, 2), [7, 0]);
});

Deno.test("peakOf() counts what is open at once; an end frees its place for a begin", () => {
  const peak = (begin: number[], end: number[]) =>
    peakOf({ begin: Float64Array.from(begin), end: Float64Array.from(end) });
  assertEquals([peak([0, 1, 2], [1, 2, 3]), peak([0, 0, 2], [3, 1, 3]), peak([], [])], [1, 2, 0]);
});
