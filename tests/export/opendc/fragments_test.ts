import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  constantFragment,
  type Fragments,
  fragmentsOf,
  type UsageRows,
  wholeSpan,
} from "../../../export/opendc/fragments.ts";

interface Row {
  readonly endMs: number;
  readonly dtMs: number;
  readonly cpuMs: number;
  readonly pid?: number;
}

function rowsOf(rows: readonly Row[]): UsageRows {
  return {
    length: rows.length,
    endMs: Float64Array.from(rows, ({ endMs }) => endMs),
    dtMs: Float64Array.from(rows, ({ dtMs }) => dtMs),
    cpuMs: Float64Array.from(rows, ({ cpuMs }) => cpuMs),
    pid: Int32Array.from(rows, ({ pid }) => pid ?? 1),
  };
}

/** Fragments as [duration, cores] pairs. */
function pairs({ length, durationMs, cores }: Fragments): [number, number][] {
  return Array.from({ length }, (_, at) => [durationMs[at] as number, cores[at] as number]);
}

function cpuOf(fragments: Fragments): number {
  return pairs(fragments).reduce((sum, [durationMs, cores]) => sum + durationMs * cores, 0);
}

const START_MS = 1_756_728_000_000;

const CASES: readonly {
  readonly name: string;
  readonly span: readonly [number, number];
  readonly rows: readonly Row[];
  readonly expected: readonly (readonly [number, number])[];
}[] = [
  {
    name: "keeps rows that follow one another",
    span: [0, 400],
    rows: [{ endMs: 200, dtMs: 200, cpuMs: 100 }, { endMs: 400, dtMs: 200, cpuMs: 50 }],
    expected: [[200, 0.5], [200, 0.25]],
  },
  {
    name: "makes idle fragments before, between and after rows",
    span: [0, 500],
    rows: [{ endMs: 200, dtMs: 100, cpuMs: 100 }, { endMs: 400, dtMs: 100, cpuMs: 50 }],
    expected: [[100, 0], [100, 1], [100, 0], [100, 0.5], [100, 0]],
  },
  {
    name: "sums processes that overlap",
    span: [0, 300],
    rows: [
      { endMs: 200, dtMs: 200, cpuMs: 200, pid: 1 },
      { endMs: 300, dtMs: 200, cpuMs: 100, pid: 2 },
    ],
    expected: [[100, 1], [100, 1.5], [100, 0.5]],
  },
  {
    name: "is idle exactly where overlapping processes have ended",
    span: [0, 40],
    rows: [
      { endMs: 20, dtMs: 20, cpuMs: 0.1 * 20, pid: 1 },
      { endMs: 30, dtMs: 20, cpuMs: 0.2 * 20, pid: 2 },
    ],
    // 0.1 + 0.2 - 0.1 - 0.2 is not 0 in doubles.
    expected: [[10, 0.1], [10, 0.1 + 0.2], [10, 0.2], [10, 0]],
  },
  {
    name: "gives a job of less than a millisecond one of 1 ms",
    span: [10.1, 10.4],
    rows: [{ endMs: 10.4, dtMs: 0.3, cpuMs: 0.25 }],
    expected: [[1, 0.25]],
  },
  {
    name: "puts a row shorter than a millisecond into the one that it falls into",
    span: [0, 3],
    rows: [{ endMs: 1.6, dtMs: 0.1, cpuMs: 0.1 }],
    expected: [[2, 0], [1, 0.1]],
  },
  {
    name: "takes rows in any order",
    span: [0, 20],
    rows: [{ endMs: 20, dtMs: 10, cpuMs: 2 }, { endMs: 10, dtMs: 10, cpuMs: 1 }],
    expected: [[10, 0.1], [10, 0.2]],
  },
  {
    name: "counts a row once that is there twice",
    span: [0, 10],
    rows: [{ endMs: 10, dtMs: 10, cpuMs: 5 }, { endMs: 10, dtMs: 10, cpuMs: 5 }],
    expected: [[10, 0.5]],
  },
  {
    name: "keeps the CPU time of a row beyond the task at its edge",
    span: [0, 10],
    rows: [{ endMs: 40, dtMs: 10, cpuMs: 2 }],
    expected: [[9, 0], [1, 2]],
  },
  {
    name: "leaves a task without rows idle",
    span: [0, 7],
    rows: [],
    expected: [[7, 0]],
  },
];

for (const { name, span: [startMs, endMs], rows, expected } of CASES) {
  Deno.test(`fragmentsOf() ${name}`, () => {
    const found = pairs(fragmentsOf(rowsOf(rows), { startMs, endMs }));
    assertEquals(found.map(([durationMs]) => durationMs), expected.map(([first]) => first));
    for (const [at, [, cores]] of expected.entries()) {
      assertAlmostEquals(found[at]?.[1] ?? NaN, cores, 1e-12);
      if (cores === 0) assertEquals(found[at]?.[1], 0);
    }
  });
}

