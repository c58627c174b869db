import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  asymptoticKsP,
  bestLag,
  exactKsP,
  kolmogorovSmirnov,
  kolmogorovSurvival,
  medianOf,
  pearsonOf,
  quantileOf,
  relativeErrorOf,
  rmseOf,
  smapeOf,
} from "../../../export/compare/statistics.ts";

Deno.test("quantileOf() interpolates as numpy.percentile does", () => {
  // numpy.percentile([15, 20, 35, 40, 50], [50, 95, 99])
  const values = [50, 15, 40, 20, 35];
  assertEquals(quantileOf(values, 0.5), 35);
  assertAlmostEquals(quantileOf(values, 0.95), 48, 1e-12);
  assertAlmostEquals(quantileOf(values, 0.99), 49.6, 1e-12);
  assertEquals(values, [50, 15, 40, 20, 35]);
});

Deno.test("relativeErrorOf() is infinite against 0, and 0 where both are", () => {
  assertEquals(relativeErrorOf(110, 100), 0.1);
  assertEquals(relativeErrorOf(0, 0), 0);
  assertEquals(relativeErrorOf(1, 0), Infinity);
});

Deno.test("smapeOf() is the mean of the symmetric errors", () => {
  // (|100-110|/105 + |200-100|/150 + 0) / 3
  assertAlmostEquals(smapeOf([100, 200, 0], [110, 100, 0]), (10 / 105 + 100 / 150) / 3, 1e-12);
  assertEquals(smapeOf([1, 0], [0, 1]), 2);
  assertEquals(smapeOf([], []), 0);
});

Deno.test("pearsonOf() agrees with Anscombe's first set, and has none for a constant", () => {
  // Anscombe 1973: r = 0.816 in all four sets.
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
  assertAlmostEquals(pearsonOf(x, y) ?? NaN, 0.81642, 5e-6);
  assertEquals(pearsonOf([1, 1, 1], [1, 2, 3]), null);
  assertEquals(pearsonOf([1], [1]), null);
});

Deno.test("rmseOf() and medianOf() of small series", () => {
  assertAlmostEquals(rmseOf([1, 2, 3], [1, 2, 6]), Math.sqrt(3), 1e-12);
  assertEquals(rmseOf([], []), 0);
  assertEquals(medianOf([4, 1, 3]), 3);
});

// Two samples that do not overlap: of C(n + m, n) arrangements two are that far apart.
const APART: readonly (readonly [number, number, number])[] = [
  [2, 2, 2 / 6],
  [3, 3, 2 / 20],
  [3, 4, 2 / 35],
  [5, 5, 2 / 252],
  [1, 4, 2 / 5],
];

for (const [n, m, p] of APART) {
  Deno.test(`exactKsP() of ${n} and ${m} values that do not overlap is 2 / C(n + m, n)`, () => {
    assertAlmostEquals(exactKsP(1, { n, m }), p, 1e-12);
  });
}

Deno.test("exactKsP() of equal sizes is the closed form of Gnedenko and Korolyuk (1951)", () => {
  // P(D >= k / n) = 2 Σ (-1)^(i-1) C(2n, n - i k) / C(2n, n); n = 10, k = 6: 2 · 4845 / 184756.
  assertAlmostEquals(exactKsP(0.6, { n: 10, m: 10 }), 2 * 4845 / 184756, 1e-12);
  for (const n of [3, 10, 20, 25]) {
    for (let k = 1; k <= n; k++) {
      let p = 0;
      for (let i = 1; i * k <= n; i++) {
        p += (i % 2 === 1 ? 2 : -2) * binomial(2 * n, n - i * k) / binomial(2 * n, n);
      }
      assertAlmostEquals(exactKsP(k / n, { n, m: n }), p, 1e-9);
    }
  }
});

function binomial(n: number, k: number): number {
  let value = 1;
  for (let one = 1; one <= k; one++) value *= (n - k + one) / one;
  return value;
}

// Smirnov 1948, "Table for estimating the goodness of fit": L(z) = 1 - Q(z).
const SMIRNOV: readonly (readonly [number, number])[] = [
  [0.5, 1 - 0.036055],
  [1.0, 1 - 0.730000],
  [1.36, 1 - 0.950514],
  [1.63, 1 - 0.990154],
];

for (const [x, q] of SMIRNOV) {
  Deno.test(`kolmogorovSurvival(${x}) is as tabulated`, () => {
    assertAlmostEquals(kolmogorovSurvival(x), q, 1.5e-6);
  });
}

Deno.test("asymptoticKsP() comes near the exact one for large samples", () => {
  for (const statistic of [0.05, 0.07, 0.1]) {
    const sizes = { n: 700, m: 800 };
    assertAlmostEquals(asymptoticKsP(statistic, sizes), exactKsP(statistic, sizes), 0.01);
  }
});

Deno.test("exactKsP() agrees with counting all arrangements", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.nat(),
    (n, m, seed) => {
      const statistics = arrangements(n, m).map((isFirst) => statisticOf(isFirst, n, m));
      const statistic = statistics[seed % statistics.length] as number;
      const share = statistics.filter((one) => one >= statistic - 1e-9).length / statistics.length;
      assertAlmostEquals(exactKsP(statistic, { n, m }), share, 1e-9);
    },
  ));
});

/** Every order of n values of the first sample and m of the second. */
function arrangements(n: number, m: number): boolean[][] {
  if (n === 0 && m === 0) return [[]];
  return [
    ...(n > 0 ? arrangements(n - 1, m).map((rest) => [true, ...rest]) : []),
    ...(m > 0 ? arrangements(n, m - 1).map((rest) => [false, ...rest]) : []),
  ];
}

function statisticOf(isFirst: readonly boolean[], n: number, m: number): number {
  let i = 0;
  let j = 0;
  return isFirst.reduce((statistic, one) => {
    if (one) i++;
    else j++;
    return Math.max(statistic, Math.abs(i / n - j / m));
  }, 0);
}

Deno.test("kolmogorovSmirnov() of two samples with ties", () => {
  // By hand: after 5 the first has all, the second 1 of 4.
  const { statistic, method } = kolmogorovSmirnov([1, 2, 2, 5], [2, 6, 7, 8]);
  assertEquals(statistic, 0.75);
  assertEquals(method, "exact");
  assertEquals(kolmogorovSmirnov([1, 2, 3], [1, 2, 3]), { statistic: 0, p: 1, method: "exact" });
});

Deno.test("kolmogorovSmirnov() of large samples uses the limit distribution", () => {
  const a = Array.from({ length: 4000 }, (_, at) => at);
  const same = kolmogorovSmirnov(a, a.map((value) => value + 0.5));
  assertEquals(same.method, "asymptotic");
  assert(same.p > 0.999);
  assert(kolmogorovSmirnov(a, a.map((value) => value + 400)).p < 1e-10);
});

Deno.test("bestLag() finds by how many bins a series is late", () => {
  const series = [0, 1, 3, 6, 8, 9, 9, 9];
  const late = [0, 0, 0, 1, 3, 6, 8, 9, 9, 9];
  assertEquals(bestLag(series, { later: late, maxLag: 10 }), { rmse: 0, lag: 2 });
  assertEquals(bestLag(late, { later: series, maxLag: 10 }), { rmse: 0, lag: -2 });
  assertEquals(bestLag(series, { later: series, maxLag: 10 }), { rmse: 0, lag: 0 });
  assert(bestLag(series, { later: late, maxLag: 1 }).rmse > 0);
});
