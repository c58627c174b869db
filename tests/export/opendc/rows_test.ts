import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { RowStore } from "../../../export/opendc/rows.ts";

const ANY_ROWS = fc.array(
  fc.record({
    task: fc.integer({ min: 0, max: 4 }),
    tsMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
    dtMs: fc.double({ min: 0, max: 200, noNaN: true }),
    cpuMs: fc.double({ min: 0, max: 200, noNaN: true }),
    pid: fc.integer({ min: 0, max: 2 ** 22 }),
  }),
  { maxLength: 40 },
);

Deno.test("RowStore gives back each task's rows in the order of their arrival, spilled or not", () => {
  const folder = Deno.makeTempDirSync();
  try {
    fc.assert(fc.property(ANY_ROWS, fc.integer({ min: 1, max: 50 }), (rows, rowsInMemory) => {
      const spillPath = join(folder, "spill");
      using store = new RowStore({ tasks: 5, spillPath, rowsInMemory });
      for (const { task, ...row } of rows) store.add(task, row);
      store.seal();
      assertEquals(store.spilledBytes > 0, rows.length > rowsInMemory);
      for (let task = 0; task < 5; task++) {
        const expected = rows.filter((row) => row.task === task);
        const found = store.rowsOf(task);
        assertEquals(store.hasRows(task), expected.length > 0);
        assertEquals([...found.endMs], expected.map(({ tsMs }) => tsMs));
        assertEquals([...found.dtMs], expected.map(({ dtMs }) => dtMs));
        assertEquals([...found.cpuMs], expected.map(({ cpuMs }) => cpuMs));
        assertEquals([...found.pid], expected.map(({ pid }) => pid));
      }
    }));
    assert([...Deno.readDirSync(folder)].length === 0, "the spill file is left behind");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