Deno.test("fragmentsOf() closes the microsecond that rounding opens between two rows", () => {
  // Both the end of the first and the start of the second are 100.5 on paper.
  const startMs = START_MS;
  const rows = rowsOf([
    { endMs: startMs + 100.5, dtMs: 100.5, cpuMs: 10 },
    { endMs: startMs + 200, dtMs: 99.501, cpuMs: 10 },
  ]);
  const { length } = fragmentsOf(rows, { startMs, endMs: startMs + 200 });
  assertEquals(length, 2);
});

Deno.test("fragmentsOf() counts duplicates and rows outside", () => {
  const row = { endMs: 10, dtMs: 10, cpuMs: 5 };
  const rows = rowsOf([row, row, { endMs: 50, dtMs: 1, cpuMs: 1 }]);
  const { duplicates, outside } = fragmentsOf(rows, { startMs: 0, endMs: 20 });
  assertEquals({ duplicates, outside }, { duplicates: 1, outside: 1 });
});

/** A task with rows of several processes, with gaps, overlaps, short rows and any order. */
const ANY_TASK = fc.record({
  startMs: fc.double({ min: 0, max: 10, noNaN: true }).map((ms) => START_MS + ms),
  lengthMs: fc.double({ min: 0, max: 500, noNaN: true }),
  rows: fc.array(
    fc.record({
      at: fc.double({ min: -0.05, max: 1.05, noNaN: true }),
      dtMs: fc.oneof(
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.double({ min: 0, max: 300, noNaN: true }),
      ),
      cpuMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
      pid: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 30 },
  ),
}).map(({ startMs, lengthMs, rows }) => ({
  span: { startMs, endMs: startMs + lengthMs },
  rows: rows.map(({ at, ...row }) => ({ ...row, endMs: startMs + at * lengthMs })),
}));

Deno.test("fragmentsOf() tiles every task in whole milliseconds without an empty fragment", () => {
  fc.assert(fc.property(ANY_TASK, ({ span, rows }) => {
    const found = pairs(fragmentsOf(rowsOf(rows), span));
    const total = found.reduce((sum, [durationMs]) => sum + durationMs, 0);
    assertEquals(total, wholeSpan(span).durationMs);
    for (const [durationMs, cores] of found) {
      assert(Number.isSafeInteger(durationMs) && durationMs >= 1, `${durationMs}`);
      assert(cores >= 0 && Number.isFinite(cores), `${cores}`);
    }
  }));
});

Deno.test("fragmentsOf() keeps the CPU time of all rows", () => {
  fc.assert(fc.property(ANY_TASK, ({ span, rows }) => {
    const unique = new Map(rows.map((row) => [JSON.stringify(row), row]));
    const cpuMs = [...unique.values()].reduce((sum, row) => sum + row.cpuMs, 0);
    assertAlmostEquals(cpuOf(fragmentsOf(rowsOf(rows), span)), cpuMs, 1e-9 * Math.max(1, cpuMs));
  }));
});

Deno.test("fragmentsOf() agrees with adding up millisecond by millisecond", () => {
  // Whole times, so that rounding plays no part in the reference.
  const wholeTask = fc.record({
    lengthMs: fc.integer({ min: 1, max: 60 }),
    rows: fc.uniqueArray(
      fc.record({
        fromMs: fc.integer({ min: 0, max: 59 }),
        dtMs: fc.integer({ min: 1, max: 40 }),
        cpuMs: fc.integer({ min: 0, max: 50 }),
        pid: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 12, selector: (row) => JSON.stringify(row) },
    ),
  });
  fc.assert(fc.property(wholeTask, ({ lengthMs, rows }) => {
    const inside = rows.filter(({ fromMs, dtMs }) => fromMs + dtMs <= lengthMs);
    const reference = new Float64Array(lengthMs);
    for (const { fromMs, dtMs, cpuMs } of inside) {
      for (let ms = fromMs; ms < fromMs + dtMs; ms++) {
        reference[ms] = (reference[ms] as number) + cpuMs / dtMs;
      }
    }
    const given = rowsOf(inside.map(({ fromMs, dtMs, ...row }) => ({
      ...row,
      dtMs,
      endMs: START_MS + fromMs + dtMs,
    })));
    const span = { startMs: START_MS, endMs: START_MS + lengthMs };
    let at = 0;
    for (const [durationMs, cores] of pairs(fragmentsOf(given, span))) {
      for (let ms = 0; ms < durationMs; ms++, at++) {
        assertAlmostEquals(cores, reference[at] as number, 1e-9);
      }
    }
  }));
});

Deno.test("constantFragment() spreads a total over the whole span", () => {
  const fragments = constantFragment(42, { startMs: 0.4, endMs: 100.4 });
  assertEquals(pairs(fragments), [[100, 0.42]]);
});
