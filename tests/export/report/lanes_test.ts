import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { firstEndingAfter, hitRow, packRows } from "../../../export/report/lanes.ts";
import { peakOf } from "../../../export/report/load.ts";

interface Item {
  readonly begin: number;
  readonly length: number;
  readonly group: number;
}

const ITEMS = fc.array(
  fc.record({ begin: fc.nat(100), length: fc.integer({ min: 1, max: 20 }), group: fc.nat(2) }),
  { maxLength: 60 },
);

function columnsOf(
  items: readonly Item[],
): { begin: Float64Array; end: Float64Array; group: Uint32Array } {
  return {
    begin: Float64Array.from(items, ({ begin }) => begin),
    end: Float64Array.from(items, ({ begin, length }) => begin + length),
    group: Uint32Array.from(items, ({ group }) => group),
  };
}

Deno.test("packRows() keeps intervals of a row apart, in as many rows as overlap at once", () => {
  fc.assert(fc.property(ITEMS, (items) => {
    const { begin, end, group } = columnsOf(items);
    const packed = packRows({ begin, end }, { group, groups: 3 });
    assertEquals([...packed.item].sort((a, b) => a - b), items.map((_, at) => at));
    for (let row = 0; row < packed.rows; row++) {
      for (let at = (packed.first[row] ?? 0) + 1; at < (packed.first[row + 1] ?? 0); at++) {
        assert((packed.begin[at] ?? 0) >= (packed.end[at - 1] ?? 0));
      }
    }
    for (let own = 0; own < 3; own++) {
      const rows = (packed.groupFirst[own + 1] ?? 0) - (packed.groupFirst[own] ?? 0);
      assertEquals(rows, peakOf(columnsOf(items.filter((one) => one.group === own))));
    }
  }));
});

Deno.test("packRows() leaves out what has no begin, and sorts what comes unsorted", () => {
  const intervals = { begin: Float64Array.of(5, NaN, 1), end: Float64Array.of(6, 9, 2) };
  const packed = packRows(intervals, { group: [0, 0, 0], groups: 1 });
  assertEquals([packed.rows, [...packed.item]], [1, [2, 0]]);
});

Deno.test("hitRow() finds the interval under the pointer, else the nearest within reach", () => {
  const intervals = { begin: Float64Array.of(0, 10, 30), end: Float64Array.of(8, 20, 31) };
  const packed = packRows(intervals, { group: [0, 0, 0], groups: 1 });
  const hit = (time: number, tolerance: number) => hitRow(packed, { row: 0, time, tolerance });
  assertEquals([hit(4, 0), hit(9, 0), hit(9.4, 1), hit(8.4, 1), hit(30.5, 0)], [0, null, 1, 0, 2]);
  assertEquals(hit(25, 2), null);
  assertEquals(hitRow(packed, { row: 1, time: 4, tolerance: 0 }), null);
  assertEquals(firstEndingAfter(packed, { row: 0, time: 20 }), 2);
});
