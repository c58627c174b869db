import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { packTables, streamed, unpackTables } from "../../../export/report/columns.ts";

Deno.test("unpackTables() gives back what packTables() took", () => {
  fc.assert(fc.property(
    fc.array(fc.record({
      number: fc.oneof(
        fc.constant(NaN),
        fc.integer({ min: -(2 ** 50), max: 2 ** 50 }).map((one) => one / 1000),
      ),
      code: fc.nat(2),
      text: fc.string({ unit: "grapheme", maxLength: 8 }),
    })),
    (rows) => {
      const packed = packTables({ a: 1 }, [{
        name: "t",
        columns: {
          number: { kind: "number", values: rows.map((row) => row.number), scale: 1000 },
          code: { kind: "code", codes: rows.map((row) => row.code), names: ["x", "", "z"] },
          text: { kind: "text", values: rows.map((row) => row.text) },
        },
      }]);
      const { head, tables } = unpackTables(packed);
      const table = tables.get("t");
      assertEquals(head, { a: 1 });
      assertEquals([...table?.numbers("number") ?? []], rows.map((row) => row.number + 0));
      assertEquals([...table?.codes("code").codes ?? []], rows.map((row) => row.code));
      assertEquals(table?.text("text"), rows.map((row) => row.text));
    },
  ));
});

Deno.test("packTables() never cuts a letter of two code units in half", () => {
  const values = ["a😀", "a😁", "😀", "😀😀", ""];
  const packed = packTables(null, [{ name: "t", columns: { id: { kind: "text", values } } }]);
  assertEquals(unpackTables(packed).tables.get("t")?.text("id"), values);
});

Deno.test("a table says which column it lacks", () => {
  const columns = { a: { kind: "text", values: ["x"] } } as const;
  const table = unpackTables(packTables(null, [{ name: "t", columns }])).tables.get("t");
  assertEquals(table?.rows, 1);
  assertThrows(() => table?.numbers("a"), TypeError, 'column "a": a number column is required');
});

Deno.test("streamed() compresses and back", async () => {
  const bytes = new Uint8Array(100_000).fill(7);
  const small = await streamed(bytes, new CompressionStream("gzip"));
  assert(small.length < 1000);
  assertEquals(await streamed(small, new DecompressionStream("gzip")), bytes);
});
